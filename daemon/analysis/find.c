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
