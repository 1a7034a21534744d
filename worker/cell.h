/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One cell of a job while it is measured: what ran so far, what to run next, what was noisy.
 * single.c runs one arm, pairs.c two. */
#ifndef WORKER_CELL_H
#define WORKER_CELL_H

#include "worker/measured.h"

enum { ARM_CONTROL = SPEC_ARMS, N_ROLES }; /* roles: arm 0, arm 1, control (arm 0 again) */

/* One process of this cell, in the order of time. */
struct entry {
	struct measured m;
	size_t role;
	int64_t block;
	bool is_old;		     /* measured by an earlier attempt: value only */
	bool is_replaced;	     /* does not count; another ran in its place */
	enum noise_class told_class; /* what its record says */
	uint32_t told_signals;
	bool told_replaced;
};

struct cell_run {
	struct job *job;
	const struct spec_cell *cell;
	struct entry **entries; /* in the job's arena */
	size_t n, cap;
	int64_t next_index[N_ROLES], next_block;
	int64_t iterations; /* K; 0: not known */
	int64_t n_replaced;
	size_t n_left_out;	   /* entries that do not count */
	int64_t n_warmed[N_ROLES]; /* thrown away before the first */
	int64_t n_counted;	   /* times that each arm's instructions were counted */
	int64_t deadline_ns;	   /* end of the budget, CLOCK_MONOTONIC */
	bool is_out_of_budget;
	const char *stop_reason;
	json_t *comparison; /* of two arms; NULL */
};

void cell_run_init(struct cell_run *r, struct job *j, const struct spec_cell *c);
/* Run one process of this role; calibrates first when K is not known. Negative after
 * job_fail. */
int cell_run_process(struct cell_run *r, size_t role, int64_t block, int64_t order) must_check;
/* Judge all processes of the cell again, with all the evidence. */
void cell_judge(struct cell_run *r);
/* It does not count; another runs in its place. */
void cell_leave_out(struct cell_run *r, struct entry *e);
/* May another noisy process (or pair: n = 2) be replaced? At most half as many again as planned
 * are run. */
bool cell_may_replace(const struct cell_run *r, int64_t planned);
/* Processes that count, of one role; values into v (room for r->n). */
size_t cell_values(const struct cell_run *r, size_t role, double *v);
/* Tell the daemon which records' verdicts have changed: at once when one is replaced, so that
 * an attempt that goes on from here counts as this one does. */
void cell_tell_judged(struct cell_run *r);
/* Verdict, corrections of what records said about noise, the cell's line for `done`. */
void cell_finish(struct cell_run *r);
/* The budget is that of one cell: of n cells that take turns the first one's is theirs. */
void cell_share_budget(struct cell_run *first, size_t n);
bool cell_budget_is_over(struct cell_run *r);

/* n cells that take turns; mostly 1. */
int single_measure(struct cell_run *runs, size_t n) must_check;
int pairs_measure(struct cell_run *r) must_check;

#endif
