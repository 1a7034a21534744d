/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One measured process: hooks around it, launch, results, the `process` record. */
#ifndef WORKER_MEASURED_H
#define WORKER_MEASURED_H

#include "worker/job.h"
#include "worker/noise.h"

/* Which process to run. */
struct turn {
	const struct spec_cell *cell;
	size_t arm;	      /* index into spec->arms and job->directory */
	const char *arm_name; /* of the record; "control" differs from the arm that runs */
	int64_t index, block, order;
	int64_t iterations;  /* K; 0: the program calibrates itself */
	bool is_calibrating; /* no record: only K is wanted */
	bool wants_counters;
	struct noise *const *past; /* of this cell, for the first opinion on noise */
	size_t n_past;
};

struct measured {
	int64_t seq;	    /* of the record; 0: none was sent */
	double value;	    /* of the primary measure, else wall time; NaN when none */
	int64_t calibrated; /* K it reported; 0: none */
	bool steady;
	bool higher_is_better; /* the primary measure says so */
	bool is_timed_outside; /* value is wall time */
	int64_t wall_ns;
	struct noise noise;
};

/* Run it. Anything that ends the job (a failing program, a missing result, a stop) goes through
 * job_fail and returns negative; the record of the failing process has been sent then. */
int measured_run(struct job *j, const struct turn *t, struct measured *ret) must_check;

/* For other runs of a cell's program, what comes before and behind it: hooks, and the page
 * cache as declared. */
int measured_prepare(struct job *j, const struct turn *t) must_check;
int measured_conclude(struct job *j, const struct turn *t) must_check;

#endif
