/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/suite.h"

#include <math.h>
#include "stats/quantile.h"

/* Groups are logarithms, base and head of each row in turn; the median of logs is the log of an
 * arm's value. */
static double mean_log_ratio(double *const *x, const size_t *n, size_t n_groups, void *arg)
{
	double sum = 0;

	for (size_t g = 0; g + 1 < n_groups; g += 2)
		sum += sample_median_in_place(x[g + 1], n[g + 1]) -
		       sample_median_in_place(x[g], n[g]);
	return sum / (double)(n_groups / 2);
}

static int check_row(const struct suite_row *r, size_t i, struct error *err)
{
	if (r->n_base == 0 || r->n_head == 0)
		return error_set(
			err, E_UNPROCESSABLE, "row %zu of the suite has an empty arm", i);
	if (!values_are_positive(r->base, r->n_base) ||
		!values_are_positive(r->head, r->n_head))
		return error_set(err, E_UNPROCESSABLE,
			"row %zu of the suite has a value that is not above 0", i);
	return OK;
}

static void find_extremes(struct arena *a, const double *const *x, const size_t *n, size_t rows,
	enum compare_better better, struct suite_number *ret)
{
	double sign = better == LOWER_IS_BETTER ? 1 : -1, worst = -INFINITY, best = INFINITY;

	for (size_t i = 0; i < rows; i++) {
		double d = sample_median(a, x[2 * i + 1], n[2 * i + 1]) -
			   sample_median(a, x[2 * i], n[2 * i]);

		if (sign * d > worst) {
			worst = sign * d;
			ret->worst = i;
			ret->worst_ratio = exp(d);
		}
		if (sign * d < best) {
			best = sign * d;
			ret->best = i;
			ret->best_ratio = exp(d);
		}
	}
}

int suite_number_make(struct arena *a, const struct suite_row *rows, size_t n,
	enum compare_better better, const struct bootstrap_params *p, struct suite_number *ret,
	struct error *err)
{
	const double **x = ARENA_ARRAY(a, const double *, 2 * n);
	size_t *sizes = ARENA_ARRAY(a, size_t, 2 * n);
	struct estimate e;
	int r;

	if (n == 0)
		return error_set(err, E_UNPROCESSABLE, "the suite has no rows");
	for (size_t i = 0; i < n; i++) {
		r = check_row(&rows[i], i, err);
		if (r != OK)
			return r;
		x[2 * i] = sample_logs(a, rows[i].base, rows[i].n_base);
		x[2 * i + 1] = sample_logs(a, rows[i].head, rows[i].n_head);
		sizes[2 * i] = rows[i].n_base;
		sizes[2 * i + 1] = rows[i].n_head;
	}
	bootstrap_groups(a, x, sizes, 2 * n, mean_log_ratio, NULL, p, &e);
	*ret = (struct suite_number){ .ratio = exp(e.value),
		.has_interval = e.has_interval,
		.lower = exp(e.lower),
		.upper = exp(e.upper) };
	find_extremes(a, x, sizes, n, better, ret);
	return OK;
}
