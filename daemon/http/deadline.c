/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/deadline.h"

#include "base/cleanup.h"

static void on_timer(uv_timer_t *t);

void deadlines_init(struct deadlines *ds, uv_loop_t *loop,
	void (*on_expired)(void *, struct deadline *, enum deadline_kind), void *arg)
{
	for (int k = 0; k < D_KINDS; k++)
		TAILQ_INIT(&ds->lists[k]);
	ds->armed_ns = 0;
	ds->on_expired = on_expired;
	ds->arg = arg;
	uv_timer_init(loop, &ds->timer);
	ds->timer.data = ds;
}

/* The loop's own time, read once an iteration: exact enough for seconds, and free. */
static int64_t now_ns(const struct deadlines *ds)
{
	return (int64_t)uv_now(ds->timer.loop) * NS_PER_MS;
}

static int64_t first_ns(const struct deadlines *ds)
{
	int64_t first = 0;

	for (int k = 0; k < D_KINDS; k++) {
		const struct deadline *d = TAILQ_FIRST(&ds->lists[k]);

		if (d && (!first || d->at_ns < first))
			first = d->at_ns;
	}
	return first;
}

/* A timer that is early does no harm: it finds nothing due and is set again. So it is moved
 * only when it would be late, and a busy connection costs no timer operation. */
static void arm(struct deadlines *ds, int64_t at_ns)
{
	int64_t ms = (at_ns - now_ns(ds) + NS_PER_MS - 1) / NS_PER_MS;

	if (ds->armed_ns && ds->armed_ns <= at_ns)
		return;
	ds->armed_ns = at_ns;
	uv_timer_start(&ds->timer, on_timer, (uint64_t)MAX(ms, 0), 0);
}

static struct deadline *first_due(struct deadlines *ds, int64_t now)
{
	for (int k = 0; k < D_KINDS; k++) {
		struct deadline *d = TAILQ_FIRST(&ds->lists[k]);

		if (d && d->at_ns <= now)
			return d;
	}
	return NULL;
}

static void take_out(struct deadlines *ds, struct deadline *d)
{
	if (d->kind != D_NONE)
		TAILQ_REMOVE(&ds->lists[d->kind], d, link);
	d->kind = D_NONE;
}

static void on_timer(uv_timer_t *t)
{
	struct deadlines *ds = t->data;
	int64_t now = now_ns(ds), next;
	struct deadline *d;

	ds->armed_ns = 0;
	while ((d = first_due(ds, now))) {
		enum deadline_kind kind = d->kind;

		take_out(ds, d);
		ds->on_expired(ds->arg, d, kind);
	}
	next = first_ns(ds);
	if (next && !uv_is_closing((uv_handle_t *)t))
		arm(ds, next);
}

void deadline_set(
	struct deadlines *ds, struct deadline *d, enum deadline_kind kind, int64_t after_ns)
{
	struct deadline_list *list = &ds->lists[kind];
	struct deadline *before;

	take_out(ds, d);
	d->at_ns = now_ns(ds) + after_ns;
	d->kind = kind;
	before = TAILQ_LAST(list, deadline_list);
	while (before && before->at_ns > d->at_ns)
		before = TAILQ_PREV(before, deadline_list, link);
	if (before)
		TAILQ_INSERT_AFTER(list, before, d, link);
	else
		TAILQ_INSERT_HEAD(list, d, link);
	arm(ds, d->at_ns);
}

void deadline_clear(struct deadlines *ds, struct deadline *d)
{
	take_out(ds, d);
	if (ds->armed_ns && !first_ns(ds)) {
		uv_timer_stop(&ds->timer);
		ds->armed_ns = 0;
	}
}
