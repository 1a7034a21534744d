/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows when a job has ended: who waited for it may run, or never can. One job after the
 * other, so that a long chain needs no deep stack; each is visited when something it waits for
 * has ended, so that the cost is that of the edges. */
#include <string.h>
#include "daemon/queue/internal.h"

enum { TOUCHED_MAX = 1024 };

static _Thread_local struct {
	struct {
		char uuid[37];
		bool is_final;
	} job[TOUCHED_MAX];
	size_t n;
} touched;

void queue_touch(const struct job *j)
{
	/* Most change twice in a row: to running, to its end. */
	bool is_same = touched.n && !strcmp(touched.job[touched.n - 1].uuid, j->uuid);

	if (!is_same && touched.n < TOUCHED_MAX)
		snprintf(touched.job[touched.n++].uuid, sizeof(touched.job[0].uuid), "%s",
			j->uuid);
	else if (!is_same)
		return;
	touched.job[touched.n - 1].is_final = job_state_is_final(j->state);
}

size_t queue_take_touched(struct arena *a, const struct touched_job **ret)
{
	struct touched_job *list = ARENA_ARRAY(a, struct touched_job, touched.n + 1);
	size_t n = touched.n;

	for (size_t i = 0; i < n; i++)
		list[i] = (struct touched_job){ .uuid = arena_strdup(a, touched.job[i].uuid),
			.is_final = touched.job[i].is_final };
	touched.n = 0;
	*ret = list;
	return n;
}

/* --- suites --- */

struct tally {
	size_t n, n_failed;
	enum outcome worst;
};

static void count_member(struct tally *t, const struct job *member)
{
	t->n++;
	t->n_failed += member->state != JOB_SUCCEEDED;
	if (member->outcome == OUTCOME_SLOWER || t->worst == OUTCOME_NONE ||
		(member->outcome == OUTCOME_UNKNOWN && t->worst != OUTCOME_SLOWER))
		t->worst = member->outcome;
}

/* A suite runs nothing itself: it ends when its members have, as well as the worst of them. */
static int conclude_suite(
	struct store *st, struct arena *a, struct job *suite, struct error *err)
{
	struct tally t = { 0 };
	json_t *definition, *v;
	struct extras x;
	size_t i;
	int r;

	r = job_definition(a, suite, &definition, &x, err);
	json_array_foreach (r == OK ? x.members : NULL, i, v) {
		struct job member;

		r = store_job_find(st, a, json_string_value(v), &member, err);
		if (r < 0)
			return r;
		count_member(&t, &member);
	}
	suite->outcome = t.worst;
	suite->state = t.n_failed ? JOB_FAILED : JOB_SUCCEEDED;
	suite->fault = t.n_failed ? FAULT_PROGRAM : FAULT_NONE;
	if (t.n_failed)
		suite->reason =
			arena_printf(a, "%zu of its %zu jobs did not succeed", t.n_failed, t.n);
	return r;
}

/* --- the walk --- */

struct walk {
	struct store *st;
	struct arena *a;
	int64_t now_ns;
	int64_t *ended; /* ids whose dependents are still to be visited */
	size_t n, cap;
	struct error *err;
};

static void add_ended(struct walk *w, int64_t id)
{
	if (w->n == w->cap) {
		int64_t *more = ARENA_ARRAY(w->a, int64_t, 2 * w->cap + 16);

		if (w->n)
			memcpy(more, w->ended, w->n * sizeof(*more));
		w->ended = more;
		w->cap = 2 * w->cap + 16;
	}
	w->ended[w->n++] = id;
}

static int decide(struct walk *w, struct job *j, enum readiness ready)
{
	int r = OK;

	if (ready == READY_NEVER) {
		j->state = JOB_CANCELED;
		j->reason = "a job that it depends on did not succeed";
	} else if (!strcmp(j->kind, "suite")) {
		r = conclude_suite(w->st, w->a, j, w->err);
	} else {
		/* A blocked job has a reason when it also waits for another host. */
		j->state = *j->reason ? JOB_WAITING_HOST : JOB_QUEUED;
		j->queued_ns = w->now_ns;
	}
	if (r == OK && job_state_is_final(j->state)) {
		j->finished_ns = w->now_ns;
		add_ended(w, j->id);
	}
	if (r == OK)
		r = store_job_save(w->st, j, j->attempt, w->err);
	return r == OK ? queue_note_state(w->st, j, w->now_ns, w->err) : r;
}

static int visit(struct walk *w, int64_t id)
{
	enum readiness ready;
	struct job j;
	int r;

	r = store_job_get(w->st, w->a, id, &j, w->err);
	if (r < 0 || j.state != JOB_BLOCKED)
		return r;
	r = store_job_readiness(w->st, id, &ready, w->err);
	return r < 0 || ready == READY_NOT_YET ? r : decide(w, &j, ready);
}

int queue_release(struct store *st, struct arena *a, const struct job *j, int64_t now_ns,
	struct error *err)
{
	struct walk w = { .st = st, .a = a, .now_ns = now_ns, .err = err };
	int r = OK;

	add_ended(&w, j->id);
	for (size_t i = 0; r == OK && i < w.n; i++) {
		int64_t *ids;
		size_t n;

		r = store_job_dependents(st, a, w.ended[i], &ids, &n, err);
		for (size_t k = 0; r == OK && k < n; k++)
			r = visit(&w, ids[k]);
	}
	return r;
}

int queue_settle(
	struct store *st, struct arena *a, int64_t id, int64_t now_ns, struct error *err)
{
	struct walk w = { .st = st, .a = a, .now_ns = now_ns, .err = err };

	return visit(&w, id);
}
