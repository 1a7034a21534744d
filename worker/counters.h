/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event counters of one process and what it starts (perf_event_open(2)). What the host cannot
 * count, or counted only part of the time (multiplexed), is absent, never 0. */
#ifndef WORKER_COUNTERS_H
#define WORKER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/json.h"

#define COUNTERS(X)                                                                            \
	X(C_TASK_CLOCK, "task-clock-ns", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK)         \
	X(C_SWITCHES, "context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES)  \
	X(C_MIGRATIONS, "cpu-migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS)    \
	X(C_FAULTS, "page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS)              \
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

/* Can software (and hardware) events of own processes be counted here? */
void counters_probe(bool *ret_software, bool *ret_hardware);
/* Attach to pid, which waits before its exec: counting starts with the exec. */
void counters_open(struct counters *c, pid_t pid, bool software, bool hardware);
/* Read and close; after the end of the process. */
void counters_close(struct counters *c);
json_t *counters_json(const struct counters *c);

#endif
