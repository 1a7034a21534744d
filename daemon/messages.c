/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the worker's messages (docs/worker-protocol.md) do to the stored job. Writer thread. */
#include <string.h>
#include "daemon/ingest/ingest.h"
#include "daemon/run.h"

struct applying { /* one batch */
	struct run *run;
	struct ingest in;
	const json_t *progress; /* the newest; older ones of the batch tell nothing */
};

typedef int (*apply_fn)(struct applying *b, json_t *m, struct error *err);

static int add_event(struct applying *b, const char *kind, json_t *o, struct error *err)
{
	_cleanup_(free)
	char *text = json_text(o);

	json_decref(o);
	return store_job_event_add(b->in.st, b->run->job_id, b->run->now_ns, kind, text, err);
}

static bool is_word(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

	return n > 0 && n <= 32 && s[n] == 0;
}

static int apply_phase(struct applying *b, json_t *m, struct error *err)
{
	struct job *j = &b->run->job;
	const char *phase = json_get_str(m, "phase", "");
	json_t *o;

	if (!is_word(phase))
		return error_set(
			err, E_UNPROCESSABLE, "the worker named a phase '%.32s'", phase);
	if (strcmp(j->phase, PHASE_CANCELING) != 0 && strcmp(j->phase, PHASE_SUPERSEDING) != 0)
		j->phase = phase;
	o = json_object();
	json_set_str(o, "phase", phase);
	json_set_opt(o, "detail", json_get_str(m, "detail", NULL));
	return add_event(b, "phase", o, err);
}

static int apply_progress(struct applying *b, json_t *m, struct error *err)
{
	b->progress = m;
	return OK;
}

static int apply_resolved(struct applying *b, json_t *m, struct error *err)
{
	struct job *j = &b->run->job;
	const char *known = b->run->plan.unless_head;
	int r = ingest_resolved(&b->in, m, err);

	if (r < 0 || !known || !j->head_hash || strcmp(j->head_hash, known) != 0)
		return r;
	b->run->is_unchanged = true;
	j->phase = PHASE_CANCELING;
	j->reason =
		arena_printf(b->run->scratch, "no new commit: %.12s has been measured", known);
	return OK;
}

static int apply_calibrated(struct applying *b, json_t *m, struct error *err)
{
	const char *id = json_get_str(m, "cell", "");
	int64_t k = json_get_int(m, "iterations", 0);

	if (k < 1)
		return error_set(err, E_UNPROCESSABLE, "the worker calibrated %lld iterations",
			(long long)k);
	for (size_t i = 0; i < b->in.n_cells; i++)
		if (!strcmp(b->in.cells[i].id, id))
			return store_iterations_save(b->in.st,
				definition_of(
					b->in.arena, &b->in.cells[i], b->run->program, NULL)
					.hash,
				b->run->environment_hash, k, err);
	return error_set(err, E_UNPROCESSABLE, "the job has no cell '%.16s'", id);
}

static int apply_log(struct applying *b, json_t *m, struct error *err)
{
	const json_t *data = json_object_get(m, "data");
	const char *stream = json_get_str(m, "stream", "worker");

	if (!json_is_string(data) || !is_word(stream))
		return error_set(err, E_UNPROCESSABLE, "the worker sent a log without text");
	return store_job_log_append(b->in.st, b->run->job_id, stream, json_string_value(data),
		json_string_length(data), b->run->now_ns, err);
}

static int apply_process(struct applying *b, json_t *m, struct error *err)
{
	static const char *const shown[] = { "cell", "arm", "index", "block", "noise",
		"replaced", "termination" };
	json_t *record = json_object_get(m, "process"), *o;
	int r;

	r = ingest_process(&b->in, record, err);
	if (r < 0)
		return error_prefix(err, "a process record was refused: ");
	o = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (json_object_get(record, shown[i]))
			json_object_set(o, shown[i], json_object_get(record, shown[i]));
	return add_event(b, "process", o, err);
}

static int apply_judged(struct applying *b, json_t *m, struct error *err)
{
	return ingest_judged(&b->in, m, err);
}

static int apply_artifact(struct applying *b, json_t *m, struct error *err)
{
	b->run->pl->has_new_files = true;
	return ingest_artifact(&b->in, m, err);
}

/* A copy: the loop may be letting go of the message right now, and json_incref looks at its
 * count without a lock. */
static int apply_done(struct applying *b, json_t *m, struct error *err)
{
	b->run->done = json_deep_copy(m);
	return OK;
}

static const struct message {
	const char *type;
	apply_fn apply;
	bool can_wait; /* for others, so that a busy job costs few transactions */
} messages[] = {
	{ "phase", apply_phase, true },
	{ "progress", apply_progress, true },
	{ "resolved", apply_resolved, true },
	{ "calibrated", apply_calibrated, true },
	{ "log", apply_log, true },
	{ "process", apply_process, false },
	{ "judged", apply_judged, true },
	{ "artifact", apply_artifact, true },
	{ "done", apply_done, false },
};

static const struct message *message_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		if (!strcmp(messages[i].type, type))
			return &messages[i];
	return NULL;
}

bool message_is_known(const char *type)
{
	return message_find(type) != NULL;
}

bool message_can_wait(const char *type)
{
	return message_find(type)->can_wait;
}

static int save_progress(struct applying *b, struct error *err)
{
	struct job *j = &b->run->job;
	json_t *o;

	if (!b->progress)
		return OK;
	j->n_done = json_get_int(b->progress, "done", j->n_done);
	j->n_total = json_get_int(b->progress, "total", j->n_total);
	o = json_object();
	json_set_int(o, "done", j->n_done);
	json_set_int(o, "total", j->n_total);
	json_set_opt(o, "cell", json_get_str(b->progress, "cell", NULL));
	return add_event(b, "progress", o, err);
}

int messages_apply(struct run *run, struct store *st, struct error *err)
{
	struct applying b = { .run = run,
		.in = { .st = st,
			.finds_branch = run->plan.finds_branch,
			.arena = run->scratch,
			.job = &run->job,
			.workload = &run->plan.workload,
			.cells = run->plan.cells,
			.n_cells = run->plan.n_cells,
			.has_base = run->plan.has_base,
			.now_ns = run->now_ns } };
	size_t i;
	json_t *m;
	int r = OK;

	json_array_foreach (run->batch, i, m) {
		int64_t n = json_get_int(m, "n", INT64_MAX);

		if (n <= run->job.n_told)
			continue; /* told again, by a worker that was not told it is stored */
		if (n < INT64_MAX)
			run->job.n_told = n;
		r = message_find(json_get_str(m, "type", ""))->apply(&b, m, err);
		if (r < 0)
			return r;
	}
	r = save_progress(&b, err);
	return r < 0 || run->done ? r : store_job_save(st, &run->job, run->attempt, err);
}
