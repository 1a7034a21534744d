/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/preflight.h"

#include <string.h>
#include "base/clock.h"
#include "worker/cpus.h"
#include "worker/fingerprint.h"
#include "worker/lock.h"
#include "worker/noise.h"

enum { N_STEPS_BACK = 8 };
#define WINDOW_NS (2 * NS_PER_S)
#define STEP_NS (WINDOW_NS / N_STEPS_BACK)
#define BUSY 0.02 /* share of the window in which somebody waited for a cpu */

/* Built-in kernels are what is measured, so is the program that has them. */
static bool has_kernels(const struct spec *s)
{
	for (size_t i = 0; i < s->n_cells; i++)
		for (size_t arm = 0; arm < s->n_arms; arm++)
			if (program_is_kernel(s->cells[i].argv[arm]))
				return true;
	return false;
}

int preflight_identity(struct job *j)
{
	j->identity = fingerprint_changed(j->host, j->environment_id);
	if (!has_kernels(j->spec))
		return OK;
	j->kernel = j->host->kernel;
	program_look_for_kernel(&j->kernel);
	return OK;
}

static int check_kernel(struct job *j)
{
	struct program now = j->kernel;

	if (!*j->kernel.id)
		return OK;
	program_look_for_kernel(&now);
	if (!strcmp(now.id, j->kernel.id))
		return OK;
	j->is_mixed = true;
	return job_fail(j, FAULT_RUNNER,
		"benchd-kernel was replaced by another one while it was measured (%.8s -> "
		"%.8s)",
		j->kernel.id, *now.id ? now.id : "none");
}

/* Half of the processes ran on another machine, so to say: they are no sample of either. */
int preflight_identity_again(struct job *j)
{
	char id[65], what[160];
	json_t *now = fingerprint_changed(j->host, id);

	if (strcmp(id, j->environment_id) != 0) {
		fingerprint_difference(j->identity ? j->identity : j->host->identity,
			now ? now : j->host->identity, what);
		json_decref(now);
		j->is_mixed = true;
		return job_fail(j, FAULT_RUNNER,
			"the host was set otherwise while it was measured (%s)", what);
	}
	json_decref(now);
	return check_kernel(j);
}

/* The latest readings of the pressure's total. */
struct window {
	int64_t total[N_STEPS_BACK + 1], n;
	double share; /* of it in which somebody waited */
};

int preflight_clock(struct job *j)
{
	const char *source = j->host->clock_source;

	if (!strcmp(source, "hpet") || !strcmp(source, "acpi_pm"))
		return job_refuse(j,
			"the clock source '%s' costs a system call each time it is read; boot "
			"the "
			"host with clocksource=tsc",
			source);
	return OK;
}

int preflight_cpus(struct job *j)
{
	const struct host *h = j->host;
	cpu_set_t wish, others;
	struct error err;

	j->cpus = h->cpus;
	if (cpus_parse(j->spec->cpus, &wish, &err) == OK && CPU_COUNT(&wish)) {
		CPU_AND(&j->cpus, &wish, &h->allowed);
		if (!CPU_EQUAL(&j->cpus, &wish))
			return job_refuse(j,
				"'cpus' is %s, but this host offers the worker only %d cpus; "
				"name "
				"others",
				j->spec->cpus, CPU_COUNT(&h->allowed));
	}
	if (CPU_COUNT(&j->cpus) && cpus_subtract(&h->allowed, &j->cpus, &others))
		(void)sched_setaffinity(0, sizeof(others), &others);
	return OK;
}

/* Waiting for the lock is also waiting for the other job's end, so be quick at first. */
int preflight_wait(struct job *j, const char *path, const char *what, int *ret_fd)
{
	int64_t pause = NS_PER_MS / 2;
	struct error err;
	int holder, told = 0;

	for (;;) {
		char detail[80];

		if (lock_try(path, ret_fd, &holder, &err) < 0)
			return job_fail(j, FAULT_RUNNER, "%s", err.text);
		if (*ret_fd >= 0)
			return OK;
		snprintf(detail, sizeof(detail), "process %d is measuring on %s", holder, what);
		if (pause > 50 * NS_PER_MS && holder != told) {
			job_phase(j, "idle_wait", detail);
			told = holder;
		}
		if (channel_sleep(&j->ch, pause))
			return job_stopped(j);
		pause = MIN(2 * pause, 100 * NS_PER_MS);
	}
}

int preflight_lock(struct job *j)
{
	_cleanup_(free)
	char *path = xasprintf("%s/host.lock", lock_directory());

	return j->spec->is_exclusive ? preflight_wait(j, path, "this host", &j->lock_fd) : OK;
}

/* The kernel's own 10 s average saves the wait on a host that has been quiet for long. */
static bool is_long_quiet(int fd)
{
	char text[256], *at;
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	text[MAX(n, 0)] = 0;
	at = strstr(text, "avg10=");
	return at && strtod(at + 6, NULL) < 100 * BUSY / 2;
}

/* Has a cpu been free for the whole window? */
static bool is_quiet(struct window *w, int64_t psi_us)
{
	int64_t oldest;

	w->total[w->n++ % (N_STEPS_BACK + 1)] = psi_us;
	if (psi_us < 0)
		return true;
	if (w->n <= N_STEPS_BACK)
		return false;
	oldest = w->total[w->n % (N_STEPS_BACK + 1)];
	w->share = (double)(psi_us - oldest) * 1e3 / WINDOW_NS;
	return w->share < BUSY;
}

static void tell_waiting(struct job *j, const char *what)
{
	char detail[160], limit[TIME_TEXT];

	snprintf(detail, sizeof(detail), "%s (at most %s)", what,
		duration_format((double)j->spec->protocol.idle_wait_ns, limit));
	job_phase(j, "idle_wait", detail);
}

static void tell_busy(struct job *j, const struct window *w, const struct noise_snapshot *now)
{
	char what[100];

	if (w->n % N_STEPS_BACK != 1 || w->n <= N_STEPS_BACK)
		return;
	if (now->temp_mc >= j->host->hot_mc)
		snprintf(what, sizeof(what), "%.0f C, waiting for less than %.0f C",
			(double)now->temp_mc / 1e3, (double)j->host->hot_mc / 1e3);
	else
		snprintf(what, sizeof(what),
			"cpu pressure %.0f %%, waiting for less than %.0f %%", 100 * w->share,
			100 * BUSY);
	tell_waiting(j, what);
}

static bool is_ready(const struct job *j)
{
	struct noise_snapshot now;

	noise_snapshot_take(j->host, &now);
	return now.temp_mc < j->host->hot_mc &&
	       (j->host->psi_cpu < 0 || is_long_quiet(j->host->psi_cpu));
}

int preflight_idle(struct job *j)
{
	int64_t until = clock_monotonic_ns() + j->spec->protocol.idle_wait_ns;
	char limit[TIME_TEXT];
	struct window w = { 0 };

	if (!j->spec->protocol.idle_wait_ns || !j->spec->is_exclusive || is_ready(j))
		return OK;
	while (clock_monotonic_ns() < until) {
		struct noise_snapshot now;
		bool quiet;

		noise_snapshot_take(j->host, &now);
		quiet = is_quiet(&w, now.psi_cpu_us);
		if (quiet && now.temp_mc < j->host->hot_mc)
			return OK;
		tell_busy(j, &w, &now);
		if (channel_sleep(&j->ch, STEP_NS))
			return job_stopped(j);
	}
	j->started_busy = true;
	job_note(j,
		"the host was still busy when the measurement began, after a wait of "
		"%s",
		duration_format((double)j->spec->protocol.idle_wait_ns, limit));
	return OK;
}
