/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/require.h"

#include <glob.h>
#include <string.h>
#include "worker/cpus.h"
#include "worker/fingerprint.h"
#include "worker/tree.h"

enum { WHY = 160 };

#define TUNE(setting) "; see benchd-tune apply --set " setting

static const cpu_set_t *measuring(const struct job *j)
{
	return CPU_COUNT(&j->cpus) ? &j->cpus : &j->host->allowed;
}

/* The same line for each measuring cpu? ret: of the first for which it is another one. */
static bool each_cpu_has(
	const struct job *j, const char *file, const char *wanted, char why[WHY])
{
	char path[TREE_PATH], text[TREE_FACT];

	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, measuring(j)))
			continue;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/%s", i, file);
		if (!tree_line(path, text))
			snprintf(text, sizeof(text), "not told by this host");
		if (strcmp(text, wanted) != 0) {
			snprintf(why, WHY, "that of cpu %d is %.60s", i, text);
			return false;
		}
	}
	return true;
}

static bool has_governor(const struct job *j, char why[WHY])
{
	return each_cpu_has(j, "cpufreq/scaling_governor", "performance", why);
}

static bool has_no_turbo(const struct job *j, char why[WHY])
{
	char text[TREE_FACT];

	(void)j;
	if (tree_line("/sys/devices/system/cpu/intel_pstate/no_turbo", text))
		return !strcmp(text, "1");
	if (tree_line("/sys/devices/system/cpu/cpufreq/boost", text))
		return !strcmp(text, "0");
	snprintf(why, WHY, "this host does not tell whether it is off");
	return false;
}

static bool has_whole_cores(const struct job *j, char why[WHY])
{
	char path[TREE_PATH], text[TREE_FACT];
	struct error err;
	cpu_set_t core;

	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, measuring(j)))
			continue;
		snprintf(path, sizeof(path),
			"/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", i);
		if (!tree_line(path, text) || cpus_parse(text, &core, &err) < 0) {
			snprintf(why, WHY, "this host does not tell it of cpu %d", i);
			return false;
		}
		CPU_AND(&core, &core, &j->host->allowed);
		if (CPU_COUNT(&core) > 1) {
			snprintf(why, WHY, "cpu %d shares its core: %.60s", i, text);
			return false;
		}
	}
	return true;
}

static bool has_aslr(const struct job *j, char why[WHY])
{
	char text[TREE_FACT];

	(void)j;
	(void)why;
	return tree_line("/proc/sys/kernel/randomize_va_space", text) && strcmp(text, "0") != 0;
}

static bool has_no_swap(const struct job *j, char why[WHY])
{
	(void)why;
	return !j->host->has_swap;
}

static bool is_isolated(const struct job *j, char why[WHY])
{
	char text[TREE_FACT];
	cpu_set_t isolated, others;
	struct error err;

	if (!tree_line("/sys/devices/system/cpu/isolated", text) ||
		cpus_parse(text, &isolated, &err) < 0)
		CPU_ZERO(&isolated);
	if (!cpus_subtract(measuring(j), &isolated, &others))
		return true;
	snprintf(why, WHY, "the scheduler uses %d of the measuring cpus for others",
		CPU_COUNT(&others));
	return false;
}

static bool has_counters(const struct job *j, char why[WHY])
{
	(void)why;
	return j->host->has_pmu;
}

static bool has_energy(const struct job *j, char why[WHY])
{
	snprintf(why, WHY, "RAPL is %s here", j->host->energy.status);
	return j->host->energy.n > 0;
}

static bool is_bare_metal(const struct job *j, char why[WHY])
{
	(void)j;
	(void)why;
	return !fingerprint_is_virtual();
}

static bool is_on_mains(const struct job *j, char why[WHY])
{
	(void)j;
	(void)why;
	return strcmp(host_power(), "battery") != 0;
}

/* Known only behind the wait. */
static bool is_quiet(const struct job *j, char why[WHY])
{
	(void)why;
	return !j->started_busy;
}

/* By the bits of struct spec_protocol. */
static const struct {
	bool is_of_moment;
	bool (*is_met)(const struct job *j, char why[WHY]);
	const char *claim, *advice;
} demands[N_REQUIREMENTS] = {
	[REQUIRE_QUIET] = { true, is_quiet, "a quiet host", "; give it a longer idle_wait" },
	[REQUIRE_GOVERNOR] = { false, has_governor, "the frequency governor 'performance'",
		TUNE("governor") },
	[REQUIRE_NO_TURBO] = { false, has_no_turbo, "turbo to be off", TUNE("turbo") },
	[REQUIRE_WHOLE_CORES] = { false, has_whole_cores,
		"measuring cpus with a core to themselves", TUNE("smt") },
	[REQUIRE_ASLR] = { false, has_aslr, "randomised address spaces", "" },
	[REQUIRE_NO_SWAP] = { false, has_no_swap, "no swap", "; see swapoff(8)" },
	[REQUIRE_ISOLATED] = { false, is_isolated, "isolated cpus",
		"; boot with isolcpus and measure there" },
	[REQUIRE_COUNTERS] = { false, has_counters, "hardware counters", TUNE("perf") },
	[REQUIRE_ENERGY] = { false, has_energy, "energy counters",
		"; the worker must run as root" },
	[REQUIRE_BARE_METAL] = { false, is_bare_metal, "a machine that is not virtual", "" },
	[REQUIRE_MAINS] = { false, is_on_mains, "mains power", "" },
};

static int check(struct job *j, bool is_of_moment)
{
	for (int i = 0; i < N_REQUIREMENTS; i++) {
		char why[WHY] = "";

		if (!(j->spec->protocol.require & (1U << i)) ||
			demands[i].is_of_moment != is_of_moment || demands[i].is_met(j, why))
			continue;
		return job_refuse(j,
			"protocol.require asks for %s, which this host does not have%s%s%s",
			demands[i].claim, *why ? ": " : "", why, demands[i].advice);
	}
	return OK;
}

int require_settings(struct job *j)
{
	return j->spec->protocol.require ? check(j, false) : OK;
}

int require_moment(struct job *j)
{
	return j->spec->protocol.require ? check(j, true) : OK;
}
