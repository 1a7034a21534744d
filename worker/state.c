/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volatile facts about this machine: they explain outliers and are in no hash. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "worker/host.h"
#include "worker/tree.h"

static void add_pressure(json_t *o)
{
	static const char *const kinds[] = { "cpu", "io", "memory" };
	json_t *p = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char path[64], text[TREE_FACT], *at;

		snprintf(path, sizeof(path), "/proc/pressure/%s", kinds[i]);
		if (!tree_line(path, text))
			continue;
		at = strstr(text, "avg10=");
		if (at)
			json_set_real(p, kinds[i], strtod(at + 6, NULL));
	}
	json_object_set_new(o, "psi_avg10", p);
}

static void add_load(json_t *o)
{
	double load[3];
	struct sysinfo si;

	if (getloadavg(load, 3) == 3) {
		json_t *l = json_array();

		for (int i = 0; i < 3; i++)
			json_array_append_new(l, json_real(load[i]));
		json_object_set_new(o, "load", l);
	}
	if (sysinfo(&si) == 0) {
		json_set_int(o, "uptime_s", si.uptime);
		json_set_int(o, "free_bytes", (int64_t)si.freeram * si.mem_unit);
		json_set_int(o, "processes", si.procs);
	}
}

static int64_t read_number(int fd)
{
	char text[64];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	text[MAX(n, 0)] = 0;
	return n > 0 ? strtoll(text, NULL, 10) : -1;
}

static void add_line(json_t *o, const char *key, const char *path)
{
	char text[TREE_FACT];

	json_set_opt(o, key, tree_line(path, text));
}

/* What the kernel does about faults of the processor: it costs system calls. */
static void add_mitigations(json_t *o)
{
	char full[TREE_PATH], text[TREE_FACT];
	json_t *list = json_object();
	glob_t g;

	if (glob(tree_path("/sys/devices/system/cpu/vulnerabilities/*", full), 0, NULL, &g) ==
		0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			json_set_opt(list, strrchr(g.gl_pathv[i], '/') + 1,
				tree_line_at(g.gl_pathv[i], text));
	globfree(&g);
	json_object_set_new(o, "mitigations", list);
}

static void add_services(json_t *o)
{
	char full[TREE_PATH];
	glob_t g;

	if (glob(tree_path("/sys/fs/cgroup/system.slice/*.service", full), 0, NULL, &g) == 0)
		json_set_int(o, "services", (int64_t)g.gl_pathc);
	globfree(&g);
}

/* Linux: Documentation/ABI/testing/sysfs-class-power. Only supplies of type Mains or USB say
 * whether they are online. */
const char *host_power(void)
{
	char full[TREE_PATH], text[TREE_FACT];
	bool is_online = false, has_any = false;
	glob_t g;

	if (glob(tree_path("/sys/class/power_supply/*/online", full), 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			has_any |= tree_line_at(g.gl_pathv[i], text) != NULL;
			is_online |= tree_line_at(g.gl_pathv[i], text) && atoi(text) > 0;
		}
	globfree(&g);
	return is_online || !has_any ? "mains" : "battery";
}

json_t *host_state(const struct host *h, bool brief)
{
	json_t *o = json_object();
	int64_t temperature = read_number(h->temperature), khz = read_number(h->frequency);

	add_load(o);
	add_pressure(o);
	if (temperature > 0)
		json_set_int(o, "temp_mc", temperature);
	if (khz > 0)
		json_set_int(o, "freq_khz", khz);
	if (brief)
		return o;
	json_set_str(o, "clock_source", h->clock_source);
	add_line(o, "boot_id", "/proc/sys/kernel/random/boot_id");
	add_line(o, "microcode", "/sys/devices/system/cpu/cpu0/microcode/version");
	add_line(o, "isolated", "/sys/devices/system/cpu/isolated");
	add_line(o, "nohz_full", "/sys/devices/system/cpu/nohz_full");
	add_line(o, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid");
	json_set_bool(o, "counters", true);
	json_set_bool(o, "hardware_counters", h->has_pmu);
	json_set_str(o, "energy", h->energy.status);
	json_set_str(o, "power", host_power());
	add_mitigations(o);
	add_services(o);
	return o;
}
