/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes, signatures, ids and text encodings (nettle). Any thread. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

enum { SHA256_BYTES = 32, SHA256_HEX = 65, UUID_TEXT = 37 };

void sha256(const void *data, size_t n, uint8_t out[SHA256_BYTES]);
/* Lower-case hexadecimal text of the hash of data. */
const char *sha256_hex(const void *data, size_t n, char out[SHA256_HEX]);
/* The same of data that comes in pieces. */
struct sha256_sum;
struct sha256_sum *sha256_start(void);
void sha256_add(struct sha256_sum *s, const void *data, size_t n);
const char *sha256_end(struct sha256_sum *s, char out[SHA256_HEX]); /* frees s */
/* HMAC-SHA-256 (RFC 2104). */
void hmac_sha256(
	const void *key, size_t key_n, const void *data, size_t n, uint8_t out[SHA256_BYTES]);
void hex_format(const void *data, size_t n, char *out /* 2n+1 */);
/* Takes upper and lower case; false when text is not exactly 2n digits. */
bool hex_parse(const char *text, uint8_t *out, size_t n);
/* Standard alphabet with padding (RFC 4648 section 4). out has 4*((n+2)/3)+1 bytes. */
void base64_format(const void *data, size_t n, char *out);
/* The other way round; out has strlen(text) bytes. False when text is not base64. */
bool base64_parse(const char *text, uint8_t *out, size_t *ret_n);
/* Compares in a time that does not depend on the content. */
bool equal_constant_time(const void *a, const void *b, size_t n);
/* From getrandom(2). */
void random_bytes(void *out, size_t n);
uint64_t random_u64(void);
/* n random digits and letters of ASCII (5.95 bits each) and a NUL. */
void random_letters(char *out, size_t n);
/* Random version-4 UUID (RFC 9562), lower case. */
const char *uuid_new(char out[UUID_TEXT]);
bool uuid_is_valid(const char *text); /* any version, lower or upper case, hyphenated */

#endif
