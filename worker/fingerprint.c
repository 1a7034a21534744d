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
#include "worker/tree.h"
#include "worker/utf8.h"

static int read_fact(const char *path, size_t limit, struct buf *b)
{
	char full[TREE_PATH];
	struct error err;

	return file_read(tree_path(path, full), limit, b, &err);
}

static void add_line(json_t *o, const char *key, const char *path)
{
	char text[TREE_FACT];

	json_set_opt(o, key, tree_line(path, text));
}

/* "[always] madvise never" -> "always": the chosen one of a list. */
static void add_choice(json_t *o, const char *key, const char *path)
{
	char text[TREE_FACT], *start, *end;

	if (!tree_line(path, text))
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
		char value[TREE_FACT];

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
	json_t *cpu = json_object();

	if (read_fact("/proc/cpuinfo", 4 << 20, &b) == OK) {
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
	char full[TREE_PATH];
	glob_t g;
	int64_t n = glob(tree_path(pattern, full), 0, NULL, &g) == 0 ? (int64_t)g.gl_pathc : 0;

	globfree(&g);
	return n;
}

/* Distinct values of one topology file over all cpus (and, for cores, within packages). */
static int64_t count_distinct(const char *what, bool within_package)
{
	json_t *seen = json_object();
	char full[TREE_PATH];
	int64_t n;
	glob_t g;

	if (glob(tree_path("/sys/devices/system/cpu/cpu[0-9]*/topology", full), 0, NULL, &g) ==
		0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			char path[512], package[TREE_FACT] = "", id[TREE_FACT] = "";
			char key[2 * TREE_FACT + 2];

			snprintf(path, sizeof(path), "%.400s/physical_package_id",
				g.gl_pathv[i]);
			if (within_package)
				(void)tree_line_at(path, package);
			snprintf(path, sizeof(path), "%.400s/%s", g.gl_pathv[i], what);
			if (!tree_line_at(path, id))
				continue;
			snprintf(key, sizeof(key), "%s/%s", package, id);
			json_object_set_new(seen, key, json_true());
		}
	globfree(&g);
	n = (int64_t)json_object_size(seen);
	json_decref(seen);
	return n;
}

static int64_t count_online(void)
{
	char text[TREE_FACT];
	struct error err;
	cpu_set_t set;

	if (tree_line("/sys/devices/system/cpu/online", text) &&
		cpus_parse(text, &set, &err) == OK && CPU_COUNT(&set))
		return CPU_COUNT(&set);
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static void add_topology(json_t *o)
{
	json_t *t = json_object();

	json_set_int(t, "sockets", count_distinct("physical_package_id", false));
	json_set_int(t, "cores", count_distinct("core_id", true));
	json_set_int(t, "threads", count_online());
	json_set_int(t, "numa_nodes", count_matches("/sys/devices/system/node/node[0-9]*"));
	add_line(t, "smt", "/sys/devices/system/cpu/smt/control");
	json_object_set_new(o, "topology", t);
}

static void add_caches(json_t *o)
{
	json_t *caches = json_object();

	for (int i = 0; i < 8; i++) {
		char path[128], level[TREE_FACT], type[TREE_FACT], size[TREE_FACT], key[600];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/level",
			i);
		if (!tree_line(path, level))
			break;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/type",
			i);
		(void)tree_line(path, type);
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/size",
			i);
		if (!tree_line(path, size))
			continue;
		snprintf(key, sizeof(key), "L%s %s", level, type);
		json_set_str(caches, key, size);
	}
	json_object_set_new(o, "caches", caches);
}

/* "MemTotal:  24690000 kB", in its first line. */
static void add_memory(json_t *o)
{
	char text[TREE_FACT];

	if (tree_line("/proc/meminfo", text) && !strncmp(text, "MemTotal:", 9))
		json_set_int(o, "memory_gib",
			(int64_t)(strtod(text + 9, NULL) * KiB / (double)GiB + 0.5));
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

static void add_beside(json_t *o, const char *name, const char *folder)
{
	char path[TREE_PATH], text[TREE_FACT];

	snprintf(path, sizeof(path), "%.400s/%s", folder, name);
	json_set_opt(o, name, tree_line_at(path, text));
}

/* Its name, and its version where it does not come with the kernel. */
static void add_driver(json_t *o, const char *folder)
{
	char path[TREE_PATH], link[TREE_FACT], *name;
	ssize_t n;

	snprintf(path, sizeof(path), "%.400s/driver", folder);
	n = readlink(path, link, sizeof(link) - 1);
	link[MAX(n, 0)] = 0;
	name = strrchr(link, '/');
	if (!name)
		return;
	json_set_str(o, "driver", name + 1);
	snprintf(path, sizeof(path), "/sys/module/%.200s/version", name + 1);
	add_line(o, "driver_version", path);
}

/* Graphics devices by their bus ids: the worker never loads a driver. */
static json_t *list_devices(void)
{
	json_t *list = json_array();
	char full[TREE_PATH];
	glob_t g;

	if (glob(tree_path("/sys/class/drm/renderD*/device", full), 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++) {
			json_t *o = json_object();

			add_beside(o, "vendor", g.gl_pathv[i]);
			add_beside(o, "device", g.gl_pathv[i]);
			add_driver(o, g.gl_pathv[i]);
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
	char text[TREE_FACT] = "";

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

	/* These are the walls here, whatever machine is played. */
	if (file_read("/proc/self/status", 65536, &b, &err) == OK) {
		add_cpuinfo(w, "seccomp", buf_str(&b), "Seccomp");
		add_cpuinfo(w, "seccomp_filters", buf_str(&b), "Seccomp_filters");
	}
	json_object_set_new(o, "worker", w);
}

static void add_kernel(json_t *o)
{
	struct utsname u;

	if (uname(&u) == 0)
		json_set_str(o, "arch", u.machine);
	add_line(o, "kernel", "/proc/sys/kernel/osrelease");
}

bool fingerprint_is_virtual(void)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	return read_fact("/proc/cpuinfo", 4 << 20, &b) == OK &&
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

static void hash_of(const json_t *identity, char id[65])
{
	char *canonical = json_canonical(identity);

	sha256_hex(canonical, strlen(canonical), id);
	free(canonical);
}

/* Looked at with each job, so only at what can change and in few files. */
json_t *fingerprint_changed(const struct host *h, char id[65])
{
	const json_t *topology = json_object_get(h->identity, "topology");
	json_t *now = json_object();
	char smt[TREE_FACT] = "";

	add_policies(now);
	(void)tree_line("/sys/devices/system/cpu/smt/control", smt);
	if (json_equal(json_object_get(now, "policies"),
		    json_object_get(h->identity, "policies")) &&
		count_online() == json_get_int(topology, "threads", -1) &&
		!strcmp(smt, json_get_str(topology, "smt", ""))) {
		json_decref(now);
		snprintf(id, 65, "%s", h->id);
		return NULL;
	}
	add_topology(now);
	json_object_update_missing(now, h->identity);
	hash_of(now, id);
	return now;
}

static void difference_in(const json_t *a, const json_t *b, const char *group, char out[160])
{
	json_t *from = json_object_get(a, group), *to = json_object_get(b, group), *v;
	json_t *all = from ? json_copy(from) : json_object();
	const char *key;

	json_object_update_missing(all, to);
	json_object_foreach (all, key, v) {
		json_t *x = json_object_get(from, key), *y = json_object_get(to, key);
		char *was = x ? json_dumps(x, JSON_ENCODE_ANY) : NULL;
		char *is = y ? json_dumps(y, JSON_ENCODE_ANY) : NULL;

		if (!*out && (!x || !y || !json_equal(x, y)))
			snprintf(out, 160, "%.30s: %.50s -> %.50s", key, was ? was : "none",
				is ? is : "none");
		free(was);
		free(is);
	}
	json_decref(all);
}

void fingerprint_difference(const json_t *a, const json_t *b, char out[160])
{
	*out = 0;
	difference_in(a, b, "policies", out);
	difference_in(a, b, "topology", out);
}

void fingerprint_make(struct host *h)
{
	char text[TREE_FACT];

	h->devices = list_devices();
	h->identity = make_identity(h);
	hash_of(h->identity, h->id);
	h->clock_source = xstrdup(
		tree_line("/sys/devices/system/clocksource/clocksource0/current_clocksource",
			text)
			? text
			: "");
}
