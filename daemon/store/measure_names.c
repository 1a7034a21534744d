/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures whose units and direction are known by name: Bencher's built-in ones, so that its
 * adapters' results get its units, and benchd's own. */
#include "daemon/store/measure_names.h"

#include <string.h>
#include "base/cleanup.h"

static const struct known_measure known[] = {
	/* slug, name, units, better */
	{ "latency", "Latency", "nanoseconds (ns)", BETTER_LOWER },
	{ "throughput", "Throughput", "operations / second (ops/s)", BETTER_HIGHER },
	{ "build-time", "Build Time", "seconds (s)", BETTER_LOWER },
	{ "file-size", "File Size", "bytes (B)", BETTER_LOWER },
	{ "cpu-time", "CPU Time", "nanoseconds (ns)", BETTER_LOWER },
	{ "memory-peak", "Memory Peak", "bytes (B)", BETTER_LOWER },
	{ "package-energy", "Package Energy", "joules (J)", BETTER_LOWER },
	{ "user-instructions", "User Instructions", "events", BETTER_LOWER },
	{ "user-cycles", "User Cycles", "events", BETTER_LOWER },
	{ "user-branch-misses", "User Branch Misses", "events", BETTER_LOWER },
	{ "user-cache-misses", "User Cache Misses", "events", BETTER_LOWER },
	{ "allocated", "Allocated", "bytes (B)", BETTER_LOWER },
	{ "gen0-collects", "Gen0 Collects", "collects", BETTER_LOWER },
	{ "gen1-collects", "Gen1 Collects", "collects", BETTER_LOWER },
	{ "gen2-collects", "Gen2 Collects", "collects", BETTER_LOWER },
	{ "total-operations", "Total Operations", "operations", BETTER_HIGHER },
	{ "instructions", "Instructions", "instructions", BETTER_LOWER },
	{ "l1-accesses", "L1 Accesses", "accesses", BETTER_LOWER },
	{ "l2-accesses", "L2 Accesses", "accesses", BETTER_LOWER },
	{ "ram-accesses", "RAM Accesses", "accesses", BETTER_LOWER },
	{ "estimated-cycles", "Estimated Cycles", "cycles", BETTER_LOWER },
	{ "compute-jitter", "Compute Jitter", "percentage (%)", BETTER_LOWER },
	{ "cache-jitter", "Cache Jitter", "percentage (%)", BETTER_LOWER },
	{ "io-jitter", "I/O Jitter", "percentage (%)", BETTER_LOWER },
	{ "cpu-steal", "CPU Steal", "percentage (%)", BETTER_LOWER },
	{ "noise-score", "Noise Score", "decibels (dB)", BETTER_LOWER },
};

const struct known_measure *measure_known(const char *name_or_slug)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].slug, name_or_slug) ||
			!strcmp(known[i].name, name_or_slug))
			return &known[i];
	return NULL;
}

/* Units that count something per time: more of it is better. */
static bool is_rate(const char *units)
{
	return strstr(units, "/s") || strstr(units, "per second") || strstr(units, "/ second");
}

enum better measure_guess_better(const char *name, const char *units)
{
	static const char *const words[] = { "throughput", "Throughput", "bandwidth",
		"Bandwidth", "flops", "FLOPS", "per-second", "per second" };

	if (units && is_rate(units))
		return BETTER_HIGHER;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(name, words[i]))
			return BETTER_HIGHER;
	return BETTER_LOWER;
}

const char *measure_guess_units(const char *name)
{
	return strncmp(name, "accuracy.", 9) ? "Measure (units)" : "1";
}
