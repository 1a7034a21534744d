/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event counters of one process and what it starts. Software events come from the kernel's own
 * books (wait4, /proc/PID/sched), which are kept anyway: perf events for them would cost a
 * quarter of a millisecond a process. Hardware events are perf's (perf_event_open(2)), in user
 * space only and as one group, so that all are counted at the same times or none; what the host
 * cannot count, or counted only part of the time (multiplexed), is absent, never 0. */
#ifndef WORKER_COUNTERS_H
#define WORKER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/json.h"

/* Enumerator, its name in perf(1), the measure of a command, and what perf is asked for. The
 * first leads the group. */
#define COUNTERS(X)                                                                            \
	X(C_INSTRUCTIONS, "instructions", "user-instructions", PERF_TYPE_HARDWARE,             \
		PERF_COUNT_HW_INSTRUCTIONS)                                                    \
	X(C_CYCLES, "cycles", "user-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES)     \
	X(C_BRANCH_MISSES, "branch-misses", "user-branch-misses", PERF_TYPE_HARDWARE,          \
		PERF_COUNT_HW_BRANCH_MISSES)                                                   \
	X(C_CACHE_MISSES, "cache-misses", "user-cache-misses", PERF_TYPE_HARDWARE,             \
		PERF_COUNT_HW_CACHE_MISSES)

enum counter {
#define X(id, ...) id,
	COUNTERS(X)
#undef X
		N_COUNTERS
};

struct counters {
	bool is_open;
	int fd[N_COUNTERS];
	int64_t value[N_COUNTERS]; /* valid where has[] */
	bool has[N_COUNTERS];
	bool is_asked;	     /* false: few processes, nobody wants them */
	bool is_multiplexed; /* counted only part of the time: thrown away */
};
extern const char *const counter_measures[N_COUNTERS]; /* of commands */

struct account;

/* Can hardware events of own processes be counted here? */
bool counters_probe(void);
/* Attach to pid, which waits before its exec: counting starts with the exec. */
void counters_open(struct counters *c, pid_t pid);
/* Read and close; after the end of the process. */
void counters_close(struct counters *c);
/* What one event's file said: its value, the time that it was enabled, the time that it ran. */
void counters_take(struct counters *c, enum counter which, const uint64_t said[3]);
/* Both kinds, by their names in perf(1), and `hardware`: counted, multiplexed (another group
 * was counted in turns with this one), or unavailable; without it
 * nobody asked. */
json_t *counters_json(const struct counters *c, const struct account *a);

#endif
