/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/fs.h"
#include "worker/artifacts.h"
#include "worker/build.h"
#include "worker/cpus.h"
#include "worker/disk.h"
#include "worker/flight.h"
#include "worker/job.h"
#include "worker/measure.h"
#include "worker/preflight.h"
#include "worker/require.h"
#include "worker/sweep.h"

/* --- steps of a job, in order; each returns negative after job_fail ------------------------
 */

static int make_scratch(struct job *j)
{
	j->scratch = xasprintf(
		"%s/jobs/%s.%03lld", j->host->state, j->ch.job, (long long)j->ch.attempt);
	if (mkdir(j->scratch, 0700) < 0 && errno != EEXIST)
		return job_fail(j, FAULT_RUNNER, "cannot make the folder '%s': %s", j->scratch,
			strerror(errno));
	if (j->host->job_uid != (uid_t)-1)
		(void)!chown(j->scratch, j->host->job_uid, j->host->job_gid);
	j->free_at_start_bytes = disk_free_bytes(j->scratch);
	for (size_t i = 0; i < j->spec->n_arms; i++)
		j->directory[i] = j->spec->directory ? (char *)j->spec->directory : j->scratch;
	return OK;
}

static int run_setup(struct job *j)
{
	struct error err;

	for (size_t arm = 0; arm < j->spec->n_arms; arm++)
		for (size_t i = 0; i < j->spec->setup.n; i++) {
			int r = job_run_tool(j, j->spec->setup.argv[i], j->directory[arm],
				"worker", j->spec->limits.build_time_ns, &err);

			if (r == E_GONE)
				return job_stopped(j);
			if (r < 0)
				return job_fail(j, FAULT_PROGRAM, "setup step %zu failed: %s",
					i + 1, err.text);
		}
	return OK;
}

static int (*const steps[])(struct job *j) = {
	preflight_clock,
	preflight_cpus,
	make_scratch,
	preflight_identity,
	require_settings,
	preflight_lock,
	device_take,
	sandbox_open,
	build_job,
	run_setup,
	preflight_idle,
	require_moment,
	measure_job,
	preflight_identity_again,
};

/* cleanup runs however the job ended, and cannot change that. */
static void run_cleanup(struct job *j)
{
	struct error err;

	for (size_t arm = 0; arm < j->spec->n_arms && j->directory[arm]; arm++)
		for (size_t i = 0; i < j->spec->cleanup.n; i++)
			if (!channel_in_a_hurry(&j->ch) &&
				job_run_tool(j, j->spec->cleanup.argv[i], j->directory[arm],
					"worker", 30 * NS_PER_S, &err) < 0)
				channel_note(
					&j->ch, "cleanup step %zu failed: %s", i + 1, err.text);
}

/* Where it is not what the daemon was told with hello. */
static void add_environment(const struct job *j, json_t *m)
{
	json_t *o;

	if (!*j->environment_id || (!j->identity && !j->host->has_changed))
		return;
	o = json_object();
	json_set_str(o, "id", j->environment_id);
	json_object_set(o, "identity", j->identity ? j->identity : j->host->identity);
	json_object_set_new(m, "environment", o);
}

static void send_done(struct job *j)
{
	json_t *m = channel_message(&j->ch, "done");

	json_set_str(m, "status", job_status_names[j->status]);
	json_set_str(m, "fault", j->fault ? job_fault_names[j->fault] : NULL);
	json_set_str(m, "reason", *j->reason ? j->reason : NULL);
	if (j->is_refused)
		json_set_bool(m, "refused", true);
	if (j->is_mixed)
		json_set_bool(m, "discard", true);
	json_object_set(m, "cells", j->cells);
	json_set_bool(m, "started_busy", j->started_busy);
	json_set_int(m, "telling_ns", j->telling_ns);
	json_object_set(m, "layers", j->layers);
	device_tell(j, m);
	add_environment(j, m);
	program_tell(&j->kernel, m);
	if (json_array_size(j->notes))
		json_object_set(m, "notes", j->notes);
	channel_send(&j->ch, m);
	channel_flush(&j->ch);
}

static void end_job(struct job *j)
{
	struct error err;

	/* What comes now takes its time. */
	cpus_step_back();
	if (j->spec && j->scratch) {
		artifacts_send(j);
		run_cleanup(j);
	}
	flight_free(TAKE(j->ready));
	zygote_close(&j->zygote);
	(void)sweep_descendants(NULL, 0, 10 * NS_PER_S, NULL);
	cgroup_close(&j->cgroup);
	if (j->scratch)
		(void)!dir_remove(j->scratch, &err);
	/* Before `done`, so that the next job finds the host free. */
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	device_release(j);
	send_done(j);
}

/* The numbers of records go on behind those of earlier attempts. */
static int64_t last_seq(const struct spec *s)
{
	int64_t last = (int64_t)s->n_have;

	for (size_t i = 0; i < s->n_have; i++)
		last = MAX(last, s->have[i].seq);
	return last;
}

static void run_steps(struct job *j)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (channel_must_stop(&j->ch)) {
			(void)job_stopped(j);
			return;
		}
		if (steps[i](j) < 0)
			return;
	}
}

void runner_main(const struct host *h, int slot, int fd, json_t *message)
{
	struct job j = {
		.host = h, .slot = slot, .lock_fd = -1, .cgroup = { .fd = -1, .procs_fd = -1 }
	};
	struct error err;

	sweep_prepare();
	j.arena = arena_new();
	j.cells = json_array();
	j.layers = json_object();
	j.notes = json_array();
	channel_init(&j.ch, fd, json_get_str(message, "job", ""),
		json_get_int(message, "attempt", 1));
	if (spec_read(j.arena, json_object_get(message, "spec"), &j.spec, &err) < 0) {
		(void)job_fail(&j, FAULT_RUNNER, "the job cannot be understood: %s", err.text);
	} else {
		rng_init(&j.rng, j.spec->seed);
		rng_init(&j.padding, rng_mix(j.spec->seed + 2));
		j.seq = last_seq(j.spec);
		j.ch.deadline_ns = clock_monotonic_ns() + j.spec->limits.job_time_ns;
		run_steps(&j);
	}
	end_job(&j);
	_exit(0);
}
