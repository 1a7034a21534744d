/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An upload goes into the store: everything of it in the caller's transaction, in Bencher's
 * order (docs/api.md, "Uploads"). */
#include "daemon/ingest/upload.h"

#include <string.h>

struct storing {
	struct store *st;
	struct arena *arena;
	int64_t project_id, now_ns;
	const struct upload *u;
	upload_judge_fn judge;
	struct branch branch;
	struct testbed testbed;
	struct version version;
	struct new_report report;
	int64_t report_id;
	const char *report_uuid;
	/* The benchmark that the last metric belonged to: its measures follow each other. */
	const char *last_name;
	struct benchmark last_benchmark;
};

static int find_benchmark(struct storing *s, const struct tool_result *r, struct error *err)
{
	int e;

	if (s->last_name && !strcmp(s->last_name, r->benchmark))
		return OK;
	e = r->is_named ? store_benchmark_ensure_name(s->st, s->arena, s->project_id,
				  r->benchmark, s->now_ns, &s->last_benchmark, err)
			: store_benchmark_ensure(s->st, s->arena, s->project_id, r->benchmark,
				  s->now_ns, &s->last_benchmark, err);
	s->last_name = e == OK ? r->benchmark : NULL;
	return e;
}

static const char *parameters_text(struct arena *a, const json_t *parameters)
{
	_cleanup_(free)
	char *text = parameters ? json_canonical(parameters) : NULL;

	return arena_strdup(a, text);
}

static int make_metric(struct storing *s, const struct tool_result *r, int64_t iteration,
	struct new_metric *ret, struct error *err)
{
	struct measure m;
	int e = find_benchmark(s, r, err);

	if (e == OK)
		e = store_measure_ensure(s->st, s->arena, s->project_id, r->measure, r->unit,
			r->unit ? &r->better : NULL, s->now_ns, &m, err);
	if (e < 0)
		return e;
	*ret = (struct new_metric){ .iteration = iteration,
		.benchmark_id = s->last_benchmark.id,
		.measure_id = m.id,
		.value = r->value,
		.lower = r->lower,
		.upper = r->upper,
		.n_processes = 1,
		.n_samples = r->n_samples ? (int64_t)r->n_samples : 1,
		.parameters_json = parameters_text(s->arena, r->parameters),
		.samples = r->samples,
		.n_values = r->n_samples };
	return OK;
}

/* The first iteration makes the report, the others extend it. */
static int add_metrics(
	struct storing *s, int64_t **ret_series, int64_t **ret_ids, struct error *err)
{
	if (!s->report_id)
		return store_report_add(s->st, s->arena, &s->report, &s->report_id,
			&s->report_uuid, ret_series, ret_ids, err);
	return store_report_extend(s->st, s->arena, s->report_id, s->report_uuid, &s->report,
		ret_series, ret_ids, err);
}

static int judge(struct storing *s, const struct tool_output *o, int64_t iteration,
	const int64_t *series, const int64_t *ids, struct error *err)
{
	struct upload_metric *list = ARENA_ARRAY(s->arena, struct upload_metric, o->n + 1);
	struct upload_stored stored = { .project_id = s->project_id,
		.report_id = s->report_id,
		.iteration = iteration,
		.now_ns = s->now_ns,
		.report_uuid = s->report_uuid,
		.hash = s->version.hash,
		.branch = &s->branch,
		.testbed = &s->testbed,
		.version = &s->version,
		.start_ns = s->u->start_ns,
		.metrics = list,
		.n = o->n };

	if (!s->judge)
		return OK;
	for (size_t i = 0; i < o->n; i++)
		list[i] = (struct upload_metric){ .id = ids[i],
			.series_id = series[i],
			.benchmark_id = s->report.metrics[i].benchmark_id,
			.measure_id = s->report.metrics[i].measure_id,
			.value = o->items[i].value,
			.is_ignored = o->items[i].is_ignored };
	return s->judge(s->st, s->arena, &stored, err);
}

static int store_iteration(
	struct storing *s, const struct tool_output *o, int64_t iteration, struct error *err)
{
	struct new_metric *metrics = ARENA_ARRAY(s->arena, struct new_metric, o->n + 1);
	int64_t *series, *ids;
	int r = OK;

	for (size_t i = 0; r == OK && i < o->n; i++)
		r = make_metric(s, &o->items[i], iteration, &metrics[i], err);
	if (r < 0)
		return r;
	s->report.metrics = metrics;
	s->report.n_metrics = o->n;
	r = add_metrics(s, &series, &ids, err);
	return r < 0 ? r : judge(s, o, iteration, series, ids, err);
}

/* Branch and head, testbed, thresholds, version. */
static int find_place(struct storing *s, struct error *err)
{
	const struct upload *u = s->u;
	int r = store_branch_ensure(s->st, s->arena, s->project_id, u->branch, u->start,
		s->now_ns, &s->branch, err);

	if (r == OK)
		r = store_testbed_ensure(s->st, s->arena, s->project_id, u->testbed, s->now_ns,
			&s->testbed, err);
	if (r == OK)
		r = upload_store_thresholds(s->st, s->arena, s->project_id, s->branch.id,
			s->testbed.id, u, s->now_ns, err);
	if (r == OK)
		r = store_version_ensure(
			s->st, s->arena, s->branch.head_id, u->hash, &s->version, err);
	return r;
}

static int store_all(struct storing *s, const char *user, struct error *err)
{
	static const struct tool_output nothing;
	const struct upload *u = s->u;
	int r = find_place(s, err);

	if (r < 0)
		return r;
	s->report = (struct new_report){ .project_id = s->project_id,
		.head_id = s->branch.head_id,
		.version_id = s->version.id,
		.version_number = s->version.number,
		.testbed_id = s->testbed.id,
		.adapter = u->adapter,
		.idempotency_key = u->idempotency_key,
		.summary_json = u->summary_json,
		.user = user,
		.arm = ARM_HEAD,
		.noise = NOISE_CLEAN,
		.start_ns = u->start_ns,
		.end_ns = u->end_ns,
		.created_ns = s->now_ns };
	for (size_t i = 0; r == OK && i < u->n_iterations; i++)
		r = store_iteration(s, &u->iterations[i], (int64_t)i, err);
	if (r == OK && u->n_iterations == 0)
		r = store_iteration(s, &nothing, 0, err);
	return r;
}

int upload_store(struct store *st, struct arena *a, int64_t project_id, const struct upload *u,
	const char *user, int64_t now_ns, upload_judge_fn judge_with, const char **ret_uuid,
	struct error *err)
{
	struct storing s = { .st = st,
		.arena = a,
		.project_id = project_id,
		.now_ns = now_ns,
		.u = u,
		.judge = judge_with };
	struct report known;
	int r = u->idempotency_key ? store_report_by_key(
					     st, a, project_id, u->idempotency_key, &known, err)
				   : E_NOT_FOUND;

	if (r == OK)
		*ret_uuid = known.uuid;
	if (r != E_NOT_FOUND)
		return r;
	r = store_all(&s, user, err);
	if (r == OK)
		*ret_uuid = s.report_uuid;
	return r;
}
