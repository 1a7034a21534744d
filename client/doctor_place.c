/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where in the host we are: virtual machine, container, control group, set of cpus. */
#include <string.h>
#include <unistd.h>
#include "client/doctor.h"

static void add(struct doctor *d, struct finding f)
{
	f.area = "place";
	doctor_find(d, f);
}

static void check_cpus(struct doctor *d)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	int n = CPU_COUNT(&d->allowed);

	if (n < 2)
		add(d, (struct finding){ .check = "cpus",
			       .value = "1",
			       .level = DOCTOR_BAD,
			       .advice = "give the host a second cpu",
			       .gain = "benchd and the benchmark no longer share one" });
	else
		add(d, (struct finding){ .check = "cpus",
			       .value = n < online ? doctor_print(d, "%d of %ld", n, online)
						   : doctor_print(d, "%d", n) });
}

static void check_isolation(struct doctor *d)
{
	const char *isolated = doctor_text(d, "/sys/devices/system/cpu/isolated");
	bool has = isolated && *isolated;

	if (CPU_COUNT(&d->allowed) < 2 || !isolated)
		return;
	add(d, (struct finding){ .check = "isolated cpus",
		       .value = has ? isolated : "none",
		       .level = has ? DOCTOR_OK : DOCTOR_NOTE,
		       .advice = has ? NULL
				     : doctor_print(d,
					       "boot with isolcpus=%d nohz_full=%d and "
					       "measure there (benchd-worker --cpus %d)",
					       d->cpu, d->cpu, d->cpu),
		       .gain = has ? NULL
				   : "nothing else is scheduled there, and the tick stops" });
}

static void check_virtual(struct doctor *d)
{
	const char *cpuinfo = doctor_text(d, "/proc/cpuinfo");
	const char *vendor = doctor_text(d, "/sys/class/dmi/id/sys_vendor");
	const char *product = doctor_text(d, "/sys/class/dmi/id/product_name");

	if (!cpuinfo)
		return;
	if (!strstr(cpuinfo, " hypervisor")) {
		add(d, (struct finding){ .check = "machine", .value = "bare metal" });
		return;
	}
	add(d, (struct finding){ .check = "machine",
		       .value = doctor_print(d, "virtual (%s%s%s)", vendor ? vendor : "unknown",
			       product ? " " : "", product ? product : ""),
		       .level = DOCTOR_NOTE,
		       .advice = "neighbours you cannot see share caches, memory and cores: "
				 "compare interleaved, or measure on bare metal",
		       .gain = "less of what no setting of the guest can change" });
}

static void check_container(struct doctor *d)
{
	const char *groups = doctor_text(d, "/proc/1/cgroup");
	const char *names[] = { "docker", "kubepods", "lxc", "containerd", "libpod" };
	const char *found = doctor_text(d, "/run/.containerenv") ? "podman" : NULL;

	if (doctor_text(d, "/.dockerenv"))
		found = "docker";
	for (size_t i = 0; groups && !found && i < ARRAY_SIZE(names); i++)
		if (strstr(groups, names[i]))
			found = names[i];
	if (!found)
		return;
	add(d, (struct finding){ .check = "container",
		       .value = found,
		       .level = DOCTOR_NOTE,
		       .advice =
			       "settings of the kernel are the host's: run benchd-tune there, "
			       "and give the container whole cpus (--cpuset-cpus), not shares",
		       .gain = "other containers no longer run on the measuring cpu" });
}

/* Our group in the second version's tree, "/a/b"; NULL: not there. */
static const char *own_group(struct doctor *d)
{
	const char *text = doctor_text(d, "/proc/self/cgroup");
	const char *at = text && !strncmp(text, "0::", 3) ? text
			 : text				  ? strstr(text, "\n0::")
							  : NULL;

	if (!at)
		return NULL;
	at += *at == '\n' ? 4 : 3;
	return arena_strndup(d->a, at, strcspn(at, "\n"));
}

/* A limit counts wherever in the path it is set. quota / period in cpus; 0: none. */
static double quota_of(struct doctor *d, const char *group)
{
	double least = 0;

	for (char *path = arena_strdup(d->a, group); *path;) {
		const char *max = doctor_text(d, "/sys/fs/cgroup%s/cpu.max", path);
		double quota, period;
		char *slash = strrchr(path, '/');

		if (max && sscanf(max, "%lf %lf", &quota, &period) == 2 && period > 0 &&
			(least == 0 || quota / period < least))
			least = quota / period;
		if (!slash)
			break;
		*slash = 0;
	}
	return least;
}

static void check_quota(struct doctor *d)
{
	const char *group = own_group(d);
	double cpus = group ? quota_of(d, group) : 0;
	int64_t v1 = doctor_number(d, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us");

	if (v1 > 0)
		cpus = (double)v1 / 1e5;
	if (!group && v1 < 0)
		return;
	add(d, (struct finding){ .check = "CPU quota of the control group",
		       .value = cpus > 0 ? doctor_print(d, "%.2f cpus", cpus) : "none",
		       .level = cpus > 0 ? DOCTOR_BAD : DOCTOR_OK,
		       .advice = cpus > 0 ? "take the quota away (cpu.max = max), or use a "
					    "cpuset instead"
					  : NULL,
		       .gain = cpus > 0 ? "the kernel no longer stops the benchmark for the "
					  "rest "
					  "of a period, 100 ms at a time"
					: NULL });
}

static void check_memory_limit(struct doctor *d)
{
	const char *group = own_group(d);
	const char *max =
		group && *group ? doctor_text(d, "/sys/fs/cgroup%s/memory.max", group) : NULL;

	if (max && strcmp(max, "max") != 0)
		add(d, (struct finding){ .check = "memory limit of the control group",
			       .value = doctor_print(d, "%s bytes", max),
			       .level = DOCTOR_NOTE,
			       .advice = "near it the kernel takes page cache away: cold and "
					 "warm "
					 "runs then differ",
			       .gain = "file reads take the same time in each run" });
}

void doctor_place(struct doctor *d)
{
	check_cpus(d);
	check_isolation(d);
	check_virtual(d);
	check_container(d);
	check_quota(d);
	check_memory_limit(d);
}
