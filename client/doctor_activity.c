/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes on in the host: counters of the kernel, read twice. Sources: proc(5), and
 * Documentation/scheduler/sched-stats.rst for the time that tasks waited for a cpu. */
#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "client/doctor.h"

enum { MAX_PROCESSES = 65536, N_BUSY = 8 };

struct process {
	int pid;
	int64_t ticks;
	char name[32];
};

struct look {
	int64_t taken_ns, psi_cpu_us, psi_io_us, psi_memory_us;
	int64_t wait_ns; /* of tasks ready to run, all allowed cpus */
	int64_t ticks, steal, irq, interrupts, switches, swapped, throttled, quota_stops;
	struct process *processes;
	size_t n;
};

/* The number behind `name` at the start of a line; -1: not there. */
static int64_t labelled(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, n) && isspace((unsigned char)at[n]))
			return strtoll(at + n, NULL, 10);
	}
	return -1;
}

static int64_t pressure(struct doctor *d, const char *of)
{
	const char *text = doctor_text(d, "/proc/pressure/%s", of);
	const char *total = text ? strstr(text, "total=") : NULL;

	return total ? strtoll(total + 6, NULL, 10) : -1;
}

/* Columns of "cpu" in /proc/stat: user nice system idle iowait irq softirq steal. */
static void read_stat(struct doctor *d, struct look *l)
{
	const char *text = doctor_text(d, "/proc/stat");
	long long v[8] = { 0 };

	if (!text || sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &v[0], &v[1],
			     &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 8)
		return;
	for (int i = 0; i < 8; i++)
		l->ticks += v[i];
	l->irq = v[5] + v[6];
	l->steal = v[7];
	l->interrupts = labelled(text, "intr");
	l->switches = labelled(text, "ctxt");
}

/* Field 8 of a cpu's line in /proc/schedstat. */
static void read_waits(struct doctor *d, struct look *l)
{
	const char *text = doctor_text(d, "/proc/schedstat");

	l->wait_ns = -1;
	for (const char *at = text; at; at = strchr(at, '\n')) {
		long long wait;
		int cpu;

		at += *at == '\n';
		if (sscanf(at, "cpu%d %*s %*s %*s %*s %*s %*s %*s %lld", &cpu, &wait) == 2 &&
			cpu < CPU_SETSIZE && CPU_ISSET(cpu, &d->allowed))
			l->wait_ns = MAX(l->wait_ns, (int64_t)0) + wait;
	}
}

static void read_vmstat(struct doctor *d, struct look *l)
{
	const char *text = doctor_text(d, "/proc/vmstat");
	const char *group = doctor_text(d, "/sys/fs/cgroup/cpu.stat");

	l->swapped = text ? labelled(text, "pswpin") + labelled(text, "pswpout") : -1;
	l->throttled = doctor_number(
		d, "/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count");
	l->quota_stops = group ? labelled(group, "nr_throttled") : -1;
}

static void read_process(struct doctor *d, struct look *l, const char *pid)
{
	const char *text = doctor_text(d, "/proc/%.20s/stat", pid);
	const char *from = text ? strchr(text, '(') : NULL,
		   *to = text ? strrchr(text, ')') : NULL;
	struct process *p = &l->processes[l->n];
	long long user, sys;

	if (!from || !to || l->n >= MAX_PROCESSES ||
		sscanf(to + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld %lld", &user,
			&sys) != 2)
		return;
	p->pid = atoi(pid);
	p->ticks = user + sys;
	snprintf(p->name, sizeof(p->name), "%.*s", (int)MIN(to - from - 1, 31), from + 1);
	l->n++;
}

static void read_processes(struct doctor *d, struct look *l)
{
	DIR *proc = opendir(doctor_print(d, "%s/proc", d->root));
	struct dirent *e;

	l->processes = ARENA_ARRAY(d->a, struct process, MAX_PROCESSES);
	while (proc && (e = readdir(proc)))
		if (isdigit((unsigned char)e->d_name[0]))
			read_process(d, l, e->d_name);
	if (proc)
		closedir(proc);
}

static void look(struct doctor *d, struct look *l)
{
	*l = (struct look){ .taken_ns = clock_monotonic_ns() };
	l->psi_cpu_us = pressure(d, "cpu");
	l->psi_io_us = pressure(d, "io");
	l->psi_memory_us = pressure(d, "memory");
	read_stat(d, l);
	read_waits(d, l);
	read_vmstat(d, l);
	read_processes(d, l);
}

static void add(struct doctor *d, const char *check, const char *key, double figure,
	const char *value, enum doctor_level level, const char *advice, const char *gain)
{
	bool is_ok = level == DOCTOR_OK;

	doctor_find(d, (struct finding){ "activity", check, value, level, is_ok ? NULL : advice,
			       is_ok ? NULL : gain, NULL });
	json_set_real(d->measured, key, figure);
}

static enum doctor_level graded(double v, double look, double bad)
{
	return v >= bad ? DOCTOR_BAD : v >= look ? DOCTOR_LOOK : DOCTOR_OK;
}

/* The share of the window during which somebody waited. */
static void compare_pressure(struct doctor *d, const char *what, const char *key,
	int64_t before, int64_t after, double window_ns, const char *advice)
{
	double share = (double)(after - before) * 1e3 / window_ns;

	if (before < 0 || after < 0)
		return;
	add(d, what, key, share, doctor_print(d, "%.1f %% of the time", 100 * share),
		graded(share, 0.02, 0.2), advice,
		"a quiet host is worth more than any statistics: benchd waits for less than 2 "
		"% "
		"before it measures");
}

static void compare_waits(
	struct doctor *d, const struct look *a, const struct look *b, double ns)
{
	double share = (double)(b->wait_ns - a->wait_ns) / ns / CPU_COUNT(&d->allowed);

	if (a->wait_ns < 0 || b->wait_ns < 0)
		return;
	add(d, "waiting in the run queue (a cpu)", "runq_wait", share,
		doctor_print(d, "%.1f %% of the time", 100 * share), graded(share, 0.01, 0.2),
		"more tasks are ready than there are cpus: stop them, or measure on isolated "
		"cpus",
		"what waits is measured as slow, by about this share");
}

static void compare_steal(struct doctor *d, const struct look *a, const struct look *b)
{
	double ticks = (double)MAX(b->ticks - a->ticks, (int64_t)1);
	double steal = (double)(b->steal - a->steal) / ticks;
	double irq = (double)(b->irq - a->irq) / ticks;

	add(d, "stolen by the hypervisor", "steal", steal,
		doctor_print(d, "%.1f %%", 100 * steal), graded(steal, 0.005, 0.05),
		"ask for dedicated cores, or measure when the neighbours sleep",
		"the guest's clock goes on while it does not run: seen as random slowness");
	add(d, "time in interrupts", "irq", irq, doctor_print(d, "%.1f %%", 100 * irq),
		graded(irq, 0.01, 0.1),
		"move interrupts to a housekeeping cpu: benchd-tune apply --set irq,workqueue "
		"--housekeeping 0",
		"no network or disk work in the middle of a sample");
}

static void compare_rates(
	struct doctor *d, const struct look *a, const struct look *b, double s)
{
	int n = CPU_COUNT(&d->allowed);
	double interrupts = (double)(b->interrupts - a->interrupts) / s / n;
	double switches = (double)(b->switches - a->switches) / s / n;

	add(d, "interrupts a cpu", "interrupts_per_second", interrupts,
		doctor_print(d, "%.0f a second", interrupts), graded(interrupts, 5000, 50000),
		"find the device (/proc/interrupts) and move it to a housekeeping cpu: "
		"benchd-tune apply --set irq --housekeeping 0",
		"each costs 1 to 10 us and some cache lines");
	add(d, "context switches a cpu", "switches_per_second", switches,
		doctor_print(d, "%.0f a second", switches), graded(switches, 5000, 50000),
		"stop what wakes up so often (see the busy processes)",
		"each costs a few us and some cache lines");
}

static void compare_events(struct doctor *d, const struct look *a, const struct look *b)
{
	if (a->swapped >= 0 && b->swapped > a->swapped)
		add(d, "pages swapped", "swapped", (double)(b->swapped - a->swapped),
			doctor_print(d, "%lld", (long long)(b->swapped - a->swapped)),
			DOCTOR_BAD, "the host is short of memory: stop what uses it",
			"no page comes back from disk in the middle of a sample");
	if (a->throttled >= 0 && b->throttled > a->throttled)
		add(d, "thermal throttling", "throttled", (double)(b->throttled - a->throttled),
			"now", DOCTOR_BAD, "cool the processor, or switch turbo off",
			"the clock no longer falls while you measure");
	if (a->quota_stops >= 0 && b->quota_stops > a->quota_stops)
		add(d, "stopped by a CPU quota", "quota_stops",
			(double)(b->quota_stops - a->quota_stops), "now", DOCTOR_BAD,
			"take the quota of the control group away (cpu.max = max)",
			"no pauses of up to 100 ms");
}

static int by_ticks(const void *x, const void *y)
{
	const struct process *a = x, *b = y;

	return (a->ticks < b->ticks) - (a->ticks > b->ticks);
}

/* b's ticks become those used between the two looks. Both are in the order of /proc: by pid. */
static void subtract(const struct look *a, struct look *b)
{
	size_t k = 0;

	for (size_t i = 0; i < b->n; i++) {
		while (k < a->n && a->processes[k].pid < b->processes[i].pid)
			k++;
		if (k < a->n && a->processes[k].pid == b->processes[i].pid)
			b->processes[i].ticks -= a->processes[k].ticks;
		if (b->processes[i].pid == getpid())
			b->processes[i].ticks = 0;
	}
}

static void name_busy(struct doctor *d, const struct look *a, struct look *b, double s)
{
	double per_tick = 1 / (s * (double)sysconf(_SC_CLK_TCK)), sum = 0;
	const char *names = NULL;

	subtract(a, b);
	qsort(b->processes, b->n, sizeof(*b->processes), by_ticks);
	for (size_t i = 0; i < b->n && i < N_BUSY; i++) {
		const struct process *p = &b->processes[i];
		double share = (double)p->ticks * per_tick;
		json_t *o;

		if (share < 0.01)
			break;
		sum += share;
		o = json_object();
		json_set_int(o, "pid", p->pid);
		json_set_str(o, "name", p->name);
		json_set_real(o, "cpu", share);
		json_array_append_new(d->busy, o);
		names = doctor_print(d, "%s%s%s %.0f %%", names ? names : "", names ? ", " : "",
			p->name, 100 * share);
	}
	add(d, "other busy processes", "busy", sum, names ? names : "none",
		graded(sum, 0.02, 0.5), "stop them, or let them run at other hours",
		"they share caches and memory bandwidth even from another cpu");
}

void doctor_activity(struct doctor *d, int64_t window_ns)
{
	struct look a, b;
	double ns;

	look(d, &a);
	usleep((useconds_t)(window_ns / 1000));
	look(d, &b);
	ns = (double)MAX(b.taken_ns - a.taken_ns, (int64_t)1);
	compare_pressure(d, "waiting for a cpu (PSI)", "psi_cpu", a.psi_cpu_us, b.psi_cpu_us,
		ns, "something else competes for the cpus: see the busy processes");
	compare_pressure(d, "waiting for disks (PSI)", "psi_io", a.psi_io_us, b.psi_io_us, ns,
		"something reads or writes a lot: backups, updates, indexing, a build");
	compare_pressure(d, "waiting for memory (PSI)", "psi_memory", a.psi_memory_us,
		b.psi_memory_us, ns, "the host is short of memory: stop what uses it");
	compare_waits(d, &a, &b, ns);
	compare_steal(d, &a, &b);
	compare_rates(d, &a, &b, ns / NS_PER_S);
	compare_events(d, &a, &b);
	name_busy(d, &a, &b, ns / NS_PER_S);
}
