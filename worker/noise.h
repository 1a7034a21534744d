/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Was the host quiet while a process ran? Evidence comes from outside the benchmark only; the
 * judgement never sees its duration's value or its arm (docs/methods.md). */
#ifndef WORKER_NOISE_H
#define WORKER_NOISE_H

#include <stdbool.h>
#include <stdint.h>
#include "worker/host.h"
#include "worker/supervise.h"

/* One signal a row: enumerator, name, absolute floor (same unit as the rate), least absolute
 * amount that can count at all (in the raw unit: what a short process picks up by chance). */
#define NOISE_SIGNALS(X)                                                                       \
	X(N_RUNQ, "runq_wait", 0.01, 200e3)  /* ns waited / ns wall */                         \
	X(N_PSI_CPU, "psi_cpu", 0.02, 500)   /* us stalled / us */                             \
	X(N_PSI_IO, "psi_io", 0.05, 2000)    /* us stalled / us */                             \
	X(N_PSI_MEM, "psi_mem", 0.01, 500)   /* us stalled / us */                             \
	X(N_IDLE, "cpu_share", 0.15, 1e6)    /* ns not on a cpu / ns wall, above its median */ \
	X(N_NIVCSW, "nivcsw", 50, 5)	     /* involuntary switches / s */                    \
	X(N_MIGRATIONS, "migrations", 20, 5) /* / s */                                         \
	X(N_MAJFLT, "majflt", 10, 10)	     /* / s */                                         \
	X(N_FREQUENCY, "frequency", 0.05, 0) /* below its full clock, above its median */      \
	X(N_STEAL, "steal", 10, 1)	     /* ticks / s of the window */                     \
	X(N_OTHER, "other_jobs", 0, 1)	     /* other jobs of this worker ran */               \
	X(N_HOT, "temperature", 0, 1)	     /* millidegrees above hot_mc of struct host */    \
	X(N_THROTTLED, "throttled", 0, 1)    /* thermal throttle events */                     \
	X(N_SWAPPED, "swapped", 0, 1)	     /* pages swapped on the host */

enum noise_signal {
#define X(id, name, floor, least) id,
	NOISE_SIGNALS(X)
#undef X
		N_NOISE_SIGNALS
};
extern const char *const noise_signal_names[N_NOISE_SIGNALS];

enum noise_class { NOISE_CLEAN, NOISE_SUSPECT, NOISE_NOISY };
extern const char *const noise_class_names[];

/* What was seen around one process. Amounts in raw units, -1: the host cannot tell. */
struct noise {
	int64_t wall_ns;   /* of the process */
	int64_t busy_ns;   /* cpu time of it and what it waited for */
	int64_t window_ns; /* between the two looks at the host; a short gap before it counts */
	int64_t ticked_ns; /* the same for what is not looked at each time */
	double amount[N_NOISE_SIGNALS]; /* also -1: not looked at behind this one */
	enum noise_class class;
	uint32_t signals; /* bit i: signal i was beyond its limit */
	bool is_crowded;  /* at its end others alone would have kept all cpus busy */
	bool is_replaced; /* another process was run in its place */
};

/* Counters of the host at one moment. */
struct noise_snapshot {
	int64_t taken_ns; /* CLOCK_MONOTONIC */
	int64_t psi_cpu_us, psi_io_us, psi_mem_us, steal_ticks, swapped, throttled;
	int64_t runnable;  /* tasks, of anybody, with the one that looks; -1: unknown */
	int64_t ticked_ns; /* when psi_io_us, psi_mem_us and steal_ticks were read */
	int64_t freq_khz, temp_mc;
	int64_t energy_uj[ENERGY_MAX];
};

void noise_snapshot_take(const struct host *h, struct noise_snapshot *ret);
/* The same behind the last one; last NULL: everything is looked at. Stolen time is counted in
 * ticks of 10 ms, and to read it and what waits for disks and memory costs more than all the
 * rest: within 10 ms they are not read again, so that what was seen in those falls to the last
 * of their processes. */
void noise_snapshot_next(
	const struct host *h, const struct noise_snapshot *last, struct noise_snapshot *ret);
/* The evidence for one process from the snapshots around it and its account. */
void noise_collect(const struct host *h, const struct noise_snapshot *before,
	const struct noise_snapshot *after, const struct account *a, struct noise *ret);

/* Judge a group: all processes of one definition on one host, both arms pooled, in the order
 * they ran. Fills class and signals of each. A process is beyond a limit when its rate is above
 * max(floor, median + 5 MAD of the group); with fewer than five processes the floors of the
 * contention signals are ten times as high, because the benchmark's own habits are not known.
 */
void noise_judge(struct noise *const *group, size_t n);
/* The same for one process alone, against the group so far (which does not hold it yet): the
 * first opinion, sent with its record. */
void noise_judge_one(struct noise *const *group, size_t n, struct noise *one);
#define NOISE_CONTENDED 0.25 /* from here on it makes a run suspect */
/* Share of the time around the processes of a group in which somebody on the host waited for a
 * cpu although the processes did not keep n_cpus busy by themselves, so that others must have
 * done so; or, if that is more, of at least five processes the share of those at whose end
 * others alone were enough to keep all cpus busy. What a constant load leaves behind: no
 * process stands out from the rest. 0 where neither can be told (no pressure information, a
 * workload that fills its cpus, under 2 ms in all). The kernel adds up pressure every two
 * seconds only, so that a short job may see nothing of it. */
double noise_contention(struct noise *const *group, size_t n, int n_cpus);
/* Verdict of a run: noisy when more than 30 % of its processes are noisy or when the n_values
 * process values (in order of time, each arm's level taken off) drift: p < 0.01, Mann-Kendall.
 * Suspect from 10 %, or from a contention of 25 %. */
enum noise_class noise_of_run(struct noise *const *group, size_t n, const double *values,
	size_t n_values, double contention);

#endif
