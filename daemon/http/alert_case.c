/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person needs to act on an alert: which commits, where it was measured, how to see it
 * again. */
#include "daemon/http/handlers.h"

#include <math.h>
#include <string.h>
#include "daemon/analysis/analysis.h"

enum { LOOK_BACK = 400, COMMITS_MAX = 50, RERUNS_LOOKED_AT = 1000 };

/* What the change is against: the commit that re-runs compared it with, else the newest point
 * before it that counts. */
static const struct point *find_base(
	const struct point *p, size_t n, int64_t version, const char *rerun)
{
	const unsigned not_counting =
		POINT_NOISY | POINT_SUSPECT | POINT_EXCLUDED | POINT_ASIDE;

	for (size_t i = n; rerun && i-- > 0;)
		if (p[i].version_number < version && p[i].hash && !strcmp(p[i].hash, rerun))
			return &p[i];
	for (size_t i = n; i-- > 0;)
		if (p[i].version_number < version && !(p[i].flags & not_counting))
			return &p[i];
	return NULL;
}

static const struct point *find_head(const struct point *p, size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].version_number == version)
			return &p[i];
	return NULL;
}

static json_t *commit_json(
	struct request *rq, struct store *st, int64_t project_id, const char *hash)
{
	struct commit c;
	struct error ignored;
	json_t *o;

	if (store_commit_find(st, request_arena(rq), project_id, hash, &c, &ignored) == OK)
		return render_commit(&c);
	o = json_object();
	json_set_str(o, "hash", hash);
	return o;
}

/* Behind the base, up to the change: oldest first. */
static json_t *commits_json(struct request *rq, struct store *st, int64_t project_id,
	const struct point *p, size_t n, int64_t after, int64_t upto)
{
	json_t *list = json_array();
	const char *last = "";

	for (size_t i = 0; i < n && json_array_size(list) < COMMITS_MAX; i++) {
		if (p[i].version_number <= after || p[i].version_number > upto || !p[i].hash ||
			!strcmp(p[i].hash, last))
			continue;
		last = p[i].hash;
		json_array_append_new(list, commit_json(rq, st, project_id, last));
	}
	return list;
}

static const char *reproduce(struct request *rq, struct store *st, const struct project *p,
	const struct alert *al, const struct report *r, const struct point *base)
{
	struct arena *a = request_arena(rq);
	struct error ignored;
	struct job j;

	if (!r->job_id || store_job_get(st, a, r->job_id, &j, &ignored) < 0)
		return arena_printf(a,
			"benchctl series -p %s: run the benchmark on both commits again and "
			"upload what it prints",
			p->slug);
	if (!base || !base->hash || !al->hash)
		return arena_printf(a, "benchctl submit %s -p %s", j.name, p->slug);
	return arena_printf(a, "benchctl submit %s -p %s --base %s --head %s", j.name, p->slug,
		base->hash, al->hash);
}

static json_t *links(struct request *rq, const struct project *p, const struct alert *al,
	const struct report *r)
{
	const char *base = request_public_url(rq);
	json_t *o = json_object();
	struct arena *a = request_arena(rq);

	json_set_str(o, "self",
		arena_printf(a, "%s/v0/projects/%s/alerts/%s", base, p->slug, al->uuid));
	json_set_str(o, "journal",
		arena_printf(
			a, "%s/v0/projects/%s/alerts/%s/journal", base, p->slug, al->uuid));
	json_set_str(o, "series",
		arena_printf(a, "%s/v0/projects/%s/series/%lld", base, p->slug,
			(long long)al->series_id));
	json_set_str(o, "report",
		arena_printf(a, "%s/v0/projects/%s/reports/%s", base, p->slug, r->uuid));
	return o;
}

/* Field by field: "cpu.model: A -> B". */
static json_t *difference(
	struct request *rq, struct store *st, const char *base, const char *head)
{
	json_t *list = json_array();
	const char **lines;
	struct error ignored;
	size_t n = 0;

	if (!base || !head || !strcmp(base, head) ||
		analysis_environment_difference(
			st, request_arena(rq), base, head, &lines, &n, &ignored) < 0)
		return list;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(lines[i]));
	return list;
}

/* The environments of both sides; a change between them is no change of the code. */
static json_t *environments(struct request *rq, struct store *st, const struct project *p,
	const struct report *head, const struct point *base)
{
	struct report before;
	struct error ignored;
	json_t *o = json_object();
	const char *b = NULL, *h = head->environment_hash;

	if (base && base->report_uuid &&
		store_report_find(st, request_arena(rq), p->id, base->report_uuid, &before,
			&ignored) == OK)
		b = before.environment_hash;
	json_set_str(o, "base", b);
	json_set_str(o, "head", h);
	json_object_set_new(o, "same", b && h ? json_boolean(!strcmp(b, h)) : json_null());
	json_object_set_new(o, "difference", difference(rq, st, b, h));
	return o;
}

/* How many benchmarks of the report have an alert of the same direction: where most of them
 * moved together, the host is a better suspect than the code. */
static int add_together(struct request *rq, struct store *st, const struct alert *al,
	json_t *doc, struct error *err)
{
	struct arena *a = request_arena(rq);
	struct alert *alerts;
	struct result *results;
	json_t *moved = arena_own_json(a, json_object()),
	       *all = arena_own_json(a, json_object());
	json_t *o = json_object();
	size_t n, n_results;
	int e = store_alert_of_report(st, a, al->report_id, &alerts, &n, err);

	if (e == OK)
		e = store_report_results(st, a, al->report_id, &results, &n_results, err);
	for (size_t i = 0; e == OK && i < n; i++)
		if (alerts[i].direction == al->direction)
			json_set_bool(moved, alerts[i].benchmark.uuid, true);
	for (size_t i = 0; e == OK && i < n_results; i++)
		json_set_bool(all, results[i].benchmark.uuid, true);
	json_set_int(o, "benchmarks", (int64_t)json_object_size(moved));
	json_set_int(o, "of", (int64_t)json_object_size(all));
	json_object_set_new(doc, "together", o);
	return e;
}

/* Is it measured between the commits that the re-runs are about? */
static bool is_asked_about(
	const struct point *p, size_t n, const json_t *detail, const char *hash)
{
	int64_t from = json_get_int(detail, "from", -1),
		upto = json_get_int(detail, "upto", -1);

	for (size_t i = 0; hash && i < n; i++)
		if (p[i].version_number >= from && p[i].version_number <= upto && p[i].hash &&
			!strcmp(p[i].hash, hash))
			return true;
	return false;
}

/* The jobs that measured base and head again, oldest first; an upload has none. */
static int add_reruns(struct request *rq, struct store *st, const struct alert *al,
	const struct report *r, const struct point *p, size_t n, json_t *doc, struct error *err)
{
	struct job_filter f = { .limit = RERUNS_LOOKED_AT };
	const json_t *detail = json_object_get(doc, "detail");
	struct arena *a = request_arena(rq);
	json_t *list = json_array();
	struct job of, *jobs;
	size_t n_jobs;
	int e = OK;

	json_object_set_new(doc, "reruns", list);
	if (!r->job_id || store_job_get(st, a, r->job_id, &of, err) < 0)
		return OK;
	f.project_id = of.project_id;
	f.name = of.name;
	e = store_job_list(st, a, &f, &jobs, &n_jobs, err);
	for (size_t i = e == OK ? n_jobs : 0; i-- > 0;)
		if (jobs[i].trigger && !strcmp(jobs[i].trigger, "confirm") &&
			jobs[i].created_ns >= al->created_ns &&
			is_asked_about(p, n, detail, jobs[i].base_hash) &&
			is_asked_about(p, n, detail, jobs[i].head_hash))
			json_array_append_new(
				list, render_job(&jobs[i], 0, request_public_url(rq)));
	return e;
}

int add_alert_case(struct request *rq, struct store *st, const struct project *p,
	const struct alert *al, const struct report *r, json_t *doc, struct error *err)
{
	const struct point *base, *head;
	struct point *points;
	size_t n;
	int e = store_series_points(
		st, request_arena(rq), al->series_id, LOOK_BACK, &points, &n, err);

	if (e < 0)
		return e;
	base = find_base(points, n, al->version_number,
		json_get_str(json_object_get(doc, "detail"), "base", NULL));
	head = find_head(points, n, al->version_number);
	json_object_set_new(doc, "base",
		base && base->hash ? commit_json(rq, st, p->id, base->hash) : json_null());
	json_object_set_new(doc, "commits",
		commits_json(rq, st, p->id, points, n, base ? base->version_number : -1,
			al->version_number));
	json_set_real(doc, "before", al->baseline);
	json_set_real(doc, "after", al->value);
	json_set_int(doc, "n_processes", head ? head->n_processes : 0);
	json_set_real(doc, "detectable",
		json_get_real(json_object_get(doc, "detail"), "detectable", NAN));
	json_object_set_new(doc, "environments", environments(rq, st, p, r, base));
	json_set_str(doc, "reproduce", reproduce(rq, st, p, al, r, base));
	json_object_set_new(doc, "links", links(rq, p, al, r));
	e = add_reruns(rq, st, al, r, points, n, doc, err);
	return e < 0 ? e : add_together(rq, st, al, doc, err);
}
