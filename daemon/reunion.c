/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs that went on while the daemon was away.
 *
 * A worker of its own unit outlives the daemon. A daemon that is started finds the jobs such
 * workers were measuring and waits for them: a worker that says hello names what it has, is
 * told
 * (`resume`) what of it goes on and up to which message it is stored, and says the rest again.
 * So nothing is lost and nothing measured twice. A job that no worker brings is put back, as
 * those of an embedded worker are at once. Loop thread. */
#include <string.h>
#include "base/log.h"
#include "daemon/run.h"

/* A worker tries to connect at least every 5 s. */
#define PATIENCE_NS (15 * NS_PER_S)

static void on_alone(uv_timer_t *t)
{
	struct run *run = t->data;

	run->is_adrift = false;
	snprintf(run->reason, sizeof(run->reason),
		"benchd was ended while the job ran and its worker did not come back; it goes "
		"on "
		"with what is stored");
	run_enter(run, STEP_PUT_BACK);
}

void reunion_wait(struct run *run)
{
	run->step = STEP_MEASURE;
	run->begun_ns = clock_mono(run->pl->c.clock);
	run_arm(run, PATIENCE_NS, on_alone);
}

static void join(struct run *run, struct worker *w)
{
	run->is_adrift = false;
	run->worker = w;
	run->worker_id = worker_id(w);
	run->holds_slot = true;
	run->begun_ns = 0;
	snprintf(run->environment_hash, sizeof(run->environment_hash), "%s",
		worker_environment_hash(w));
	snprintf(run->program, sizeof(run->program), "%s", worker_program(w));
	free(run->identity);
	run->identity = xstrdup(worker_environment_identity(w));
	worker_set_busy(w, run->uuid, true);
	run_enter(run, STEP_MEASURE);
	ahead_begin(run);
	log_notice("job %s: its worker is back; attempt %lld goes on", run->uuid,
		(long long)run->attempt);
}

static void add_resumed(json_t *list, const struct run *run)
{
	json_t *o = json_object();

	json_set_str(o, "job", run->uuid);
	json_set_int(o, "attempt", run->attempt);
	json_set_int(o, "n", run->n_told);
	json_array_append_new(list, o);
}

void reunion_take_up(struct pipeline *pl, struct worker *w)
{
	const json_t *offered = worker_offered_jobs(w), *o;
	json_t *m, *list;
	size_t i;

	if (!pl->has_recovered || !json_array_size(offered))
		return;
	m = json_object();
	list = json_array();
	json_set_str(m, "type", "resume");
	json_object_set_new(m, "jobs", list);
	json_array_foreach (offered, i, o) {
		struct run *run = run_find(
			pl, json_get_str(o, "job", ""), json_get_int(o, "attempt", -1));

		if (!run || !run->is_adrift)
			continue;
		join(run, w);
		add_resumed(list, run);
	}
	worker_send(w, m);
	look_for_cancels(pl);
}

void reunion_begin(struct pipeline *pl)
{
	pl->has_recovered = true;
	for (size_t i = 0; i < pl->n_workers; i++)
		reunion_take_up(pl, pl->workers[i]);
}

void reunion_leave(struct pipeline *pl)
{
	for (struct run *run = pl->runs, *next; run; run = next) {
		next = run->next;
		if (run->is_adrift)
			run_enter(run, STEP_OVER); /* the next start waits again */
	}
}
