/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages of the dashboard: the documents of the API, as people read them. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "daemon/analysis/analysis.h"

enum {
	MOST_SERIES = 500,
	SPARK_POINTS = 60,
	MOST_CHANGES = 50,
	MOST_ROWS = 100,
	MOST_LOG = 64 * 1024,
	MOST_BRANCHES = 12,
	MOST_LISTED = 10000,
	MOST_OTHERS = 60
};

int answer_page(
	struct request *rq, int status, enum dash_page page, const char *title, json_t *doc)
{
	const struct page_files files = { .css = request_asset_url(rq, "app.css"),
		.js = request_asset_url(rq, "app.js"),
		.plot_css = request_asset_url(rq, "uplot.css"),
		.plot_js = request_asset_url(rq, "uplot.js") };
	struct buf out = { 0 };

	json_set_str(doc, "title", title);
	json_set_bool(doc, "signed_in", request_is_signed_in(rq));
	render_page(page, doc, &files, request_arena(rq), &out);
	response_header(rq, "Cache-Control", "no-cache");
	response_buf(rq, status, format_mime(F_HTML), &out);
	json_decref(doc);
	return OK;
}

int get_asset(struct request *rq, struct store *st, struct error *err)
{
	return response_asset(rq, request_param(rq, "file"), err);
}

static void set_twin(json_t *doc, const char *twin, bool has_csv)
{
	json_set_str(doc, "twin", twin);
	json_set_bool(doc, "twin_csv", has_csv);
}

static const char *api(struct request *rq, const struct project *p, const char *rest)
{
	return arena_printf(request_arena(rq), "/v0/projects/%s%s", p->slug, rest);
}

enum {
	STATES_WAITING = 1 << JOB_AWAITING_APPROVAL | 1 << JOB_BLOCKED | 1 << JOB_QUEUED |
			 1 << JOB_WAITING_HOST | 1 << JOB_RETRY_WAIT,
	ALERTS_OPEN = 1 << ALERT_SUSPECT | 1 << ALERT_CONFIRMED,
	MOST_OPEN = 1000
};

static int count_open(struct request *rq, struct store *st, const struct project *p,
	json_t *doc, struct error *err)
{
	struct alert *list;
	size_t n = 0;
	int r = store_alert_list(
		st, request_arena(rq), p->id, ALERTS_OPEN, MOST_OPEN, &list, &n, err);

	json_set_int(doc, "n_open", (int64_t)n);
	return r;
}

/* What a person looks for first: is something open, is anything running, when was the last. */
static int add_state(struct request *rq, struct store *st, const struct project *p, json_t *o,
	struct error *err)
{
	const struct report_filter last = {
		.page = { .page = 1, .per_page = 1, .descending = true }
	};
	const struct job_filter open = { .project_id = p->id,
		.states = 1u << JOB_RUNNING | STATES_WAITING,
		.limit = MOST_ROWS };
	struct report *reports;
	struct job *jobs;
	int64_t total = 0;
	size_t n = 0;
	int r = count_open(rq, st, p, o, err);

	if (r == OK)
		r = store_job_list(st, request_arena(rq), &open, &jobs, &n, err);
	json_set_int(o, "n_jobs", (int64_t)n);
	if (r == OK)
		r = store_report_list(
			st, request_arena(rq), p->id, &last, &reports, &n, &total, err);
	json_set_int(o, "n_reports", total);
	if (r == OK && n)
		json_set_time(o, "last", reports[0].start_ns);
	return r;
}

static int add_devices(struct request *rq, struct store *st, json_t *doc, struct error *err)
{
	json_t *list = NULL;
	int r = devices_document(rq, st, &list, err);

	if (r == OK)
		json_object_set_new(doc, "devices", list);
	return r;
}

int page_home(struct request *rq, struct store *st, struct error *err)
{
	const struct page page = { .page = 1, .per_page = 255 };
	json_t *doc = json_object(), *list = json_array();
	struct project *projects;
	int64_t total;
	size_t n;
	int r = store_project_list(st, request_arena(rq), &page, &projects, &n, &total, err);

	json_object_set_new(doc, "projects", list);
	for (size_t i = 0; r == OK && i < n; i++) {
		struct error ignored;

		if (check_project(rq, &projects[i], &ignored) != OK)
			continue;
		json_array_append_new(list, render_project(&projects[i]));
		r = add_state(rq, st, &projects[i],
			json_array_get(list, json_array_size(list) - 1), err);
	}
	set_twin(doc, "/v0/projects", true);
	if (r == OK)
		r = add_devices(rq, st, doc, err);
	if (r == OK)
		return answer_page(rq, 200, PAGE_HOME, "Projects", doc);
	json_decref(doc);
	return r;
}

/* --- overview --- */

static int add_changes(struct request *rq, struct store *st, const struct project *p,
	json_t *doc, struct error *err)
{
	json_t *list = json_array();
	struct change_point *changes;
	struct series *series;
	size_t n;
	int r = store_project_changes(
		st, request_arena(rq), p->id, MOST_CHANGES, &changes, &series, &n, err);

	json_object_set_new(doc, "changes", list);
	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *o = render_change_point(&changes[i]);

		json_object_set_new(o, "series", render_series(&series[i], p));
		add_commit(rq, st, p->id, changes[i].hash, o);
		json_array_append_new(list, o);
	}
	return r;
}

/* Only points and changes: limits would cost an analysis a row. */
static int series_row(struct request *rq, struct store *st, const struct project *p,
	const struct series *s, json_t *list, json_t *changes, struct error *err)
{
	json_t *o = json_object(), *points = json_array(), *own = json_array(), *c;
	struct point *v;
	size_t n, i;
	int r = store_series_points(st, request_arena(rq), s->id, SPARK_POINTS, &v, &n, err);

	json_array_append_new(list, o);
	json_object_set_new(o, "series", render_series(s, p));
	json_object_set_new(o, "points", points);
	json_object_set_new(o, "changes", own);
	for (size_t k = 0; r == OK && k < n; k++)
		if (!(v[k].flags & POINT_ASIDE))
			json_array_append_new(points, render_point(&v[k]));
	json_array_foreach (changes, i, c)
		if (json_get_int(json_object_get(c, "series"), "id", 0) == s->id)
			json_array_append(own, c);
	return r;
}

/* Names of branches as they come, each once, "main" first. */
static json_t *branches_of(const struct series *series, size_t n, bool *ret_has_main)
{
	_cleanup_(json_decref)
	json_t *seen = json_object();
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		const char *name = series[i].branch.name;

		if (json_object_get(seen, name))
			continue;
		json_set_bool(seen, name, true);
		if (!strcmp(name, "main"))
			json_array_insert_new(list, 0, json_string(name));
		else if (json_array_size(list) < MOST_BRANCHES)
			json_array_append_new(list, json_string(name));
	}
	*ret_has_main = json_object_get(seen, "main") != NULL;
	return list;
}

/* Which branch the overview is about: the one that was asked for, else main, else ("") all. */
static const char *chosen_branch(struct request *rq, bool has_main)
{
	const char *asked = request_query(rq, "branch");

	return asked ? asked : has_main ? "main" : "";
}

static int add_series(struct request *rq, struct store *st, const struct project *p,
	json_t *doc, struct error *err)
{
	json_t *list = json_array();
	struct series *series;
	const char *branch;
	bool has_main;
	size_t n, n_shown = 0;
	int r = store_series_list(
		st, request_arena(rq), p->id, NULL, NULL, MOST_LISTED, &series, &n, err);

	json_object_set_new(doc, "series", list);
	if (r < 0)
		return r;
	json_object_set_new(doc, "branches", branches_of(series, n, &has_main));
	branch = chosen_branch(rq, has_main);
	json_set_str(doc, "branch", branch);
	for (size_t i = 0; r == OK && i < n; i++) {
		if (*branch && strcmp(series[i].branch.name, branch) != 0)
			continue;
		if (n_shown++ < MOST_SERIES)
			r = series_row(rq, st, p, &series[i], list,
				json_object_get(doc, "changes"), err);
	}
	json_set_int(
		doc, "n_left_out", n_shown > MOST_SERIES ? (int64_t)n_shown - MOST_SERIES : 0);
	return r;
}

static int add_jobs(struct request *rq, struct store *st, const struct project *p, json_t *doc,
	const char *member, unsigned states, int64_t limit, struct error *err)
{
	const struct job_filter f = { .project_id = p->id,
		.states = states,
		.limit = limit,
		.queue_order = states != 0 };
	json_t *list = json_array();
	struct job *jobs;
	size_t n;
	int r = store_job_list(st, request_arena(rq), &f, &jobs, &n, err);

	json_object_set_new(doc, member, list);
	for (size_t i = 0; r == OK && i < n; i++)
		json_array_append_new(list, render_job(&jobs[i], 0, request_public_url(rq)));
	return r;
}

static int add_queue(struct request *rq, struct store *st, const struct project *p, json_t *doc,
	struct error *err)
{
	int r = add_jobs(rq, st, p, doc, "running", 1u << JOB_RUNNING, MOST_ROWS, err);

	if (r == OK)
		r = add_jobs(rq, st, p, doc, "waiting", STATES_WAITING, MOST_ROWS, err);
	json_set_int(
		doc, "n_running", (int64_t)json_array_size(json_object_get(doc, "running")));
	json_set_int(
		doc, "n_waiting", (int64_t)json_array_size(json_object_get(doc, "waiting")));
	return r;
}

int page_overview(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object());
	struct project p;
	int r = find_project(rq, st, &p, err);

	if (r < 0)
		return r;
	json_object_set_new(doc, "project", render_project(&p));
	r = add_changes(rq, st, &p, doc, err);
	if (r == OK)
		r = add_series(rq, st, &p, doc, err);
	if (r == OK)
		r = add_queue(rq, st, &p, doc, err);
	if (r == OK)
		r = count_open(rq, st, &p, doc, err);
	if (r < 0)
		return r;
	set_twin(doc, api(rq, &p, "/series"), true);
	return answer_page(rq, 200, PAGE_OVERVIEW, p.name, json_incref(doc));
}

/* --- one history, comparison, report --- */

static int find_series(struct request *rq, struct store *st, const struct project *p,
	struct series *ret, struct error *err)
{
	const char *text = request_param(rq, "series");
	char *end;
	int64_t id = strtoll(text, &end, 10);
	int r;

	if (*end || end == text || id < 1)
		return error_set(err, E_NOT_FOUND, "there is no series '%.40s'", text);
	r = store_series_get(st, request_arena(rq), id, ret, err);
	if (r == OK && ret->project_id != p->id)
		r = error_set(err, E_NOT_FOUND, "there is no series %lld in project '%s'",
			(long long)id, p->slug);
	return r;
}

/* Other histories of the same benchmark: what one may want to see beside it. */
static int add_others(struct request *rq, struct store *st, const struct project *p,
	const struct series *s, json_t *doc, struct error *err)
{
	json_t *list = json_array();
	struct series *all;
	size_t n;
	int r = store_series_of_benchmark(
		st, request_arena(rq), s->benchmark.id, MOST_OTHERS, &all, &n, err);

	json_object_set_new(doc, "others", list);
	for (size_t i = 0; r == OK && i < n; i++)
		if (all[i].id != s->id)
			json_array_append_new(list, render_series(&all[i], p));
	return r;
}

static int answer_history(struct request *rq, struct store *st, const struct project *p,
	const struct series *s, struct error *err)
{
	json_t *doc;
	int64_t max;
	int r = request_query_int(rq, "max", 1, 10000, 1000, &max, err);

	if (r == OK)
		r = series_document(rq, st, p, s, max, &doc, err);
	if (r < 0)
		return r;
	r = add_others(rq, st, p, s, doc, err);
	if (r < 0) {
		json_decref(doc);
		return r;
	}
	json_object_set_new(doc, "project", render_project(p));
	set_twin(doc,
		api(rq, p, arena_printf(request_arena(rq), "/series/%lld", (long long)s->id)),
		true);
	return answer_page(rq, 200, PAGE_SERIES, s->benchmark.name, doc);
}

int page_series(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct series s;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = find_series(rq, st, &p, &s, err);
	return r < 0 ? r : answer_history(rq, st, &p, &s, err);
}

/* The same by four names, for links made where numbers of series are not known. */
int page_history(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct series s;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = find_named_series(rq, st, &p, &s, err);
	return r < 0 ? r : answer_history(rq, st, &p, &s, err);
}

/* The query of the page, for its twin. */
static const char *same_query(struct request *rq)
{
	static const char *const names[] = { "base", "head", "job", "branch", "testbed",
		"threshold", "alpha" };
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	struct arena *a = request_arena(rq);
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = request_query(rq, names[i]);

		if (!v)
			continue;
		buf_printf(&b, "%c%s=", b.len ? '&' : '?', names[i]);
		for (; *v; v++)
			buf_printf(&b, strchr(plain, *v) ? "%c" : "%%%02X", (unsigned char)*v);
	}
	return arena_strdup(a, buf_str(&b));
}

int page_compare(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = compare_document(rq, st, &p, &doc, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "project", render_project(&p));
	set_twin(doc,
		api(rq, &p, arena_printf(request_arena(rq), "/compare%s", same_query(rq))),
		true);
	return answer_page(rq, 200, PAGE_COMPARE, "Comparison", doc);
}

int page_report(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct report report, other;
	struct error ignored;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = store_report_find(
			st, request_arena(rq), p.id, request_param(rq, "report"), &report, err);
	if (r == OK)
		r = report_document(rq, st, &p, &report, true, &doc, err);
	if (r < 0)
		return r;
	if (strcmp(report.branch.name, DEFAULT_BRANCH) != 0 &&
		analysis_find_report(st, request_arena(rq), p.id, DEFAULT_BRANCH, NULL,
			report.testbed.name, &other, &ignored) == OK)
		json_set_str(doc, "compare_with", DEFAULT_BRANCH);
	set_twin(doc, api(rq, &p, arena_printf(request_arena(rq), "/reports/%s", report.uuid)),
		true);
	return answer_page(rq, 200, PAGE_REPORT, "Report", doc);
}

/* --- lists --- */

int page_reports(struct request *rq, struct store *st, struct error *err)
{
	const struct report_filter f = {
		.page = { .page = 1, .per_page = MOST_ROWS, .descending = true }
	};
	json_t *doc = arena_own_json(request_arena(rq), json_object()), *list = json_array();
	struct report *reports;
	struct project p;
	int64_t total;
	size_t n;
	int r = find_project(rq, st, &p, err);

	json_object_set_new(doc, "reports", list);
	if (r == OK)
		r = store_report_list(
			st, request_arena(rq), p.id, &f, &reports, &n, &total, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *o;

		r = report_row(rq, st, &p, &reports[i], &o, err);
		if (r == OK)
			json_array_append_new(list, o);
	}
	if (r < 0)
		return r;
	json_object_set_new(doc, "project", render_project(&p));
	set_twin(doc, api(rq, &p, "/reports"), true);
	return answer_page(rq, 200, PAGE_REPORTS, "Reports", json_incref(doc));
}

int page_jobs(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object());
	struct project p;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = add_queue(rq, st, &p, doc, err);
	if (r == OK)
		r = add_jobs(rq, st, &p, doc, "recent", 0, MOST_ROWS, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "project", render_project(&p));
	set_twin(doc, api(rq, &p, "/jobs"), true);
	return answer_page(rq, 200, PAGE_JOBS, "Jobs", json_incref(doc));
}

/* The end of the log, from the beginning of a line. */
static int add_log(
	struct request *rq, struct store *st, int64_t job_id, json_t *doc, struct error *err)
{
	const char *text, *end;
	int r = store_job_log_read(st, request_arena(rq), job_id, &text, err);
	size_t n;

	if (r < 0)
		return r;
	n = strlen(text);
	json_set_bool(doc, "log_is_cut", n > MOST_LOG);
	if (n > MOST_LOG) {
		text += n - MOST_LOG;
		end = strchr(text, '\n');
		text = end ? end + 1 : "";
	}
	json_set_str(doc, "log", text);
	return OK;
}

int page_job(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object()), *job, *awaited;
	struct project p;
	struct job j;
	int r = find_path_job(rq, st, &p, &j, err);

	if (r == OK)
		r = add_log(rq, st, j.id, doc, err);
	if (r == OK)
		r = job_awaited(rq, st, &p, &j, false, &awaited, err);
	if (r == OK)
		r = job_json(rq, st, &j, &job, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "job", job);
	json_object_set(doc, "awaited", awaited);
	json_object_set_new(doc, "project", render_project(&p));
	set_twin(doc, api(rq, &p, arena_printf(request_arena(rq), "/jobs/%s", j.uuid)), true);
	return answer_page(rq, 200, PAGE_JOB, arena_printf(request_arena(rq), "Job %s", j.name),
		json_incref(doc));
}

static int add_alerts(struct request *rq, struct store *st, const struct project *p,
	unsigned states, int64_t limit, json_t *list, struct error *err)
{
	struct alert *alerts;
	size_t n = 0;
	int r = store_alert_list(st, request_arena(rq), p->id, states, limit, &alerts, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *o = render_alert(&alerts[i], p);

		add_commit(rq, st, p->id, alerts[i].hash, o);
		json_array_append_new(list, o);
	}
	return r;
}

/* What is open is never pushed out by what was closed later. */
int page_alerts(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object()), *list = json_array();
	struct project p;
	int r = find_project(rq, st, &p, err);

	json_object_set_new(doc, "alerts", list);
	if (r == OK)
		r = add_alerts(rq, st, &p, ALERTS_OPEN, MOST_OPEN, list, err);
	if (r == OK)
		r = add_alerts(rq, st, &p, 1u << ALERT_RESOLVED | 1u << ALERT_DISMISSED,
			MOST_ROWS, list, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "project", render_project(&p));
	set_twin(doc, api(rq, &p, "/alerts"), true);
	return answer_page(rq, 200, PAGE_ALERTS, "Alerts", json_incref(doc));
}

int page_schedules(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object()), *list;
	struct project p;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = schedules_document(rq, st, &p, true, &list, err);
	if (r < 0)
		return r;
	json_object_set_new(doc, "schedules", list);
	json_object_set_new(doc, "project", render_project(&p));
	set_twin(doc, api(rq, &p, "/schedules"), true);
	return answer_page(rq, 200, PAGE_SCHEDULES, "Schedules", json_incref(doc));
}

/* Of all projects, so not for a key of one of them. */
int page_deliveries(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = arena_own_json(request_arena(rq), json_object());
	json_t *received = json_array(), *sent = json_array();
	struct arena *a = request_arena(rq);
	struct delivery *in;
	struct outgoing *out;
	size_t n_in, n_out;
	int r;

	json_object_set_new(doc, "received", received);
	json_object_set_new(doc, "sent", sent);
	if (request_principal(rq)->project_id)
		return error_set(err, E_FORBIDDEN,
			"deliveries belong to the whole server; a token of one project cannot "
			"see "
			"them");
	r = store_delivery_list(st, a, 0, MOST_ROWS, &in, &n_in, err);
	if (r == OK)
		r = store_outgoing_list(st, a, 0, MOST_ROWS, &out, &n_out, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_in; i++)
		json_array_append_new(received, render_delivery(&in[i]));
	for (size_t i = 0; i < n_out; i++)
		json_array_append_new(sent, render_outgoing(&out[i]));
	set_twin(doc, "/v0/hooks/deliveries", true);
	return answer_page(rq, 200, PAGE_DELIVERIES, "Deliveries", json_incref(doc));
}
