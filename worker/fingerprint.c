/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/fingerprint.h"

#include <ctype.h>
#include <glob.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/fs.h"
#include "base/secret.h"
#include "worker/cpus.h"
#include "worker/utf8.h"

enum { MAX_FACT = 256 };

/* One line of a file as text without blanks at its end; NULL when it is not there. */
static const char *line_of(const char *path, char out[MAX_FACT])
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;
	size_t n;

	if (file_read(path, 1 << 20, &b, &err) < 0)
		return NULL;
	n = strcspn(buf_str(&b), "\n");
	n = MIN(n, (size_t)MAX_FACT - 1);
	memcpy(out, buf_str(&b), n);
	while (n && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = 0;
	return n ? out : NULL;
}

static void add_line(json_t *o, const char *key, const char *path)
{
	char text[MAX_FACT];

	json_set_opt(o, key, line_of(path, text));
}

/* "[always] madvise never" -> "always": the chosen one of a list. */
static void add_choice(json_t *o, const char *key, const char *path)
{
	char text[MAX_FACT], *start, *end;

	if (!line_of(path, text))
		return;
	start = strchr(text, '[');
	end = start ? strchr(start, ']') : NULL;
	if (end)
		*end = 0;
	json_set_str(o, key, end ? start + 1 : text);
}

/* Value of "key : value" in /proc/cpuinfo's first processor. */
static void add_cpuinfo(json_t *o, const char *key, const char *text, const char *label)
{
	size_t n = strlen(label);

	for (const char *s = text; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		const char *colon;
		char value[MAX_FACT];

		if (strncmp(s, label, n) || (s[n] != '\t' && s[n] != ' ' && s[n] != ':'))
			continue;
		colon = s + strcspn(s, ":\n");
		if (*colon != ':')
			return;
		colon += 1 + strspn(colon + 1, " \t");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(colon, "\n"), colon);
		json_set_str(o, key, value);
		return;
	}
}

static void add_cpu(json_t *o)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;
	json_t *cpu = json_object();

	if (file_read("/proc/cpuinfo", 4 << 20, &b, &err) == OK) {
		const char *text = buf_str(&b);

		add_cpuinfo(cpu, "vendor", text, "vendor_id");
		add_cpuinfo(cpu, "family", text, "cpu family");
		add_cpuinfo(cpu, "model", text, "model");
		add_cpuinfo(cpu, "stepping", text, "stepping");
		add_cpuinfo(cpu, "name", text, "model name");
		add_cpuinfo(cpu, "implementer", text, "CPU implementer");
		add_cpuinfo(cpu, "part", text, "CPU part");
		add_cpuinfo(cpu, "revision", text, "CPU revision");
	}
	json_object_set_new(o, "cpu", cpu);
}

static int64_t count_matches(const char *pattern)
{
	glob_t g;
	int64_t n = glob(pattern, 0, NULL, &g) == 0 ? (int64_t)g.gl_pathc : 0;

	globfree(&g);
	return n;
}

/* Distinct values of one topology file over all cpus (and, for cores, within packages). */
static int64_t count_distinct(const char *what, bool within_package)
{
	json_t *seen = json_object();
	int64_t n;
	glob_t g;

	if (glob("/sys/devices/system/cpu/cpu[0-9]*/topology", 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			char path[512], package[MAX_FACT] = "", id[MAX_FACT] = "";
			char key[2 * MAX_FACT + 2];

			snprintf(path, sizeof(path), "%.400s/physical_package_id",
				g.gl_pathv[i]);
			if (within_package)
				(void)line_of(path, package);
			snprintf(path, sizeof(path), "%.400s/%s", g.gl_pathv[i], what);
			if (!line_of(path, id))
				continue;
			snprintf(key, sizeof(key), "%s/%s", package, id);
			json_object_set_new(seen, key, json_true());
		}
	globfree(&g);
	n = (int64_t)json_object_size(seen);
	json_decref(seen);
	return n;
}

static void add_topology(json_t *o)
{
	json_t *t = json_object();

	json_set_int(t, "sockets", count_distinct("physical_package_id", false));
	json_set_int(t, "cores", count_distinct("core_id", true));
	json_set_int(t, "threads", sysconf(_SC_NPROCESSORS_ONLN));
	json_set_int(t, "numa_nodes", count_matches("/sys/devices/system/node/node[0-9]*"));
	add_line(t, "smt", "/sys/devices/system/cpu/smt/control");
	json_object_set_new(o, "topology", t);
}

static void add_caches(json_t *o)
{
	json_t *caches = json_object();

	for (int i = 0; i < 8; i++) {
		char path[128], level[MAX_FACT], type[MAX_FACT], size[MAX_FACT], key[600];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/level",
			i);
		if (!line_of(path, level))
			break;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/type",
			i);
		(void)line_of(path, type);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/size",
			i);
		if (!line_of(path, size))
			continue;
		snprintf(key, sizeof(key), "L%s %s", level, type);
		json_set_str(caches, key, size);
	}
	json_object_set_new(o, "caches", caches);
}

static void add_memory(json_t *o)
{
	struct sysinfo si;

	if (sysinfo(&si) == 0)
		json_set_int(o, "memory_gib",
			(int64_t)(((double)si.totalram * si.mem_unit) / (double)GiB + 0.5));
}

static void add_policies(json_t *o)
{
	json_t *p = json_object();

	add_line(p, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_line(p, "no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo");
	add_line(p, "boost", "/sys/devices/system/cpu/cpufreq/boost");
	add_line(p, "aslr", "/proc/sys/kernel/randomize_va_space");
	add_choice(p, "thp", "/sys/kernel/mm/transparent_hugepage/enabled");
	json_object_set_new(o, "policies", p);
}

/* Graphics devices by their bus ids: the worker never loads a driver. */
static json_t *list_devices(void)
{
	json_t *list = json_array();
	glob_t g;

	if (glob("/sys/class/drm/renderD*/device", 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			json_t *o = json_object();
			char path[512], link[MAX_FACT];
			ssize_t n;

			snprintf(path, sizeof(path), "%.400s/vendor", g.gl_pathv[i]);
			add_line(o, "vendor", path);
			snprintf(path, sizeof(path), "%.400s/device", g.gl_pathv[i]);
			add_line(o, "device", path);
			snprintf(path, sizeof(path), "%.400s/driver", g.gl_pathv[i]);
			n = readlink(path, link, sizeof(link) - 1);
			link[MAX(n, 0)] = 0;
			if (n > 0 && strrchr(link, '/'))
				json_set_str(o, "driver", strrchr(link, '/') + 1);
			json_array_append_new(list, o);
		}
	globfree(&g);
	return list;
}

/* "gcc version ..." costs a process; what the package manager calls the compiler is in its file
 * names, but the program itself is the honest source. Read once at start. */
static void add_compiler(json_t *o)
{
	FILE *f = popen("LC_ALL=C cc --version 2>/dev/null", "re");
	char text[MAX_FACT] = "";

	if (f && fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = 0;
		json_set_str(o, "compiler", text);
	}
	if (f)
		pclose(f);
	json_set_str(o, "libc", gnu_get_libc_version());
}

/* The walls around the worker itself: they slow system calls of everything it starts. */
static void add_walls(json_t *o)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;
	json_t *w = json_object();

	if (file_read("/proc/self/status", 65536, &b, &err) == OK) {
		add_cpuinfo(w, "seccomp", buf_str(&b), "Seccomp");
		add_cpuinfo(w, "seccomp_filters", buf_str(&b), "Seccomp_filters");
	}
	json_object_set_new(o, "worker", w);
}

static void add_kernel(json_t *o)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	json_set_str(o, "arch", u.machine);
	json_set_str(o, "kernel", u.release);
}

bool fingerprint_is_virtual(void)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;

	return file_read("/proc/cpuinfo", 4 << 20, &b, &err) == OK &&
	       strstr(buf_str(&b), " hypervisor") != NULL;
}

static json_t *make_identity(struct host *h)
{
	_cleanup_(buf_done)
	struct buf cpus = { 0 };
	json_t *o = json_object();

	add_kernel(o);
	add_cpu(o);
	add_topology(o);
	add_caches(o);
	add_memory(o);
	add_policies(o);
	add_compiler(o);
	add_walls(o);
	json_set_bool(o, "virtual", fingerprint_is_virtual());
	cpus_format(CPU_COUNT(&h->cpus) ? &h->cpus : &h->allowed, &cpus);
	json_set_str(o, "cpus", buf_str(&cpus));
	add_line(o, "nvidia", "/proc/driver/nvidia/version");
	json_object_set(o, "devices", h->devices);
	return o;
}

void fingerprint_make(struct host *h)
{
	char text[MAX_FACT], *canonical;

	h->devices = list_devices();
	h->identity = make_identity(h);
	canonical = json_canonical(h->identity);
	sha256_hex(canonical, strlen(canonical), h->id);
	free(canonical);
	h->clock_source = xstrdup(
		line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			text)
			? text
			: "");
}

static void add_pressure(json_t *o)
{
	static const char *const kinds[] = { "cpu", "io", "memory" };
	json_t *p = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char path[64], text[MAX_FACT], *at;

		snprintf(path, sizeof(path), "/proc/pressure/%s", kinds[i]);
		if (!line_of(path, text))
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
	return o;
}
