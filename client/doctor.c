/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl doctor: how noisy is this host, and what can be changed about it?
 *
 * Two parts, both local: settings read from /proc and /sys, and a measurement: fresh processes
 * that do fixed work, as benchd measures. Its figures: the spread between processes (what
 * limits every comparison), the spread inside one, the time stolen by others, and the smallest
 * change ten processes an arm could see. */
#include "client/client.h"

#include <ctype.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/text.h"
#include "stats/power.h"
#include "stats/quantile.h"

enum { PROCESSES = 20, SAMPLES = 10 };

struct doctor {
	struct client *c;
	struct table *table;
	json_t *json;
	int n_advice;
};

static const char *read_line(struct client *c, const char *path)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	if (file_read(path, 65536, &b, NULL) < 0)
		return NULL;
	return arena_strndup(c->arena, buf_str(&b), strcspn(buf_str(&b), "\n"));
}

static void finding(
	struct doctor *d, const char *what, const char *value, bool is_good, const char *advice)
{
	const char *cells[] = { is_good ? "ok" : "look", what, value, is_good ? "" : advice };
	json_t *o = json_object();

	table_add(d->table, cells);
	json_set_str(o, "check", what);
	json_set_str(o, "value", value);
	json_set_bool(o, "ok", is_good);
	json_set_str(o, "advice", is_good ? NULL : advice);
	json_array_append_new(json_object_get(d->json, "settings"), o);
	d->n_advice += !is_good;
}

static void check_file(struct doctor *d, const char *what, const char *path, const char *good,
	const char *advice)
{
	const char *v = read_line(d->c, path);

	if (v)
		finding(d, what, v, strstr(v, good) != NULL, advice);
	else
		finding(d, what, "not readable here", true, "");
}

static double pressure(struct client *c)
{
	const char *line = read_line(c, "/proc/pressure/cpu");
	const char *avg = line ? strstr(line, "avg10=") : NULL;

	return avg ? strtod(avg + 6, NULL) : NAN;
}

static void check_load(struct doctor *d)
{
	double load[3] = { 0 }, psi = pressure(d->c);
	const char *text;

	if (getloadavg(load, 3) > 0) {
		text = arena_printf(d->c->arena, "%.2f", load[0]);
		finding(d, "load of the last minute", text, load[0] < 0.3,
			"stop other work: an idle host is worth more than any statistics");
	}
	if (isfinite(psi)) {
		text = arena_printf(d->c->arena, "%.1f %% of the last 10 s", psi);
		finding(d, "waiting for a CPU (PSI)", text, psi < 2,
			"something else competes; benchd waits for less than 2 % before it "
			"starts");
	}
}

static void check_settings(struct doctor *d)
{
	static const char cpu0[] = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	check_load(d);
	finding(d, "CPUs", arena_printf(d->c->arena, "%ld", n), n >= 2,
		"with one CPU the daemon and the benchmark share it; give the host two");
	check_file(d, "CPU frequency governor", cpu0, "performance",
		"cpupower frequency-set -g performance: removes the ramp-up of the first "
		"samples");
	check_file(d, "turbo off (intel)", "/sys/devices/system/cpu/intel_pstate/no_turbo", "1",
		"no_turbo=1: the clock no longer depends on temperature and on the neighbours");
	check_file(d, "boost off (acpi)", "/sys/devices/system/cpu/cpufreq/boost", "0",
		"boost=0: the clock no longer depends on temperature and on the neighbours");
	check_file(d, "SMT", "/sys/devices/system/cpu/smt/active", "0",
		"switch it off, or give benchd both siblings: a sibling takes up to half a "
		"core");
	check_file(d, "clock source",
		"/sys/devices/system/clocksource/clocksource0/current_clocksource", "", "");
	check_file(d, "transparent huge pages", "/sys/kernel/mm/transparent_hugepage/enabled",
		"[madvise]", "madvise: page sizes then differ less from run to run");
	check_file(d, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid", "", "");
}

/* A fixed piece of dependent arithmetic, about 2 ms; the result keeps it from being removed. */
static double work(void)
{
	double x = 0.5;

	for (int i = 0; i < 400000; i++)
		x = x * 1.0000001 + 1e-9;
	return x;
}

static void child(int fd, int cpu)
{
	double ns[SAMPLES];
	cpu_set_t set;
	volatile double sink;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	sink = work();
	for (int i = 0; i < SAMPLES; i++) {
		int64_t start = clock_monotonic_ns();

		sink = work();
		ns[i] = (double)(clock_monotonic_ns() - start);
	}
	(void)sink;
	_exit(write(fd, ns, sizeof(ns)) == (ssize_t)sizeof(ns) ? 0 : 1);
}

static bool measure_process(double ns[SAMPLES], struct rusage *ru)
{
	int fds[2], status, cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	bool ok;
	pid_t pid;

	if (pipe(fds) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		child(fds[1], cpu);
	close(fds[1]);
	ok = pid > 0 &&
	     read(fds[0], ns, SAMPLES * sizeof(*ns)) == (ssize_t)(SAMPLES * sizeof(*ns));
	close(fds[0]);
	return pid > 0 && wait4(pid, &status, 0, ru) == pid && ok;
}

static const char *percent(struct client *c, double x)
{
	return isfinite(x) ? arena_printf(c->arena, "%.2f %%", 100 * x) : "-";
}

static void figure(
	struct doctor *d, const char *what, const char *key, double v, const char *text)
{
	json_set_real(json_object_get(d->json, "measured"), key, v);
	if (d->c->output != OUT_JSON)
		printf("  %-58s %s\n", what, text);
}

static int measure(struct doctor *d)
{
	struct arena *a = d->c->arena;
	double medians[PROCESSES], all[PROCESSES * SAMPLES], within = 0, s, centre, mde;
	long switches = 0;

	for (int p = 0; p < PROCESSES; p++) {
		double *ns = all + p * SAMPLES;
		struct rusage ru;

		if (!measure_process(ns, &ru)) {
			fputs("benchctl doctor: a measuring process failed\n", stderr);
			return EXIT_FAILED;
		}
		medians[p] = sample_median(a, ns, SAMPLES);
		within += sample_mad(a, ns, SAMPLES) / medians[p] / PROCESSES;
		switches += ru.ru_nivcsw;
	}
	double *logs = sample_logs(a, medians, PROCESSES);

	s = sample_sd(logs, PROCESSES, sample_mean(logs, PROCESSES));
	centre = sample_median(a, medians, PROCESSES);
	sample_sort(all, PROCESSES * SAMPLES);
	mde = power_mde(s, 10, 10, 18, 0.01, 0.8);
	if (d->c->output != OUT_JSON)
		printf("\nmeasured with %d fresh processes of %d samples:\n", PROCESSES,
			SAMPLES);
	figure(d, "spread inside a process (median absolute deviation)", "within", within,
		percent(d->c, within));
	figure(d, "spread between processes (standard deviation)", "between", s,
		percent(d->c, s));
	figure(d, "slowest sample above the median", "worst",
		all[PROCESSES * SAMPLES - 1] / centre - 1,
		percent(d->c, all[PROCESSES * SAMPLES - 1] / centre - 1));
	figure(d, "involuntary context switches a process", "switches",
		(double)switches / PROCESSES,
		arena_printf(a, "%.1f", (double)switches / PROCESSES));
	figure(d, "smallest change that 10 processes an arm would see", "detectable", mde,
		percent(d->c, mde));
	return EXIT_OK;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct doctor d = { .c = c };
	bool config = false;
	const struct option_row rows[] = {
		{ "config", 0, NULL, "where host, project and token come from", OPT_FLAG,
			&config },
		{ 0 },
	};
	struct string_list words;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (config) {
		config_print(c);
		return EXIT_OK;
	}
	d.table = table_new(c->arena, 4);
	table_head(d.table, 0, "", false);
	table_head(d.table, 1, "setting", false);
	table_head(d.table, 2, "value", false);
	table_head(d.table, 3, "what to do, and what it brings", false);
	d.json = arena_own_json(c->arena, json_pack("{s[] s{}}", "settings", "measured"));
	check_settings(&d);
	if (c->output != OUT_JSON) {
		struct buf b = { 0 };

		table_format(d.table, TABLE_TEXT, &b);
		fputs(buf_str(&b), stdout);
		buf_done(&b);
	}
	code = measure(&d);
	if (c->output == OUT_JSON) {
		json_dumpf(d.json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (code == EXIT_OK) {
		printf("\n%d of the settings are worth a look.\n", d.n_advice);
	}
	return code;
}

const struct command command_doctor = { "doctor", "", "measure the noise of this host",
	"  benchctl doctor            settings and a measurement of about a second\n"
	"  benchctl doctor --config   where host, project and token come from\n",
	run };
