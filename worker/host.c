/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/host.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/fs.h"
#include "worker/counters.h"
#include "worker/cpus.h"
#include "worker/fingerprint.h"
#include "worker/sensors.h"
#include "worker/tree.h"

static bool find_swap(void)
{
	struct buf b = { 0 };
	struct error err;
	char path[TREE_PATH];
	bool has = file_read(tree_path("/proc/swaps", path), 65536, &b, &err) == OK &&
		   strchr(buf_str(&b), '\n') && strchr(buf_str(&b), '\n')[1];

	buf_done(&b);
	return has;
}

/* Nobody but a hypervisor steals. Looking costs a line for each cpu and each interrupt: on a
 * large machine more than all other signals together. Other architectures do not say what they
 * run on.
 */
static bool can_lose_time(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return fingerprint_is_virtual();
#else
	return true;
#endif
}

static void open_sources(struct host *h)
{
	h->loadavg = tree_open("/proc/loadavg");
	h->psi_cpu = tree_open("/proc/pressure/cpu");
	h->psi_io = tree_open("/proc/pressure/io");
	h->psi_memory = tree_open("/proc/pressure/memory");
	h->stat = can_lose_time() ? tree_open("/proc/stat") : -1;
	h->vmstat = tree_open("/proc/vmstat");
	h->has_swap = find_swap();
	sensors_open(h);
}

/* The worker itself stays on the other cpus, where there are any, or on the half where runners
 * do (job_share_cpus). */
static void keep_off(struct host *h)
{
	cpu_set_t others, theirs;

	CPU_AND(&h->cpus, &h->cpus, &h->allowed);
	if (!CPU_COUNT(&h->cpus) || !cpus_subtract(&h->allowed, &h->cpus, &others))
		cpus_halve(&h->allowed, &others, &theirs);
	(void)sched_setaffinity(0, sizeof(others), &others);
}

int host_init(struct host *h, struct error *err)
{
	h->shared = mmap(NULL, sizeof(*h->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->shared == MAP_FAILED)
		return error_errno(err, E_IO, "cannot map memory for the worker");
	cpus_allowed(&h->allowed);
	/* The C library reads a file for it each time. */
	h->n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	keep_off(h);
	open_sources(h);
	h->has_pmu = counters_probe();
	fingerprint_make(h);
	program_look_for_kernel(&h->kernel);
	return OK;
}
