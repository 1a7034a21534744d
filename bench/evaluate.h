/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of bench/statistics: each prints one table and counts the targets it misses. */
#ifndef BENCH_EVALUATE_H
#define BENCH_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/rng.h"
#include "bench/evaldata.h"
#include "stats/changepoint.h"
#include "stats/mw_tails.h"

/* A line of the table at the end. */
struct summary_row {
	const char *what, *wanted, *found, *peers; /* static, but found: in the arena */
	bool met;
};

enum { SUMMARY_MAX = 64 };

struct evaluation {
	const char *folder;
	struct mw_tails *tails;
	size_t n_targets, n_missed;
	size_t scale;	     /* 1 = the full number of trials; more divides it */
	struct arena *arena; /* of the summary */
	struct summary_row summary[SUMMARY_MAX];
	size_t n_summary;
};

/* Print "pass" or "FAIL" with the sentence, and count. */
void target(struct evaluation *e, bool holds, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A target that counts: a line "what: found (wanted; peers)" like that of target(), and a row
 * of the table at the end. peers: what others reach, or NULL. */
void target_row(struct evaluation *e, bool met, const char *what, const char *wanted,
	const char *peers, const char *found, ...) __attribute__((format(printf, 6, 7)));
/* Only the row, for targets that were printed and counted one by one. */
void summary_add(struct evaluation *e, bool met, const char *what, const char *wanted,
	const char *peers, const char *found);
/* "12.3 [11.0, 13.8]" in percent with Wilson's 95 % interval, in the arena. */
const char *share_text(struct arena *a, size_t k, size_t n);

/* Detectors and peers behind one call. */
struct method {
	const char *name;
	const char *detector; /* of stats/, or NULL for a peer */
	double alpha;	      /* seeded_mw: 0 = its default */
	void (*peer)(struct arena *a, const double *x, size_t n, struct change_points *ret);
};
void method_run(struct evaluation *e, struct arena *a, const struct method *m, const double *x,
	size_t n, double min_effect, struct change_points *ret);

/* Value of a commit: n_processes distinct processes of a benchmark, one window each, median. */
double jmh_commit(const struct jmh *j, size_t benchmark, size_t n_processes, struct rng *r);
double rng_normal(struct rng *r);

int evaluate_tcpd(struct evaluation *e, struct error *err) must_check;
int evaluate_histories(struct evaluation *e, struct error *err) must_check;
int evaluate_points(struct evaluation *e, const struct jmh *j);
int evaluate_confirmation(struct evaluation *e, const struct jmh *j);
int evaluate_series(struct evaluation *e, const struct jmh *j);
int evaluate_samples(struct evaluation *e, const struct jmh *j);
int evaluate_stopping(struct evaluation *e);
int evaluate_speed(struct evaluation *e);
int evaluate_synthetic(struct evaluation *e);

#endif
