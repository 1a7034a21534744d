/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two arms: blocks of one process of each, in random order, with a look after 10, 15, 20 ...
 * blocks. Arm 0 is the base. */
#include <math.h>
#include <string.h>
#include "stats/compare.h"
#include "worker/cell.h"

enum { STEP = 5 };

struct pairs {
	double *base, *head;
	size_t n;
};

static const struct entry *find(const struct cell_run *r, int64_t block, size_t role)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i]->block == block && r->entries[i]->role == role)
			return r->entries[i];
	return NULL;
}

/* Complete blocks that were not replaced. */
static int64_t n_pairs(const struct cell_run *r)
{
	int64_t n = 0;

	for (int64_t block = 0; block < r->next_block; block++) {
		const struct entry *x = find(r, block, 0), *y = find(r, block, 1);

		n += x && y && !x->is_replaced && !y->is_replaced;
	}
	return n;
}

static bool is_noisy(const struct entry *e)
{
	return e->m.noise.class == NOISE_NOISY;
}

static bool is_all_noisy(const struct cell_run *r, size_t role)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i]->role == role && !r->entries[i]->is_replaced &&
			!is_noisy(r->entries[i]))
			return false;
	return true;
}

/* What the report will compare of roles 0 and other: noisy ones beyond those that could be
 * replaced count only in an arm that has nothing else. A look at more than that would stop at
 * an answer that the report then does not give. */
static struct pairs collect(const struct cell_run *r, struct arena *a, size_t other)
{
	struct pairs p = { ARENA_ARRAY(a, double, r->n), ARENA_ARRAY(a, double, r->n), 0 };
	bool any_base = is_all_noisy(r, 0), any_head = is_all_noisy(r, other);

	for (int64_t block = 0; block < r->next_block; block++) {
		const struct entry *x = find(r, block, 0), *y = find(r, block, other);

		if (!x || !y || x->is_replaced || y->is_replaced ||
			(is_noisy(x) && !any_base) || (is_noisy(y) && !any_head))
			continue;
		p.base[p.n] = x->m.value;
		p.head[p.n++] = y->m.value;
	}
	return p;
}

static void shuffle(struct rng *rng, size_t *v, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t k = (size_t)rng_below(rng, i + 1), t = v[i];

		v[i] = v[k];
		v[k] = t;
	}
}

static int run_block(struct cell_run *r)
{
	size_t roles[N_ROLES] = { 0, 1, ARM_CONTROL };
	size_t n = r->job->spec->protocol.control ? 3 : 2;
	int64_t block = r->next_block++;

	shuffle(&r->job->rng, roles, n);
	for (size_t i = 0; i < n; i++) {
		int e = cell_run_process(r, roles[i], block, (int64_t)i);

		if (e < 0)
			return e;
	}
	return OK;
}

static void set_replaced(struct cell_run *r, int64_t block)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i]->block == block)
			cell_leave_out(r, r->entries[i]);
}

/* A noisy process takes its whole block with it; which arm was noisy plays no part. */
static void replace_noisy(struct cell_run *r, int64_t planned)
{
	int64_t width = r->job->spec->protocol.control ? 3 : 2;

	cell_judge(r);
	for (size_t i = 0; i < r->n && cell_may_replace(r, planned); i++) {
		const struct entry *e = r->entries[i];

		if (e->is_replaced || !is_noisy(e))
			continue;
		set_replaced(r, e->block);
		r->n_replaced++;
		r->job->n_total += width;
	}
	cell_tell_judged(r);
}

static int run_until(struct cell_run *r, int64_t planned)
{
	while (n_pairs(r) < planned) {
		int e;

		if (n_pairs(r) > 0 && cell_budget_is_over(r))
			return OK;
		e = run_block(r);
		if (e < 0)
			return e;
		if (n_pairs(r) == planned)
			replace_noisy(r, planned);
	}
	return OK;
}

static enum compare_better direction(const struct cell_run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i]->m.higher_is_better)
			return HIGHER_IS_BETTER;
	return LOWER_IS_BETTER;
}

static json_t *comparison_json(const struct comparison *c, size_t n)
{
	json_t *o = json_object();

	json_set_str(o, "outcome", compare_outcome_name(c->outcome));
	json_set_str(o, "because", c->reason);
	json_set_real(o, "effect", c->effect);
	json_set_real(o, "lower", c->has_interval ? c->lower : NAN);
	json_set_real(o, "upper", c->has_interval ? c->upper : NAN);
	json_set_real(o, "p", c->p);
	json_set_int(o, "pairs", (int64_t)n);
	return o;
}

static bool compare(struct cell_run *r, size_t other, struct comparison *ret, size_t *ret_n)
{
	struct arena *a = arena_new();
	struct compare_params params = compare_defaults();
	struct pairs p = collect(r, a, other);
	struct error err;
	int e;

	params.better = direction(r);
	params.min_effect = r->job->spec->protocol.min_effect;
	e = compare_paired(a, p.base, p.head, p.n, &params, ret, &err);
	if (e < 0)
		channel_note(
			&r->job->ch, "cell %s cannot be compared: %s", r->cell->id, err.text);
	*ret_n = p.n;
	arena_free(a);
	return e == OK;
}

/* One look at the data; true when it is decided. */
static bool look(struct cell_run *r)
{
	struct comparison c;
	size_t n;

	json_decref(r->comparison);
	r->comparison = NULL;
	if (!compare(r, 1, &c, &n))
		return false;
	r->comparison = comparison_json(&c, n);
	if (r->job->spec->protocol.control) {
		struct comparison control;

		if (compare(r, ARM_CONTROL, &control, &n))
			json_object_set_new(
				r->comparison, "control", comparison_json(&control, n));
	}
	return c.outcome != COMPARE_UNKNOWN;
}

/* Blocks that an earlier attempt left half done: their other half would run at another time, so
 * their records do not count, here or in the report. */
static void drop_halves(struct cell_run *r)
{
	size_t width = r->job->spec->protocol.control ? 3 : 2;

	for (int64_t block = 0; block < r->next_block; block++)
		for (size_t role = 0; role < width; role++)
			if (!find(r, block, role))
				set_replaced(r, block);
	cell_tell_judged(r);
}

int pairs_measure(struct cell_run *r)
{
	const struct spec_protocol *p = &r->job->spec->protocol;
	int64_t planned = p->processes, width = p->control ? 3 : 2;

	drop_halves(r);
	for (;;) {
		int e = run_until(r, planned);
		bool is_decided;

		if (e < 0)
			return e;
		is_decided = look(r);
		if (!p->adaptive)
			r->stop_reason = "fixed";
		else if (is_decided)
			r->stop_reason = "decided";
		else if (planned >= p->max_processes)
			r->stop_reason = "max";
		if (r->is_out_of_budget && n_pairs(r) < planned && !is_decided)
			r->stop_reason = "budget";
		if (r->stop_reason)
			return OK;
		r->job->n_total += width * MIN((int64_t)STEP, p->max_processes - planned);
		planned = MIN(planned + STEP, p->max_processes);
	}
}
