/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host that is not there: jobs of a build workload are filed, "measured" by a model of noise,
 * ingested and judged by the real queue, ingest and analysis, re-runs included, until nothing
 * is left to do. No processes, no time. */
#ifndef TESTS_LIB_HISTORY_H
#define TESTS_LIB_HISTORY_H

#include "tests/lib/store.h"

#include "base/rng.h"
#include "daemon/analysis/analysis.h"
#include "daemon/ingest/ingest.h"
#include "daemon/queue/queue.h"

enum { MAX_COMMITS = 64 };

struct world {
	struct rng rng;
	double level[MAX_COMMITS]; /* true time of each commit */
	double work[MAX_COMMITS];  /* of each commit; not 0: a throughput is reported too */
	double drift;		   /* sd of the log level of the machine from job to job */
	double scatter;		   /* sd of the log of a process */
	double tail;		   /* share of processes that are hit by something, x 1.5 */
	double moment;		   /* of the machine, of the job that runs */
	int n_jobs, n_reruns, n_pairs;
	struct queue_rules rules;
	int64_t between_head; /* a commit that gets its place behind the next judgement */
	const char *between_hash;
	int64_t between_found; /* version of the suspect that it raised; -1 */
};

static inline double gauss(struct rng *r)
{
	double u = rng_uniform(r), v = rng_uniform(r);

	return sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
}

static inline const char *commit_hash(int k)
{
	return arena_printf(mem, "%040x", k + 1);
}

static inline int commit_number(const char *hash)
{
	return (int)strtol(hash + 32, NULL, 16) - 1;
}

static inline void world_init(struct world *w, uint64_t seed, const char *definition)
{
	json_t *o;

	*w = (struct world){ .scatter = 0.01 };
	rng_init(&w->rng, seed);
	for (int k = 0; k < MAX_COMMITS; k++)
		w->level[k] = 1e6;
	ok(json_parse(definition, strlen(definition), &o, &err));
	w->rules = (struct queue_rules){ .testbed = "host",
		.max_attempts = 3,
		.workloads = arena_own_json(mem, json_pack("{so}", "w", o)) };
}

static const char one_benchmark[] = "{\"name\":\"w\",\"kind\":\"build\",\"repository\":\"/r\","
				    "\"benchmarks\":[{\"name\":\"a\",\"command\":[\"./a\"]}],"
				    "\"protocol\":{\"processes\":10}}";

static inline double measure_once(struct world *w, int commit)
{
	double x = w->level[commit] * exp(w->moment + w->scatter * gauss(&w->rng));

	return rng_uniform(&w->rng) < w->tail ? 1.5 * x : x;
}

static inline void store_process(struct world *w, const struct ingest *in, int64_t *seq,
	const char *cell, const char *arm, int64_t block, int commit)
{
	double x = measure_once(w, commit);
	json_t *record = json_pack("{sI ss ss sI sI ss s[{ss ss ss s[f]}]}", "seq",
		(json_int_t)++ * seq, "cell", cell, "arm", arm, "index", (json_int_t)block,
		"block", (json_int_t)block, "termination", "exit", "results", "benchmark",
		in->cells[atoi(cell)].benchmark, "measure", "latency", "unit", "ns", "samples",
		x);

	if (w->work[commit] != 0)
		json_array_append_new(json_object_get(record, "results"),
			json_pack("{ss ss ss ss s[f]}", "benchmark",
				in->cells[atoi(cell)].benchmark, "measure", "throughput",
				"unit", "GB/s", "better", "higher", "samples",
				w->work[commit] / x));
	ok(ingest_process(in, record, &err));
	json_decref(record);
}

/* What the worker does: a fixed number of processes, or pairs until they are decided. */
static inline void measure(struct world *w, struct job *j, const struct queue_plan *plan)
{
	const struct protocol *p = &plan->workload.protocol;
	struct ingest in = { .st = db,
		.arena = mem,
		.job = j,
		.workload = &plan->workload,
		.cells = plan->cells,
		.n_cells = plan->n_cells,
		.has_base = plan->has_base,
		.now_ns = T0 };
	int64_t n = plan->has_base && p->adaptive ? p->max_processes : p->processes, seq = 0;
	json_t *done = arena_own_json(mem, json_object());

	w->moment = w->drift * gauss(&w->rng);
	for (size_t c = 0; c < plan->n_cells; c++)
		for (int64_t b = 0; b < n; b++) {
			if (plan->has_base)
				store_process(w, &in, &seq, plan->cells[c].id, "base", b,
					commit_number(j->base_hash));
			store_process(w, &in, &seq, plan->cells[c].id, "head", b,
				commit_number(j->head_hash));
		}
	w->n_pairs += plan->has_base ? (int)n : 0;
	ok(ingest_reports(&in,
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "{}", done,
		&err));
}

static inline void arrive_between(struct world *w)
{
	struct version v;

	ok(store_version_ensure(db, mem, w->between_head, w->between_hash, &v, &err));
	w->between_hash = NULL;
}

static inline void look_between(struct world *w, const struct job *j)
{
	struct alert *al;
	size_t n;

	ok(store_alert_list(db, mem, j->project_id, 1u << ALERT_SUSPECT, 100, &al, &n, &err));
	w->between_head = 0;
	w->between_found = n ? al[0].version_number : -1;
}

static inline void judge(struct world *w, struct job *j)
{
	struct findings *f;
	struct rerun *reruns;
	size_t n;

	ok(store_job_save(db, j, j->attempt, &err));
	ok(store_job_get(db, mem, j->id, j, &err));
	ok(analysis_judge(db, mem, j, &f, &err));
	if (w->between_hash)
		arrive_between(w);
	ok(analysis_save(db, mem, f, T0, j, &reruns, &n, &err));
	if (w->between_head && !w->between_hash)
		look_between(w, j);
	for (size_t i = 0; i < n; i++) {
		const struct rerun_order what = { .head_hash = reruns[i].head_hash,
			.base_hash = reruns[i].base_hash,
			.benchmarks = reruns[i].benchmarks,
			.n_benchmarks = reruns[i].n_benchmarks,
			.processes = reruns[i].processes,
			.is_fixed = reruns[i].is_fixed };
		struct job origin = *j, filed;

		if (reruns[i].origin_id)
			ok(store_job_get(db, mem, reruns[i].origin_id, &origin, &err));
		ok(queue_file_rerun(db, mem, &w->rules, &origin, &what, T0, &filed, &err));
		w->n_reruns++;
	}
	ok(queue_finish(db, j, JOB_SUCCEEDED, FAULT_NONE, "", T0, &err));
}

static inline void run_queue(struct world *w)
{
	static const struct slots all_free = { .has_exclusive = true, .n_shared = 1 };
	struct queue_plan plan;
	struct job j;

	while (queue_claim(db, mem, &all_free, 1, T0, NS_PER_S, &j, &err) == OK) {
		w->n_jobs++;
		ck_assert_int_lt(w->n_jobs, 500);
		ok(queue_job_plan(mem, &j, &plan, &err));
		measure(w, &j, &plan);
		judge(w, &j);
	}
}

static inline struct job submit(struct world *w, const char *base, const char *head)
{
	const struct filing f = { .project = "p",
		.may_create_project = true,
		.submitter = "tester",
		.trigger = "api",
		.now_ns = T0 };
	json_t *body = arena_own_json(mem, json_pack("{ss ss}", "workload", "w", "head", head));
	struct job j;

	json_set_opt(body, "base", base);
	ok(queue_file_job(db, mem, &w->rules, &f, body, &j, &err));
	return j;
}

/* n commits, all filed at once, as after a push of many; or one after the other. */
static inline void run_history(struct world *w, int n, bool at_once)
{
	for (int k = 0; k < n; k++) {
		submit(w, NULL, commit_hash(k));
		if (!at_once)
			run_queue(w);
	}
	run_queue(w);
}

static inline struct series the_series(const char *benchmark)
{
	struct project p;
	struct series s;

	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_series_find(db, mem, p.id, "main", "host", benchmark, "latency", &s, &err));
	return s;
}

#endif
