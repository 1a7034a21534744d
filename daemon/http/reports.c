/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports in Bencher's shape with ours beside it. */
#include "daemon/analysis/analysis.h"
#include "daemon/http/handlers.h"

#include <math.h>
#include <string.h>

static json_t *environment_of(struct request *rq, struct store *st, const struct report *r)
{
	struct environment e;
	struct error ignored;

	if (!r->environment_hash || store_environment_find(st, request_arena(rq),
					    r->environment_hash, &e, &ignored) < 0)
		return json_null();
	return render_environment(&e);
}

/* What analysis stored with the metric: limits and, if one was set, the threshold in Bencher's
 * shape, and the change against the history in ours. */
static int add_boundary(const struct metric_limits *m, const struct project *p, json_t *entry,
	struct error *err)
{
	const struct boundary *b = &m->boundary;
	json_t *change;

	if (strcmp(b->test, "off") != 0)
		json_object_set_new(entry, "boundary", render_boundary(b));
	if (m->has_model)
		json_object_set_new(entry, "threshold", render_threshold_model(m, p));
	if (b->detail_json &&
		json_parse(b->detail_json, strlen(b->detail_json), &change, err) == OK)
		json_object_set_new(entry, "change", change);
	return OK;
}

/* The interval of our own runs; the bounds of an upload mean what its tool meant. */
static void add_interval(const struct report *report, const struct metric *m, json_t *entry)
{
	if (!report->job_uuid || !isfinite(m->lower) || !isfinite(m->upper))
		return;
	json_object_set_new(entry, "interval",
		json_pack("{sfsfsf}", "low", m->lower, "high", m->upper, "level", 0.95));
}

static int add_samples(struct request *rq, struct store *st, const struct result *result,
	json_t *entry, struct error *err)
{
	double *samples;
	size_t n;
	json_t *list = json_array();
	int r = store_metric_samples(
		st, request_arena(rq), result->metric.id, &samples, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		json_array_append_new(list, json_real(samples[i]));
	if (r == OK && n)
		json_object_set(entry, "samples", list);
	json_decref(list);
	return r == E_NOT_FOUND ? OK : r;
}

const struct metric_limits *limits_of(
	const struct metric_limits *list, size_t n, int64_t metric_id)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (list[mid].metric_id == metric_id)
			return &list[mid];
		if (list[mid].metric_id < metric_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int add_entries(struct request *rq, struct store *st, const struct project *p,
	const struct report *report, const struct result *results, size_t n, json_t **entries,
	bool with_samples, struct error *err)
{
	struct metric_limits *limits;
	size_t n_limits;
	int r = store_report_limits(st, request_arena(rq), report->id, &limits, &n_limits, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		const struct metric_limits *m =
			limits_of(limits, n_limits, results[i].metric.id);

		if (m)
			r = add_boundary(m, p, entries[i], err);
		if (r == OK && with_samples && !report->job_uuid)
			r = add_samples(rq, st, &results[i], entries[i], err);
		add_interval(report, &results[i].metric, entries[i]);
	}
	return r;
}

static const struct result *result_of(const struct result *results, size_t n, int64_t metric_id)
{
	for (size_t i = 0; i < n; i++)
		if (results[i].metric.id == metric_id)
			return &results[i];
	return NULL;
}

/* A suspicion that waits for further reports is not yet an alert: a client that fails on alerts
 * would fail on what may be noise. */
static bool is_waiting(const struct report *report, const struct alert *al)
{
	return !report->job_uuid && al->state == ALERT_SUSPECT;
}

/* alerts and counts; a report mostly has no alert, so the search is not worth an index. */
static int add_alerts(struct request *rq, struct store *st, const struct project *p,
	const struct report *report, const struct result *results, size_t n, json_t *doc,
	struct error *err)
{
	struct arena *a = request_arena(rq);
	json_t *list = json_array();
	struct metric_limits *limits;
	struct alert *alerts;
	size_t n_alerts, n_limits;
	int64_t active = 0, total = 0;
	int r = store_alert_of_report(st, a, report->id, &alerts, &n_alerts, err);

	json_object_set_new(doc, "alerts", list);
	if (r == OK)
		r = store_report_limits(
			st, a, n_alerts ? report->id : 0, &limits, &n_limits, err);
	for (size_t i = 0; r == OK && i < n_alerts; i++) {
		const struct alert *al = &alerts[i];
		const struct result *about = result_of(results, n, al->metric_id);

		if (is_waiting(report, al))
			continue;
		total++;
		active += al->state == ALERT_SUSPECT || al->state == ALERT_CONFIRMED;
		if (about)
			json_array_append_new(
				list, render_report_alert(al, p, report, about,
					      limits_of(limits, n_limits, al->metric_id)));
	}
	if (r == OK)
		json_object_set_new(doc, "counts", render_counts(results, n, total, active, a));
	return r;
}

void add_start_point(struct request *rq, struct store *st, int64_t head_id, json_t *branch)
{
	struct head_start start;
	struct error ignored;
	json_t *o;

	if (store_head_start(st, request_arena(rq), head_id, &start, &ignored) < 0)
		return;
	o = json_object();
	json_set_str(o, "branch", start.branch_uuid);
	json_set_str(o, "head", start.head_uuid);
	json_object_set_new(o, "version", render_version(&start.version));
	json_object_set_new(json_object_get(branch, "head"), "start_point", o);
}

/* What the control kernel of its run said, if it had one. */
static int add_control(struct request *rq, struct store *st, const struct report *report,
	json_t *doc, struct error *err)
{
	json_t *control;
	struct job j;
	int r;

	if (!report->job_id)
		return OK;
	r = store_job_get(st, request_arena(rq), report->job_id, &j, err);
	control = r == OK ? analysis_control(request_arena(rq), &j) : NULL;
	if (control)
		json_object_set(doc, "control", control);
	return r;
}

/* Too few values lie before it for a verdict: then one wants to know since when. */
static bool is_young(const json_t *entry)
{
	const json_t *change = json_object_get(entry, "change");

	return !strcmp(json_get_str(change, "outcome", ""), "unknown");
}

int report_document(struct request *rq, struct store *st, const struct project *p,
	const struct report *report, bool with_samples, json_t **ret, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = render_report(report, p, request_public_url(rq));
	struct arena *a = request_arena(rq);
	struct result *results;
	json_t **entries, *processes;
	size_t n;
	int r = store_report_results(st, a, report->id, &results, &n, err);

	if (r < 0)
		return r;
	add_start_point(rq, st, report->branch.head_id, json_object_get(doc, "branch"));
	json_object_set_new(doc, "results", render_results(p, results, n, a, &entries));
	json_object_set_new(doc, "environment", environment_of(rq, st, report));
	r = add_entries(rq, st, p, report, results, n, entries, with_samples, err);
	if (r == OK)
		r = add_statistics(rq, st, report, results, n, entries, err);
	if (r == OK)
		r = add_alerts(rq, st, p, report, results, n, doc, err);
	if (r == OK)
		r = add_control(rq, st, report, doc, err);
	if (r == OK && report->job_id && n && is_young(entries[0]))
		add_beginning_note(rq, st, p, report, results[0].series_id, doc);
	if (r == OK && with_samples && report->job_id) {
		r = processes_json(rq, st, report->job_id, &report->arm, &processes, err);
		if (r == OK)
			json_object_set_new(doc, "processes", processes);
	}
	if (r == OK)
		*ret = TAKE(doc);
	return r;
}

static int find_report(struct request *rq, struct store *st, struct project *p,
	struct report *ret, struct error *err)
{
	int r = find_project(rq, st, p, err);

	if (r < 0)
		return r;
	return store_report_find(
		st, request_arena(rq), p->id, request_param(rq, "report"), ret, err);
}

int get_report(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct report report;
	enum format format;
	json_t *doc;
	int r = find_report(rq, st, &p, &report, err);

	if (r < 0 || is_unchanged(rq, st, &p, DOC_REPORT))
		return r;
	r = request_format(rq, render_formats(DOC_REPORT), &format, err);
	if (r < 0)
		return r;
	/* hyperfine's form has every time in it. */
	r = report_document(rq, st, &p, &report,
		query_flag(rq, "samples") || format == F_HYPERFINE, &doc, err);
	return r < 0 ? r : answer(rq, 200, DOC_REPORT, doc, err);
}

int delete_report(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct report report;
	int r = find_report(rq, st, &p, &report, err);

	if (r == OK)
		r = store_report_remove(st, report.id, err);
	if (r == OK)
		answer_empty(rq);
	return r;
}

static int read_filter(struct request *rq, struct report_filter *f, struct error *err)
{
	static const char *const sorts[] = { "date_time", NULL };
	int r = read_page(rq, sorts, true, &f->page, err);

	f->branch = request_query(rq, "branch");
	f->testbed = request_query(rq, "testbed");
	f->hash = request_query(rq, "hash");
	if (r == OK)
		r = query_ms(rq, "start_time", &f->start_ns, err);
	if (r == OK)
		r = query_ms(rq, "end_time", &f->end_ns, err);
	return r;
}

/* One row of a list: whole with ?expand=true, else without results and alerts. */
int report_row(struct request *rq, struct store *st, const struct project *p,
	const struct report *report, json_t **ret, struct error *err)
{
	struct result *results;
	size_t n;
	int r;

	if (query_flag(rq, "expand"))
		return report_document(rq, st, p, report, false, ret, err);
	r = store_report_results(st, request_arena(rq), report->id, &results, &n, err);
	if (r < 0)
		return r;
	*ret = render_report(report, p, request_public_url(rq));
	r = add_alerts(rq, st, p, report, results, n, *ret, err);
	json_object_del(*ret, "alerts");
	if (r < 0)
		json_decref(*ret);
	return r;
}

int get_reports(struct request *rq, struct store *st, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_array();
	struct report_filter f = { 0 };
	struct report *list;
	struct project p;
	size_t n;
	int64_t total;
	int r = find_project(rq, st, &p, err);

	if (r < 0 || is_unchanged(rq, st, &p, DOC_REPORTS))
		return r;
	r = read_filter(rq, &f, err);
	if (r == OK)
		r = store_report_list(st, request_arena(rq), p.id, &f, &list, &n, &total, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *row;

		r = report_row(rq, st, &p, &list[i], &row, err);
		if (r == OK)
			json_array_append_new(doc, row);
	}
	if (r < 0)
		return r;
	return answer_page_of(rq, DOC_REPORTS, TAKE(doc), total, err);
}

int get_environment(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	struct environment e;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = store_environment_find(
			st, request_arena(rq), request_param(rq, "id"), &e, err);
	return r < 0 ? r : answer_json(rq, 200, render_environment(&e));
}
