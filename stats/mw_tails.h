/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact lower tails of Mann-Whitney's U, cached.
 *
 * The number of arrangements with U = u for sizes a <= b is the coefficient of q^u in the
 * Gaussian binomial PROD (1-q^(b+i))/(1-q^i), i = 1..a (Mann and Whitney 1947; David and Barton
 * 1962). Only the lower half is computed: the upper half would lose digits in double. Relative
 * error under 3e-15 for the sizes covered.
 *
 * One cache belongs to one thread. Its results never depend on what was asked before. */
#ifndef STATS_MW_TAILS_H
#define STATS_MW_TAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

/* Sizes covered: the smaller one at most MW_EXACT_SMALL, or the larger at most MW_EXACT_LARGE.
 */
enum { MW_EXACT_SMALL = 12, MW_EXACT_LARGE = 60 };
enum { MW_TAILS_MAX_BYTES = 64 * 1024 * 1024 }; /* beyond it the tables are dropped */

struct mw_tails;

struct mw_tails *mw_tails_new(void);
void mw_tails_free(struct mw_tails *t); /* NULL is fine */
DEFINE_CLEANUP(struct mw_tails *, mw_tails_free)
size_t mw_tails_bytes(const struct mw_tails *t);

bool mw_tails_covers(size_t a, size_t b);
/* P(U <= u) for sizes a, b >= 1 that are covered, u <= ab/2. Exact when it is at most p_max;
 * when it is more, any value above p_max may come back (so that long tables need only their
 * beginning). p_max = 1 asks for the exact value. */
double mw_tails_lower(struct mw_tails *t, size_t a, size_t b, uint64_t u, double p_max);
/* Number of u >= 0 with P(U <= u) <= p, for p < 1/2: the index k of the Hodges-Lehmann interval
 * [D_(k), D_(ab+1-k)]. Normal approximation for sizes that are not covered. */
uint64_t mw_tails_count(struct mw_tails *t, size_t a, size_t b, double p);

#endif
