/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One arm: processes one after another, with adaptive stop. */
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

static int64_t n_counting(const struct cell_run *r)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += !r->entries[i]->is_replaced;
	return n;
}

static void replace_noisy(struct cell_run *r, int64_t planned)
{
	cell_judge(r);
	for (size_t i = 0; i < r->n && cell_may_replace(r, planned); i++) {
		struct entry *e = r->entries[i];

		if (e->is_old || e->is_replaced || e->m.noise.class != NOISE_NOISY)
			continue;
		e->is_replaced = true;
		r->n_replaced++;
		r->job->n_total++;
	}
}

static int run_until(struct cell_run *r, int64_t planned)
{
	while (n_counting(r) < planned) {
		int e;

		if (n_counting(r) > 0 && cell_budget_is_over(r))
			return OK;
		e = cell_run_process(r, 0, r->next_index[0], 0);
		if (e < 0)
			return e;
		if (n_counting(r) == planned)
			replace_noisy(r, planned);
	}
	return OK;
}

int single_measure(struct cell_run *r)
{
	const struct spec_protocol *p = &r->job->spec->protocol;
	int64_t planned = p->processes;

	for (;;) {
		int e = run_until(r, planned);

		if (e < 0)
			return e;
		if (!p->adaptive)
			r->stop_reason = "fixed";
		else if (half_width(r) <= p->target_ci)
			r->stop_reason = "target";
		else if (planned >= p->max_processes)
			r->stop_reason = "max";
		if (r->is_out_of_budget && n_counting(r) < planned)
			r->stop_reason = "budget";
		if (r->stop_reason)
			return OK;
		r->job->n_total += MIN((int64_t)STEP, p->max_processes - planned);
		planned = MIN(planned + STEP, p->max_processes);
	}
}
