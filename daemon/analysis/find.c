/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which report a person means. */
#include <string.h>
#include "base/secret.h"
#include "daemon/analysis/internal.h"

enum { LOOK_AT = 100, LEAST_DIGITS = 7 };

static bool looks_like_hash(const char *s)
{
	size_t n = strlen(s);

	return n >= LEAST_DIGITS && n <= 40 && strspn(s, "0123456789abcdef") == n;
}

/* Re-runs measure only what was in question; a person who names a commit means the whole. */
static bool is_whole(const struct report *r)
{
	return strcmp(r->adapter, REPORT_ADAPTER_RERUN) != 0;
}

static int find_newest(struct store *st, struct arena *a, int64_t project_id,
	const struct report_filter *f, bool heads_only, struct report *ret, struct error *err)
{
	struct report *list;
	int64_t total;
	size_t n;
	int r;

	r = store_report_list(st, a, project_id, f, &list, &n, &total, err);
	for (size_t i = 0; r == OK && i < n; i++)
		if (is_whole(&list[i]) && (!heads_only || list[i].arm == ARM_HEAD)) {
			*ret = list[i];
			return OK;
		}
	return r < 0 ? r : E_NOT_FOUND;
}

static int find_by_hash(struct store *st, struct arena *a, int64_t project_id,
	const struct report_filter *f, struct report *ret, struct error *err)
{
	int r = find_newest(st, a, project_id, f, true, ret, err);

	if (r == E_NOT_FOUND)
		r = find_newest(st, a, project_id, f, false, ret, err);
	return r;
}

/* The newest version of the branch that was measured. */
static int find_by_branch(struct store *st, struct arena *a, int64_t project_id,
	const char *name, const char *testbed, struct report *ret, struct error *err)
{
	struct testbed t = { 0 };
	struct branch b;
	int r;

	r = store_branch_find(st, a, project_id, name, &b, err);
	if (r == OK && testbed)
		r = store_testbed_find(st, a, project_id, testbed, &t, err);
	return r < 0 ? r
		     : store_report_latest(st, a, project_id, b.head_id, NULL, t.id, ret, err);
}

int analysis_find_report(struct store *st, struct arena *a, int64_t project_id, const char *ref,
	const char *branch, const char *testbed, struct report *ret, struct error *err)
{
	const char *uuid = strncmp(ref, "report:", 7) ? ref : ref + 7;
	const struct report_filter f = { .branch = branch,
		.testbed = testbed,
		.hash = ref,
		.page = { .page = 1, .per_page = LOOK_AT, .descending = true } };
	int r = E_NOT_FOUND;

	if (uuid_is_valid(uuid))
		return store_report_find(st, a, project_id, uuid, ret, err);
	if (looks_like_hash(ref))
		r = find_by_hash(st, a, project_id, &f, ret, err);
	if (r == E_NOT_FOUND)
		r = find_by_branch(st, a, project_id, ref, testbed, ret, err);
	if (r == E_NOT_FOUND)
		r = store_report_find(st, a, project_id, uuid, ret, err);
	if (r != E_NOT_FOUND)
		return r;
	return error_set(err, E_NOT_FOUND,
		"there is no report of '%.80s'%s%s; give a report's UUID, a commit hash (at "
		"least %d digits) or a branch",
		ref, branch ? " on branch " : "", branch ? branch : "", LEAST_DIGITS);
}

/* --- two sides of the same workload --- */

static bool has_benchmark(const struct result *list, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].benchmark.id == id)
			return true;
	return false;
}

static int share_benchmark(struct store *st, struct arena *a, const struct report *x,
	const struct report *y, bool *ret, struct error *err)
{
	struct result *of_x, *of_y;
	size_t n_x, n_y;
	int r = store_report_results(st, a, x->id, &of_x, &n_x, err);

	*ret = false;
	if (r == OK)
		r = store_report_results(st, a, y->id, &of_y, &n_y, err);
	for (size_t i = 0; r == OK && !*ret && i < n_x; i++)
		*ret = has_benchmark(of_y, n_y, of_x[i].benchmark.id);
	return r;
}

/* Of the newest reports that ref means the one of the newest version that has a benchmark of
 * like, on its testbed. E_NOT_FOUND: none. */
static int find_like(struct store *st, struct arena *a, const struct report_filter *f,
	const struct report *like, struct report *ret, struct error *err)
{
	struct report *list;
	int64_t total;
	size_t n;
	int found = E_NOT_FOUND;
	int r = store_report_list(st, a, like->project_id, f, &list, &n, &total, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		bool shares;

		if (!is_whole(&list[i]) || list[i].testbed.id != like->testbed.id ||
			(found == OK && list[i].version.number <= ret->version.number))
			continue;
		r = share_benchmark(st, a, &list[i], like, &shares, err);
		if (r == OK && shares) {
			*ret = list[i];
			found = OK;
		}
	}
	return r < 0 ? r : found;
}

static int find_other(struct store *st, struct arena *a, const char *ref, const char *branch,
	const struct report *like, struct report *side, struct error *err)
{
	const struct report_filter by_hash = { .branch = branch,
		.hash = ref,
		.page = { .page = 1, .per_page = LOOK_AT, .descending = true } };
	const struct report_filter by_branch = { .branch = ref, .page = by_hash.page };
	struct report found;
	int r = E_NOT_FOUND;

	if (uuid_is_valid(ref) || !strncmp(ref, "report:", 7))
		return r; /* that one and no other */
	if (looks_like_hash(ref))
		r = find_like(st, a, &by_hash, like, &found, err);
	if (r == E_NOT_FOUND)
		r = find_like(st, a, &by_branch, like, &found, err);
	if (r == OK)
		*side = found;
	return r;
}

int analysis_match_sides(struct store *st, struct arena *a, const struct side_refs *refs,
	struct report *base, struct report *head, struct error *err)
{
	bool shares;
	int r = share_benchmark(st, a, base, head, &shares, err);

	if (r < 0 || shares)
		return r;
	r = find_other(st, a, refs->base, refs->branch, head, base, err);
	if (r == E_NOT_FOUND)
		r = find_other(st, a, refs->head, refs->branch, base, head, err);
	return r == E_NOT_FOUND ? OK : r;
}
