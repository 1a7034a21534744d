/* SPDX-License-Identifier: GPL-3.0-or-later */
/* At the end of a job: one report an arm, made of the stored processes. */
#include <math.h>
#include <string.h>
#include "base/text.h"
#include "daemon/ingest/internal.h"
#include "stats/interval.h"
#include "stats/quantile.h"

enum { MAX_PAIRS = 20000 }; /* (benchmark, measure) pairs of a report */

struct row { /* one (benchmark, measure) of one arm */
	const char *benchmark, *measure, *unit;
	enum better better;
	const struct cell *cell;
	struct row *next; /* of the same cell */
	double *values, *noisy;
	size_t n, n_noisy;
	int64_t n_samples, n_samples_noisy;
};

struct rows {
	struct row *items;
	size_t n;
};

/* Everything read once for both arms. */
struct harvest {
	const struct ingest *in;
	struct process *processes;
	size_t n_processes;
	struct series_values *values;
	const int64_t *process_ids; /* of values */
	size_t n_values;
	json_t *done;
	const char *identity_json;
	char program[65]; /* id of the benchd-kernel; "" none, or not told */
	int64_t environment_id, testbed_id;
};

static int compare_ids(const void *a, const void *b)
{
	const struct process *p = a, *q = b;

	return (p->id > q->id) - (p->id < q->id);
}

static int harvest_read(struct harvest *h, struct error *err)
{
	const struct ingest *in = h->in;
	int64_t *ids;
	int r;

	r = store_process_list(
		in->st, in->arena, in->job->id, &h->processes, &h->n_processes, err);
	if (r == OK)
		r = store_job_values(
			in->st, in->arena, in->job->id, &ids, &h->values, &h->n_values, err);
	if (r < 0)
		return r;
	h->process_ids = ids;
	if (h->n_processes)
		qsort(h->processes, h->n_processes, sizeof(*h->processes), compare_ids);
	return OK;
}

static const struct process *process_of(const struct harvest *h, int64_t id)
{
	const struct process key = { .id = id };

	return bsearch(&key, h->processes, h->n_processes, sizeof(key), compare_ids);
}

static const struct cell *cell_of(const struct ingest *in, const char *id)
{
	size_t i = strtoul(id, NULL, 10);

	/* Ids are positions (model.h). */
	return i < in->n_cells && !strcmp(in->cells[i].id, id) ? &in->cells[i] : NULL;
}

/* The row of v, made when it is new; NULL when there are too many. */
static struct row *row_of(struct rows *rows, struct row **first, const struct series_values *v,
	const struct cell *c)
{
	struct row **p;

	for (p = first; *p; p = &(*p)->next)
		if (!strcmp((*p)->benchmark, v->benchmark) &&
			!strcmp((*p)->measure, v->measure))
			return *p;
	if (rows->n == MAX_PAIRS)
		return NULL;
	*p = &rows->items[rows->n++];
	**p = (struct row){ .benchmark = v->benchmark,
		.measure = v->measure,
		.unit = v->unit,
		.better = v->better,
		.cell = c };
	return *p;
}

/* Count first, so that the second pass has arrays of the right size. */
static int make_rows(const struct harvest *h, enum arm arm, struct rows *rows,
	struct row **row_of_value, struct error *err)
{
	struct row **first = ARENA_ARRAY(h->in->arena, struct row *, h->in->n_cells + 1);

	for (size_t i = 0; i < h->n_values; i++) {
		const struct process *p = process_of(h, h->process_ids[i]);
		const struct cell *c = p ? cell_of(h->in, p->cell) : NULL;
		struct row *row;

		if (!c || p->arm != arm || p->replaced || !isfinite(h->values[i].value))
			continue;
		row = row_of(rows, &first[c - h->in->cells], &h->values[i], c);
		if (!row)
			return error_set(err, E_TOO_LARGE,
				"the job reported more than %d pairs of benchmark and measure",
				MAX_PAIRS);
		row_of_value[i] = row;
		row->n += p->noise != NOISE_NOISY;
		row->n_noisy += p->noise == NOISE_NOISY;
	}
	return OK;
}

static void take(struct row *row, const struct process *p, const struct series_values *v)
{
	if (p->noise == NOISE_NOISY) {
		row->noisy[row->n_noisy++] = v->value;
		row->n_samples_noisy += (int64_t)v->n_samples;
	} else {
		row->values[row->n++] = v->value;
		row->n_samples += (int64_t)v->n_samples;
	}
}

static int collect(const struct harvest *h, enum arm arm, struct rows *ret, struct error *err)
{
	struct arena *a = h->in->arena;
	struct row **row_of_value = ARENA_ARRAY(a, struct row *, h->n_values + 1);
	struct rows rows = { .items = ARENA_ARRAY(
				     a, struct row, MIN(h->n_values + 1, (size_t)MAX_PAIRS)) };
	int r;

	r = make_rows(h, arm, &rows, row_of_value, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rows.n; i++) {
		struct row *row = &rows.items[i];

		row->values = ARENA_ARRAY(a, double, row->n + 1);
		row->noisy = ARENA_ARRAY(a, double, row->n_noisy + 1);
		row->n = row->n_noisy = 0;
	}
	for (size_t i = 0; i < h->n_values; i++)
		if (row_of_value[i])
			take(row_of_value[i], process_of(h, h->process_ids[i]), &h->values[i]);
	*ret = rows;
	return OK;
}

/* --- verdicts of the worker --- */

static enum noise cell_noise(const json_t *done, const char *cell)
{
	size_t i;
	json_t *v;

	json_array_foreach (json_object_get(done, "cells"), i, v)
		if (!strcmp(json_get_str(v, "cell", ""), cell)) {
			int n = noise_parse(json_get_str(v, "verdict", "clean"));

			return n < 0 ? NOISE_CLEAN : (enum noise)n;
		}
	return NOISE_CLEAN;
}

/* Of built-in kernels: proof and ceiling of each cell; NULL for others. */
static json_t *kernels_of(const struct harvest *h, enum arm arm, const struct rows *rows)
{
	json_t *list;

	if (h->in->workload->kind != WORKLOAD_KERNEL)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->items[i];
		json_t *o = NULL;

		if (strcmp(row->measure, "latency") == 0)
			o = proof_rows(h->in, h->processes, h->n_processes, arm, row->cell->id,
				row->benchmark);
		if (o)
			json_array_append_new(list, o);
	}
	return list;
}

/* scaling, kernels: taken; NULL. */
static const char *summary_text(
	struct arena *a, const json_t *done, json_t *scaling, json_t *kernels)
{
	static const char *const parts[] = { "cells", "started_busy", "layers", "notes",
		"version", "programs" };
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (json_object_get(done, parts[i]))
			json_object_set(o, parts[i], json_object_get(done, parts[i]));
	if (scaling)
		json_object_set_new(o, "scaling", scaling);
	if (kernels)
		json_object_set_new(o, "kernels", kernels);
	text = json_text(o);
	return arena_strdup(a, text);
}

/* Scaling is judged by the same values as the metrics. */
static json_t *scaling_of(const struct harvest *h, const struct rows *rows)
{
	struct arena *a = h->in->arena;
	struct measured_values *list = ARENA_ARRAY(a, struct measured_values, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->items[i];

		list[i] = (struct measured_values){ row->benchmark, row->measure, row->unit,
			row->better, row->cell, row->n ? row->values : row->noisy,
			row->n ? row->n : row->n_noisy };
	}
	return scaling_sections(h->in, list, rows->n, h->identity_json);
}

/* --- metrics --- */

static const char *parameters_text(struct arena *a, const struct cell *c)
{
	_cleanup_(free)
	char *text = NULL;

	if (json_object_size(c->parameters) == 0)
		return NULL;
	text = json_canonical(c->parameters);
	return arena_strdup(a, text);
}

static void summarise(const struct ingest *in, const struct row *row, struct new_metric *m)
{
	bool only_noisy = row->n == 0;
	double *sorted = sample_sorted(in->arena, only_noisy ? row->noisy : row->values,
		only_noisy ? row->n_noisy : row->n);
	size_t n = only_noisy ? row->n_noisy : row->n;

	m->value = sample_centre(in->arena, sorted, n);
	if (!interval_quantile(sorted, n, 0.5, 0.05, &m->lower, &m->upper))
		m->lower = m->upper = NAN;
	m->n_processes = (int64_t)n;
	m->n_samples = only_noisy ? row->n_samples_noisy : row->n_samples;
	if (only_noisy)
		m->flags |= POINT_NOISY;
}

/* What cachegrind counts is the same on a noisy host. */
static bool is_counted(const struct ingest *in, const struct row *row)
{
	return in->workload->protocol.cachegrind && !strcmp(row->measure, "instructions");
}

static int make_metric(const struct harvest *h, const struct row *row, unsigned flags,
	struct new_metric *ret, struct error *err)
{
	const struct ingest *in = h->in;
	struct definition d = definition_of(in->arena, row->cell, h->program,
		*h->program
			? proof_driver(in->arena, h->processes, h->n_processes, row->cell->id)
			: NULL);
	int64_t project = in->job->project_id;
	struct benchmark b;
	struct measure m;
	int r;

	r = store_benchmark_ensure(
		in->st, in->arena, project, row->benchmark, in->now_ns, &b, err);
	if (r == OK)
		r = store_measure_ensure(in->st, in->arena, project, row->measure, row->unit,
			&row->better, in->now_ns, &m, err);
	if (r < 0)
		return r;
	*ret = (struct new_metric){ .benchmark_id = b.id,
		.measure_id = m.id,
		.definition_hash = d.hash,
		.workload_hash = d.workload,
		.program = d.program,
		.driver = d.driver,
		.parameters_json = parameters_text(in->arena, row->cell),
		.flags = flags };
	if (cell_noise(h->done, row->cell->id) == NOISE_NOISY && !is_counted(in, row))
		ret->flags |= POINT_NOISY;
	summarise(in, row, ret);
	return OK;
}

/* --- where an arm's report belongs --- */

struct place {
	const char *branch, *hash;
	bool is_aside;
};

static bool is_rerun(const struct ingest *in)
{
	return in->job->trigger && !strcmp(in->job->trigger, "confirm");
}

static bool is_history(const struct ingest *in)
{
	return !is_rerun(in) && (!in->has_base || in->job->base_ref);
}

/* A base that was asked for by a branch's name is that branch's tip, a point of its history. */
static struct place place_of(const struct ingest *in, enum arm arm)
{
	const struct job *j = in->job;
	struct branch known;
	struct error ignored;

	if (arm == ARM_HEAD)
		return (struct place){ j->branch, j->head_hash, !is_history(in) };
	if (is_history(in) && !in->is_merge_base && j->base_ref &&
		!git_hash_is_valid(j->base_ref) && strcmp(j->base_ref, j->branch) != 0 &&
		store_branch_find(
			in->st, in->arena, j->project_id, j->base_ref, &known, &ignored) == OK)
		return (struct place){ j->base_ref, j->base_hash, false };
	return (struct place){ j->branch, j->base_hash, true };
}

static int find_place(const struct ingest *in, const struct place *p, struct new_report *nr,
	struct error *err)
{
	struct start_point sp = { .branch = in->start_branch, .hash = in->start_hash };
	bool starts = in->start_branch && !strcmp(p->branch, in->job->branch);
	struct branch b;
	struct version v;
	int r;

	r = store_branch_ensure(in->st, in->arena, in->job->project_id, p->branch,
		starts ? &sp : NULL, in->now_ns, &b, err);
	if (r == OK)
		r = store_version_ensure(in->st, in->arena, b.head_id, p->hash, &v, err);
	if (r < 0)
		return r;
	nr->head_id = b.head_id;
	nr->version_id = v.id;
	nr->version_number = v.number;
	return OK;
}

/* --- the report --- */

static enum noise worst_noise(const struct harvest *h, const struct rows *rows)
{
	enum noise worst = NOISE_CLEAN;

	for (size_t i = 0; i < rows->n; i++) {
		enum noise n = rows->items[i].n ? cell_noise(h->done, rows->items[i].cell->id)
						: NOISE_NOISY;

		worst = MAX(worst, n);
	}
	return worst;
}

static int add_report(
	const struct harvest *h, enum arm arm, const char **ret_uuid, struct error *err)
{
	const struct ingest *in = h->in;
	struct place place = place_of(in, arm);
	struct new_metric *metrics;
	int64_t id, *series, *metric_ids;
	struct new_report nr;
	struct rows rows = { 0 };
	int r;

	r = collect(h, arm, &rows, err);
	if (r == OK && rows.n == 0)
		return error_set(
			err, E_NOT_FOUND, "nothing was measured for the %s", arm_name(arm));
	metrics = ARENA_ARRAY(in->arena, struct new_metric, rows.n + 1);
	for (size_t i = 0; r == OK && i < rows.n; i++)
		r = make_metric(
			h, &rows.items[i], place.is_aside ? POINT_ASIDE : 0, &metrics[i], err);
	if (r < 0)
		return r;
	nr = (struct new_report){ .project_id = in->job->project_id,
		.testbed_id = h->testbed_id,
		.environment_id = h->environment_id,
		.job_id = in->job->id,
		.adapter = is_rerun(in) ? REPORT_ADAPTER_RERUN : REPORT_ADAPTER,
		.summary_json = summary_text(
			in->arena, h->done, scaling_of(h, &rows), kernels_of(h, arm, &rows)),
		.user = in->job->submitter,
		.arm = arm,
		.noise = worst_noise(h, &rows),
		.start_ns = in->job->started_ns,
		.end_ns = in->now_ns,
		.created_ns = in->now_ns,
		.metrics = metrics,
		.n_metrics = rows.n };
	r = find_place(in, &place, &nr, err);
	return r < 0 ? r
		     : store_report_add(in->st, in->arena, &nr, &id, ret_uuid, &series,
			       &metric_ids, err);
}

int ingest_reports(const struct ingest *in, const char *environment_hash,
	const char *identity_json, json_t *done, struct error *err)
{
	struct harvest h = { .in = in, .done = done, .identity_json = identity_json };
	struct environment env;
	struct testbed testbed;
	int r;

	program_read(done, h.program);
	r = store_environment_ensure(
		in->st, in->arena, environment_hash, identity_json, in->now_ns, &env, err);
	if (r == OK)
		r = store_testbed_ensure(in->st, in->arena, in->job->project_id,
			in->job->testbed, in->now_ns, &testbed, err);
	if (r == OK)
		r = harvest_read(&h, err);
	if (r < 0)
		return r;
	h.environment_id = env.id;
	h.testbed_id = testbed.id;
	if (in->has_base)
		r = add_report(&h, ARM_BASE, &in->job->base_report_uuid, err);
	return r < 0 ? r : add_report(&h, ARM_HEAD, &in->job->report_uuid, err);
}
