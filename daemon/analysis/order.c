/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether versions got other numbers between judging and storing what was found. A judgement is
 * made on a snapshot and names commits by number; a commit that is measured late in between
 * pushes those behind it, at least the newest one, up by one. */
#include "daemon/analysis/internal.h"

int order_note(struct judging *g)
{
	struct report report;
	struct branch branch;
	struct version *newest;
	size_t n;
	int r;

	if (!g->job->report_uuid)
		return OK;
	r = store_report_find(
		g->st, g->a, g->job->project_id, g->job->report_uuid, &report, g->err);
	if (r == OK)
		r = store_branch_find(
			g->st, g->a, report.project_id, report.branch.uuid, &branch, g->err);
	if (r == OK)
		r = store_version_list(g->st, g->a, branch.head_id, 1, &newest, &n, g->err);
	if (r == OK && n) {
		g->f->newest_id = newest[0].id;
		g->f->newest_number = newest[0].number;
	}
	return r;
}

int order_has_moved(struct store *st, const struct findings *f, bool *ret, struct error *err)
{
	int64_t number;
	int r;

	*ret = false;
	if (!f->newest_id)
		return OK;
	r = store_version_number(st, f->newest_id, &number, err);
	*ret = r == E_NOT_FOUND || (r == OK && number != f->newest_number);
	return r == E_NOT_FOUND ? OK : r;
}
