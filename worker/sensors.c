/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/sensors.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include "worker/tree.h"

enum { HOT_MC = 85000, MARGIN_MC = 10000 };

/* What names itself as the sensor of a processor. */
static const char *const processors[] = { "coretemp", "k10temp", "zenpower", "cpu_thermal",
	"x86_pkg_temp", "cpu*", "soc*", NULL };

static bool is_processor(const char *name)
{
	for (const char *const *p = processors; *p; p++)
		if (fnmatch(*p, name, 0) == 0)
			return true;
	return false;
}

static int64_t number_of(const char *path)
{
	char text[TREE_FACT];

	return tree_line(path, text) ? strtoll(text, NULL, 10) : -1;
}

static int first_cpu(const struct host *h)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, CPU_COUNT(&h->cpus) ? &h->cpus : &h->allowed))
			return i;
	return 0;
}

static const char *of_cpu(const struct host *h, const char *what, char out[TREE_PATH])
{
	snprintf(out, TREE_PATH, "/sys/devices/system/cpu/cpu%d/%s", first_cpu(h), what);
	return out;
}

/* The folder of a processor's sensor among those of a pattern, else of the first that has the
 * file `value`; "" when there is none. Below the played root. */
static void find_sensor(const char *pattern, const char *label, const char *value,
	bool must_be_processor, char out[TREE_PATH])
{
	char full[TREE_PATH], path[TREE_PATH], name[TREE_FACT];
	size_t skip = strlen(tree_path("", full));
	glob_t g;

	*out = 0;
	if (glob(tree_path(pattern, full), 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc && !*out; i++) {
			const char *folder = g.gl_pathv[i] + skip;
			bool is_one;

			snprintf(path, sizeof(path), "%.400s/%s", folder, label);
			is_one = tree_line(path, name) && is_processor(name);
			snprintf(path, sizeof(path), "%.400s/%s", folder, value);
			if ((is_one || !must_be_processor) && tree_line(path, name))
				snprintf(out, TREE_PATH, "%.400s", folder);
		}
	globfree(&g);
}

static void open_temperature(struct host *h)
{
	static const struct {
		const char *pattern, *label, *value;
		bool must_be_processor;
	} kinds[] = {
		{ "/sys/class/hwmon/hwmon*", "name", "temp1_input", true },
		{ "/sys/class/thermal/thermal_zone*", "type", "temp", true },
		{ "/sys/class/hwmon/hwmon*", "name", "temp1_input", false },
		{ "/sys/class/thermal/thermal_zone*", "type", "temp", false },
	};
	char folder[TREE_PATH] = "", path[TREE_PATH];
	int64_t critical;

	h->temperature = -1;
	h->hot_mc = HOT_MC;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && h->temperature < 0; i++) {
		find_sensor(kinds[i].pattern, kinds[i].label, kinds[i].value,
			kinds[i].must_be_processor, folder);
		snprintf(path, sizeof(path), "%.400s/%s", folder, kinds[i].value);
		h->temperature = *folder ? tree_open(path) : -1;
	}
	snprintf(path, sizeof(path), "%.400s/temp1_crit", folder);
	critical = *folder ? number_of(path) : -1;
	if (critical > 3 * MARGIN_MC)
		h->hot_mc = critical - MARGIN_MC;
}

void sensors_open(struct host *h)
{
	char path[TREE_PATH];

	open_temperature(h);
	h->frequency = tree_open(of_cpu(h, "cpufreq/scaling_cur_freq", path));
	h->full_khz = MAX(number_of(of_cpu(h, "cpufreq/scaling_max_freq", path)), (int64_t)0);
	h->throttle[0] = tree_open(of_cpu(h, "thermal_throttle/package_throttle_count", path));
	h->throttle[1] = tree_open(of_cpu(h, "thermal_throttle/core_throttle_count", path));
	energy_open(&h->energy);
}
