/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "base/secret.h"
#include "daemon/notify/internal.h"

static const char prefix[] = "whsec_";

static void sign_one(const char *secret, const char *signed_text, size_t n, struct buf *out)
{
	uint8_t key[SECRET_MOST], digest[SHA256_BYTES];
	char text[48];
	size_t key_n = strlen(secret), decoded;
	size_t skip = sizeof(prefix) - 1;

	memcpy(key, secret, MIN(key_n, sizeof(key)));
	if (!strncmp(secret, prefix, skip) && base64_parse(secret + skip, key, &decoded))
		key_n = decoded;
	hmac_sha256(key, key_n, signed_text, n, digest);
	base64_format(digest, sizeof(digest), text);
	buf_printf(out, "%sv1,%s", out->len ? " " : "", text);
}

const char *notify_sign(const struct secrets *secrets, const char *id, int64_t timestamp_s,
	const char *body, struct arena *a)
{
	_cleanup_(buf_done)
	struct buf text = { 0 };
	_cleanup_(buf_done)
	struct buf out = { 0 };

	buf_printf(&text, "%s.%lld.", id, (long long)timestamp_s);
	buf_add_str(&text, body);
	for (size_t i = 0; i < secrets->n; i++)
		sign_one(secrets->text[i], text.data, text.len, &out);
	return arena_strdup(a, buf_str(&out));
}
