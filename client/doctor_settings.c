/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host is set to, as /proc and /sys tell it. A file that is not there is no finding:
 * virtual machines and other processors have fewer of them. */
#include <glob.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "client/doctor.h"

/* The values of all files of a pattern, each once, "a, b". NULL: there is none. */
static const char *distinct(struct doctor *d, const char *pattern)
{
	const char *full = doctor_print(d, "%s%s", d->root, pattern), *all = NULL;
	size_t skip = strlen(d->root);
	glob_t g;

	if (glob(full, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *v = doctor_text(d, "%s", g.gl_pathv[i] + skip);

			if (v && *v && (!all || !strstr(all, v)))
				all = all ? doctor_print(d, "%s, %s", all, v) : v;
		}
	globfree(&g);
	return all;
}

/* What is chosen in "always [madvise] never". */
static const char *chosen(struct doctor *d, const char *v)
{
	const char *from = v ? strchr(v, '[') : NULL, *to = from ? strchr(from, ']') : NULL;

	return to ? arena_strndup(d->a, from + 1, (size_t)(to - from - 1)) : v;
}

static void add(struct doctor *d, const char *check, const char *value, bool is_good,
	enum doctor_level otherwise, const char *advice, const char *gain, const char *remedy)
{
	struct finding f = { "settings", check, value, is_good ? DOCTOR_OK : otherwise, NULL,
		NULL, NULL };

	if (!value)
		return;
	if (!is_good) {
		f.advice = advice;
		f.gain = gain;
		f.remedy = remedy;
	}
	doctor_find(d, f);
}

static void check_frequency(struct doctor *d)
{
	const char *governor =
		distinct(d, "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor");
	const char *no_turbo = doctor_text(d, "/sys/devices/system/cpu/intel_pstate/no_turbo");
	const char *boost = doctor_text(d, "/sys/devices/system/cpu/cpufreq/boost");
	bool is_off = no_turbo ? !strcmp(no_turbo, "1") : boost && !strcmp(boost, "0");

	if (!governor && !no_turbo && !boost)
		add(d, "CPU frequency", "not visible here", false, DOCTOR_NOTE,
			"the hypervisor or the firmware sets the clock; ask for a fixed one",
			"runs that differ by the clock alone become equal", NULL);
	add(d, "CPU frequency governor", governor, governor && !strcmp(governor, "performance"),
		DOCTOR_LOOK, "let the clock stay up",
		"no ramp at the start of each sample; often the largest single gain on "
		"laptops and desktops",
		"benchd-tune apply --set governor");
	if (no_turbo || boost)
		add(d, "turbo", is_off ? "off" : "on", is_off, DOCTOR_LOOK,
			"switch turbo off while measuring",
			"the clock depends neither on temperature nor on what the other cores "
			"do: 1 to 10 % less drift on bare metal",
			"benchd-tune apply --set turbo");
}

static void check_smt(struct doctor *d)
{
	const char *active = doctor_text(d, "/sys/devices/system/cpu/smt/active");
	const char *siblings = doctor_text(
		d, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", d->cpu);
	bool is_shared = siblings && strpbrk(siblings, ",-");

	if (!active && !siblings)
		return;
	add(d, "SMT (hyper-threads)",
		is_shared ? doctor_print(d, "cpu %d shares its core: %s", d->cpu, siblings)
			  : "the measuring cpu has its core to itself",
		!is_shared, DOCTOR_LOOK,
		doctor_print(d,
			"keep both threads of a core for the benchmark (cpus: \"%s\"), "
			"or switch SMT off",
			siblings ? siblings : ""),
		"a busy sibling takes up to half of the core's speed, seen as noise",
		"benchd-tune apply --set smt");
}

static void check_memory(struct doctor *d)
{
	const char *thp =
		chosen(d, doctor_text(d, "/sys/kernel/mm/transparent_hugepage/enabled"));
	const char *swaps = doctor_text(d, "/proc/swaps");
	const char *swappiness = doctor_text(d, "/proc/sys/vm/swappiness");
	bool has_swap = swaps && strchr(swaps, '\n');

	add(d, "transparent huge pages", thp, thp && strcmp(thp, "always") != 0, DOCTOR_LOOK,
		"give huge pages only to programs that ask for them",
		"whether an array gets huge pages no longer depends on how fragmented memory "
		"is: up to 10 % between runs of memory-bound programs",
		"benchd-tune apply --set thp");
	add(d, "swap", has_swap ? doctor_print(d, "in use, swappiness %s", swappiness) : "none",
		!has_swap || !swappiness || atoi(swappiness) <= 1, DOCTOR_LOOK,
		"do not swap ahead of need, or switch swap off",
		"no page of the benchmark has to come back from disk in the middle of a sample",
		"benchd-tune apply --set swappiness");
	add(d, "KSM", doctor_text(d, "/sys/kernel/mm/ksm/run"),
		doctor_number(d, "/sys/kernel/mm/ksm/run") < 1, DOCTOR_LOOK,
		"stop the scan for equal pages", "no copy-on-write faults in merged pages",
		"benchd-tune apply --set ksm");
	if (doctor_text(d, "/sys/devices/system/node/node1/cpulist"))
		add(d, "NUMA balancing", doctor_text(d, "/proc/sys/kernel/numa_balancing"),
			doctor_number(d, "/proc/sys/kernel/numa_balancing") < 1, DOCTOR_LOOK,
			"let pages stay where they were put",
			"no faults that the kernel makes to learn who uses a page",
			"benchd-tune apply --set numa_balancing");
}

static void check_layout(struct doctor *d)
{
	int64_t aslr = doctor_number(d, "/proc/sys/kernel/randomize_va_space");

	if (aslr < 0)
		return;
	/* Few processes of one layout agree with each other, and are wrong together. */
	add(d, "ASLR", aslr ? "on" : "off", aslr != 0, DOCTOR_LOOK,
		"leave it on: benchd measures fresh processes, each with its own layout",
		"the result is that of the program, not of one lucky layout",
		"sysctl -w kernel.randomize_va_space=2");
}

static bool is_good_clock(const char *source)
{
	return !source || (strcmp(source, "hpet") != 0 && strcmp(source, "acpi_pm") != 0 &&
				  strcmp(source, "jiffies") != 0);
}

/* Can instructions of an own process be counted (perf_event_open(2))? */
static bool can_count(void)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void check_counters(struct doctor *d, int64_t paranoid)
{
	const char *level = doctor_print(d, "perf_event_paranoid %lld", (long long)paranoid);

	if (paranoid > 2 || *d->root || can_count())
		add(d, "hardware counters", level, paranoid <= 2, DOCTOR_LOOK,
			"let programs count their own events",
			"instructions beside times: a figure that noise does not touch",
			"benchd-tune apply --set perf");
	else
		add(d, "hardware counters", "none on this host", false, DOCTOR_NOTE,
			"instructions can be counted by valgrind instead: counters: "
			"{cachegrind: true} in a workload's protocol",
			"a figure that noise does not touch", NULL);
}

static void check_energy(struct doctor *d)
{
	static const char path[] = "/sys/class/powercap/intel-rapl:0/";
	bool is_there = doctor_text(d, "%sname", path);
	bool is_readable = doctor_number(d, doctor_print(d, "%senergy_uj", path)) >= 0;

	if (is_there)
		add(d, "energy counters", is_readable ? "readable" : "readable for root only",
			is_readable, DOCTOR_NOTE, "run the worker as root to have them",
			"joules beside times", NULL);
}

static void check_kernel(struct doctor *d)
{
	const char *source = doctor_text(
		d, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	int64_t paranoid = doctor_number(d, "/proc/sys/kernel/perf_event_paranoid");
	bool is_virtual =
		strstr(doctor_text(d, "/proc/cpuinfo") ? doctor_text(d, "/proc/cpuinfo") : "",
			" hypervisor");

	add(d, "clock source", source, is_good_clock(source), DOCTOR_BAD,
		"boot with clocksource=tsc; benchd refuses to measure with this one",
		"reading the time costs 20 ns instead of a microsecond and a system call",
		"add clocksource=tsc to the kernel's command line");
	if (paranoid >= 0)
		check_counters(d, paranoid);
	if (!is_virtual)
		add(d, "NMI watchdog", doctor_text(d, "/proc/sys/kernel/nmi_watchdog"),
			doctor_number(d, "/proc/sys/kernel/nmi_watchdog") < 1, DOCTOR_LOOK,
			"give its hardware counter back",
			"one more counter at a time without multiplexing",
			"benchd-tune apply --set nmi_watchdog");
}

/* Hottest sensor in millidegrees; -1: none can be read. */
static int64_t hottest(struct doctor *d)
{
	const char *pattern = doctor_print(d, "%s/sys/class/hwmon/hwmon*/temp*_input", d->root);
	const char *zones = doctor_print(d, "%s/sys/class/thermal/thermal_zone*/temp", d->root);
	int64_t most = -1;
	glob_t g;

	if (glob(pattern, 0, NULL, &g) == 0)
		(void)glob(zones, GLOB_APPEND, NULL, &g);
	else
		(void)!glob(zones, 0, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc; i++)
		most = MAX(most, doctor_number(d, g.gl_pathv[i] + strlen(d->root)));
	globfree(&g);
	return most;
}

static void check_heat_and_power(struct doctor *d)
{
	int64_t mc = hottest(d);
	const char *mains = distinct(d, "/sys/class/power_supply/A*/online");

	add(d, "temperature",
		mc < 0 ? "no sensor can be read"
		       : doctor_print(d, "%lld C at the hottest sensor", (long long)mc / 1000),
		mc < 85000, DOCTOR_LOOK, "let it cool down, and look after fans and dust",
		"no throttling: near its limit a processor lowers its clock", NULL);
	add(d, "power supply", mains ? strcmp(mains, "0") ? "mains" : "battery" : NULL,
		!mains || strcmp(mains, "0") != 0, DOCTOR_BAD, "measure on mains power",
		"on battery the firmware limits the clock", NULL);
}

void doctor_settings(struct doctor *d)
{
	check_frequency(d);
	check_smt(d);
	check_memory(d);
	check_layout(d);
	check_kernel(d);
	check_energy(d);
	check_heat_and_power(d);
}
