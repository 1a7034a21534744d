/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernels/placement.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "base/json.h"
#include "kernels/omp.h"

static struct {
	int n;			/* threads; 0 = no placement */
	const char *chosen_by;	/* static text */
	cpu_set_t process;	/* CPUs of the process before */
	int cpu[PLACEMENT_MAX]; /* of each thread */
	bool is_bound;
} now;

/* --- choice ------------------------------------------------------------------------------- */

static int compare_places(const void *a_, const void *b_)
{
	const struct placement_cpu *a = a_, *b = b_;

	if (a->package != b->package)
		return a->package < b->package ? -1 : 1;
	if (a->core != b->core)
		return a->core < b->core ? -1 : 1;
	return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

static int compare_order(const void *a_, const void *b_)
{
	const struct placement_cpu *a = a_, *b = b_;

	if (a->sibling != b->sibling)
		return a->sibling < b->sibling ? -1 : 1;
	return compare_places(a, b);
}

void placement_order(struct placement_cpu *c, int n)
{
	qsort(c, (size_t)n, sizeof(*c), compare_places);
	for (int i = 0; i < n; i++) {
		bool is_first = i == 0 || c[i].package != c[i - 1].package ||
				c[i].core != c[i - 1].core;

		c[i].sibling = is_first ? 0 : c[i - 1].sibling + 1;
	}
	qsort(c, (size_t)n, sizeof(*c), compare_order);
}

/* A number under the CPU's topology; the CPU itself where the system does not say. */
static int read_topology(int cpu, const char *name)
{
	char path[96];
	int v = cpu;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, name);
	_cleanup_(fclose)
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &v) != 1)
		return cpu;
	return v;
}

static int list_cpus(struct placement_cpu *c)
{
	int n = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE && n < PLACEMENT_MAX; cpu++)
		if (CPU_ISSET(cpu, &now.process))
			c[n++] = (struct placement_cpu){ .cpu = cpu,
				.package = read_topology(cpu, "physical_package_id"),
				.core = read_topology(cpu, "core_id") };
	placement_order(c, n);
	return n;
}

/* --- threads ------------------------------------------------------------------------------ */

static bool bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* The variable by which the user chose, NULL for none. */
static const char *chosen_by_user(void)
{
	static const char *const names[] = { "OMP_PROC_BIND", "OMP_PLACES",
		"GOMP_CPU_AFFINITY" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			return names[i];
	return NULL;
}

/* Every thread of a team of n binds itself and notes where it is; returns the team's size. */
static int place_team(int n, const struct placement_cpu *c, int n_cpus)
{
	int n_threads = 1, n_failed = 0;

#pragma omp parallel num_threads(n) reduction(+ : n_failed)
	{
		int t = omp_get_thread_num();

		if (t == 0)
			n_threads = omp_get_num_threads();
		n_failed += n_cpus > 0 && !bind_to(c[t % n_cpus].cpu);
		if (t < PLACEMENT_MAX)
			now.cpu[t] = sched_getcpu();
	}
	now.is_bound = n_cpus > 0;
	if (n_failed)
		now.chosen_by = "system";
	return n_threads;
}

int placement_begin(const struct params *p, struct error *err)
{
	struct placement_cpu c[PLACEMENT_MAX];
	const char *user = chosen_by_user();
	int got;

	if (p->backend != BACKEND_THREADS || p->threads < 2)
		return OK;
#ifdef _OPENMP
	omp_set_dynamic(0);
#endif
	now.chosen_by = user ? user : "benchd-kernel";
	if (sched_getaffinity(0, sizeof(now.process), &now.process) != 0)
		user = now.chosen_by = "system";
	now.n = MIN(p->threads, PLACEMENT_MAX);
	got = place_team(p->threads, c, user ? 0 : list_cpus(c));
	if (got != p->threads) {
		placement_end();
		return error_set_field(err, E_UNAVAILABLE, "threads",
			"OpenMP gives %d of %d threads; is OMP_THREAD_LIMIT set?", got,
			p->threads);
	}
	return OK;
}

void placement_describe(json_t *o)
{
	json_t *place, *cpus;

	if (now.n == 0)
		return;
	place = json_object();
	cpus = json_array();
	for (int i = 0; i < now.n; i++)
		json_array_append_new(cpus, json_integer(now.cpu[i]));
	json_set_str(place, "chosen_by", now.chosen_by);
	json_object_set_new(place, "cpus", cpus);
	json_object_set_new(o, "placement", place);
}

void placement_end(void)
{
	if (now.n > 0 && now.is_bound) {
#pragma omp parallel num_threads(now.n)
		(void)sched_setaffinity(0, sizeof(now.process), &now.process);
	}
	now.n = 0;
	now.is_bound = false;
}
