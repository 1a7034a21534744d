/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/secret.h"
#include "daemon/model/model.h"

char *environment_read(const json_t *environment, char hash[65])
{
	const json_t *identity = json_object_get(environment, "identity");
	char *text;

	if (!json_is_object(identity))
		return NULL;
	text = json_canonical(identity);
	sha256_hex(text, strlen(text), hash);
	if (!strcmp(json_get_str(environment, "id", ""), hash))
		return text;
	free(text);
	return NULL;
}
