/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How noisy is this host, measured as benchd measures: fresh processes that do fixed work,
 * pinned and unpinned ones in turns, so that both see the same moments. */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "client/doctor.h"
#include "stats/power.h"
#include "stats/quantile.h"

enum { PROCESSES = 20, SAMPLES = 5, GAPS = 1000, SLEEPS = 100, DEFAULT_PROCESSES = 10 };
enum { TURNS = 1000000 };

/* A fixed piece of dependent arithmetic, some milliseconds; the result keeps it from being
 * removed. */
static double work(void)
{
	double x = 0.5;

	for (int i = 0; i < TURNS; i++)
		x = x * 1.0000001 + 1e-9;
	return x;
}

struct told { /* by one process */
	double ns[SAMPLES];
	double waited; /* share of its life that it was ready and did not run; -1: unknown */
};

/* Field 2 of /proc/self/schedstat: nanoseconds in a run queue. */
static double waited(int64_t since_ns)
{
	FILE *f = fopen("/proc/self/schedstat", "re");
	long long wait = -1;

	if (f && fscanf(f, "%*s %lld", &wait) != 1)
		wait = -1;
	if (f)
		fclose(f);
	return wait < 0 ? -1 : (double)wait / (double)(clock_monotonic_ns() - since_ns);
}

static void child(int fd, const struct doctor *d, bool is_pinned)
{
	int64_t since_ns = clock_monotonic_ns();
	struct told told;
	volatile double sink;
	cpu_set_t set;

	if (is_pinned) {
		CPU_ZERO(&set);
		CPU_SET(d->cpu, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
	}
	sink = work();
	for (int i = 0; i < SAMPLES; i++) {
		int64_t start = clock_monotonic_ns();

		sink = work();
		told.ns[i] = (double)(clock_monotonic_ns() - start);
	}
	(void)sink;
	told.waited = waited(since_ns);
	_exit(write(fd, &told, sizeof(told)) == (ssize_t)sizeof(told) ? 0 : 1);
}

static int measure_process(
	const struct doctor *d, bool is_pinned, struct told *ret, struct error *err)
{
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) < 0)
		return error_errno(err, E_IO, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		child(fds[1], d, is_pinned);
	close(fds[1]);
	n = pid > 0 ? read(fds[0], ret, sizeof(*ret)) : -1;
	close(fds[0]);
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	if (n != (ssize_t)sizeof(*ret) || status != 0)
		return error_set(err, E_IO, "a measuring process failed");
	return OK;
}

struct series {
	double logs[PROCESSES], within, worst, waited;
};

static void take(struct doctor *d, struct series *s, size_t p, const struct told *told)
{
	const double *ns = told->ns;
	double median = sample_median(d->a, ns, SAMPLES);

	s->logs[p] = log(median);
	s->within += sample_mad(d->a, ns, SAMPLES) / median / PROCESSES;
	for (size_t i = 0; i < SAMPLES; i++)
		s->worst = fmax(s->worst, ns[i] / median - 1);
	s->waited = told->waited < 0 ? NAN : s->waited + told->waited / PROCESSES;
}

static double spread(const double *logs, size_t n)
{
	return sample_sd(logs, n, sample_mean(logs, n));
}

/* What remains when two processes that ran one after the other are compared; as the sd of one.
 */
static double paired_spread(const double *logs)
{
	double diff[PROCESSES / 2];

	for (size_t i = 0; i < PROCESSES / 2; i++)
		diff[i] = logs[2 * i + 1] - logs[2 * i];
	return spread(diff, PROCESSES / 2) / sqrt(2);
}

/* With the default protocol: ten processes an arm, level .01, power .8. */
static double detectable(double s)
{
	size_t n = DEFAULT_PROCESSES;

	return power_mde(s, n, n, (double)(2 * n - 2), 0.01, 0.8);
}

static void tell_spread(
	struct doctor *d, const struct series *pinned, const struct series * not )
{
	struct doctor_noise *v = &d->noise;
	double unpinned = spread(not ->logs, PROCESSES);

	v->within = pinned->within;
	v->between = spread(pinned->logs, PROCESSES);
	v->paired = paired_spread(pinned->logs);
	v->detectable = detectable(v->between);
	v->detectable_paired = detectable(v->paired);
	json_set_real(d->measured, "within", v->within);
	json_set_real(d->measured, "between", v->between);
	json_set_real(d->measured, "between_unpinned", unpinned);
	json_set_real(d->measured, "between_paired", v->paired);
	json_set_real(d->measured, "worst", pinned->worst);
	json_set_real(d->measured, "detectable", v->detectable);
	json_set_real(d->measured, "detectable_interleaved", v->detectable_paired);
	if (unpinned > 1.5 * v->between && CPU_COUNT(&d->allowed) > 1)
		doctor_find(
			d, (struct finding){ "measured", "pinning",
				   doctor_print(d, "spread %.2f %% unpinned, %.2f %% pinned",
					   100 * unpinned, 100 * v->between),
				   DOCTOR_LOOK,
				   doctor_print(d,
					   "measure on one cpu: cpus: \"%d\" in the "
					   "workload, or benchd-worker --cpus %d",
					   d->cpu, d->cpu),
				   doctor_print(d, "%.1f times less spread, as just measured",
					   unpinned / v->between),
				   NULL });
}

/* What the pinned processes themselves waited for their cpu. */
static void tell_waiting(struct doctor *d, double share)
{
	bool is_ok = share < 0.01;

	json_set_real(d->measured, "waited", share);
	if (!isfinite(share))
		return;
	doctor_find(
		d, (struct finding){ "measured", "waiting for the measuring cpu",
			   doctor_print(d, "%.1f %% of the time", 100 * share),
			   is_ok	 ? DOCTOR_OK
			   : share < 0.1 ? DOCTOR_LOOK
					 : DOCTOR_BAD,
			   is_ok ? NULL
				 : doctor_print(d,
					   "keep other work off cpu %d: stop it, or boot "
					   "with isolcpus=%d",
					   d->cpu, d->cpu),
			   is_ok ? NULL : "what waits is measured as slow, by about this share",
			   NULL });
}

/* Also the cost of reading the clock: the least step between two readings. */
static void measure_clock(struct doctor *d)
{
	int64_t least = INT64_MAX, last = clock_monotonic_ns();
	double late[SLEEPS];

	for (int i = 0; i < GAPS; i++) {
		int64_t now = clock_monotonic_ns();

		if (now > last)
			least = MIN(least, now - last);
		last = now;
	}
	for (int i = 0; i < SLEEPS; i++) {
		const struct timespec pause = { .tv_nsec = NS_PER_MS };

		last = clock_monotonic_ns();
		(void)nanosleep(&pause, NULL);
		late[i] = (double)(clock_monotonic_ns() - last - NS_PER_MS);
	}
	sample_sort(late, SLEEPS);
	json_set_real(d->measured, "timer_ns", (double)least);
	json_set_real(d->measured, "late_wakeup_ns", sample_quantile(late, SLEEPS, 0.99));
	if (least > 1000)
		doctor_find(
			d, (struct finding){ "measured", "timer",
				   doctor_print(d, "%lld ns a reading", (long long)least),
				   DOCTOR_LOOK, "see the clock source",
				   "short samples are no longer measured in steps of the timer",
				   NULL });
}

int doctor_noise(struct doctor *d, struct error *err)
{
	struct series pinned = { 0 }, unpinned = { 0 };
	int r = OK;

	measure_clock(d);
	for (size_t p = 0; p < PROCESSES && r == OK; p++) {
		struct told told;
		struct series *first = p % 2 ? &pinned : &unpinned;
		struct series *second = p % 2 ? &unpinned : &pinned;

		r = measure_process(d, first == &pinned, &told, err);
		if (r == OK) {
			take(d, first, p, &told);
			r = measure_process(d, second == &pinned, &told, err);
		}
		if (r == OK)
			take(d, second, p, &told);
	}
	if (r == OK) {
		tell_waiting(d, pinned.waited);
		tell_spread(d, &pinned, &unpinned);
	}
	return r;
}
