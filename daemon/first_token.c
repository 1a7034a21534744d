/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/first_token.h"

#include <string.h>
#include "base/fs.h"
#include "base/log.h"
#include "base/secret.h"
#include "daemon/http/http.h"

enum { KEY_RANDOM = 30 }; /* as many as Bencher's client wants to see */

static int store_key(struct store *st, const char *key, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct token t = { .name = "admin",
		.last_four = key + strlen(key) - 4,
		.scopes = 1u << S_ADMIN,
		.created_ns = clock_realtime_ns() };
	uint8_t digest[SHA256_BYTES];
	int r;

	sha256(key, strlen(key), digest);
	r = store_begin(st, err);
	if (r == OK)
		r = store_token_add(st, a, digest, &t, err);
	if (r == OK)
		return store_commit(st, err);
	store_rollback(st);
	return r;
}

int first_token_make(struct store *st, const char *state_dir, struct error *err)
{
	_cleanup_(free)
	char *path = xasprintf("%s/admin.token", state_dir);
	char key[16 + KEY_RANDOM];
	int64_t n;
	int r;

	r = store_token_count(st, &n, err);
	if (r < 0 || n > 0)
		return r;
	n = snprintf(key, sizeof(key), "bencher_user_");
	random_letters(key + n, KEY_RANDOM);
	/* The file first: a key that nobody can read would be the only one. */
	r = file_write(path, key, strlen(key), 0600, err);
	if (r == OK)
		r = store_key(st, key, err);
	if (r == OK)
		log_notice("the first key, with every scope, is in '%s'", path);
	return r;
}
