/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports, histories and alerts as JSON. */
#include "daemon/render/internal.h"

#include <math.h>
#include <string.h>

static void set_links(
	json_t *o, const struct report *r, const struct project *p, const char *base)
{
	json_t *links = json_object();
	char text[512];

	snprintf(text, sizeof(text), "%s/v0/projects/%s/reports/%s", base, p->slug, r->uuid);
	json_set_str(links, "self", text);
	if (r->job_uuid) {
		snprintf(text, sizeof(text), "%s/v0/projects/%s/jobs/%s", base, p->slug,
			r->job_uuid);
		json_set_str(links, "job", text);
	}
	json_object_set_new(o, "links", links);
}

/* Bencher's client knows a closed list of adapters; what benchd measured itself is closest to
 * json. */
static const char *adapter_word(const char *adapter)
{
	bool is_ours = !adapter || !*adapter || !strcmp(adapter, REPORT_ADAPTER) ||
		       !strcmp(adapter, REPORT_ADAPTER_RERUN);

	return is_ours ? "json" : adapter;
}

/* Stored with the summary, shown beside it: it is about the results. */
static void set_summary(json_t *o, const struct report *r)
{
	json_t *summary = stored_json(r->summary_json);
	static const char *const parts[] = { "scaling", "kernels" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		json_t *part = json_object_get(summary, parts[i]);

		if (!part)
			continue;
		json_object_set(o, parts[i], part);
		json_object_del(summary, parts[i]);
	}
	json_object_set_new(o, "summary", summary);
}

json_t *render_report(const struct report *r, const struct project *p, const char *base)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", r->uuid);
	json_object_set_new(o, "project", render_project(p));
	json_object_set_new(o, "branch", render_branch(&r->branch, p, &r->version));
	json_object_set_new(o, "testbed", render_testbed(&r->testbed, p));
	json_set_time(o, "start_time", r->start_ns ? r->start_ns : r->created_ns);
	json_set_time(o, "end_time", r->end_ns ? r->end_ns : r->created_ns);
	json_set_str(o, "adapter", adapter_word(r->adapter));
	json_set_time(o, "created", r->created_ns);
	/* Absent in answers to uploads, where it would make the bencher client poll for it. */
	json_set_opt(o, "job", r->job_uuid);
	json_set_str(o, "arm", arm_name(r->arm));
	json_set_str(o, "noise", noise_name(r->noise));
	set_summary(o, r);
	set_links(o, r, p, base);
	return o;
}

json_t *render_metric(const struct metric *m)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", m->uuid);
	json_set_real(o, "value", m->value);
	if (isfinite(m->lower))
		json_set_real(o, "lower_value", m->lower);
	if (isfinite(m->upper))
		json_set_real(o, "upper_value", m->upper);
	return o;
}

/* One object for all results of a measure: there are few measures and many results. */
struct shared {
	int64_t id[16];
	json_t *measure[16];
	size_t n;
};

static json_t *shared_measure(
	struct shared *s, const struct measure *m, const struct project *p)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->id[i] == m->id)
			return json_incref(s->measure[i]);
	if (s->n == ARRAY_SIZE(s->id))
		return render_measure(m, p);
	s->id[s->n] = m->id;
	s->measure[s->n] = render_measure(m, p);
	return json_incref(s->measure[s->n++]);
}

static json_t *measure_entry(
	const struct result *r, const struct project *p, struct shared *shared)
{
	json_t *o = json_object();

	json_object_set_new(o, "measure", shared_measure(shared, &r->measure, p));
	json_object_set_new(o, "metric", render_metric(&r->metric));
	json_set_int(o, "n_processes", r->metric.n_processes);
	json_set_int(o, "n_samples", r->metric.n_samples);
	json_set_opt(o, "definition_hash", r->definition_hash);
	json_set_opt(o, "program", r->program);
	json_set_opt(o, "driver", r->driver);
	json_set_int(o, "series", r->series_id);
	return o;
}

static int compare_results(const void *a, const void *b)
{
	const struct result *x = *(const struct result *const *)a;
	const struct result *y = *(const struct result *const *)b;
	int c = (x->iteration > y->iteration) - (x->iteration < y->iteration);

	if (!c)
		c = strcmp(x->benchmark.name, y->benchmark.name);
	return c ? c : strcmp(x->measure.name, y->measure.name);
}

static const struct result **in_order(const struct result *results, size_t n, struct arena *a)
{
	const struct result **order = ARENA_ARRAY(a, const struct result *, n);

	for (size_t i = 0; i < n; i++)
		order[i] = &results[i];
	if (n)
		qsort(order, n, sizeof(*order), compare_results);
	return order;
}

/* One element of an iteration: {iteration, benchmark, measures: []}; returns its measures. */
static json_t *start_benchmark(
	json_t *iteration, const struct result *r, const struct project *p)
{
	json_t *o = json_object(), *measures = json_array();

	json_set_int(o, "iteration", r->iteration);
	json_object_set_new(o, "benchmark", render_benchmark(&r->benchmark, p));
	if (r->parameters_json)
		json_object_set_new(o, "parameters", stored_json(r->parameters_json));
	json_object_set_new(o, "measures", measures);
	json_array_append_new(iteration, o);
	return measures;
}

json_t *render_results(const struct project *p, const struct result *results, size_t n,
	struct arena *a, json_t ***ret_entries)
{
	const struct result **order = in_order(results, n, a);
	json_t *all = json_array(), *iteration = NULL, *measures = NULL;
	struct shared shared = { .n = 0 };

	*ret_entries = ARENA_ARRAY(a, json_t *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct result *r = order[i], *last = i ? order[i - 1] : NULL;
		json_t *entry = measure_entry(r, p, &shared);

		if (!last || last->iteration != r->iteration) {
			iteration = json_array();
			json_array_append_new(all, iteration);
			last = NULL;
		}
		if (!last || last->benchmark.id != r->benchmark.id)
			measures = start_benchmark(iteration, r, p);
		json_array_append_new(measures, entry);
		(*ret_entries)[r - results] = entry;
	}
	while (shared.n)
		json_decref(shared.measure[--shared.n]);
	return all;
}

/* Distinct measures of order[from..to), which is one iteration. */
static int64_t count_measures(const struct result **order, size_t from, size_t to)
{
	int64_t n = 0;

	for (size_t i = from; i < to; i++) {
		size_t j = from;

		while (j < i && order[j]->measure.id != order[i]->measure.id)
			j++;
		n += j == i;
	}
	return n;
}

json_t *render_counts(const struct result *results, size_t n, int64_t n_alerts,
	int64_t n_active, struct arena *a)
{
	const struct result **order = in_order(results, n, a);
	json_t *o = json_object(), *list = json_array();

	for (size_t i = 0, end; i < n; i = end) {
		int64_t benchmarks = 0;
		json_t *c = json_object();

		for (end = i; end < n && order[end]->iteration == order[i]->iteration; end++)
			benchmarks += end == i ||
				      order[end]->benchmark.id != order[end - 1]->benchmark.id;
		json_set_int(c, "benchmarks", benchmarks);
		json_set_int(c, "measures", count_measures(order, i, end));
		json_array_append_new(list, c);
	}
	json_object_set_new(o, "results", list);
	json_object_set_new(o, "alerts",
		json_pack("{sIsI}", "total", (json_int_t)n_alerts, "active",
			(json_int_t)n_active));
	return o;
}

json_t *render_boundary(const struct boundary *b)
{
	json_t *o = json_object();

	json_set_real(o, "baseline", b->baseline);
	json_set_real(o, "lower_limit", b->lower);
	json_set_real(o, "upper_limit", b->upper);
	json_set_opt(o, "test", b->test);
	return o;
}

json_t *render_series(const struct series *s, const struct project *p)
{
	json_t *o = json_object();

	json_set_int(o, "id", s->id);
	json_object_set_new(o, "branch", render_branch(&s->branch, p, NULL));
	json_object_set_new(o, "testbed", render_testbed(&s->testbed, p));
	json_object_set_new(o, "benchmark", render_benchmark(&s->benchmark, p));
	json_object_set_new(o, "measure", render_measure(&s->measure, p));
	json_set_int(o, "n_points", s->n_points);
	json_set_time(o, "last_time", s->last_ns);
	json_set_real(o, "last_value", s->last_value);
	return o;
}

static json_t *flags_json(unsigned flags)
{
	static const char *const names[] = { "noisy", "suspect", "excluded", "alerted", "aside",
		"held" };
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & (1u << i))
			json_array_append_new(list, json_string(names[i]));
	return list;
}

json_t *render_point(const struct point *p)
{
	json_t *o = json_object();

	json_set_int(o, "version", p->version_number);
	json_set_str(o, "hash", p->hash);
	json_set_time(o, "time", p->time_ns);
	json_set_str(o, "report", p->report_uuid);
	json_set_real(o, "value", p->value);
	json_set_real(o, "lower", p->lower);
	json_set_real(o, "upper", p->upper);
	json_set_int(o, "n_processes", p->n_processes);
	json_object_set_new(o, "flags", flags_json(p->flags));
	json_set_str(o, "definition", p->definition_hash);
	json_set_opt(o, "program", p->program);
	json_set_opt(o, "driver", p->driver);
	return o;
}

static json_t *interval_json(double low, double high)
{
	if (!isfinite(low) || !isfinite(high))
		return json_null();
	return json_pack("[ff]", low, high);
}

json_t *render_change_point(const struct change_point *c)
{
	json_t *o = json_object();

	json_set_int(o, "version", c->version_number);
	json_set_str(o, "hash", c->hash);
	json_set_real(o, "effect", c->effect);
	json_object_set_new(o, "interval", interval_json(c->effect_low, c->effect_high));
	json_set_real(o, "p", c->p);
	json_set_str(o, "outcome", outcome_name(c->outcome));
	json_set_real(o, "before", c->before);
	json_set_real(o, "after", c->after);
	json_set_str(o, "detector", c->detector);
	json_set_time(o, "created", c->created_ns);
	return o;
}

/* Bencher's three words; state has all four of ours. */
static const char *alert_status(const struct alert *al)
{
	if (al->state == ALERT_SUSPECT || al->state == ALERT_CONFIRMED)
		return "active";
	return al->reason && !strcmp(al->reason, REASON_NEW_HEAD) ? "silenced" : "dismissed";
}

static void set_alert_place(json_t *o, const struct alert *al, const struct project *p)
{
	json_object_set_new(o, "branch", render_branch(&al->branch, p, NULL));
	json_object_set_new(o, "testbed", render_testbed(&al->testbed, p));
	json_object_set_new(o, "benchmark", render_benchmark(&al->benchmark, p));
	json_object_set_new(o, "measure", render_measure(&al->measure, p));
	json_set_int(o, "series", al->series_id);
	json_set_int(o, "version", al->version_number);
	json_set_str(o, "hash", al->hash);
}

json_t *render_alert(const struct alert *al, const struct project *p)
{
	json_t *o = json_object();
	bool up = al->effect > 0;

	json_set_str(o, "uuid", al->uuid);
	json_set_str(o, "state", alert_state_name(al->state));
	json_set_str(o, "status", alert_status(al));
	json_set_str(o, "limit", al->limit_side ? al->limit_side : up ? "upper" : "lower");
	json_set_str(o, "kind", al->limit_side ? "limit" : "level");
	json_set_str(o, "reason", al->reason ? al->reason : "");
	json_set_str(o, "direction", outcome_name(al->direction));
	json_set_real(o, "effect", al->effect);
	json_object_set_new(o, "interval", interval_json(al->effect_low, al->effect_high));
	json_set_real(o, "p", al->p);
	json_set_real(o, "baseline", al->baseline);
	json_set_real(o, "value", al->value);
	set_alert_place(o, al, p);
	json_object_set_new(o, "detail", stored_json(al->detail_json));
	json_set_time(o, "acknowledged", al->acknowledged_ns);
	json_set_time(o, "snoozed_until", al->snoozed_ns);
	json_set_time(o, "created", al->created_ns);
	json_set_time(o, "modified", al->modified_ns);
	return o;
}

#define NIL_UUID "00000000-0000-0000-0000-000000000000"

/* Bencher's JsonThreshold for the rule that raised the alert. */
static json_t *alert_threshold(
	const struct alert *al, const struct project *p, const struct metric_limits *limits)
{
	bool is_set = limits && limits->has_model;
	json_t *o = json_object();

	json_set_str(o, "uuid", is_set ? limits->threshold_uuid : NIL_UUID);
	if (is_set)
		json_object_set_new(o, "model", render_model(&limits->model));
	json_set_str(o, "project", p->uuid);
	json_object_set_new(o, "branch", render_branch(&al->branch, p, NULL));
	json_object_set_new(o, "testbed", render_testbed(&al->testbed, p));
	json_object_set_new(o, "measure", render_measure(&al->measure, p));
	json_set_time(o, "created", al->created_ns);
	json_set_time(o, "modified", al->modified_ns);
	return o;
}

json_t *render_report_alert(const struct alert *al, const struct project *p,
	const struct report *r, const struct result *result, const struct metric_limits *limits)
{
	json_t *o = render_alert(al, p), *boundary = json_object();

	json_set_str(o, "report", r->uuid);
	json_set_int(o, "iteration", result->iteration);
	json_object_set_new(o, "metric", render_metric(&result->metric));
	json_object_set_new(o, "threshold", alert_threshold(al, p, limits));
	json_set_real(boundary, "baseline", al->baseline);
	if (limits) {
		json_decref(boundary);
		boundary = render_boundary(&limits->boundary);
	}
	json_object_set_new(o, "boundary", boundary);
	return o;
}
