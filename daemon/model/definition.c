/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "base/json.h"
#include "base/secret.h"
#include "daemon/model/model.h"

#define KERNEL_PROGRAM "benchd-kernel"

void program_read(const json_t *message, char ret[SHA256_HEX])
{
	const json_t *programs = json_object_get(message, "programs");
	const char *id = json_get_str(programs, KERNEL_PROGRAM, "");
	uint8_t bytes[SHA256_BYTES];

	snprintf(ret, SHA256_HEX, "%s", hex_parse(id, bytes, sizeof(bytes)) ? id : "");
}

static bool is_kernel(const struct cell *c)
{
	const char *name = json_string_value(json_array_get(c->argv, 0));

	return name && !strcmp(name, KERNEL_PROGRAM);
}

struct definition definition_of(
	struct arena *a, const struct cell *c, const char *program, const char *driver)
{
	struct definition d = { .hash = c->definition_hash, .workload = c->definition_hash };
	const char *both;
	char *hash;

	if (!*program || !is_kernel(c))
		return d;
	both = arena_printf(a, "%s %s%s%s", c->definition_hash, program, driver ? " " : "",
		driver ? driver : "");
	hash = arena_alloc(a, SHA256_HEX);
	d.hash = sha256_hex(both, strlen(both), hash);
	d.program = program;
	d.driver = driver;
	return d;
}
