/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "stats/quantile.h"
#include "worker/tree.h"

enum { FEW = 5, MIN_DRIFT = 8, TICK_NS = 10 * 1000 * 1000 };
#define CONTENDED_US 2000  /* less in all is chance */
#define FILLS_ITS_CPUS 0.9 /* of them busy: what waits may be its own threads */

const char *const noise_class_names[] = { "clean", "suspect", "noisy" };
const char *const noise_signal_names[N_NOISE_SIGNALS] = {
#define X(id, name, floor, least) name,
	NOISE_SIGNALS(X)
#undef X
};
static const struct {
	double floor, least;
} limits[N_NOISE_SIGNALS] = {
#define X(id, name, floor, least) { floor, least },
	NOISE_SIGNALS(X)
#undef X
};

static int64_t number_after(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	return at ? strtoll(at + strlen(label), NULL, 10) : -1;
}

static int64_t psi_total(int fd)
{
	char text[256];

	return tree_read_again(fd, text, sizeof(text)) > 0 ? number_after(text, "total=") : -1;
}

static int64_t one_number(int fd)
{
	char text[64];

	return tree_read_again(fd, text, sizeof(text)) > 0 ? strtoll(text, NULL, 10) : -1;
}

/* Of those that there are; -1: none. */
static int64_t sum_of(const int *fds, size_t n)
{
	int64_t sum = -1;

	for (size_t i = 0; i < n; i++) {
		int64_t v = one_number(fds[i]);

		if (v >= 0)
			sum = MAX(sum, (int64_t)0) + v;
	}
	return sum;
}

/* cpu  user nice system idle iowait irq softirq steal ... */
static int64_t steal_ticks(int fd)
{
	long long v[8];
	char text[512];

	if (tree_read_again(fd, text, sizeof(text)) <= 0 ||
		sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &v[0], &v[1], &v[2],
			&v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return -1;
	return v[7];
}

/* 0.52 0.61 0.70 3/412 4711: the fourth before the slash. */
static int64_t runnable_tasks(int fd)
{
	char text[128], *at;

	if (tree_read_again(fd, text, sizeof(text)) <= 0)
		return -1;
	at = strchr(text, '/');
	while (at && at > text && at[-1] != ' ')
		at--;
	return at ? strtoll(at, NULL, 10) : -1;
}

static int64_t swapped_pages(const struct host *h)
{
	char text[8192];
	int64_t in, out;

	if (!h->has_swap)
		return 0;
	if (tree_read_again(h->vmstat, text, sizeof(text)) <= 0)
		return -1;
	in = number_after(text, "pswpin ");
	out = number_after(text, "pswpout ");
	return in < 0 || out < 0 ? -1 : in + out;
}

void noise_snapshot_next(
	const struct host *h, const struct noise_snapshot *last, struct noise_snapshot *s)
{
	s->taken_ns = clock_monotonic_ns();
	s->psi_cpu_us = psi_total(h->psi_cpu);
	s->ticked_ns = last ? last->ticked_ns : INT64_MIN / 2;
	s->psi_io_us = last ? last->psi_io_us : -1;
	s->psi_mem_us = last ? last->psi_mem_us : -1;
	s->steal_ticks = last ? last->steal_ticks : -1;
	if (s->taken_ns - s->ticked_ns >= TICK_NS) {
		s->ticked_ns = s->taken_ns;
		s->psi_io_us = psi_total(h->psi_io);
		s->psi_mem_us = psi_total(h->psi_memory);
		s->steal_ticks = steal_ticks(h->stat);
	}
	s->swapped = swapped_pages(h);
	s->runnable = runnable_tasks(h->loadavg);
	s->throttled = sum_of(h->throttle, ARRAY_SIZE(h->throttle));
	s->freq_khz = one_number(h->frequency);
	s->temp_mc = one_number(h->temperature);
	energy_read(&h->energy, s->energy_uj);
}

void noise_snapshot_take(const struct host *h, struct noise_snapshot *s)
{
	noise_snapshot_next(h, NULL, s);
}

/* Share of its full clock that the cpu was below when the process ended; -1 unknown. */
static double missing_clock(const struct host *h, const struct noise_snapshot *after)
{
	if (after->freq_khz <= 0 || h->full_khz <= 0)
		return -1;
	return fmax(0, 1 - (double)after->freq_khz / (double)h->full_khz);
}

static double delta(int64_t before, int64_t after)
{
	return before < 0 || after < 0 ? -1 : (double)(after - before);
}

void noise_collect(const struct host *h, const struct noise_snapshot *before,
	const struct noise_snapshot *after, const struct account *a, struct noise *ret)
{
	double busy_ns = (double)(a->user_us + a->sys_us) * 1e3;
	bool has_ticked = after->ticked_ns != before->ticked_ns;
	double *amount = ret->amount;

	*ret = (struct noise){ .wall_ns = MAX(a->wall_ns, (int64_t)1),
		.busy_ns = (a->user_us + a->sys_us) * 1000,
		.window_ns = MAX(after->taken_ns - before->taken_ns, (int64_t)1),
		.ticked_ns = MAX(after->ticked_ns - before->ticked_ns, (int64_t)1) };
	/* The runner looks, and the next process is being made. */
	ret->is_crowded = after->runnable - 2 >= h->n_cpus;
	amount[N_RUNQ] = (double)a->runq_wait_ns;
	amount[N_PSI_CPU] = delta(before->psi_cpu_us, after->psi_cpu_us);
	amount[N_PSI_IO] = has_ticked ? delta(before->psi_io_us, after->psi_io_us) : -1;
	amount[N_PSI_MEM] = has_ticked ? delta(before->psi_mem_us, after->psi_mem_us) : -1;
	amount[N_IDLE] = fmax(0, (double)a->wall_ns - busy_ns);
	amount[N_NIVCSW] = (double)a->nivcsw;
	amount[N_MIGRATIONS] = (double)a->migrations;
	amount[N_MAJFLT] = (double)a->majflt;
	amount[N_FREQUENCY] = missing_clock(h, after);
	amount[N_STEAL] = has_ticked ? delta(before->steal_ticks, after->steal_ticks) : -1;
	amount[N_OTHER] = h->shared && h->shared->n_jobs > 1 ? 1 : 0;
	amount[N_HOT] = (double)(MAX(before->temp_mc, after->temp_mc) - h->hot_mc);
	amount[N_THROTTLED] = delta(before->throttled, after->throttled);
	amount[N_SWAPPED] = delta(before->swapped, after->swapped);
}

/* Amount per time, in the unit of the floor. */
static double rate(const struct noise *n, int signal)
{
	double wall = (double)n->wall_ns, window = (double)n->window_ns;
	double ticked = (double)n->ticked_ns;
	double v = n->amount[signal];

	switch (signal) {
	case N_RUNQ:
	case N_IDLE:
		return v / wall;
	case N_PSI_CPU:
		return v * 1e3 / window;
	case N_PSI_IO:
	case N_PSI_MEM:
		return v * 1e3 / ticked;
	case N_STEAL:
		return v * 1e9 / ticked;
	case N_FREQUENCY:
	case N_OTHER:
	case N_HOT:
	case N_THROTTLED:
	case N_SWAPPED:
		return v;
	}
	return v * 1e9 / wall;
}

/* Signals that the benchmark's own work raises: only what exceeds its own habit counts. */
static bool has_habit(int signal)
{
	return signal < N_STEAL;
}

/* No absolute floor, but one above the median: a benchmark may sleep, a host may be set to half
 * of its clock. */
static bool is_relative(int signal)
{
	return signal == N_IDLE || signal == N_FREQUENCY;
}

static double limit_of(struct arena *a, struct noise *const *group, size_t n, int signal)
{
	double *rates = ARENA_ARRAY(a, double, n), median;
	double floor = limits[signal].floor;
	size_t n_known = 0;

	if (!has_habit(signal))
		return floor;
	for (size_t i = 0; i < n; i++)
		if (group[i]->amount[signal] >= 0)
			rates[n_known++] = rate(group[i], signal);
	if (n_known < FEW)
		return is_relative(signal) ? INFINITY : 10 * floor;
	median = sample_median(a, rates, n_known);
	if (is_relative(signal))
		return median + fmax(floor, 5 * sample_mad(a, rates, n_known));
	return fmax(floor, median + 5 * sample_mad(a, rates, n_known));
}

static void classify(struct noise *n)
{
	bool is_certain = n->signals & (1U << N_THROTTLED | 1U << N_SWAPPED);

	n->class = !n->signals					       ? NOISE_CLEAN
		   : is_certain || __builtin_popcount(n->signals) >= 2 ? NOISE_NOISY
								       : NOISE_SUSPECT;
}

/* Enough of it to count at all, and enough for what is the least limit there is. */
static bool may_be_beyond(const struct noise *n, int signal)
{
	return n->amount[signal] >= limits[signal].least &&
	       rate(n, signal) > limits[signal].floor;
}

static bool is_beyond(const struct noise *n, int signal, double limit)
{
	return may_be_beyond(n, signal) && rate(n, signal) > limit;
}

/* Mostly none comes near, and then the habit of all need not be worked out. */
static void judge_signal(struct arena *a, struct noise *const *group, size_t n, int signal)
{
	size_t first = 0;
	double limit;

	while (first < n && !may_be_beyond(group[first], signal))
		first++;
	if (first == n)
		return;
	limit = limit_of(a, group, n, signal);
	for (size_t i = first; i < n; i++)
		if (is_beyond(group[i], signal, limit))
			group[i]->signals |= 1U << signal;
}

void noise_judge(struct noise *const *group, size_t n)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < n; i++)
		group[i]->signals = 0;
	for (int s = 0; s < N_NOISE_SIGNALS; s++)
		judge_signal(a, group, n, s);
	for (size_t i = 0; i < n; i++)
		classify(group[i]);
	arena_free(a);
}

void noise_judge_one(struct noise *const *group, size_t n, struct noise *one)
{
	struct arena *a = arena_new();

	one->signals = 0;
	for (int s = 0; s < N_NOISE_SIGNALS; s++)
		if (may_be_beyond(one, s) && is_beyond(one, s, limit_of(a, group, n, s)))
			one->signals |= 1U << s;
	classify(one);
	arena_free(a);
}

/* Mann 1945, Kendall 1975: S = sum of signs over all pairs, normal with continuity and tie
 * correction. Two-sided p. */
static double trend_p(struct arena *a, const double *x, size_t n)
{
	double *sorted = sample_sorted(a, x, n), s = 0, ties = 0, var, z;

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			s += (x[k] > x[i]) - (x[k] < x[i]);
	for (size_t i = 0; i < n;) {
		size_t k = i;

		while (k < n && sorted[k] == sorted[i])
			k++;
		ties += (double)(k - i) * (double)(k - i - 1) * (2.0 * (double)(k - i) + 5);
		i = k;
	}
	var = ((double)n * (double)(n - 1) * (2.0 * (double)n + 5) - ties) / 18;
	if (var <= 0 || s == 0)
		return 1;
	z = (fabs(s) - 1) / sqrt(var);
	return erfc(z / sqrt(2));
}

static double crowded_share(struct noise *const *group, size_t n)
{
	size_t n_crowded = 0;

	for (size_t i = 0; i < n; i++)
		n_crowded += group[i]->is_crowded;
	return n < FEW ? 0 : (double)n_crowded / (double)n;
}

double noise_contention(struct noise *const *group, size_t n, int n_cpus)
{
	double stalled_us = 0, window_ns = 0, busy_ns = 0, wall_ns = 0;
	double crowded = crowded_share(group, n);

	for (size_t i = 0; i < n; i++) {
		if (group[i]->amount[N_PSI_CPU] < 0)
			return crowded;
		stalled_us += group[i]->amount[N_PSI_CPU];
		window_ns += (double)group[i]->window_ns;
		busy_ns += (double)group[i]->busy_ns;
		wall_ns += (double)group[i]->wall_ns;
	}
	if (stalled_us < CONTENDED_US || busy_ns >= FILLS_ITS_CPUS * n_cpus * wall_ns)
		return crowded;
	return fmin(1, fmax(crowded, stalled_us * 1e3 / window_ns));
}

enum noise_class noise_of_run(struct noise *const *group, size_t n, const double *values,
	size_t n_values, double contention)
{
	struct arena *a = arena_new();
	bool drifts = n_values >= MIN_DRIFT && trend_p(a, values, n_values) < 0.01;
	size_t n_noisy = 0;
	double share;

	arena_free(a);
	for (size_t i = 0; i < n; i++)
		n_noisy += group[i]->class == NOISE_NOISY;
	share = n ? (double)n_noisy / (double)n : 0;
	if (share > 0.3 || drifts)
		return NOISE_NOISY;
	return share >= 0.1 || contention >= NOISE_CONTENDED ? NOISE_SUSPECT : NOISE_CLEAN;
}
