/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that a job kept: listed, and one fetched. Foreign code made them, so a browser gets
 * them as downloads that it must not interpret. */
#include "daemon/http/handlers.h"

#include <string.h>

int get_job_artifacts(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_array();
	struct artifact *list;
	struct project p;
	struct job j;
	size_t n;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r == OK)
		r = store_artifact_list(st, request_arena(rq), j.id, &list, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(doc, render_artifact(&list[i]));
	return answer_json(rq, 200, TAKE(doc));
}

/* The last part of the name, in letters that no header or shell minds. */
static const char *file_name(struct arena *a, const char *name)
{
	const char *slash = strrchr(name, '/');
	char *leaf = arena_strdup(a, slash ? slash + 1 : name);

	for (char *c = leaf; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *c))
			*c = '_';
	return leaf;
}

int get_job_artifact(struct request *rq, struct store *st, struct error *err)
{
	/* In the query, where ".json" at its end is no format. */
	const char *arm = request_query(rq, "arm"), *name = request_query(rq, "name");
	struct buf b = { 0 };
	struct artifact f;
	struct project p;
	struct job j;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r == OK)
		r = store_artifact_find(st, request_arena(rq), j.id, arm ? arm : "head",
			name ? name : "", &f, err);
	if (r == OK)
		r = store_artifact_read(st, f.id, &b, err);
	if (r == OK && (int64_t)b.len != f.n_bytes)
		r = error_set(err, E_NOT_FOUND, "the file did not arrive whole");
	if (r == OK) {
		response_headerf(rq, "Content-Disposition", "attachment; filename=\"%s\"",
			file_name(request_arena(rq), f.name));
		response_header(rq, "X-Content-Type-Options", "nosniff");
		response_header(rq, "Content-Security-Policy", "sandbox");
		response_buf(rq, 200, "application/octet-stream", &b);
	}
	buf_done(&b);
	return r;
}
