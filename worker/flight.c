/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/flight.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include "base/fs.h"
#include "worker/cpus.h"

enum { PADDING = 4096, N_EXTRA = 9 + SPEC_MAX_CELL_ENV };

static void fill_extra(struct arena *a, struct job *j, const struct turn *t, int64_t padding,
	const char **extra)
{
	const struct spec_protocol *p = &j->spec->protocol;
	static const char pad_name[] = "BENCHD_PADDING=";
	char *pad = arena_alloc(a, sizeof(pad_name) + (size_t)padding);
	size_t n = 0;

	memcpy(pad, pad_name, sizeof(pad_name));
	memset(pad + sizeof(pad_name) - 1, 'x', (size_t)padding);
	extra[n++] = arena_printf(a, "BENCHD_RESULT_FD=%d", RESULT_FD);
	extra[n++] = arena_printf(
		a, "BENCHD_SAMPLES=%lld", t->is_calibrating ? 1LL : (long long)p->samples);
	extra[n++] = arena_printf(a, "BENCHD_WARMUP=%lld", (long long)p->warmup);
	extra[n++] = arena_printf(a, "BENCHD_SEED=%llu", (unsigned long long)j->spec->seed);
	if (t->iterations)
		extra[n++] =
			arena_printf(a, "BENCHD_ITERATIONS=%lld", (long long)t->iterations);
	extra[n++] = pad;
	if (device_lock_of(j, t) >= 0)
		extra[n++] = arena_printf(a, "BENCHD_GPU_LOCK_FD=%d", KEPT_FD);
	for (char **e = t->cell->environment; e && *e; e++)
		extra[n++] = *e;
	extra[n] = NULL;
}

char **flight_environment(struct job *j, struct arena *a, const struct turn *t, int64_t padding)
{
	const char *extra[N_EXTRA + 1];

	fill_extra(a, j, t, padding, extra);
	return job_environment(j, a, extra);
}

/* benchd-kernel is the one that came with the worker: beside it in a build folder, in ../bin of
 * an installation, also of one that was moved or staged with DESTDIR. */
char *flight_program(const char *name, const char *directory)
{
	_cleanup_(free)
	char *places = NULL;

	if (strcmp(name, "benchd-kernel"))
		return launch_find(name, job_path, directory);
	places = xasprintf("%s:%s/../bin:%s:%s", program_dir(), program_dir(), BENCHD_BINDIR,
		BENCHD_SBINDIR);
	return launch_find(name, places, directory);
}

/* Nothing of the user's runs between two processes, and they run in the same folder. */
static bool follows_at_once(const struct job *j, const struct turn *t)
{
	const struct spec *s = j->spec;
	bool is_one_folder = s->n_arms < 2 || !strcmp(j->directory[0], j->directory[1]);

	return is_one_folder && !s->prepare.n && !s->conclude.n && !t->cell->prepare.n &&
	       !t->cell->conclude.n && s->cache != CACHE_COLD;
}

static void open_zygote(struct job *j)
{
	cpu_set_t theirs, ours;
	bool are_apart = job_share_cpus(j, &theirs, &ours);

	if (!zygote_open(&j->zygote, &theirs) || !CPU_COUNT(&ours))
		return;
	(void)sched_setaffinity(0, sizeof(ours), &ours);
	j->looks_out = are_apart;
}

/* One that is used a few times only costs more than it saves. */
static void use_zygote(struct job *j, const struct turn *t, struct launch *l)
{
	if (l->namespaces || l->kept_fd >= 0 || j->spec->protocol.processes < JOB_MANY)
		return;
	if (!j->had_zygote)
		open_zygote(j);
	j->had_zygote = true;
	if (!j->zygote.pid)
		return;
	l->zygote = &j->zygote;
	l->foresees = follows_at_once(j, t);
}

static void plan(struct flight *f)
{
	struct job *j = f->job;
	const struct turn *t = &f->turn;
	struct launch *l = &f->launch;
	_cleanup_(free)
	char *exe = flight_program(t->cell->argv[t->arm][0], j->directory[t->arm]);

	f->error = errno;
	f->record.padding = (int64_t)rng_below(&j->padding, PADDING);
	if (!exe)
		return;
	f->record.exe = arena_strdup(f->arena, exe);
	sandbox_plan(j, l);
	l->serial = ++j->n_flights;
	l->exe = f->record.exe;
	l->argv = t->cell->argv[t->arm];
	l->envp = flight_environment(j, f->arena, t, f->record.padding);
	l->directory = j->directory[t->arm];
	l->cpus = *job_cpus(j);
	l->input = j->spec->input;
	l->discards_output = j->spec->discards_output && !t->cell->adapter;
	l->wants_result = true;
	l->kept_fd = device_lock_of(j, t);
	l->wants_go = true;
	f->record.counters.is_asked = t->wants_counters;
	if (t->wants_counters && j->host->has_pmu)
		l->counters = &f->record.counters;
	use_zygote(j, t, l);
}

static struct flight *make(struct job *j, const struct turn *t)
{
	struct arena *a = arena_new();
	struct flight *f = ARENA_NEW(a, struct flight);

	f->job = j;
	f->arena = a;
	f->turn = *t;
	plan(f);
	return f;
}

/* All of a turn that its plan is made of; a cgroup that is spent has to be made anew. */
static bool is_ready_for(const struct flight *f, const struct turn *t)
{
	return f && f->turn.cell == t->cell && f->turn.arm == t->arm &&
	       f->turn.iterations == t->iterations &&
	       f->turn.is_calibrating == t->is_calibrating &&
	       f->turn.wants_counters == t->wants_counters && f->launch.exe &&
	       !f->job->cgroup.is_spent;
}

struct flight *flight_new(struct job *j, const struct turn *t)
{
	struct flight *f = TAKE(j->ready);

	if (is_ready_for(f, t)) {
		f->turn = *t;
		return f;
	}
	flight_free(f);
	return make(j, t);
}

const struct launch *flight_foresee(struct flight *f)
{
	struct job *j = f->job;

	/* On one cpu it would be the process that waits for it. */
	if (CPU_COUNT(&j->host->allowed) < 2)
		return &f->launch;
	flight_free(j->ready);
	j->ready = make(j, &f->turn);
	return j->ready->launch.exe ? &j->ready->launch : NULL;
}

void flight_free(struct flight *f)
{
	if (f)
		arena_free(f->arena);
}
