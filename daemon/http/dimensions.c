/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Branches, testbeds, benchmarks and measures: the same five requests, in Bencher's shapes.
 * What differs between them stands in one struct noun each. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "base/text.h"

union row {
	struct branch branch;
	struct testbed testbed;
	struct benchmark benchmark;
	struct measure measure;
};
struct body { /* of POST and PATCH; NULL = not given */
	const char *name, *slug, *units;
	json_t *start_point;
	int better;   /* -1 */
	int archived; /* -1 */
};
/* Where the common members of a row are. */
struct common {
	const char **name, **slug, **uuid;
	int64_t *id, *archived_ns;
};
struct noun {
	const char *one; /* "branch" */
	enum document list;
	size_t max_name;
	size_t row_bytes;
	struct common (*common)(void *row);
	int (*find)(
		struct store *, struct arena *, int64_t, const char *, void *, struct error *);
	int (*page)(struct store *, struct arena *, int64_t, const struct page *, void **,
		size_t *, int64_t *, struct error *);
	int (*add)(struct request *, struct store *, int64_t, const struct body *, void *,
		struct error *);
	int (*change)(struct request *, struct store *, const struct body *, void *,
		struct error *); /* what only this noun has; NULL */
	int (*update)(struct store *, struct arena *, const void *, int64_t, struct error *);
	int (*remove)(struct store *, int64_t, struct error *);
	json_t *(*render)(const void *row, const struct project *p);
	void (*extend)(
		struct request *, struct store *, const void *row, json_t *doc); /* NULL */
};

#define ADAPT(kind)                                                                            \
	static struct common kind##_common(void *row)                                          \
	{                                                                                      \
		struct kind *n = row;                                                          \
                                                                                               \
		return (struct common){ &n->name, &n->slug, &n->uuid, &n->id,                  \
			&n->archived_ns };                                                     \
	}                                                                                      \
	static int kind##_find(struct store *st, struct arena *a, int64_t p, const char *id,   \
		void *row, struct error *err)                                                  \
	{                                                                                      \
		return store_##kind##_find(st, a, p, id, row, err);                            \
	}                                                                                      \
	static int kind##_page(struct store *st, struct arena *a, int64_t p,                   \
		const struct page *page, void **ret, size_t *n, int64_t *total,                \
		struct error *err)                                                             \
	{                                                                                      \
		struct kind *list = NULL;                                                      \
		int r = store_##kind##_list(st, a, p, page, &list, n, total, err);             \
                                                                                               \
		*ret = list;                                                                   \
		return r;                                                                      \
	}                                                                                      \
	static int kind##_update(struct store *st, struct arena *a, const void *row,           \
		int64_t now, struct error *err)                                                \
	{                                                                                      \
		return store_##kind##_update(st, a, row, now, err);                            \
	}
ADAPT(branch)
ADAPT(testbed)
ADAPT(benchmark)
ADAPT(measure)

static json_t *branch_json(const void *row, const struct project *p)
{
	return render_branch(row, p, NULL);
}
static void branch_extend(struct request *rq, struct store *st, const void *row, json_t *doc)
{
	add_start_point(rq, st, ((const struct branch *)row)->head_id, doc);
}

static json_t *testbed_json(const void *row, const struct project *p)
{
	return render_testbed(row, p);
}
static json_t *benchmark_json(const void *row, const struct project *p)
{
	return render_benchmark(row, p);
}
static json_t *measure_json(const void *row, const struct project *p)
{
	return render_measure(row, p);
}

static int read_start_point(json_t *o, struct start_point *ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "branch", JF_STRING, offsetof(struct start_point, branch), false, 1, 1024,
			NULL },
		{ "hash", JF_STRING, offsetof(struct start_point, hash), false, 40, 40, NULL },
		{ "max_versions", JF_INT, offsetof(struct start_point, max_versions), false, 1,
			10000, NULL },
		{ "clone_thresholds", JF_BOOL, offsetof(struct start_point, clone_thresholds),
			false, 0, 0, NULL },
		{ "reset", JF_BOOL, offsetof(struct start_point, reset), false, 0, 0, NULL },
	};
	int r = json_read(
		o, "/start_point", fields, ARRAY_SIZE(fields), ret, JSON_IGNORE_UNKNOWN, err);

	if (r == OK && ret->hash && !git_hash_is_valid(ret->hash))
		return error_set_field(err, E_UNPROCESSABLE, "/start_point/hash",
			"'hash' must be 40 lower-case hexadecimal digits");
	return r;
}

static int64_t now_of(struct request *rq)
{
	return clock_wall(request_clock(rq));
}

static int branch_add(struct request *rq, struct store *st, int64_t project_id,
	const struct body *b, void *row, struct error *err)
{
	struct start_point sp = { 0 };
	int r = OK;

	if (!ref_name_is_valid(b->name))
		return error_set_field(err, E_UNPROCESSABLE, "/name",
			"'%.60s' is not a name git takes for a branch", b->name);
	if (b->start_point)
		r = read_start_point(b->start_point, &sp, err);
	if (r < 0)
		return r;
	return store_branch_add(st, request_arena(rq), project_id, b->name, b->slug,
		b->start_point ? &sp : NULL, now_of(rq), row, err);
}

static int branch_change(struct request *rq, struct store *st, const struct body *b, void *row,
	struct error *err)
{
	struct branch *branch = row;
	struct start_point sp = { 0 };
	int r;

	if (!b->start_point)
		return OK;
	r = read_start_point(b->start_point, &sp, err);
	if (r < 0)
		return r;
	return store_branch_ensure(st, request_arena(rq), branch->project_id, branch->uuid, &sp,
		now_of(rq), branch, err);
}

static int testbed_add(struct request *rq, struct store *st, int64_t project_id,
	const struct body *b, void *row, struct error *err)
{
	return store_testbed_add(
		st, request_arena(rq), project_id, b->name, b->slug, now_of(rq), row, err);
}

static int benchmark_add(struct request *rq, struct store *st, int64_t project_id,
	const struct body *b, void *row, struct error *err)
{
	return store_benchmark_add(
		st, request_arena(rq), project_id, b->name, b->slug, now_of(rq), row, err);
}

static int measure_add(struct request *rq, struct store *st, int64_t project_id,
	const struct body *b, void *row, struct error *err)
{
	enum better better = b->better < 0 ? BETTER_LOWER : (enum better)b->better;

	return store_measure_add(st, request_arena(rq), project_id, b->name, b->slug, b->units,
		b->better < 0 ? NULL : &better, now_of(rq), row, err);
}

static int measure_change(struct request *rq, struct store *st, const struct body *b, void *row,
	struct error *err)
{
	struct measure *m = row;

	if (b->units)
		m->units = b->units;
	if (b->better >= 0)
		m->better = (enum better)b->better;
	return OK;
}

#define NOUN(kind, list, max, change, extend)                                                  \
	static const struct noun kind##_noun = { #kind, list, max, sizeof(struct kind),        \
		kind##_common, kind##_find, kind##_page, kind##_add, change, kind##_update,    \
		store_##kind##_remove, kind##_json, extend };
NOUN(branch, DOC_BRANCHES, 256, branch_change, branch_extend)
NOUN(testbed, DOC_BRANCHES, 64, NULL, NULL)
NOUN(benchmark, DOC_BRANCHES, 1024, NULL, NULL)
NOUN(measure, DOC_MEASURES, 64, measure_change, NULL)

static int read_body(
	struct request *rq, const struct noun *noun, struct body *b, struct error *err)
{
	static const struct json_field fields[] = {
		{ "name", JF_STRING, offsetof(struct body, name), false, 1, 1024, NULL },
		{ "slug", JF_STRING, offsetof(struct body, slug), false, 1, 64, NULL },
		{ "units", JF_STRING, offsetof(struct body, units), false, 1, 64, NULL },
		{ "better", JF_ENUM, offsetof(struct body, better), false, 0, 0, better_names },
		{ "start_point", JF_OBJECT, offsetof(struct body, start_point), false, 0, 0,
			NULL },
	};
	json_t *o, *archived;
	int r = read_object(rq, &o, err);

	b->better = b->archived = -1;
	if (r == OK)
		r = json_read(o, "", fields, ARRAY_SIZE(fields), b, JSON_IGNORE_UNKNOWN, err);
	if (r == OK && b->name)
		r = check_name("/name", b->name, noun->max_name, err);
	if (r == OK && b->slug)
		r = check_slug("/slug", b->slug, err);
	if (r < 0)
		return r;
	archived = json_object_get(o, "archived");
	if (archived && !json_is_null(archived) && !json_is_boolean(archived))
		return error_set_field(
			err, E_UNPROCESSABLE, "/archived", "'archived' must be true or false");
	if (json_is_boolean(archived))
		b->archived = json_is_true(archived);
	return OK;
}

static int list_nouns(
	const struct noun *noun, struct request *rq, struct store *st, struct error *err)
{
	static const char *const sorts[] = { "name", "created", "modified", NULL };
	struct project p;
	struct page page = { 0 };
	void *rows;
	size_t n;
	int64_t total;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_page(rq, sorts, false, &page, err);
	if (r == OK)
		r = noun->page(st, request_arena(rq), p.id, &page, &rows, &n, &total, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++) {
		const void *row = (const char *)rows + i * noun->row_bytes;
		json_t *o = noun->render(row, &p);

		if (noun->extend)
			noun->extend(rq, st, row, o);
		json_array_append_new(doc, o);
	}
	return answer_page_of(rq, noun->list, doc, total, err);
}

static int answer_noun(struct request *rq, struct store *st, int status,
	const struct noun *noun, void *row, const struct project *p)
{
	json_t *doc = noun->render(row, p);

	if (noun->extend)
		noun->extend(rq, st, row, doc);
	return answer_json(rq, status, doc);
}

static int post_noun(
	const struct noun *noun, struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct body b = { 0 };
	union row row;
	int r = ensure_project(rq, st, &p, err);

	if (r == OK)
		r = read_body(rq, noun, &b, err);
	if (r < 0)
		return r;
	if (!b.name)
		return error_set_field(err, E_UNPROCESSABLE, "/name", "'name' is missing");
	r = noun->add(rq, st, p.id, &b, &row, err);
	if (r < 0)
		return r;
	response_headerf(rq, "Location", "%s/%s", request_path(rq), *noun->common(&row).slug);
	return answer_noun(rq, st, 201, noun, &row, &p);
}

static int find_noun(const struct noun *noun, struct request *rq, struct store *st,
	struct project *p, union row *row, struct error *err)
{
	int r = find_project(rq, st, p, err);

	if (r < 0)
		return r;
	return noun->find(st, request_arena(rq), p->id, request_param(rq, noun->one), row, err);
}

static int get_noun(
	const struct noun *noun, struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	union row row;
	int r = find_noun(noun, rq, st, &p, &row, err);

	return r < 0 ? r : answer_noun(rq, st, 200, noun, &row, &p);
}

static int patch_noun(
	const struct noun *noun, struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct body b = { 0 };
	union row row;
	struct common common;
	int r = find_noun(noun, rq, st, &p, &row, err);

	if (r == OK)
		r = read_body(rq, noun, &b, err);
	if (r == OK && noun->change)
		r = noun->change(rq, st, &b, &row, err);
	if (r < 0)
		return r;
	common = noun->common(&row);
	*common.name = b.name ? b.name : *common.name;
	*common.slug = b.slug ? b.slug : *common.slug;
	if (b.archived >= 0)
		*common.archived_ns = b.archived ? now_of(rq) : 0;
	r = noun->update(st, request_arena(rq), &row, now_of(rq), err);
	if (r == OK)
		r = noun->find(st, request_arena(rq), p.id, *common.uuid, &row, err);
	return r < 0 ? r : answer_noun(rq, st, 200, noun, &row, &p);
}

static int delete_noun(
	const struct noun *noun, struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	union row row;
	int r = find_noun(noun, rq, st, &p, &row, err);

	if (r == OK)
		r = noun->remove(st, *noun->common(&row).id, err);
	if (r == OK)
		answer_empty(rq);
	return r;
}

#define DEFINE(one, many)                                                                      \
	int get_##many(struct request *rq, struct store *st, struct error *err)                \
	{                                                                                      \
		return list_nouns(&one##_noun, rq, st, err);                                   \
	}                                                                                      \
	int post_##one(struct request *rq, struct store *st, struct error *err)                \
	{                                                                                      \
		return post_noun(&one##_noun, rq, st, err);                                    \
	}                                                                                      \
	int get_##one(struct request *rq, struct store *st, struct error *err)                 \
	{                                                                                      \
		return get_noun(&one##_noun, rq, st, err);                                     \
	}                                                                                      \
	int patch_##one(struct request *rq, struct store *st, struct error *err)               \
	{                                                                                      \
		return patch_noun(&one##_noun, rq, st, err);                                   \
	}                                                                                      \
	int delete_##one(struct request *rq, struct store *st, struct error *err)              \
	{                                                                                      \
		return delete_noun(&one##_noun, rq, st, err);                                  \
	}
DEFINE(branch, branches)
DEFINE(testbed, testbeds)
DEFINE(benchmark, benchmarks)
DEFINE(measure, measures)
