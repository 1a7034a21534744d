/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One arm: processes one after another, with adaptive stop. The cells of a group take turns: a
 * round is one process of each, in random order, so that what moves the host meets all of them,
 * and all stop together. */
#include <math.h>
#include "stats/interval.h"
#include "stats/quantile.h"
#include "worker/cell.h"

enum { STEP = 5 };

/* Half the width of the 95 % order-statistic interval of the median, relative to it; INFINITY
 * with fewer than 6 values. */
static double half_width(const struct cell_run *r)
{
	struct arena *a = arena_new();
	double *v = ARENA_ARRAY(a, double, r->n), lower, upper, width = INFINITY;
	size_t n = cell_values(r, 0, v);

	sample_sort(v, n);
	if (interval_quantile(v, n, 0.5, 0.05, &lower, &upper)) {
		double median = sample_quantile(v, n, 0.5);

		width = median != 0 ? (upper - lower) / 2 / fabs(median) : INFINITY;
	}
	arena_free(a);
	return width;
}

static double widest(const struct cell_run *runs, size_t n)
{
	double width = 0;

	for (size_t i = 0; i < n; i++)
		width = fmax(width, half_width(&runs[i]));
	return width;
}

static int64_t n_counting(const struct cell_run *r)
{
	return (int64_t)(r->n - r->n_left_out);
}

static int64_t fewest(const struct cell_run *runs, size_t n)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < n; i++)
		least = MIN(least, n_counting(&runs[i]));
	return least;
}

static void replace_noisy(struct cell_run *r, int64_t planned)
{
	cell_judge(r);
	for (size_t i = 0; i < r->n && cell_may_replace(r, planned); i++) {
		struct entry *e = r->entries[i];

		if (e->is_replaced || e->m.noise.class != NOISE_NOISY)
			continue;
		cell_leave_out(r, e);
		r->n_replaced++;
		r->job->n_total++;
	}
	cell_tell_judged(r);
}

/* Those that still lack processes, in random order. */
static size_t draw_order(struct cell_run *runs, size_t n, int64_t planned, size_t *order)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (n_counting(&runs[i]) < planned)
			order[k++] = i;
	for (size_t i = k; i > 1; i--) {
		size_t j = (size_t)rng_below(&runs->job->rng, i), t = order[i - 1];

		order[i - 1] = order[j];
		order[j] = t;
	}
	return k;
}

static int64_t next_round(const struct cell_run *runs, size_t n)
{
	int64_t round = 0;

	for (size_t i = 0; i < n; i++)
		round = MAX(round, runs[i].next_block);
	return round;
}

static int run_round(struct cell_run *runs, size_t n, int64_t planned)
{
	size_t *order = ARENA_ARRAY(runs->job->arena, size_t, n);
	size_t k = draw_order(runs, n, planned, order);
	int64_t round = next_round(runs, n);

	for (size_t i = 0; i < k; i++) {
		struct cell_run *r = &runs[order[i]];
		int e = cell_run_process(r, 0, round, (int64_t)i);

		if (e < 0)
			return e;
		r->next_block = round + 1;
		if (n_counting(r) == planned)
			replace_noisy(r, planned);
	}
	return OK;
}

static int run_until(struct cell_run *runs, size_t n, int64_t planned)
{
	while (fewest(runs, n) < planned) {
		int e;

		if (fewest(runs, n) > 0 && cell_budget_is_over(runs))
			return OK;
		e = run_round(runs, n, planned);
		if (e < 0)
			return e;
	}
	return OK;
}

static const char *reason_to_stop(const struct cell_run *runs, size_t n, int64_t planned)
{
	const struct spec_protocol *p = &runs->job->spec->protocol;

	if (runs->is_out_of_budget && fewest(runs, n) < planned)
		return "budget";
	if (!p->adaptive)
		return "fixed";
	if (widest(runs, n) <= p->target_ci)
		return "target";
	return planned >= p->max_processes ? "max" : NULL;
}

int single_measure(struct cell_run *runs, size_t n)
{
	struct job *j = runs->job;
	const struct spec_protocol *p = &j->spec->protocol;
	int64_t planned = p->processes;

	for (;;) {
		int e = run_until(runs, n, planned);
		const char *reason;

		if (e < 0)
			return e;
		reason = reason_to_stop(runs, n, planned);
		for (size_t i = 0; reason && i < n; i++)
			runs[i].stop_reason = reason;
		if (reason)
			return OK;
		j->n_total += (int64_t)n * MIN((int64_t)STEP, p->max_processes - planned);
		planned = MIN(planned + STEP, p->max_processes);
	}
}
