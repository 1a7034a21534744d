/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a struct proof: claims, the digest of an output, errors against an analytic answer.
 * One owner. */
#ifndef KERNELS_PROOF_H
#define KERNELS_PROOF_H

#include <stddef.h>
#include "kernels/kernels.h"

void proof_init(struct proof *p); /* ok until a claim fails; digest of nothing */
/* The claim value <= limit; false for a NaN. name is static text. */
void proof_claim(struct proof *p, const char *name, double value, double limit);
/* Continue the digest with the bits of an output. */
void proof_digest(struct proof *p, const void *data, size_t bytes);
/* First claim that does not hold, NULL when all do. */
const struct invariant *proof_failed(const struct proof *p);

/* Errors of values against the truth, fed in pairs. A value that is NaN is counted and left
 * out (n_valid < n_total). */
struct errors {
	double sum, sum2, sum_abs, max_abs;	   /* of value - truth */
	double value, value2, truth, truth2, both; /* sums for the correlation */
	double least, most;			   /* of the truth */
	int64_t n_valid, n_total;
};
void errors_init(struct errors *e);
void errors_add(struct errors *e, double value, double truth);
void errors_merge(struct errors *e, const struct errors *other);
/* rmse, mae, max_error, mean_error, std_error (of the population), correlation (Pearson),
 * bias (mean of values - mean of truth), relative_rmse (rmse / range of the truth). */
void errors_finish(const struct errors *e, struct accuracy *ret);

#endif
