/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tune/setting.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <string.h>
#include "base/fs.h"

enum { MAX_VALUE = 4000, MAX_CPUS = 8192 };

const struct setting settings[n_settings] = {
	[SET_GOVERNOR] = { "governor", true, "clock does not follow the load" },
	[SET_TURBO] = { "turbo", true, "clock does not follow temperature and neighbours" },
	[SET_NMI_WATCHDOG] = { "nmi_watchdog", true, "gives a hardware counter back" },
	[SET_NUMA_BALANCING] = { "numa_balancing", true, "no page faults made by the kernel" },
	[SET_TIMER_MIGRATION] = { "timer_migration", true, "timers stay where they were set" },
	[SET_KSM] = { "ksm", true, "no scanning and merging of memory" },
	[SET_IRQ] = { "irq", true, "interrupts on the housekeeping cpus (--housekeeping)" },
	[SET_WORKQUEUE] = { "workqueue", true,
		"kernel work on the housekeeping cpus (--housekeeping)" },
	[SET_THP] = { "thp", false, "huge pages only where a program asks for them" },
	[SET_SWAPPINESS] = { "swappiness", false, "memory is not swapped ahead of need" },
	[SET_PERF] = { "perf", false, "counters for programs without privileges" },
	[SET_SMT] = { "smt", false, "one thread a core; changes the numbers of cpus" },
};

const char *const setting_names[n_settings + 1] = { "governor", "turbo", "nmi_watchdog",
	"numa_balancing", "timer_migration", "ksm", "irq", "workqueue", "thp", "swappiness",
	"perf", "smt", NULL };

enum kind { FIXED, IF_OFFERED, CPU_LIST, CPU_MASK };

/* One row a file pattern; a setting may have several. */
static const struct file {
	enum setting_id id;
	const char *pattern;
	enum kind kind;
	const char *value;
	const char *offers; /* IF_OFFERED: file beside it that lists what can be chosen */
} files[] = {
	{ SET_GOVERNOR, "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor", IF_OFFERED,
		"performance", "scaling_available_governors" },
	{ SET_TURBO, "/sys/devices/system/cpu/intel_pstate/no_turbo", FIXED, "1", NULL },
	{ SET_TURBO, "/sys/devices/system/cpu/cpufreq/boost", FIXED, "0", NULL },
	{ SET_NMI_WATCHDOG, "/proc/sys/kernel/nmi_watchdog", FIXED, "0", NULL },
	{ SET_NUMA_BALANCING, "/proc/sys/kernel/numa_balancing", FIXED, "0", NULL },
	{ SET_TIMER_MIGRATION, "/proc/sys/kernel/timer_migration", FIXED, "0", NULL },
	{ SET_KSM, "/sys/kernel/mm/ksm/run", FIXED, "0", NULL },
	{ SET_IRQ, "/proc/irq/default_smp_affinity", CPU_MASK, NULL, NULL },
	{ SET_IRQ, "/proc/irq/*/smp_affinity_list", CPU_LIST, NULL, NULL },
	{ SET_WORKQUEUE, "/sys/devices/virtual/workqueue/cpumask", CPU_MASK, NULL, NULL },
	{ SET_WORKQUEUE, "/sys/bus/workqueue/devices/writeback/cpumask", CPU_MASK, NULL, NULL },
	{ SET_THP, "/sys/kernel/mm/transparent_hugepage/enabled", FIXED, "madvise", NULL },
	{ SET_SWAPPINESS, "/proc/sys/vm/swappiness", FIXED, "1", NULL },
	{ SET_PERF, "/proc/sys/kernel/perf_event_paranoid", FIXED, "1", NULL },
	{ SET_SMT, "/sys/devices/system/cpu/smt/control", FIXED, "off", NULL },
};

/* --- lists and masks of cpus --- */

/* Set bits of "0-3,8"; false when it is no list of cpus. */
static bool parse_list(const char *text, unsigned char bits[MAX_CPUS])
{
	memset(bits, 0, MAX_CPUS);
	for (const char *p = text; *p;) {
		char *end;
		unsigned long from = strtoul(p, &end, 10), to = from;

		if (end == p)
			return false;
		if (*end == '-') {
			p = end + 1;
			to = strtoul(p, &end, 10);
			if (end == p)
				return false;
		}
		if (from > to || to >= MAX_CPUS || (*end && *end != ','))
			return false;
		memset(bits + from, 1, to - from + 1);
		p = *end ? end + 1 : end;
	}
	return true;
}

/* Set bits of "ff,00000001", 32 to a group, highest first. */
static bool parse_mask(const char *text, unsigned char bits[MAX_CPUS])
{
	size_t bit = 0;

	memset(bits, 0, MAX_CPUS);
	for (size_t i = strlen(text); i-- > 0;) {
		const char *digits = "0123456789abcdef", *d = strchr(digits, text[i] | 0x20);

		if (text[i] == ',')
			continue;
		if (!d || !*d || bit + 4 > MAX_CPUS)
			return false;
		for (int k = 0; k < 4; k++)
			bits[bit + (size_t)k] = (d - digits) >> k & 1;
		bit += 4;
	}
	return bit > 0;
}

static const char *mask_of(struct arena *a, const unsigned char bits[MAX_CPUS])
{
	size_t groups = 1;
	char *text;

	for (size_t i = 0; i < MAX_CPUS; i++)
		if (bits[i])
			groups = i / 32 + 1;
	text = arena_strdup(a, "");
	for (size_t g = groups; g-- > 0;) {
		unsigned word = 0;

		for (size_t k = 0; k < 32; k++)
			word |= (unsigned)bits[g * 32 + k] << k;
		text = arena_printf(a, g + 1 < groups ? "%s,%08x" : "%s%x", text, word);
	}
	return text;
}

/* --- entries --- */

static bool is_offered(
	struct arena *a, const struct tune_host *h, const struct file *f, const char *path)
{
	const char *dir_end = strrchr(path, '/'), *all;
	struct error ignored;
	char *beside = arena_printf(a, "%.*s/%s", (int)(dir_end - path), path, f->offers);
	size_t n = strlen(f->value);

	if (value_read(a, h, beside, &all, &ignored) < 0)
		return false;
	for (const char *p = all; (p = strstr(p, f->value)); p += n)
		if ((p == all || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* What the file is to hold, or NULL when it is to be left alone. */
static const char *wanted_value(
	struct arena *a, const struct tune_host *h, const struct file *f, const char *path)
{
	unsigned char bits[MAX_CPUS];

	switch (f->kind) {
	case FIXED:
		return f->value;
	case IF_OFFERED:
		return is_offered(a, h, f, path) ? f->value : NULL;
	case CPU_LIST:
		return h->housekeeping;
	case CPU_MASK:
		return h->housekeeping && parse_list(h->housekeeping, bits) ? mask_of(a, bits)
									    : NULL;
	}
	return NULL;
}

static void add_files(struct arena *a, const struct tune_host *h, const struct file *f,
	struct entry **list, size_t *n)
{
	char *pattern = arena_printf(a, "%s%s", h->root, f->pattern);
	glob_t g = { 0 };

	if (glob(pattern, 0, NULL, &g) == 0) {
		struct entry *more = ARENA_ARRAY(a, struct entry, *n + g.gl_pathc);

		if (*n)
			memcpy(more, *list, *n * sizeof(*more));
		*list = more;
		for (size_t i = 0; i < g.gl_pathc; i++) {
			char *path = arena_strdup(a, g.gl_pathv[i] + strlen(h->root));
			const char *wanted = wanted_value(a, h, f, path);

			if (wanted)
				more[(*n)++] = (struct entry){ f->id, path, wanted };
		}
	}
	globfree(&g);
}

void setting_entries(struct arena *a, const struct tune_host *h, unsigned wanted,
	struct entry **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (wanted & 1u << files[i].id)
			add_files(a, h, &files[i], ret, ret_n);
}

bool setting_owns(const char *path)
{
	if (strstr(path, "/.."))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (fnmatch(files[i].pattern, path, FNM_PATHNAME) == 0)
			return true;
	return false;
}

/* --- values --- */

int value_read(struct arena *a, const struct tune_host *h, const char *path, const char **ret,
	struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	const char *text, *open, *close;
	int r;

	r = file_read(arena_printf(a, "%s%s", h->root, path), MAX_VALUE, &b, err);
	if (r < 0)
		return r;
	text = arena_strndup(a, buf_str(&b), strcspn(buf_str(&b), "\n"));
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	*ret = close ? arena_strndup(a, open + 1, (size_t)(close - open - 1)) : text;
	return OK;
}

int value_write(
	const struct tune_host *h, const char *path, const char *value, struct error *err)
{
	_cleanup_(free)
	char *full = xasprintf("%s%s", h->root, path), *line = xasprintf("%s\n", value);
	_cleanup_(close)
	int fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t n = strlen(line);

	if (fd < 0)
		return error_errno(err, E_IO, "cannot open '%s' for writing", path);
	if (write(fd, line, n) != (ssize_t)n)
		return error_errno(err, E_IO, "'%s' did not take '%s'", path, value);
	return OK;
}

bool value_equal(const char *path, const char *one, const char *other)
{
	unsigned char a[MAX_CPUS], b[MAX_CPUS];
	bool is_list = fnmatch("/proc/irq/*/smp_affinity_list", path, 0) == 0;
	bool is_mask = !is_list && (strstr(path, "cpumask") || strstr(path, "smp_affinity"));

	if (is_list && parse_list(one, a) && parse_list(other, b))
		return memcmp(a, b, sizeof(a)) == 0;
	if (is_mask && parse_mask(one, a) && parse_mask(other, b))
		return memcmp(a, b, sizeof(a)) == 0;
	return strcmp(one, other) == 0;
}
