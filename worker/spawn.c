/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/spawn.h"

#include "base/clock.h"
#include "stats/quantile.h"
#include "worker/supervise.h"

enum { N_RUNS = 20 };

static double run_true(struct job *j)
{
	char *argv[] = { (char *)"true", NULL };
	struct supervised s;
	struct launch l;
	struct error err;
	double wall = 0;

	sandbox_plan(j, &l);
	l.exe = "/bin/true";
	l.argv = argv;
	l.envp = job_environment(j, j->arena, NULL);
	l.cpus = *job_cpus(j);
	if (supervise(&j->ch, &l, 10 * NS_PER_S, 4096, NULL, NULL, &s, &err) == OK &&
		s.termination == T_EXIT)
		wall = (double)s.account.wall_ns;
	supervised_done(&s);
	return wall;
}

int64_t spawn_cost_ns(struct job *j)
{
	struct host_shared *shared = j->host->shared;
	bool is_shared = j->spec->isolation != ISOLATION_STRICT;
	double wall[N_RUNS];
	int64_t cost;

	if (is_shared && shared->spawn_cost_ns)
		return shared->spawn_cost_ns;
	for (int i = 0; i < N_RUNS; i++) {
		wall[i] = run_true(j);
		if (wall[i] <= 0 || channel_must_stop(&j->ch))
			return 0;
	}
	cost = (int64_t)sample_median_in_place(wall, N_RUNS);
	if (is_shared)
		shared->spawn_cost_ns = cost;
	return cost;
}
