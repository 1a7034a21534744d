/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this host has: processors, caches, memory. Read once at first use; call from the main
 * thread before others start. */
#ifndef KERNELS_HOST_H
#define KERNELS_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct host {
	char cpu[128]; /* model name, "unknown" when the system does not say */
	int n_cpus;    /* this process may run on */
	int64_t l1d_bytes, l2_bytes, llc_bytes; /* of one cache; defaults where unknown */
	bool has_victim_llc;
	int llc_sharers; /* CPUs that share the last level */
};

const struct host *host_get(void);
/* Memory one may still use now: MemAvailable, and what the cgroup leaves. */
int64_t host_memory_available(void);
/* Most resident memory of this process since it was forgotten (VmHWM); 0 where the system does
 * not say. false: it cannot be forgotten here. */
double host_memory_peak(void);
bool host_forget_memory_peak(void);
/* Working set in bytes from which outputs are better stored past the caches: beyond this
 * process's share of the last level; on Intel's server parts, whose last level is a slow victim
 * cache, already beyond the private caches. */
int64_t host_stream_threshold(int threads);
/* Last-level cache a process with so many threads may count on. */
int64_t host_llc_share(int threads);

#endif
