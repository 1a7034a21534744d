/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs given to a worker ahead of their turn.
 *
 * A worker runs one exclusive job after the other. While it runs short ones, storing a result
 * and claiming the next job would be a good part of the time it stands idle. So after a few
 * short jobs in a row it is given some more than the one it runs, each claimed as durably as
 * ever. The first job that is not short ends that: those which have not begun are called back,
 * wait in the queue where they waited, and no attempt of theirs is counted. So nobody more
 * urgent waits longer for it than PATIENCE_MS. Loop thread. */
#include "daemon/run.h"

enum { AHEAD = 4, SHORT_IN_A_ROW = 3, PATIENCE_MS = 200 };
#define SHORT_NS (50 * NS_PER_MS)

int64_t ahead_room(const struct pipeline *pl, const struct worker *w)
{
	/* One pace is kept, so it must be that of one worker. */
	if (pl->n_workers != 1 || pl->n_short < SHORT_IN_A_ROW)
		return 0;
	return MIN((int64_t)AHEAD, worker_ahead_slots(w));
}

static bool holds_exclusive(const struct run *run, const struct worker *w)
{
	return run->worker == w && run->holds_slot && run->is_exclusive;
}

static struct run *first_in_turn(const struct pipeline *pl, const struct worker *w)
{
	struct run *first = NULL;

	for (struct run *run = pl->runs; run; run = run->next)
		if (holds_exclusive(run, w) && run->turn && (!first || run->turn < first->turn))
			first = run;
	return first;
}

static void call_back(struct run *run)
{
	json_t *m = json_object();

	json_set_str(m, "type", "cancel");
	json_set_str(m, "job", run->uuid);
	json_set_int(m, "attempt", run->attempt);
	json_set_str(m, "reason", "recalled");
	worker_send(run->worker, m);
}

static void on_impatience(uv_timer_t *t)
{
	struct pipeline *pl = t->data;

	pl->n_short = 0;
	(void)claim_stand_down(pl); /* it may be one for a job ahead */
	for (struct run *run = pl->runs; run; run = run->next)
		if (run->worker && holds_exclusive(run, run->worker) && run->turn &&
			!run->begun_ns)
			call_back(run);
}

static void begin_turn(struct run *run)
{
	struct pipeline *pl = run->pl;

	run->begun_ns = clock_mono(pl->c.clock);
	if (pl->n_short >= SHORT_IN_A_ROW)
		uv_timer_start(&pl->patience, on_impatience, PATIENCE_MS, 0);
}

void ahead_begin(struct run *run)
{
	run->turn = ++run->pl->n_turns;
	if (!run->is_exclusive)
		run->begun_ns = clock_mono(run->pl->c.clock);
	else if (first_in_turn(run->pl, run->worker) == run)
		begin_turn(run);
}

void ahead_end(struct run *run, const struct worker *w)
{
	struct pipeline *pl = run->pl;
	struct run *next = first_in_turn(pl, w);

	if (!run->is_exclusive || !run->turn)
		return;
	if (run->begun_ns) {
		bool is_short = clock_mono(pl->c.clock) - run->begun_ns < SHORT_NS;

		pl->n_short = is_short ? MIN(pl->n_short + 1, (int)SHORT_IN_A_ROW) : 0;
		uv_timer_stop(&pl->patience);
	}
	if (!next || next->begun_ns)
		return;
	begin_turn(next);
	if (next->step == STEP_MEASURE && !next->ending) /* its time begins now */
		run_arm(next, steps[STEP_MEASURE].deadline_ns(next), NULL);
}
