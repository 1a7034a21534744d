/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/secret.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include "base/cleanup.h"

void sha256(const void *data, size_t n, uint8_t out[SHA256_BYTES])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, data);
	sha256_digest(&ctx, SHA256_BYTES, out);
}

const char *sha256_hex(const void *data, size_t n, char out[SHA256_HEX])
{
	uint8_t digest[SHA256_BYTES];

	sha256(data, n, digest);
	hex_format(digest, sizeof(digest), out);
	return out;
}

struct sha256_sum {
	struct sha256_ctx ctx;
};

struct sha256_sum *sha256_start(void)
{
	struct sha256_sum *s = xcalloc(1, sizeof(*s));

	sha256_init(&s->ctx);
	return s;
}

void sha256_add(struct sha256_sum *s, const void *data, size_t n)
{
	sha256_update(&s->ctx, n, data);
}

const char *sha256_end(struct sha256_sum *s, char out[SHA256_HEX])
{
	uint8_t digest[SHA256_BYTES];

	sha256_digest(&s->ctx, SHA256_BYTES, digest);
	hex_format(digest, sizeof(digest), out);
	free(s);
	return out;
}

void hmac_sha256(
	const void *key, size_t key_n, const void *data, size_t n, uint8_t out[SHA256_BYTES])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, key_n, key);
	hmac_sha256_update(&ctx, n, data);
	hmac_sha256_digest(&ctx, SHA256_BYTES, out);
}

void hex_format(const void *data, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = 0;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_parse(const char *text, uint8_t *out, size_t n)
{
	if (strlen(text) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = nibble(text[2 * i]), lo = nibble(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void base64_format(const void *data, size_t n, char *out)
{
	base64_encode_raw(out, n, data);
	out[BASE64_ENCODE_RAW_LENGTH(n)] = 0;
}

bool base64_parse(const char *text, uint8_t *out, size_t *ret_n)
{
	struct base64_decode_ctx ctx;

	base64_decode_init(&ctx);
	*ret_n = BASE64_DECODE_LENGTH(strlen(text));
	return base64_decode_update(&ctx, ret_n, out, strlen(text), text) &&
	       base64_decode_final(&ctx);
}

bool equal_constant_time(const void *a, const void *b, size_t n)
{
	return memeql_sec(a, b, n);
}

void random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n) {
		ssize_t r = getrandom(p, n, 0);

		if (r < 0)
			abort();
		p += r;
		n -= (size_t)r;
	}
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

/* Rejection keeps every letter equally likely: 248 = 4 * 62. */
void random_letters(char *out, size_t n)
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < n;) {
		uint8_t byte;

		random_bytes(&byte, 1);
		if (byte < 248)
			out[i++] = letters[byte % 62];
	}
	out[n] = 0;
}

const char *uuid_new(char out[UUID_TEXT])
{
	uint8_t b[16];
	char hex[33];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	hex_format(b, sizeof(b), hex);
	snprintf(out, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
	return out;
}

bool uuid_is_valid(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : nibble(text[i]) < 0)
			return false;
	}
	return true;
}
