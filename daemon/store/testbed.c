/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Testbeds and benchmarks: names and nothing more. */
#include "daemon/store/dimension.h"

#include "base/secret.h"

static const char *const testbed_sql[] = { DIMENSION_SQL(
	"testbed", "NULL, 'lower', 0, 0", "", "", "", "") };
const struct statements testbed_statements = { testbed_sql, D_count };
static const char *const benchmark_sql[] = { DIMENSION_SQL(
	"benchmark", "NULL, 'lower', 0, 0", "", "", "", "") };
const struct statements benchmark_statements = { benchmark_sql, D_count };

static const struct dimension_kind testbeds = { "testbed", Q_TESTBED, NAME_RESOURCE };
static const struct dimension_kind benchmarks = { "benchmark", Q_BENCHMARK, NAME_BENCHMARK };

/* Both structs have the same members. */
#define DEFINE_PLAIN_NOUN(noun)                                                                \
	static void read_##noun(const struct dimension *d, void *ret)                          \
	{                                                                                      \
		*(struct noun *)ret = (struct noun){ .id = d->id,                              \
			.project_id = d->project_id,                                           \
			.uuid = d->uuid,                                                       \
			.name = d->name,                                                       \
			.slug = d->slug,                                                       \
			.created_ns = d->created_ns,                                           \
			.modified_ns = d->modified_ns,                                         \
			.archived_ns = d->archived_ns };                                       \
	}                                                                                      \
	int store_##noun##_find(struct store *s, struct arena *a, int64_t project_id,          \
		const char *name_id, struct noun *ret, struct error *err)                      \
	{                                                                                      \
		struct dimension d = { 0 };                                                    \
		int r = dimension_find(s, a, &noun##s, project_id, name_id, &d, err);          \
                                                                                               \
		if (r == OK)                                                                   \
			read_##noun(&d, ret);                                                  \
		return r;                                                                      \
	}                                                                                      \
	int store_##noun##_list(struct store *s, struct arena *a, int64_t project_id,          \
		const struct page *p, struct noun **ret, size_t *ret_n, int64_t *ret_total,    \
		struct error *err)                                                             \
	{                                                                                      \
		struct list l = LIST_OF(a, struct noun);                                       \
		int r = dimension_list(                                                        \
			s, a, &noun##s, project_id, p, &l, read_##noun, ret_total, err);       \
                                                                                               \
		*ret = l.items;                                                                \
		*ret_n = l.n;                                                                  \
		return r;                                                                      \
	}                                                                                      \
	int store_##noun##_add(struct store *s, struct arena *a, int64_t project_id,           \
		const char *name, const char *slug, int64_t now_ns, struct noun *ret,          \
		struct error *err)                                                             \
	{                                                                                      \
		struct dimension d = { .project_id = project_id, .name = name, .slug = slug }; \
		int r = dimension_add(s, a, &noun##s, &d, now_ns, err);                        \
                                                                                               \
		if (r == OK)                                                                   \
			read_##noun(&d, ret);                                                  \
		return r;                                                                      \
	}                                                                                      \
	int store_##noun##_update(struct store *s, struct arena *a, const struct noun *n,      \
		int64_t now_ns, struct error *err)                                             \
	{                                                                                      \
		struct dimension d = { .id = n->id,                                            \
			.project_id = n->project_id,                                           \
			.name = n->name,                                                       \
			.slug = n->slug,                                                       \
			.archived_ns = n->archived_ns };                                       \
                                                                                               \
		return dimension_update(s, &noun##s, &d, now_ns, err);                         \
	}                                                                                      \
	int store_##noun##_remove(struct store *s, int64_t id, struct error *err)              \
	{                                                                                      \
		return dimension_remove(s, &noun##s, id, err);                                 \
	}                                                                                      \
	static int noun##_use(struct store *s, struct arena *a, int64_t project_id,            \
		const char *name, int found, struct dimension *d, int64_t now_ns,              \
		struct noun *ret, struct error *err)                                           \
	{                                                                                      \
		int r = found;                                                                 \
                                                                                               \
		if (r == OK)                                                                   \
			r = dimension_revive(s, &noun##s, d, now_ns, err);                     \
		else if (r == E_NOT_FOUND) {                                                   \
			*d = (struct dimension){ .project_id = project_id, .name = name };     \
			r = dimension_add(s, a, &noun##s, d, now_ns, err);                     \
		}                                                                              \
		if (r == OK)                                                                   \
			read_##noun(d, ret);                                                   \
		return r;                                                                      \
	}                                                                                      \
	int store_##noun##_ensure(struct store *s, struct arena *a, int64_t project_id,        \
		const char *name_id, int64_t now_ns, struct noun *ret, struct error *err)      \
	{                                                                                      \
		struct dimension d = { 0 };                                                    \
		int r = dimension_find(s, a, &noun##s, project_id, name_id, &d, err);          \
                                                                                               \
		if (r == E_NOT_FOUND && uuid_is_valid(name_id))                                \
			return r;                                                              \
		return noun##_use(s, a, project_id, name_id, r, &d, now_ns, ret, err);         \
	}

DEFINE_PLAIN_NOUN(testbed)
DEFINE_PLAIN_NOUN(benchmark)

int store_benchmark_ensure_name(struct store *s, struct arena *a, int64_t project_id,
	const char *name, int64_t now_ns, struct benchmark *ret, struct error *err)
{
	struct dimension d = { 0 };
	int r = dimension_find_name(s, a, &benchmarks, project_id, name, &d, err);

	return benchmark_use(s, a, project_id, name, r, &d, now_ns, ret, err);
}
