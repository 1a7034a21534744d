/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Branches. Their heads and start points are in head.c. */
#include "daemon/store/dimension.h"

#include <string.h>
#include "base/secret.h"

#define HEAD_JOIN " JOIN head h ON h.branch_id = t.id AND h.replaced_ns = 0"
static const char *const sql[] = { DIMENSION_SQL(
	"branch", "h.uuid, 'lower', h.id, h.created_ns", HEAD_JOIN, "", "", "") };
const struct statements branch_statements = { sql, D_count };
static const struct dimension_kind branches = { "branch", Q_BRANCH, NAME_BRANCH };

static void read_branch(const struct dimension *d, void *ret)
{
	*(struct branch *)ret = (struct branch){ .id = d->id,
		.project_id = d->project_id,
		.head_id = d->head_id,
		.uuid = d->uuid,
		.name = d->name,
		.slug = d->slug,
		.head_uuid = d->text,
		.created_ns = d->created_ns,
		.modified_ns = d->modified_ns,
		.archived_ns = d->archived_ns,
		.head_created_ns = d->head_created_ns };
}

int store_branch_find(struct store *s, struct arena *a, int64_t project_id, const char *name_id,
	struct branch *ret, struct error *err)
{
	struct dimension d = { 0 };
	int r = dimension_find(s, a, &branches, project_id, name_id, &d, err);

	if (r == OK)
		read_branch(&d, ret);
	return r;
}

int store_branch_list(struct store *s, struct arena *a, int64_t project_id,
	const struct page *p, struct branch **ret, size_t *ret_n, int64_t *ret_total,
	struct error *err)
{
	struct list l = LIST_OF(a, struct branch);
	int r = dimension_list(s, a, &branches, project_id, p, &l, read_branch, ret_total, err);

	*ret = l.items;
	*ret_n = l.n;
	return r;
}

/* What a start point means today: E_NOT_FOUND when its branch is unknown or has no versions,
 * which is no error. A hash that is not on its head falls back to the newest version. */
static int resolve(struct store *s, struct arena *a, int64_t project_id,
	const struct start_point *sp, struct start *ret, struct error *err)
{
	struct branch from;
	int r = sp->branch ? store_branch_find(s, a, project_id, sp->branch, &from, err)
			   : E_NOT_FOUND;

	if (r < 0)
		return r;
	ret->branch_id = from.id;
	ret->head_id = from.head_id;
	ret->max_versions = sp->max_versions;
	r = sp->hash ? head_newest(s, a, from.head_id, sp->hash, &ret->version, err)
		     : E_NOT_FOUND;
	if (r == E_NOT_FOUND)
		r = head_newest(s, a, from.head_id, NULL, &ret->version, err);
	return r;
}

/* The table of start points in Bencher's protocol: does this branch need a new head? */
static int needs_new_head(struct store *s, struct arena *a, int64_t head_id,
	const struct start_point *sp, const struct start *to, bool *ret, struct error *err)
{
	struct start now;
	int r = OK;

	*ret = sp->reset;
	if (sp->reset || !to)
		return OK;
	r = head_start(s, a, head_id, &now, err);
	if (r == E_NOT_FOUND || (r == OK && now.branch_id != to->branch_id))
		*ret = true;
	else if (r == OK)
		*ret = to->version.hash &&
		       (!now.version.hash || strcmp(now.version.hash, to->version.hash) != 0);
	return r == E_NOT_FOUND ? OK : r;
}

static int apply_start_point(struct store *s, struct arena *a, struct branch *b, bool is_new,
	const struct start_point *sp, int64_t now_ns, struct error *err)
{
	static const struct start_point none;
	struct start start, *to = &start;
	bool wanted = is_new;
	int r;

	sp = sp ? sp : &none;
	r = resolve(s, a, b->project_id, sp, to, err);
	if (r == E_NOT_FOUND)
		to = NULL;
	else if (r < 0)
		return r;
	if (!is_new) {
		r = needs_new_head(s, a, b->head_id, sp, to, &wanted, err);
		if (r < 0 || !wanted)
			return r;
	}
	r = head_replace(s, b->id, to, now_ns, err);
	if (r == OK && to && sp->clone_thresholds)
		r = thresholds_clone(s, to->branch_id, b->id, now_ns, err);
	return r < 0 ? r : generation_bump(s, b->project_id, err);
}

int store_branch_add(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char *slug, const struct start_point *sp, int64_t now_ns, struct branch *ret,
	struct error *err)
{
	struct dimension d = { .project_id = project_id, .name = name, .slug = slug };
	int r = dimension_add(s, a, &branches, &d, now_ns, err);

	if (r < 0)
		return r;
	read_branch(&d, ret);
	r = apply_start_point(s, a, ret, true, sp, now_ns, err);
	return r < 0 ? r : store_branch_find(s, a, project_id, ret->uuid, ret, err);
}

int store_branch_ensure(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, const struct start_point *sp, int64_t now_ns, struct branch *ret,
	struct error *err)
{
	struct dimension d = { 0 };
	int r = dimension_find(s, a, &branches, project_id, name_id, &d, err);

	if (r == E_NOT_FOUND && !uuid_is_valid(name_id))
		return store_branch_add(s, a, project_id, name_id, NULL, sp, now_ns, ret, err);
	if (r == OK)
		r = dimension_revive(s, &branches, &d, now_ns, err);
	if (r < 0)
		return r;
	read_branch(&d, ret);
	if (!sp)
		return OK;
	r = apply_start_point(s, a, ret, false, sp, now_ns, err);
	return r < 0 ? r : store_branch_find(s, a, project_id, ret->uuid, ret, err);
}

int store_branch_update(struct store *s, struct arena *a, const struct branch *b,
	int64_t now_ns, struct error *err)
{
	struct dimension d = { .id = b->id,
		.project_id = b->project_id,
		.name = b->name,
		.slug = b->slug,
		.archived_ns = b->archived_ns };

	return dimension_update(s, &branches, &d, now_ns, err);
}

int store_branch_remove(struct store *s, int64_t id, struct error *err)
{
	return dimension_remove(s, &branches, id, err);
}
