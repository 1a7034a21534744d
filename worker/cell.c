/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/cell.h"

#include <math.h>
#include <string.h>
#include "base/clock.h"
#include "stats/quantile.h"
#include "worker/spawn.h"

enum {
	COUNTERS_FROM = 5, /* planned processes; fewer are not worth the set-up time */
	HABIT = 50	   /* latest processes that a first opinion is formed on */
};
#define SHORT_NS 20e6	 /* from here on the cost of spawning cannot matter */
#define TOO_SHORT_NS 5e6 /* docs/methods.md */

static const char *role_name(const struct cell_run *r, size_t role)
{
	return role == ARM_CONTROL ? "control" : r->job->spec->arms[role].name;
}

static size_t role_of_name(const struct cell_run *r, const char *name)
{
	for (size_t i = 0; i < r->job->spec->n_arms; i++)
		if (!strcmp(r->job->spec->arms[i].name, name))
			return i;
	return strcmp(name, "control") ? N_ROLES : ARM_CONTROL;
}

static struct entry *add_entry(struct cell_run *r, size_t role, int64_t block)
{
	struct arena *a = r->job->arena;
	struct entry *e = ARENA_NEW(a, struct entry);

	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 16;
		struct entry **bigger = ARENA_ARRAY(a, struct entry *, cap);

		if (r->n)
			memcpy(bigger, r->entries, r->n * sizeof(struct entry *));
		r->entries = bigger;
		r->cap = cap;
	}
	e->role = role;
	e->block = block;
	r->entries[r->n++] = e;
	return e;
}

void cell_leave_out(struct cell_run *r, struct entry *e)
{
	r->n_left_out += !e->is_replaced;
	e->is_replaced = true;
}

static void add_old(struct cell_run *r, const struct spec_have *h, size_t role)
{
	struct entry *e = add_entry(r, role, h->block);

	e->is_old = true;
	e->m.seq = h->seq;
	e->m.value = h->value;
	e->m.steady = true;
	e->m.noise.class = e->told_class = h->is_noisy ? NOISE_NOISY : NOISE_CLEAN;
	if (h->is_replaced || !isfinite(h->value))
		cell_leave_out(r, e);
	e->told_replaced = h->is_replaced;
}

/* What earlier attempts measured counts as if it had run now. */
static void add_have(struct cell_run *r)
{
	const struct spec *s = r->job->spec;

	for (size_t i = 0; i < s->n_have; i++) {
		const struct spec_have *h = &s->have[i];
		size_t role = role_of_name(r, h->arm);

		if (strcmp(h->cell, r->cell->id) || role == N_ROLES)
			continue;
		r->n_counted += h->is_count && !h->is_replaced && role + 1 == s->n_arms;
		if (!h->is_count)
			add_old(r, h, role);
		r->next_index[role] = MAX(r->next_index[role], h->index + 1);
		r->next_block = MAX(r->next_block, h->block + 1);
	}
}

/* Replacements of an attempt that broke off count towards the limit; a cell that was noisy as a
 * whole, and set aside as a whole, begins anew. */
static void count_old_replaced(struct cell_run *r)
{
	bool is_set_aside = true;
	int64_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		is_set_aside &= r->entries[i]->is_replaced;
		n += r->entries[i]->is_replaced && r->entries[i]->role == 0;
	}
	r->n_replaced = is_set_aside ? 0 : n;
}

void cell_run_init(struct cell_run *r, struct job *j, const struct spec_cell *c)
{
	const struct spec_protocol *p = &j->spec->protocol;

	*r = (struct cell_run){ .job = j, .cell = c, .deadline_ns = INT64_MAX };
	r->iterations = p->iterations ? p->iterations : c->iterations;
	if (p->budget_ns)
		r->deadline_ns = clock_monotonic_ns() + p->budget_ns;
	add_have(r);
	count_old_replaced(r);
}

void cell_share_budget(struct cell_run *first, size_t n)
{
	int64_t budget = first->job->spec->protocol.budget_ns;

	if (budget && n > 1)
		first->deadline_ns += (int64_t)(n - 1) * budget;
}

bool cell_budget_is_over(struct cell_run *r)
{
	r->is_out_of_budget = clock_monotonic_ns() >= r->deadline_ns;
	return r->is_out_of_budget;
}

static void tell_calibrated(struct cell_run *r, int64_t k)
{
	json_t *m = channel_message(&r->job->ch, "calibrated");

	r->iterations = k;
	json_set_str(m, "cell", r->cell->id);
	json_set_int(m, "iterations", k);
	channel_send(&r->job->ch, m);
}

static struct noise **noise_group(const struct cell_run *r, struct arena *a, size_t *ret_n)
{
	struct noise **group = ARENA_ARRAY(a, struct noise *, r->n);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (!r->entries[i]->is_old)
			group[n++] = &r->entries[i]->m.noise;
	*ret_n = n;
	return group;
}

/* The habit that a first opinion is formed on: the latest few. */
static int run_turn(struct cell_run *r, struct turn *t, struct measured *m)
{
	struct noise *past[HABIT];

	t->past = past;
	for (size_t i = r->n; i > 0 && t->n_past < HABIT && !r->entries[i - 1]->is_old; i--)
		past[t->n_past++] = &r->entries[i - 1]->m.noise;
	return measured_run(r->job, t, m);
}

/* K comes from a run of its own. The first arm's K serves both: same work everywhere. */
static int calibrate(struct cell_run *r)
{
	struct turn t = {
		.cell = r->cell, .arm = 0, .arm_name = role_name(r, 0), .is_calibrating = true
	};
	struct measured m;
	int e;

	if (r->iterations || r->job->spec->kind != KIND_KERNEL)
		return OK;
	job_phase(r->job, "calibrate", NULL);
	e = run_turn(r, &t, &m);
	if (e == OK && m.calibrated)
		tell_calibrated(r, m.calibrated);
	return e;
}

/* A declared warm cache needs one run at least. */
static int warm_up(struct cell_run *r, size_t role)
{
	const struct spec *s = r->job->spec;
	int64_t wanted = MAX(s->protocol.warmup_processes, (int64_t)(s->cache == CACHE_WARM));
	struct turn t = { .cell = r->cell,
		.arm = role == ARM_CONTROL ? 0 : role,
		.arm_name = role_name(r, role),
		.iterations = r->iterations,
		.is_calibrating = true };
	struct measured m;
	int e = OK;

	if (role == ARM_CONTROL)
		return OK;
	for (; e == OK && r->n_warmed[role] < wanted; r->n_warmed[role]++) {
		job_phase(r->job, "calibrate", "warm-up");
		e = run_turn(r, &t, &m);
	}
	return e;
}

int cell_run_process(struct cell_run *r, size_t role, int64_t block, int64_t order)
{
	struct turn t = { .cell = r->cell,
		.arm = role == ARM_CONTROL ? 0 : role,
		.arm_name = role_name(r, role),
		.index = r->next_index[role],
		.block = block,
		.order = order };
	struct measured m;
	struct entry *e;
	int error = calibrate(r);

	if (error == OK)
		error = warm_up(r, role);
	if (error < 0)
		return error;
	job_phase_measure(r->job);
	t.wants_counters = r->job->spec->protocol.processes >= COUNTERS_FROM;
	do {
		t.iterations = r->iterations;
		error = run_turn(r, &t, &m);
		if (error < 0)
			return error;
		/* Any program may calibrate itself; then that run was not a measurement. */
		if (!m.seq && m.calibrated && !t.iterations)
			tell_calibrated(r, m.calibrated);
	} while (!m.seq);
	r->next_index[role]++;
	e = add_entry(r, role, block);
	e->m = m;
	e->told_class = m.noise.class;
	e->told_signals = m.noise.signals;
	return OK;
}

void cell_judge(struct cell_run *r)
{
	struct arena *a = arena_new();
	size_t n;
	struct noise **group = noise_group(r, a, &n);

	noise_judge(group, n);
	arena_free(a);
}

bool cell_may_replace(const struct cell_run *r, int64_t planned)
{
	return 2 * (r->n_replaced + 1) <= planned && !r->is_out_of_budget;
}

size_t cell_values(const struct cell_run *r, size_t role, double *v)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i]->role == role && !r->entries[i]->is_replaced)
			v[n++] = r->entries[i]->m.value;
	return n;
}

static json_t *signals_list(uint32_t signals)
{
	json_t *list = json_array();

	for (int i = 0; i < N_NOISE_SIGNALS; i++)
		if (signals & (1U << i))
			json_array_append_new(list, json_string(noise_signal_names[i]));
	return list;
}

/* The signals of an old one are not known here; its record keeps them. */
static json_t *judged_json(struct entry *e)
{
	json_t *o = json_object();

	json_set_int(o, "seq", e->m.seq);
	json_set_str(o, "noise", noise_class_names[e->m.noise.class]);
	if (!e->is_old)
		json_object_set_new(o, "signals", signals_list(e->m.noise.signals));
	json_set_bool(o, "replaced", e->is_replaced);
	e->told_class = e->m.noise.class;
	e->told_signals = e->m.noise.signals;
	e->told_replaced = e->is_replaced;
	return o;
}

static bool is_told(const struct entry *e)
{
	return e->m.noise.class == e->told_class && e->m.noise.signals == e->told_signals &&
	       e->is_replaced == e->told_replaced;
}

void cell_tell_judged(struct cell_run *r)
{
	json_t *list = json_array(), *m;

	for (size_t i = 0; i < r->n; i++)
		if (!is_told(r->entries[i]))
			json_array_append_new(list, judged_json(r->entries[i]));
	if (!json_array_size(list)) {
		json_decref(list);
		return;
	}
	m = channel_message(&r->job->ch, "judged");
	json_set_str(m, "cell", r->cell->id);
	json_object_set_new(m, "processes", list);
	channel_send(&r->job->ch, m);
}

/* Values in order of time, each relative to its arm's level, so that a difference between the
 * arms is no drift. */
static size_t levelled(const struct cell_run *r, struct arena *a, double *out)
{
	double *v = ARENA_ARRAY(a, double, r->n), level[N_ROLES];
	size_t n = 0;

	for (size_t role = 0; role < N_ROLES; role++)
		level[role] = sample_median(a, v, cell_values(r, role, v));
	for (size_t i = 0; i < r->n; i++) {
		const struct entry *e = r->entries[i];

		if (!e->is_replaced && level[e->role] > 0)
			out[n++] = e->m.value / level[e->role];
	}
	return n;
}

static void add_verdict(const struct cell_run *r, json_t *o)
{
	const cpu_set_t *cpus =
		CPU_COUNT(&r->job->cpus) ? &r->job->cpus : &r->job->host->allowed;
	struct arena *a = arena_new();
	double *values = ARENA_ARRAY(a, double, r->n), contention;
	size_t n, n_values = levelled(r, a, values);
	struct noise **group = noise_group(r, a, &n);
	enum noise_class c;

	contention = noise_contention(group, n, CPU_COUNT(cpus));
	c = noise_of_run(group, n, values, n_values, contention);
	json_set_str(o, "verdict", noise_class_names[c]);
	json_set_real(o, "contention", contention);
	if (contention >= NOISE_CONTENDED)
		job_note(r->job,
			"'%.80s': somebody waited for a cpu in %.0f %% of the time, although "
			"it left "
			"cpus free: other work ran beside it",
			r->cell->benchmark, 100 * contention);
	arena_free(a);
}

static bool all_steady(const struct cell_run *r)
{
	size_t n = 0, n_unsteady = 0;

	for (size_t i = 0; i < r->n; i++) {
		n += !r->entries[i]->is_replaced;
		n_unsteady += !r->entries[i]->is_replaced && !r->entries[i]->m.steady;
	}
	if (n_unsteady)
		job_note(r->job,
			"'%.80s' was not steady at the end of its warm-up in %zu of %zu "
			"processes",
			r->cell->benchmark, n_unsteady, n);
	return !n_unsteady;
}

/* It ended before the precision that was asked for. */
static void tell_stop(const struct cell_run *r)
{
	const struct spec_protocol *p = &r->job->spec->protocol;

	if (!r->stop_reason || !p->adaptive || r->job->spec->n_arms > 1)
		return;
	if (!strcmp(r->stop_reason, "max"))
		job_note(r->job,
			"'%.80s': after %lld processes, the most there may be, its interval "
			"was "
			"still wider than +-%.3g %%",
			r->cell->benchmark, (long long)p->max_processes, 100 * p->target_ci);
	else if (!strcmp(r->stop_reason, "budget"))
		job_note(r->job,
			"'%.80s': its time was over before its interval was within +-%.3g %%",
			r->cell->benchmark, 100 * p->target_ci);
}

/* Much of a short command's time is the cost of starting any process: say so. */
static void check_spawn_cost(struct cell_run *r, json_t *o)
{
	static const char too_short[] =
		"the command is so short that starting it is a large part of its time; give it "
		"more work or let it report its own times";
	double *v = ARENA_ARRAY(r->job->arena, double, r->n), median;
	size_t n = cell_values(r, 0, v);
	int64_t cost;

	if (n < COUNTERS_FROM || !r->entries[r->n - 1]->m.is_timed_outside)
		return;
	median = sample_median_in_place(v, n);
	if (median >= SHORT_NS)
		return;
	cost = spawn_cost_ns(r->job);
	json_set_int(o, "spawn_ns", cost);
	if (median < TOO_SHORT_NS || median < 20 * (double)cost) {
		json_set_str(o, "warning", too_short);
		job_note(r->job, "'%.80s': %s", r->cell->benchmark, too_short);
	}
}

void cell_finish(struct cell_run *r)
{
	json_t *o = json_object();

	cell_judge(r);
	cell_tell_judged(r);
	json_set_str(o, "cell", r->cell->id);
	json_set_str(o, "stop_reason", r->stop_reason);
	add_verdict(r, o);
	json_set_bool(o, "steady", all_steady(r));
	json_set_int(o, "processes", (int64_t)r->n);
	json_set_int(o, "replaced", r->n_replaced);
	check_spawn_cost(r, o);
	tell_stop(r);
	if (r->comparison)
		json_object_set_new(o, "comparison", TAKE(r->comparison));
	json_array_append_new(r->job->cells, o);
}
