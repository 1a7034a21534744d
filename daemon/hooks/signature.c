/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "base/secret.h"
#include "daemon/hooks/internal.h"

bool hook_signature_is_right(
	const struct hook *h, const char *header, const void *body, size_t n)
{
	uint8_t given[SHA256_BYTES], made[SHA256_BYTES];
	bool is_right = false;

	if (!header)
		return false;
	if (!strncmp(header, "sha256=", 7))
		header += 7;
	if (!hex_parse(header, given, sizeof(given)))
		return false;
	for (size_t i = 0; i < h->secrets.n; i++) {
		const char *key = h->secrets.text[i];

		hmac_sha256(key, strlen(key), body, n, made);
		is_right |= equal_constant_time(given, made, sizeof(made));
	}
	return is_right;
}
