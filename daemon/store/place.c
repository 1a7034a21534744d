/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a commit that is measured for the first time belongs in the history of a head: by the
 * graph of commits as far as it is known, else by their dates, else at the end. A commit that
 * belongs in the middle pushes the later ones up by one, with all that is stored under their
 * numbers, on this head and on those that started from it behind that place. */
#include "daemon/store/internal.h"

#include <string.h>
#include "base/json.h"
#include "base/text.h"

enum {
	GIT_HASH_DIGITS = 40,
	WALK_MAX = 2000 /* commits looked at */,
	SLOTS = 8192,
	MOVE_MAX = 10000 /* versions */
};
enum {
	BASE = Q_PLACE * STATEMENTS_MAX,
	PROJECT = BASE,
	COMMIT,
	NUMBER,
	TIP,
	BY_TIME,
	COUNT_BEHIND,
	STARTED,
	MOVE_STARTS,
	MOVE_FIRSTS,
	LIFT_VERSIONS,
	LAND_VERSIONS,
	MOVE_REPORTS,
	MOVE_POINTS,
	MOVE_SERIES,
	LIFT_CHANGES,
	LAND_CHANGES,
	OPEN_ALERTS,
	MOVE_ALERTS,
	DETAIL,
	BUMP,
	END
};
#define OF_HEAD " series_id IN (SELECT id FROM series WHERE head_id = $1)"
static const char *const sql[] = {
	[PROJECT - BASE] = "SELECT b.project_id FROM head h JOIN branch b ON b.id = h.branch_id"
			   " WHERE h.id = $1",
	[COMMIT - BASE] = "SELECT parents, time_ns FROM commit_info WHERE project_id = $1"
			  " AND hash = $2",
	[NUMBER - BASE] = "SELECT number FROM version WHERE head_id = $1 AND hash = $2"
			  " ORDER BY number DESC LIMIT 1",
	[TIP - BASE] = "SELECT hash, number FROM version WHERE head_id = $1"
		       " ORDER BY number DESC LIMIT 1",
	/* The newest one that is not younger, among the newest of the head. */
	[BY_TIME - BASE] = "SELECT v.number, c.time_ns FROM version v JOIN commit_info c"
			   " ON c.project_id = $2 AND c.hash = v.hash"
			   " WHERE v.head_id = $1 ORDER BY v.number DESC LIMIT $3",
	[COUNT_BEHIND - BASE] =
		"SELECT count(*) FROM version WHERE head_id = $1 AND number >= $2",
	[STARTED - BASE] =
		"SELECT id FROM head WHERE start_head_id = $1 AND start_number >= $2",
	[MOVE_STARTS - BASE] = "UPDATE head SET start_number = start_number + 1"
			       " WHERE start_head_id = $1 AND start_number >= $2",
	[MOVE_FIRSTS - BASE] = "UPDATE head SET first_number = first_number + 1"
			       " WHERE start_head_id = $1 AND first_number >= $2",
	/* In two steps, as numbers are unique: below zero, and up again. */
	[LIFT_VERSIONS - BASE] = "UPDATE version SET number = -number - 2 WHERE head_id = $1"
				 " AND number >= $2",
	[LAND_VERSIONS - BASE] =
		"UPDATE version SET number = -number - 1 WHERE head_id = $1 AND number < -1",
	[MOVE_REPORTS - BASE] = "UPDATE report SET version_number = version_number + 1"
				" WHERE head_id = $1 AND version_number >= $2",
	[MOVE_POINTS - BASE] = "UPDATE point SET version_number = version_number + 1"
			       " WHERE" OF_HEAD " AND version_number >= $2",
	[MOVE_SERIES - BASE] = "UPDATE series SET last_version = last_version + 1"
			       " WHERE head_id = $1 AND last_version >= $2",
	[LIFT_CHANGES - BASE] = "UPDATE change_point SET version_number = -version_number - 2"
				" WHERE" OF_HEAD " AND version_number >= $2",
	[LAND_CHANGES - BASE] = "UPDATE change_point SET version_number = -version_number - 1"
				" WHERE" OF_HEAD " AND version_number < -1",
	[OPEN_ALERTS - BASE] = "SELECT id, detail_json FROM alert WHERE" OF_HEAD
			       " AND state IN ('suspect', 'confirmed')"
			       " AND detail_json IS NOT NULL",
	[MOVE_ALERTS - BASE] = "UPDATE alert SET version_number = version_number + 1"
			       " WHERE" OF_HEAD " AND version_number >= $2",
	[DETAIL - BASE] = "UPDATE alert SET detail_json = $2 WHERE id = $1",
	[BUMP - BASE] = "UPDATE project SET generation = generation + 1 WHERE id = $1",
};
const struct statements place_statements = { sql, END - BASE };

/* --- the graph --- */

struct walk {
	struct store *s;
	struct arena *a;
	int64_t project_id;
	const char *slots[SLOTS]; /* commits seen, by hash */
	const char *queue[WALK_MAX];
	size_t first, n;
	bool is_cut; /* the graph goes on where nothing is known, or too far */
};

static void see(struct walk *w, const char *hash)
{
	size_t i = (size_t)strtoul(arena_strndup(w->a, hash, 8), NULL, 16) % SLOTS;

	while (w->slots[i] && strcmp(w->slots[i], hash) != 0)
		i = (i + 1) % SLOTS;
	if (w->slots[i])
		return;
	if (w->n == WALK_MAX) {
		w->is_cut = true;
		return;
	}
	w->slots[i] = hash;
	w->queue[w->n++] = hash;
}

static int get_commit(struct store *s, struct arena *a, int64_t project_id, const char *hash,
	const char **ret_parents, int64_t *ret_time, bool *ret_found, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, COMMIT, ARGS(INT(project_id), TEXT(hash)));
	int r = query_step(&q, err);

	*ret_found = r == QUERY_ROW;
	if (r == QUERY_ROW) {
		*ret_parents = column_text(&q, a);
		*ret_time = column_int(&q);
	}
	return r < 0 ? r : OK;
}

/* The next commit of the walk, its parents queued; NULL at the end. */
static int next_commit(struct walk *w, const char **ret, struct error *err)
{
	const char *parents = "";
	int64_t time;
	bool found;
	int r;

	*ret = w->first < w->n ? w->queue[w->first++] : NULL;
	if (!*ret)
		return OK;
	r = get_commit(w->s, w->a, w->project_id, *ret, &parents, &time, &found, err);
	if (r < 0)
		return r;
	w->is_cut |= !found;
	for (; *parents; parents += strcspn(parents, " ")) {
		parents += strspn(parents, " ");
		if (strcspn(parents, " ") == GIT_HASH_DIGITS)
			see(w, arena_strndup(w->a, parents, GIT_HASH_DIGITS));
	}
	return OK;
}

static struct walk *walk_from(
	struct store *s, struct arena *a, int64_t project_id, const char *hash)
{
	struct walk *w = ARENA_NEW(a, struct walk);

	*w = (struct walk){ .s = s, .a = a, .project_id = project_id };
	see(w, hash);
	return w;
}

/* *ret_number: of its nearest ancestor on the head, -1 for none that is known. *ret_tip: that
 * is the newest version, so the commit is simply new. */
static int find_ancestor(struct walk *w, int64_t head_id, const char *tip, int64_t *ret_number,
	bool *ret_tip, struct error *err)
{
	const char *hash;
	int r;

	*ret_number = -1;
	*ret_tip = false;
	while ((r = next_commit(w, &hash, err)) == OK && hash) {
		int64_t n = -1;

		if (w->first == 1)
			continue; /* itself */
		*ret_tip = !strcmp(hash, tip);
		if (*ret_tip)
			return OK;
		r = db_get_int(w->s, NUMBER, -1, &n, err, ARGS(INT(head_id), TEXT(hash)));
		if (r < 0)
			return r;
		*ret_number = MAX(*ret_number, n);
		/* Its own ancestors are further away. The tip would have come before. */
	}
	return r;
}

enum relation { UNKNOWN, IS_ANCESTOR, IS_NONE };

static int relate(struct walk *w, const char *to, enum relation *ret, struct error *err)
{
	const char *hash;
	int r;

	*ret = UNKNOWN;
	while ((r = next_commit(w, &hash, err)) == OK && hash)
		if (!strcmp(hash, to)) {
			*ret = IS_ANCESTOR;
			return OK;
		}
	if (!w->is_cut)
		*ret = IS_NONE;
	return r;
}

/* --- dates --- */

/* Behind the newest version that is not younger; *ret -1: at the end. */
static int place_by_time(struct store *s, int64_t head_id, int64_t project_id, int64_t time_ns,
	int64_t *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q =
		db_query(s, BY_TIME, ARGS(INT(head_id), INT(project_id), INT(WALK_MAX)));
	int64_t last = -1;
	int r;

	*ret = -1;
	while ((r = query_step(&q, err)) == QUERY_ROW) {
		int64_t number = column_int(&q), time = column_int(&q);

		if (time <= 0)
			continue;
		if (time <= time_ns) {
			*ret = last < 0 ? -1 : number + 1;
			return OK;
		}
		last = number;
	}
	*ret = last; /* before the oldest whose date is known */
	return r < 0 ? r : OK;
}

/* --- the place --- */

static int get_tip(struct store *s, struct arena *a, int64_t head_id, const char **ret_hash,
	struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, TIP, ARGS(INT(head_id)));
	int r = query_step(&q, err);

	*ret_hash = r == QUERY_ROW ? column_text(&q, a) : NULL;
	return r < 0 ? r : OK;
}

int version_place(struct store *s, struct arena *a, int64_t head_id, const char *hash,
	int64_t *ret, struct error *err)
{
	const char *tip = NULL, *parents;
	int64_t project_id = 0, time_ns = 0, ancestor;
	enum relation relation = UNKNOWN;
	struct head h;
	bool is_known, is_new;
	int r = get_tip(s, a, head_id, &tip, err);

	*ret = -1;
	if (r == OK && tip)
		r = db_get_int(s, PROJECT, 0, &project_id, err, ARGS(INT(head_id)));
	if (r == OK && tip)
		r = get_commit(s, a, project_id, hash, &parents, &time_ns, &is_known, err);
	if (r < 0 || !tip || !is_known)
		return r;
	r = find_ancestor(
		walk_from(s, a, project_id, hash), head_id, tip, &ancestor, &is_new, err);
	if (r < 0 || is_new)
		return r;
	r = relate(walk_from(s, a, project_id, tip), hash, &relation, err);
	if (r == OK)
		r = head_get(s, head_id, &h, err);
	if (r < 0 || relation == IS_NONE)
		return r;
	if (relation == IS_ANCESTOR)
		*ret = MAX(ancestor, h.start_number) + 1;
	else if (time_ns > 0)
		r = place_by_time(s, head_id, project_id, time_ns, ret, err);
	return r;
}

/* --- room --- */

static int lift_member(json_t *o, const char *key, int64_t from)
{
	int64_t n = json_get_int(o, key, -1);

	if (n < from)
		return 0;
	json_set_int(o, key, n + 1);
	return 1;
}

struct old_detail {
	int64_t id;
	const char *text;
};

/* Open questions know versions by number. */
static int move_details(
	struct store *s, struct arena *a, int64_t head_id, int64_t from, struct error *err)
{
	static const char *const keys[] = { "lo", "hi", "from", "upto", "back_version" };
	struct query q = db_query(s, OPEN_ALERTS, ARGS(INT(head_id)));
	struct list l = LIST_OF(a, struct old_detail);
	const struct old_detail *list;
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct old_detail *d = list_add(&l);

		d->id = column_int(&q);
		d->text = column_text(&q, a);
	}
	query_done(&q);
	list = l.items;
	for (size_t i = 0; r == OK && i < l.n; i++) {
		_cleanup_(json_decref)
		json_t *o = json_loads(list[i].text, 0, NULL);
		_cleanup_(free)
		char *text = NULL;
		int n = 0;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			n += lift_member(o, keys[k], from);
		text = n ? json_text(o) : NULL;
		if (n)
			r = db_run(s, DETAIL, err, ARGS(INT(list[i].id), TEXT(text)));
	}
	return r;
}

static int move_head(struct store *s, int64_t head_id, int64_t from, struct error *err)
{
	static const int both[] = { LIFT_VERSIONS, MOVE_REPORTS, MOVE_POINTS, MOVE_SERIES,
		LIFT_CHANGES, MOVE_ALERTS };
	int r = OK;

	for (size_t i = 0; r == OK && i < ARRAY_SIZE(both); i++)
		r = db_run(s, both[i], err, ARGS(INT(head_id), INT(from)));
	if (r == OK)
		r = db_run(s, LAND_VERSIONS, err, ARGS(INT(head_id)));
	return r < 0 ? r : db_run(s, LAND_CHANGES, err, ARGS(INT(head_id)));
}

/* The head and those that started from it at or behind the place, and so on. */
static int list_heads(struct store *s, struct list *l, int64_t from, struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < l->n; i++) {
		struct query q =
			db_query(s, STARTED, ARGS(INT(((int64_t *)l->items)[i]), INT(from)));

		while ((r = query_step(&q, err)) == QUERY_ROW)
			*(int64_t *)list_add(l) = column_int(&q);
		query_done(&q);
	}
	return r;
}

int version_make_room(struct store *s, struct arena *a, int64_t head_id, int64_t from,
	bool *ret_done, struct error *err)
{
	struct list l = LIST_OF(a, int64_t);
	int64_t n = 0, project_id;
	int r;

	*(int64_t *)list_add(&l) = head_id;
	r = db_get_int(s, COUNT_BEHIND, 0, &n, err, ARGS(INT(head_id), INT(from)));
	*ret_done = n <= MOVE_MAX;
	if (r < 0 || !*ret_done)
		return r;
	r = list_heads(s, &l, from, err);
	for (size_t i = 0; r == OK && i < l.n; i++) {
		int64_t id = ((int64_t *)l.items)[i];

		r = move_details(s, a, id, from, err);
		if (r == OK)
			r = move_head(s, id, from, err);
		if (r == OK)
			r = db_run(s, MOVE_STARTS, err, ARGS(INT(id), INT(from)));
		if (r == OK)
			r = db_run(s, MOVE_FIRSTS, err, ARGS(INT(id), INT(from)));
	}
	if (r == OK)
		r = db_get_int(s, PROJECT, 0, &project_id, err, ARGS(INT(head_id)));
	return r < 0 ? r : db_run(s, BUMP, err, ARGS(INT(project_id)));
}
