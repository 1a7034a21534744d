/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where two environments differ, in words. */
#include <string.h>
#include "daemon/analysis/internal.h"

enum { MAX_DIFFERENCES = 50, MAX_DEPTH = 16, MAX_VALUE = 80 };

struct walk {
	struct arena *a;
	const char **out;
	size_t n;
};

static const char *show(struct arena *a, const json_t *v)
{
	_cleanup_(free)
	char *text = NULL;

	if (!v)
		return "(absent)";
	if (json_is_string(v))
		return arena_printf(a, "%.*s", MAX_VALUE, json_string_value(v));
	text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	return arena_printf(a, "%.*s", MAX_VALUE, text ? text : "");
}

static void differ(
	struct walk *w, const char *path, const json_t *x, const json_t *y, int depth)
{
	const char *key;
	json_t *v;

	if (w->n == MAX_DIFFERENCES || (x && y && json_equal(x, y)))
		return;
	if (!json_is_object(x) || !json_is_object(y) || depth == MAX_DEPTH) {
		w->out[w->n++] =
			arena_printf(w->a, "%s: %s -> %s", path, show(w->a, x), show(w->a, y));
		return;
	}
	json_object_foreach ((json_t *)x, key, v)
		differ(w, arena_printf(w->a, "%s%s%s", path, *path ? "." : "", key), v,
			json_object_get(y, key), depth + 1);
	json_object_foreach ((json_t *)y, key, v)
		if (!json_object_get(x, key))
			differ(w, arena_printf(w->a, "%s%s%s", path, *path ? "." : "", key),
				NULL, v, depth + 1);
}

static int load(
	struct store *st, struct arena *a, const char *hash, json_t **ret, struct error *err)
{
	struct environment e;
	int r;

	r = store_environment_find(st, a, hash, &e, err);
	if (r == OK)
		r = json_parse(e.identity_json, strlen(e.identity_json), ret, err);
	if (r == OK)
		arena_own_json(a, *ret);
	return r;
}

int analysis_environment_difference(struct store *st, struct arena *a, const char *base_hash,
	const char *head_hash, const char ***ret, size_t *ret_n, struct error *err)
{
	struct walk w = { .a = a, .out = ARENA_ARRAY(a, const char *, MAX_DIFFERENCES + 1) };
	json_t *base, *head;
	int r;

	r = load(st, a, base_hash, &base, err);
	if (r == OK)
		r = load(st, a, head_hash, &head, err);
	if (r < 0)
		return r;
	differ(&w, "", base, head, 0);
	*ret = w.out;
	*ret_n = w.n;
	return OK;
}
