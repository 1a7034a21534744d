/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/http_fake.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include "base/secret.h"

struct fake_store fake;

struct store {
	bool is_reader;
};

static struct {
	pthread_mutex_t lock;
	int pending, mark; /* rows of the transaction, at the savepoint */
	struct {
		char scope[200], key[256], hash[65], type[64], body[512], location[128];
		int status;
	} keys[64];
	int n_keys, keys_committed, keys_mark;
} db = { .lock = PTHREAD_MUTEX_INITIALIZER };

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	db.pending = db.mark = db.n_keys = db.keys_committed = 0;
}

void fake_add_row(void)
{
	db.pending++;
}

int store_open(const char *path, struct store **ret, struct error *err)
{
	*ret = xcalloc(1, sizeof(struct store));
	return OK;
}

int store_open_reader(const char *path, struct store **ret, struct error *err)
{
	*ret = xcalloc(1, sizeof(struct store));
	(*ret)->is_reader = true;
	fake.readers++;
	return OK;
}

void store_close(struct store *s)
{
	if (s && s->is_reader)
		fake.readers--;
	free(s);
}

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

void store_rollback(struct store *s)
{
}

int store_begin(struct store *s, struct error *err)
{
	if (s->is_reader)
		return OK;
	fake.begun++;
	if (fake.busy)
		return error_set(err, E_UNAVAILABLE, "the database is locked");
	fake.in_transaction = 1;
	db.pending = 0;
	db.n_keys = db.keys_committed;
	return OK;
}

int store_commit(struct store *s, struct error *err)
{
	int code = fake.fail_commit;

	fake.in_transaction = 0;
	if (fake.slow_ms)
		pause_ms(fake.slow_ms);
	if (code) {
		db.pending = 0;
		return error_set(err, code, "the disk is full");
	}
	fake.commits++;
	fake.rows += db.pending;
	pthread_mutex_lock(&db.lock);
	db.keys_committed = db.n_keys;
	pthread_mutex_unlock(&db.lock);
	db.pending = 0;
	return OK;
}

int store_savepoint(struct store *s, struct error *err)
{
	db.mark = db.pending;
	db.keys_mark = db.n_keys;
	return OK;
}

int store_release(struct store *s, struct error *err)
{
	return OK;
}

void store_rollback_to(struct store *s)
{
	db.pending = db.mark;
	db.n_keys = db.keys_mark;
}

int store_checkpoint(struct store *s, bool truncate, struct error *err)
{
	fake.checkpoints++;
	return OK;
}

struct store_log store_get_log(const struct store *s)
{
	return (struct store_log){ 0 };
}

int store_get_stats(struct store *s, struct store_stats *ret, struct error *err)
{
	*ret = (struct store_stats){ 0 };
	return OK;
}

/* "good-submit" may submit, "old" has expired, "gone" was revoked, anything else is unknown. */
int store_token_find(struct store *s, struct arena *a, const uint8_t digest[32],
	struct token *ret, struct error *err)
{
	static const struct {
		const char *text;
		struct token token;
	} tokens[] = {
		{ "good-submit", { .id = 1, .name = "ci", .scopes = 1u << S_SUBMIT } },
		{ "good-read", { .id = 2, .name = "reader", .scopes = 1u << S_READ } },
		{ "good-admin", { .id = 3, .name = "root", .scopes = 1u << S_ADMIN } },
		{ "old", { .id = 4, .name = "old", .scopes = 1u << S_READ, .expires_ns = 1 } },
		{ "gone",
			{ .id = 5, .name = "gone", .scopes = 1u << S_READ, .revoked_ns = 1 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		uint8_t known[SHA256_BYTES];

		sha256(tokens[i].text, strlen(tokens[i].text), known);
		if (memcmp(known, digest, sizeof(known)))
			continue;
		*ret = tokens[i].token;
		return OK;
	}
	return error_set(err, E_NOT_FOUND, "no such token");
}

int store_idempotency_find(struct store *s, struct arena *a, const char *scope, const char *key,
	struct idempotent *ret, struct error *err)
{
	for (int i = 0; i < db.n_keys; i++) {
		if (strcmp(db.keys[i].scope, scope) || strcmp(db.keys[i].key, key))
			continue;
		*ret = (struct idempotent){ .body_hash = db.keys[i].hash,
			.status = db.keys[i].status,
			.content_type = db.keys[i].type,
			.body = db.keys[i].body,
			.location = db.keys[i].location };
		return OK;
	}
	return error_set(err, E_NOT_FOUND, "no such key");
}

#define COPY(to, from) snprintf(to, sizeof(to), "%s", (from) ? (from) : "")

int store_idempotency_save(struct store *s, const char *scope, const char *key,
	const struct idempotent *i, struct error *err)
{
	int k = db.n_keys++ % (int)ARRAY_SIZE(db.keys);

	COPY(db.keys[k].scope, scope);
	COPY(db.keys[k].key, key);
	COPY(db.keys[k].hash, i->body_hash);
	db.keys[k].status = i->status;
	COPY(db.keys[k].type, i->content_type);
	COPY(db.keys[k].body, i->body);
	COPY(db.keys[k].location, i->location);
	return OK;
}

int store_idempotency_prune(struct store *s, int64_t before_ns, struct error *err)
{
	return OK;
}

int store_artifact_prune(
	struct store *s, int64_t before_ns, int64_t most_bytes, struct error *err)
{
	return OK;
}
