/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event counters of one process and what it starts. Software events come from the kernel's own
 * books (wait4, /proc/PID/sched), which are kept anyway: perf events for them would cost a
 * quarter of a millisecond a process. Hardware events are perf's (perf_event_open(2)); what the
 * host cannot count, or counted only part of the time (multiplexed), is absent, never 0. */
#ifndef WORKER_COUNTERS_H
#define WORKER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/json.h"

#define COUNTERS(X)                                                                            \
	X(C_INSTRUCTIONS, "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS)      \
	X(C_CYCLES, "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES)                    \
	X(C_BRANCH_MISSES, "branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES)   \
	X(C_CACHE_MISSES, "cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES)

enum counter {
#define X(id, name, type, config) id,
	COUNTERS(X)
#undef X
		N_COUNTERS
};

struct counters {
	bool is_open;
	int fd[N_COUNTERS];
	int64_t value[N_COUNTERS]; /* valid where has[] */
	bool has[N_COUNTERS];
};

struct account;

/* Can hardware events of own processes be counted here? */
bool counters_probe(void);
/* Attach to pid, which waits before its exec: counting starts with the exec. */
void counters_open(struct counters *c, pid_t pid);
/* Read and close; after the end of the process. */
void counters_close(struct counters *c);
/* Both kinds, by their names in perf(1). */
json_t *counters_json(const struct counters *c, const struct account *a);

#endif
