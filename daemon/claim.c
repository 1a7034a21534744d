/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the queue to a run: free slots first, then rows; and what a restart finds. */
#include <string.h>
#include "base/log.h"
#include "daemon/http/http.h"
#include "daemon/run.h"

enum { CLAIM_MAX = 32, RECOVER_MAX = 1000, LOOK_MAX = 1000 };

struct claim { /* one transaction for one worker */
	struct pipeline *pl;
	struct arena *arena; /* of touched */
	const struct touched_job *touched;
	size_t n_touched;
	int64_t worker_id, now_ns;
	bool is_embedded; /* the worker ends with this daemon */
	struct slots free;
	char environment_hash[65], program[65];
	char *identity;
	struct run *list; /* claimed, oldest first */
	struct run **tail;
};

/* --- what the worker is told: writer thread --- */

/* The value that the worker's stop rule looks at. */
static const struct series_values *primary_of(const struct series_values *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].measure, "latency"))
			return &v[i];
	return n ? v : NULL;
}

/* A process that ran under a tool is no measured one. */
static const char *tool_of(const struct process *p)
{
	return strstr(p->record_json, "\"tool\":\"cachegrind\"") ? "cachegrind" : NULL;
}

/* Replaced ones too: the numbers of records and blocks go on behind them. */
static json_t *have_json(const struct process *p, const struct series_values *v)
{
	json_t *o = json_object();

	json_set_str(o, "cell", p->cell);
	json_set_str(o, "arm", arm_name(p->arm));
	json_set_int(o, "index", p->index);
	json_set_int(o, "block", p->block);
	json_set_int(o, "seq", p->seq);
	json_set_str(o, "noise", noise_name(p->noise));
	json_set_bool(o, "replaced", p->replaced || !v);
	json_set_real(o, "value", v ? v->value : 0.0);
	json_set_opt(o, "tool", tool_of(p));
	return o;
}

/* A record has the beginnings of ids; those of older workers do not tell. */
static bool differs(const json_t *record, const char *key, const char *id)
{
	const char *told = json_get_str(record, key, "");

	return strncmp(told, id, strlen(told)) != 0;
}

/* As text, which is what there is to read for thousands of them; false when that does not tell.
 */
static bool surely_has(const char *record, const char *key, const char *id)
{
	const char *at = strstr(record, key);
	size_t n = at ? strcspn(at + strlen(key), "\"") : 0;

	return n > 0 && !strncmp(at + strlen(key), id, n);
}

/* Measured by an earlier attempt on what was another machine: a host that was set otherwise, or
 * another kernel behind a restart; or by another benchd-kernel. */
static bool is_of_another(const struct run *run, const struct process *p)
{
	_cleanup_(json_decref)
	json_t *record = NULL;
	struct error ignored;

	if (surely_has(p->record_json, "\"environment\":\"", run->environment_hash) &&
		(!strstr(p->record_json, "\"program\":") ||
			surely_has(p->record_json, "\"program\":\"", run->program)))
		return false;
	if (json_parse(p->record_json, strlen(p->record_json), &record, &ignored) < 0)
		return false;
	return differs(record, "environment", run->environment_hash) ||
	       differs(record, "program", run->program);
}

/* *ret: was anything set aside? */
static int set_others_aside(struct run *run, struct store *st, const struct process *p,
	size_t n, bool *ret, struct error *err)
{
	int r = OK;

	*ret = false;
	for (size_t i = 0; r == OK && i < n; i++)
		if (!p[i].replaced && is_of_another(run, &p[i])) {
			*ret = true;
			r = store_process_set_aside(st, run->job_id, p[i].cell, err);
		}
	return r;
}

/* Processes of earlier attempts, which are not measured again. */
static int add_have(struct run *run, struct store *st, struct error *err)
{
	struct process *p;
	json_t *have = json_array();
	bool is_less;
	size_t n;
	int r;

	json_object_set_new(run->plan.spec, "have", have);
	r = store_process_list(st, run->arena, run->job_id, &p, &n, err);
	if (r == OK)
		r = set_others_aside(run, st, p, n, &is_less, err);
	if (r == OK && is_less)
		r = store_process_list(st, run->arena, run->job_id, &p, &n, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		struct series_values *v;
		size_t n_values;

		r = store_process_values(st, run->arena, p[i].id, &v, &n_values, err);
		if (r == OK)
			json_array_append_new(have, have_json(&p[i], primary_of(v, n_values)));
	}
	return r;
}

static int add_iterations(struct run *run, struct store *st, struct error *err)
{
	json_t *cells = json_object_get(run->plan.spec, "cells");

	for (size_t i = 0; i < run->plan.n_cells; i++) {
		struct definition d =
			definition_of(run->arena, &run->plan.cells[i], run->program, NULL);
		int64_t k = run->plan.workload.protocol.iterations;
		int r = OK;

		if (k == 0)
			r = store_iterations_find(st, d.hash, run->environment_hash, &k, err);
		if (r < 0)
			return r;
		json_set_int(json_array_get(cells, i), "iterations", k);
	}
	return OK;
}

static int make_plan(struct run *run, const struct job *j, struct store *st, struct error *err)
{
	int r;

	r = queue_job_plan(run->arena, j, &run->plan, err);
	if (r == OK)
		r = add_iterations(run, st, err);
	if (r == OK)
		r = queue_devices_refuse(st, run->arena,
			run->pl->c.rules(run->pl->c.arg)->testbed, run->plan.spec, err);
	return r == OK ? add_have(run, st, err) : r;
}

static void append(struct claim *c, struct run *run)
{
	*c->tail = run;
	c->tail = &run->next;
}

static void take_slot(struct claim *c, const struct run *run)
{
	if (!run->is_exclusive)
		c->free.n_shared--;
	else if (c->free.has_exclusive)
		c->free.has_exclusive = false;
	else
		c->free.n_ahead--;
	c->free.has_running_shared |= !run->is_exclusive;
}

/* A job whose stored definition cannot be read ends here; that is no reason to stop. */
static int start_run(
	struct claim *c, struct store *st, struct arena *a, struct job *j, struct error *err)
{
	struct run *run = run_new(c->pl, j);
	struct error why;
	int r;

	memcpy(run->environment_hash, c->environment_hash, sizeof(run->environment_hash));
	memcpy(run->program, c->program, sizeof(run->program));
	run->identity = xstrdup(c->identity);
	append(c, run);
	r = make_plan(run, j, st, &why);
	if (r < 0) {
		run->step = STEP_OVER;
		return queue_finish(st, j, JOB_FAILED, FAULT_RUNNER, arena_strdup(a, why.text),
			c->now_ns, err);
	}
	run->step = STEP_DISPATCH;
	take_slot(c, run);
	return OK;
}

static int claim_write(struct store *st, void *arg, struct error *err)
{
	struct arena *a = arena_new();
	struct claim *c = arg;
	int r = OK;

	c->arena = a;
	c->now_ns = pipeline_now(c->pl);
	for (int i = 0; r == OK && i < CLAIM_MAX; i++) {
		struct job j;

		r = queue_claim(st, a, &c->free, c->is_embedded ? -c->worker_id : c->worker_id,
			c->now_ns, c->pl->c.lease_ns, &j, err);
		if (r == OK)
			r = start_run(c, st, a, &j, err);
	}
	c->n_touched = queue_take_touched(a, &c->touched);
	return r == E_NOT_FOUND ? OK : r;
}

/* --- on the loop --- */

struct worker *worker_by_id(struct pipeline *pl, int64_t id)
{
	for (size_t i = 0; i < pl->n_workers; i++)
		if (worker_id(pl->workers[i]) == id)
			return pl->workers[i];
	return NULL;
}

static struct slots free_slots(const struct pipeline *pl, const struct worker *w)
{
	struct slots s = { .has_exclusive = true, .n_shared = worker_shared_slots(w) };

	s.n_ahead = ahead_room(pl, w);
	for (const struct run *run = pl->runs; run; run = run->next) {
		if (!run->holds_slot || run->worker != w)
			continue;
		if (!run->is_exclusive)
			s.n_shared--;
		else if (s.has_exclusive)
			s.has_exclusive = false;
		else
			s.n_ahead--;
		s.has_running_shared |= !run->is_exclusive;
	}
	return s;
}

/* A claim that was under way when the pace changed has nothing to run it. */
static bool has_place(const struct run *run)
{
	return !run->is_exclusive || free_slots(run->pl, run->worker).n_ahead >= 0;
}

static void begin(struct run *run, struct worker *w)
{
	enum step_id at = run->step;

	run_add(run);
	if (run->is_adrift) {
		reunion_wait(run);
		return;
	}
	run->worker = w;
	run->worker_id = w ? worker_id(w) : 0;
	if (at != STEP_DISPATCH) {
		run_enter(run, at);
		return;
	}
	if (!w) {
		snprintf(run->reason, sizeof(run->reason),
			"the worker was gone before the job reached it");
		run_enter(run, STEP_PUT_BACK);
		return;
	}
	run->holds_slot = true;
	worker_set_busy(w, run->uuid, true);
	run_enter(run, has_place(run) ? STEP_DISPATCH : STEP_PUT_BACK);
}

/* The transaction was rolled back: these runs never were. */
static void forget(struct claim *c)
{
	for (struct run *run = c->list, *next; run; run = next) {
		next = run->next;
		json_decref(run->inbox);
		arena_free(run->arena);
		free(run->identity);
		free(run);
	}
	c->list = NULL;
}

static void claim_free(struct claim *c)
{
	arena_free(c->arena);
	free(c->identity);
	free(c);
}

static void stand_by(struct pipeline *pl);

static void on_claimed(void *arg, int code, const struct error *err)
{
	struct claim *c = arg;
	struct pipeline *pl = c->pl;

	pl->is_claiming = false;
	if (c == pl->standing)
		pl->standing = NULL;
	if (code < 0) {
		log_error("no job was claimed: %s", err->text);
		forget(c);
	} else {
		pipeline_notify_touched(pl, c->touched, c->n_touched);
	}
	for (struct run *run = c->list, *next; run; run = next) {
		next = run->next;
		begin(run, worker_by_id(pl, c->worker_id));
	}
	claim_free(c);
	if (!pl->has_recovered) /* the first claim of all is that of recover_jobs */
		reunion_begin(pl);
	pipeline_settle(pl);
	/* After an error the next tick tries again. */
	if (code == OK && pl->claim_again)
		claim_jobs(pl);
	else if (code == OK)
		stand_by(pl);
}

bool claim_is_full(const struct pipeline *pl)
{
	int n = 0;

	for (const struct run *run = pl->runs; run; run = run->next)
		n += !run->holds_slot && !run->is_adrift;
	return n >= RUNS_BEHIND * (int)MAX(pl->n_workers, (size_t)1);
}

static bool may_claim(const struct slots *s)
{
	return s->has_exclusive ? !s->has_running_shared || s->n_shared > 0 : s->n_ahead > 0;
}

/* A claim for the first worker that has room; NULL: none has. */
static struct claim *claim_new(struct pipeline *pl)
{
	for (size_t i = 0; i < pl->n_workers && !claim_is_full(pl); i++) {
		struct worker *w = pl->workers[i];
		struct slots s = free_slots(pl, w);
		struct claim *c;

		if (!may_claim(&s))
			continue;
		c = xcalloc(1, sizeof(*c));
		c->pl = pl;
		c->worker_id = worker_id(w);
		c->is_embedded = worker_is_embedded(w);
		c->free = s;
		c->tail = &c->list;
		snprintf(c->environment_hash, sizeof(c->environment_hash), "%s",
			worker_environment_hash(w));
		snprintf(c->program, sizeof(c->program), "%s", worker_program(w));
		c->identity = xstrdup(worker_environment_identity(w));
		pl->n_pending++;
		return c;
	}
	return NULL;
}

/* Nothing waits and a worker is idle: the next job that is filed is claimed for it in the very
 * transaction that files it. */
static void stand_by(struct pipeline *pl)
{
	if (pl->is_stopping || pl->is_claiming || pl->standing)
		return;
	pl->standing = claim_new(pl);
	if (pl->standing)
		writer_stand_by(server_writer(pl->server), WAKE_QUEUE, claim_write, on_claimed,
			pl->standing);
}

bool claim_stand_down(struct pipeline *pl)
{
	if (!pl->standing)
		return true;
	if (!writer_stand_down(server_writer(pl->server)))
		return false;
	claim_free(TAKE(pl->standing));
	pipeline_settle(pl);
	return true;
}

void claim_jobs(struct pipeline *pl)
{
	struct claim *c;
	struct error err;

	if (!pl->is_started || pl->is_stopping)
		return;
	if (pl->is_claiming || !claim_stand_down(pl)) {
		pl->claim_again = true;
		return;
	}
	pl->claim_again = false;
	c = claim_new(pl);
	if (!c)
		return;
	pl->is_claiming = true;
	if (writer_submit(server_writer(pl->server), claim_write, on_claimed, c, &err) < 0)
		on_claimed(c, err.code, &err);
}

/* --- after a restart --- */

static enum step_id step_of_phase(const char *phase)
{
	for (int i = 0; i < n_steps; i++)
		if (steps[i].phase && !strcmp(steps[i].phase, phase))
			return (enum step_id)i;
	return STEP_MEASURE; /* the worker's own phases */
}

static int recover_job(struct claim *c, struct store *st, struct job *j, struct error *err)
{
	enum step_id at = steps[step_of_phase(j->phase)].restart;
	bool is_adrift = at == STEP_PUT_BACK && j->worker_id > 0;
	struct job whole;
	struct run *run;
	int r;

	if (at == STEP_PUT_BACK && !is_adrift)
		return queue_put_back(st, j,
			"benchd was ended while the job ran; it goes on with what is stored",
			c->now_ns, err);
	run = run_new(c->pl, j);
	run->step = at;
	run->is_adrift = is_adrift;
	run->n_told = j->n_told;
	append(c, run);
	r = store_job_get(st, run->arena, j->id, &whole, err);
	if (r == OK && is_adrift)
		r = store_job_lease(st, j->id, j->attempt, c->now_ns + c->pl->c.lease_ns, err);
	return r < 0 ? r : queue_job_plan(run->arena, &whole, &run->plan, err);
}

static int recover_write(struct store *st, void *arg, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const struct job_filter f = { .states = 1u << JOB_RUNNING, .limit = RECOVER_MAX };
	struct claim *c = arg;
	struct job *jobs;
	size_t n;
	int r;

	r = store_job_list(st, a, &f, &jobs, &n, err);
	for (size_t i = 0; r == OK && i < n; i++)
		r = recover_job(c, st, &jobs[i], err);
	return r;
}

void recover_jobs(struct pipeline *pl)
{
	struct claim *c = xcalloc(1, sizeof(*c));
	struct error err;

	c->pl = pl;
	c->now_ns = pipeline_now(pl);
	c->tail = &c->list;
	pl->is_claiming = true;
	pl->claim_again = true;
	pl->n_pending++;
	if (writer_submit(server_writer(pl->server), recover_write, on_claimed, c, &err) < 0)
		on_claimed(c, err.code, &err);
}

/* --- jobs that somebody wants to end --- */

struct look {
	struct pipeline *pl;
	size_t n;
	struct {
		char uuid[RUN_UUID];
		int64_t attempt;
		const char *ending;
	} found[LOOK_MAX];
};

static int look_read(struct store *st, void *arg, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const struct job_filter f = { .states = 1u << JOB_RUNNING, .limit = LOOK_MAX };
	struct look *l = arg;
	struct job *jobs;
	size_t n;
	int r;

	r = store_job_list(st, a, &f, &jobs, &n, err);
	for (size_t i = 0; r == OK && i < n; i++) {
		bool is_cancel = !strcmp(jobs[i].phase, PHASE_CANCELING);

		if (!is_cancel && strcmp(jobs[i].phase, PHASE_SUPERSEDING) != 0)
			continue;
		snprintf(l->found[l->n].uuid, RUN_UUID, "%s", jobs[i].uuid);
		l->found[l->n].attempt = jobs[i].attempt;
		l->found[l->n++].ending = is_cancel ? "canceled" : "superseded";
	}
	return r;
}

static void on_looked(void *arg, int code, const struct error *err)
{
	struct look *l = arg;
	struct pipeline *pl = l->pl;

	if (code < 0)
		log_error("cancelled jobs were not found: %s", err->text);
	for (size_t i = 0; code == OK && i < l->n; i++) {
		struct run *run = run_find(pl, l->found[i].uuid, l->found[i].attempt);

		if (run)
			run_cancel(run, l->found[i].ending);
	}
	free(l);
	pl->is_looking = false;
	pipeline_settle(pl);
	if (pl->look_again)
		look_for_cancels(pl);
}

void look_for_cancels(struct pipeline *pl)
{
	struct look *l;
	struct error err;

	if (pl->is_stopping || pl->is_looking) {
		pl->look_again = pl->is_looking;
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->pl = pl;
	pl->is_looking = true;
	pl->look_again = false;
	pl->n_pending++;
	if (server_read(pl->server, look_read, on_looked, l, &err) < 0)
		on_looked(l, err.code, &err);
}
