/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/fs.h"
#include "worker/counters.h"
#include "worker/cpus.h"
#include "worker/fingerprint.h"

static int open_reading(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* First match of a pattern, opened; -1 when there is none. */
static int open_first(const char *pattern)
{
	glob_t g;
	int fd = -1;

	if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc > 0)
		fd = open_reading(g.gl_pathv[0]);
	globfree(&g);
	return fd;
}

static int first_cpu(const struct host *h)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, CPU_COUNT(&h->cpus) ? &h->cpus : &h->allowed))
			return i;
	return 0;
}

static int open_of_cpu(const struct host *h, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/%s", first_cpu(h), what);
	return open_reading(path);
}

static bool find_swap(void)
{
	struct buf b = { 0 };
	struct error err;
	bool has = file_read("/proc/swaps", 65536, &b, &err) == OK &&
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
	h->psi_cpu = open_reading("/proc/pressure/cpu");
	h->psi_io = open_reading("/proc/pressure/io");
	h->psi_memory = open_reading("/proc/pressure/memory");
	h->stat = can_lose_time() ? open_reading("/proc/stat") : -1;
	h->vmstat = open_reading("/proc/vmstat");
	h->has_swap = find_swap();
	h->frequency = open_of_cpu(h, "cpufreq/scaling_cur_freq");
	h->throttle = open_of_cpu(h, "thermal_throttle/package_throttle_count");
	h->temperature = open_first("/sys/class/hwmon/hwmon*/temp1_input");
	if (h->temperature < 0)
		h->temperature = open_first("/sys/class/thermal/thermal_zone*/temp");
}

/* The worker itself stays on the other cpus, where there are any. */
static void keep_off(struct host *h)
{
	cpu_set_t others;

	CPU_AND(&h->cpus, &h->cpus, &h->allowed);
	if (CPU_COUNT(&h->cpus) && cpus_subtract(&h->allowed, &h->cpus, &others))
		(void)sched_setaffinity(0, sizeof(others), &others);
}

int host_init(struct host *h, struct error *err)
{
	h->shared = mmap(NULL, sizeof(*h->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->shared == MAP_FAILED)
		return error_errno(err, E_IO, "cannot map memory for the worker");
	cpus_allowed(&h->allowed);
	keep_off(h);
	open_sources(h);
	h->has_pmu = counters_probe();
	fingerprint_make(h);
	return OK;
}
