/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/host.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/omp.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif

#define CACHE_DIR "/sys/devices/system/cpu/cpu0/cache/index"

/* First line of a small file without its newline; false when it cannot be read. */
static bool read_line(const char *path, char *out, int size)
{
	_cleanup_(fclose)
	FILE *f = fopen(path, "re");

	if (!f || !fgets(out, size, f))
		return false;
	out[strcspn(out, "\n")] = 0;
	return true;
}

/* Value behind "name :" in /proc/cpuinfo or /proc/meminfo. */
static bool read_key(const char *path, const char *name, char *out, size_t size)
{
	_cleanup_(fclose)
	FILE *f = fopen(path, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, name, strlen(name)) != 0)
			continue;
		colon[strcspn(colon, "\n")] = 0;
		snprintf(out, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
		return true;
	}
	return false;
}

/* "0-3,8" -> 5. */
static int count_list(const char *list)
{
	int n = 0;

	while (*list) {
		char *end;
		long a = strtol(list, &end, 10), b = a;

		if (end == list)
			break;
		if (*end == '-')
			b = strtol(end + 1, &end, 10);
		n += (int)(b - a + 1);
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

static int64_t cache_bytes(const char *text)
{
	char *end;
	int64_t v = strtoll(text, &end, 10);

	return *end == 'K' ? v * KiB : *end == 'M' ? v * MiB : v;
}

static void read_cache(struct host *h, int index)
{
	char path[128], type[32], level[16], size[32], shared[256];
	int64_t bytes;

#define FIELD(name, out)                                                                       \
	snprintf(path, sizeof(path), CACHE_DIR "%d/" name, index);                             \
	if (!read_line(path, out, sizeof(out)))                                                \
	return
	FIELD("type", type);
	FIELD("level", level);
	FIELD("size", size);
	FIELD("shared_cpu_list", shared);
#undef FIELD
	bytes = cache_bytes(size);
	if (strcmp(type, "Instruction") == 0 || bytes <= 0)
		return;
	if (atoi(level) == 1)
		h->l1d_bytes = bytes;
	if (atoi(level) == 2)
		h->l2_bytes = bytes;
	if (bytes >= h->llc_bytes) {
		h->llc_bytes = bytes;
		h->llc_sharers = MAX(1, count_list(shared));
	}
}

/* Intel with 1 MiB of L2 or more and a last level that does not include it (cpuid 4, EDX bit
 * 1).
 */
static bool read_victim_llc(const struct host *h)
{
#ifdef __x86_64__
	unsigned a, b, c, d;
	char vendor[64] = "";

	if (!read_key("/proc/cpuinfo", "vendor_id", vendor, sizeof(vendor)) ||
		strcmp(vendor, "GenuineIntel") != 0 || h->l2_bytes < MiB)
		return false;
	return __get_cpuid_count(4, 3, &a, &b, &c, &d) && (a & 31) != 0 && !(d & 2);
#else
	(void)h;
	return false;
#endif
}

static void read_host(struct host *h)
{
	cpu_set_t set;

	*h = (struct host){ .cpu = "unknown", .l1d_bytes = 32 * KiB, .l2_bytes = 512 * KiB };
	if (!read_key("/proc/cpuinfo", "model name", h->cpu, sizeof(h->cpu)))
		read_key("/proc/cpuinfo", "Model", h->cpu, sizeof(h->cpu));
	h->n_cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
#ifdef _OPENMP
	/* With OMP_PROC_BIND the first thread is bound before main. */
	if (omp_get_proc_bind() != omp_proc_bind_false)
		h->n_cpus = MAX(h->n_cpus, omp_get_num_procs());
#endif
	for (int i = 0; i < 8; i++)
		read_cache(h, i);
	h->has_victim_llc = read_victim_llc(h);
	if (h->llc_bytes <= h->l2_bytes) {
		h->llc_bytes = MAX(h->llc_bytes, 8 * MiB);
		h->llc_sharers = MAX(h->llc_sharers, 1);
	}
}

const struct host *host_get(void)
{
	static struct host host;

	if (host.n_cpus == 0)
		read_host(&host);
	return &host;
}

int64_t host_memory_available(void)
{
	char text[64], max[64], used[64];
	int64_t free_bytes = INT64_MAX;

	if (read_key("/proc/meminfo", "MemAvailable", text, sizeof(text)))
		free_bytes = strtoll(text, NULL, 10) * KiB;
	if (read_line("/sys/fs/cgroup/memory.max", max, sizeof(max)) &&
		strcmp(max, "max") != 0 &&
		read_line("/sys/fs/cgroup/memory.current", used, sizeof(used)))
		free_bytes = MIN(free_bytes, strtoll(max, NULL, 10) - strtoll(used, NULL, 10));
	return free_bytes;
}

double host_memory_peak(void)
{
	char text[64];

	if (!read_key("/proc/self/status", "VmHWM", text, sizeof(text)))
		return 0;
	return (double)strtoll(text, NULL, 10) * KiB;
}

bool host_forget_memory_peak(void)
{
	_cleanup_(fclose)
	FILE *f = fopen("/proc/self/clear_refs", "w");

	return f && fputs("5\n", f) >= 0 && fflush(f) == 0;
}

int64_t host_llc_share(int threads)
{
	const struct host *h = host_get();

	return h->llc_bytes / h->llc_sharers * MIN(threads, h->llc_sharers);
}

int64_t host_stream_threshold(int threads)
{
	const struct host *h = host_get();

	return h->has_victim_llc ? h->l2_bytes * threads : host_llc_share(threads);
}
