/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this host has: processors, caches, memory. Read once at first use; call from the main
 * thread before others start. */
#ifndef KERNELS_HOST_H
#define KERNELS_HOST_H

#include <stdint.h>

struct host {
	char cpu[128]; /* model name, "unknown" when the system does not say */
	int n_cpus;    /* this process may run on */
	int64_t l1d_bytes, l2_bytes, llc_bytes; /* of one cache; defaults where unknown */
	int llc_sharers;			/* CPUs that share the last level */
};

const struct host *host_get(void);
/* Memory one may still use now: MemAvailable, and what the cgroup leaves. */
int64_t host_memory_available(void);
/* Last-level cache a process with so many threads may count on. */
int64_t host_llc_share(int threads);

#endif
