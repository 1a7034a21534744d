/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Idempotency-Key: the answer is stored in the transaction that did the work, so a retry after
 * a crash between commit and answer finds both or neither. The one writer runs requests one
 * after another, so two with the same key never overlap. */
#include "daemon/http/request.h"

#include <string.h>
#include "daemon/store/store.h"

enum { KEY_MAX = 255 };

static int check_key(const char *key, struct error *err)
{
	size_t n = strlen(key);

	if (n < 1 || n > KEY_MAX)
		return error_set_field(err, E_BAD_REQUEST, "Idempotency-Key",
			"the Idempotency-Key has %zu bytes; it must have 1 to %d", n, KEY_MAX);
	for (; *key; key++)
		if (*key < ' ' || *key > '~')
			return error_set_field(err, E_BAD_REQUEST, "Idempotency-Key",
				"the Idempotency-Key has bytes that are not printable ASCII");
	return OK;
}

static int replay(struct request *rq, const struct idempotent *i, struct error *err)
{
	if (strcmp(i->body_hash, rq->idem_hash))
		return error_set_field(err, E_UNPROCESSABLE, "Idempotency-Key",
			"the Idempotency-Key was used before with another body");
	response_text(rq, i->status, i->content_type, i->body ? i->body : "");
	if (i->location && *i->location)
		response_header(rq, "Location", i->location);
	response_header(rq, "Idempotency-Replayed", "true");
	return 1;
}

int request_idempotent(struct request *rq, struct store *st, struct error *err)
{
	const char *key = request_header(rq, "Idempotency-Key");
	struct idempotent i = { 0 };
	char hex[SHA256_HEX];
	int r;

	if (!key)
		return 0;
	r = check_key(key, err);
	if (r < 0)
		return r;
	sha256_hex(buf_str(&rq->body), rq->body.len, hex);
	rq->idem_hash = arena_strdup(rq->arena, hex);
	rq->idem_scope = arena_printf(rq->arena, "%s %s %lld", rq->method, rq->path,
		(long long)rq->principal.token_id);
	r = store_idempotency_find(st, rq->arena, rq->idem_scope, key, &i, err);
	if (r == OK)
		return replay(rq, &i, err);
	if (r != E_NOT_FOUND)
		return r;
	rq->idem_key = key;
	return 0;
}

int idempotent_save(struct request *rq, struct store *st, struct error *err)
{
	const struct response *res = &rq->response;
	struct idempotent i = {
		.body_hash = rq->idem_hash,
		.status = res->status,
		.content_type = res->mime,
		.body = buf_str(&res->body),
		.location = response_find(res, "Location"),
		.created_ns = clock_wall(rq->config->clock),
	};

	if (!rq->idem_key || !res->status)
		return OK;
	return store_idempotency_save(st, rq->idem_scope, rq->idem_key, &i, err);
}
