/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/store/dimension.h"

#include <string.h>
#include "base/secret.h"
#include "base/text.h"

static int at(const struct dimension_kind *k, enum dimension_statement d)
{
	return k->family * STATEMENTS_MAX + d;
}

static void read_row(struct query *q, struct arena *a, struct dimension *d)
{
	d->id = column_int(q);
	d->project_id = column_int(q);
	d->uuid = column_text(q, a);
	d->name = column_text(q, a);
	d->slug = column_text(q, a);
	d->created_ns = column_int(q);
	d->modified_ns = column_int(q);
	d->archived_ns = column_int(q);
	d->text = column_text(q, a);
	d->better = (enum better)column_enum(q, better_parse, BETTER_LOWER);
	d->head_id = column_int(q);
	d->head_created_ns = column_int(q);
}

static int find(struct store *s, struct arena *a, const struct dimension_kind *k,
	enum dimension_statement by, int64_t project_id, const char *what,
	struct dimension *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, at(k, by), ARGS(INT(project_id), TEXT(what)));
	int r = query_one(&q, err, "there is no %s '%.80s' in this project", k->noun, what);

	if (r == OK)
		read_row(&q, a, ret);
	return r;
}

int dimension_find(struct store *s, struct arena *a, const struct dimension_kind *k,
	int64_t project_id, const char *name_id, struct dimension *ret, struct error *err)
{
	int r = E_NOT_FOUND;

	if (uuid_is_valid(name_id))
		return find(s, a, k, D_BY_UUID, project_id, name_id, ret, err);
	if (slug_is_valid(name_id))
		r = find(s, a, k, D_BY_SLUG, project_id, name_id, ret, err);
	if (r == E_NOT_FOUND)
		r = find(s, a, k, D_BY_NAME, project_id, name_id, ret, err);
	return r;
}

int dimension_find_name(struct store *s, struct arena *a, const struct dimension_kind *k,
	int64_t project_id, const char *name, struct dimension *ret, struct error *err)
{
	return find(s, a, k, D_BY_NAME, project_id, name, ret, err);
}

/* 0: by name. */
static int64_t time_order(const struct page *p)
{
	if (p->sort && !strcmp(p->sort, "created"))
		return p->descending ? 2 : 1;
	if (p->sort && !strcmp(p->sort, "modified"))
		return p->descending ? 4 : 3;
	return 0;
}

int dimension_list(struct store *s, struct arena *a, const struct dimension_kind *k,
	int64_t project_id, const struct page *p, struct list *l,
	void (*read)(const struct dimension *d, void *noun), int64_t *ret_total,
	struct error *err)
{
	const char *search = like_pattern(a, p->search);
	struct window w = page_window(p);
	int64_t order = time_order(p);
	const struct arg args[] = { INT(project_id), TEXT(p->name), TEXT(search),
		INT(p->archived), INT(w.limit), INT(w.offset), INT(order) };
	enum dimension_statement by = order	      ? D_LIST_BY_TIME
				      : p->descending ? D_LIST_DESCENDING
						      : D_LIST;
	_cleanup_(query_done)
	struct query q = db_query(s, at(k, by), args, order ? 7 : 6);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct dimension d;

		read_row(&q, a, &d);
		read(&d, list_add(l));
	}
	return r < 0 ? r : db_get_int(s, at(k, D_COUNT), 0, ret_total, err, args, 4);
}

static int taken(int r, const struct dimension_kind *k, const char *name, struct error *err)
{
	if (r != E_CONFLICT)
		return r;
	return error_set_field(err, E_CONFLICT, "/name",
		"a %s with the name '%.80s' or its slug is there already", k->noun, name);
}

int dimension_add(struct store *s, struct arena *a, const struct dimension_kind *k,
	struct dimension *d, int64_t now_ns, struct error *err)
{
	bool is_measure = k->family == Q_MEASURE;
	char uuid[UUID_TEXT], slug[SLUG_TEXT];
	int r = name_check(k->noun, k->rule, d->name, err);

	if (r == OK)
		r = slug_choose(
			s, at(k, D_SLUG_TAKEN), d->project_id, d->name, d->slug, slug, err);
	if (r < 0)
		return r;
	const struct arg args[] = { TEXT(uuid_new(uuid)), INT(d->project_id), TEXT(d->name),
		TEXT(slug), INT(now_ns), TEXT(d->text), TEXT(better_name(d->better)) };
	r = db_get_int(s, at(k, D_ADD), 0, &d->id, err, args, is_measure ? 7 : 5);
	if (r < 0)
		return taken(r, k, d->name, err);
	d->uuid = arena_strdup(a, uuid);
	d->name = arena_strdup(a, d->name);
	d->slug = arena_strdup(a, slug);
	d->text = arena_strdup(a, d->text);
	d->created_ns = d->modified_ns = now_ns;
	d->archived_ns = 0;
	return generation_bump(s, d->project_id, err);
}

int dimension_update(struct store *s, const struct dimension_kind *k, const struct dimension *d,
	int64_t now_ns, struct error *err)
{
	bool is_measure = k->family == Q_MEASURE;
	const struct arg args[] = { INT(d->id), TEXT(d->name), TEXT(d->slug),
		INT(d->archived_ns), INT(now_ns), TEXT(d->text), TEXT(better_name(d->better)) };
	int r = name_check(k->noun, k->rule, d->name, err);

	if (r == OK && !slug_is_valid(d->slug))
		r = error_set_field(
			err, E_UNPROCESSABLE, "/slug", "'%.80s' is no slug", d->slug);
	if (r == OK)
		r = db_run(s, at(k, D_UPDATE), err, args, is_measure ? 7 : 5);
	if (r == OK && db_changes(s) == 0)
		r = error_set(err, E_NOT_FOUND, "there is no %s '%.80s'", k->noun, d->name);
	if (r < 0)
		return taken(r, k, d->name, err);
	return generation_bump(s, d->project_id, err);
}

int dimension_revive(struct store *s, const struct dimension_kind *k, struct dimension *d,
	int64_t now_ns, struct error *err)
{
	int r;

	if (d->archived_ns == 0)
		return OK;
	r = db_run(s, at(k, D_REVIVE), err, ARGS(INT(d->id), INT(now_ns)));
	d->archived_ns = 0;
	return r < 0 ? r : generation_bump(s, d->project_id, err);
}

int dimension_remove(
	struct store *s, const struct dimension_kind *k, int64_t id, struct error *err)
{
	int64_t project_id;
	int r = db_get_int(s, at(k, D_PROJECT), 0, &project_id, err, ARGS(INT(id)));

	if (r == OK && project_id == 0)
		return error_set(err, E_NOT_FOUND, "this %s is not there", k->noun);
	if (r == OK)
		r = db_run(s, at(k, D_REMOVE), err, ARGS(INT(id)));
	if (r == E_CONFLICT)
		return error_set(err, E_CONFLICT,
			"this %s still has reports, thresholds or histories: remove them "
			"first, or "
			"archive it",
			k->noun);
	return r < 0 ? r : generation_bump(s, project_id, err);
}
