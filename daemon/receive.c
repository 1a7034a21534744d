/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/receive.h"

#include <stdatomic.h>
#include <string.h>
#include "base/log.h"
#include "daemon/http/http.h"

enum { TRY_AGAIN_MS = 5000, PRUNE_MS = 3600 * 1000 };
#define CLOSED_BY "its pull request or branch being gone"

struct receive {
	struct receive_config c;
	struct server *server;
	uv_timer_t again, prune;
	bool is_started, is_busy, has_more, is_stopping;

	/* of the delivery on its way; the writer's while is_busy */
	int64_t id, now_ns;
	char uuid[40], state[16], reason[300];

	_Atomic int64_t n_done, n_ignored, n_failed;
};

/* --- on the writer thread --- */

static int check_workload(struct receive *rc, struct store *st, struct arena *a,
	const struct hook_rule *rule, struct error *err)
{
	struct project p = { 0 };
	json_t *definition;
	const char *source;
	int r = store_project_find(st, a, rule->project, &p, err);

	if (r < 0 && r != E_NOT_FOUND)
		return r;
	r = queue_find_workload(
		st, a, rc->c.rules(rc->c.arg), p.id, rule->workload, &definition, &source, err);
	if (r == OK && strcmp(json_get_str(definition, "kind", ""), "build") != 0)
		return error_set(err, E_UNPROCESSABLE,
			"the workload '%s' is not of kind 'build': it measures no commits",
			rule->workload);
	return r;
}

static int file_order(struct receive *rc, struct store *st, struct arena *a,
	const struct hook *h, const struct hook_order *order, struct error *err)
{
	const struct filing f = { .project = order->rule->project,
		.may_create_project = true,
		.awaits_approval = order->awaits_approval,
		.submitter = arena_printf(a, "hook %s", h->name),
		.trigger = "hook",
		.now_ns = rc->now_ns };
	struct job_origin o = { .delivery_id = rc->id,
		.hook = h->name,
		.repository = h->repository,
		.hash = order->hash,
		.pull = order->pull,
		.context =
			arena_printf(a, "%s/%s", order->rule->project, order->rule->workload) };
	struct job j;
	int r = check_workload(rc, st, a, order->rule, err);

	if (r == OK)
		r = queue_file_job(st, a, rc->c.rules(rc->c.arg), &f, order->body, &j, err);
	if (r < 0)
		return r;
	o.job_id = j.id;
	r = store_origin_add(st, &o, err);
	return r == OK ? rc->c.on_filed(rc->c.arg, st, a, &o, &j, err) : r;
}

static int end_jobs(struct receive *rc, struct store *st, struct arena *a, const char *key,
	struct error *err)
{
	struct job *open, ended;
	size_t n;
	int r = store_job_superseded(st, a, key, INT64_MAX, &open, &n, err);

	for (size_t i = 0; r == OK && i < n; i++)
		r = queue_cancel(st, a, open[i].uuid, CLOSED_BY, rc->now_ns, &ended, err);
	return r;
}

/* A branch that is gone is put away, with its history. */
static int archive(struct receive *rc, struct store *st, struct arena *a, const char *project,
	const char *branch, struct error *err)
{
	struct project p;
	struct branch b;
	int r = store_project_find(st, a, project, &p, err);

	if (r == OK)
		r = store_branch_find(st, a, p.id, branch, &b, err);
	if (r == E_NOT_FOUND || (r == OK && b.archived_ns))
		return OK;
	b.archived_ns = rc->now_ns;
	return r == OK ? store_branch_update(st, a, &b, rc->now_ns, err) : r;
}

static int carry_out(struct receive *rc, struct store *st, struct arena *a,
	const struct hook *h, const struct hook_plan *plan, struct error *err)
{
	int r = OK;

	for (size_t i = 0; r == OK && i < plan->n; i++)
		r = file_order(rc, st, a, h, &plan->orders[i], err);
	if (r == OK && plan->end_key)
		r = end_jobs(rc, st, a, plan->end_key, err);
	for (size_t i = 0; r == OK && plan->gone_branch && i < plan->n_projects; i++)
		r = archive(rc, st, a, plan->projects[i], plan->gone_branch, err);
	return r;
}

static int process(struct receive *rc, struct store *st, struct arena *a,
	const struct delivery *d, struct error *err)
{
	const struct hook *h = hooks_find(rc->c.hooks, d->hook);
	struct hook_plan plan;
	int r;

	if (!h)
		return error_set(err, E_UNPROCESSABLE,
			"the hook '%s' is not configured any more", d->hook);
	r = hook_plan(h, d->event, d->body, d->n_body, a, &plan, err);
	if (r == OK)
		r = carry_out(rc, st, a, h, &plan, err);
	if (r < 0)
		return r;
	snprintf(rc->state, sizeof(rc->state), "%s", plan.n ? "done" : "ignored");
	if (plan.n)
		snprintf(rc->reason, sizeof(rc->reason), "%zu job%s filed", plan.n,
			plan.n == 1 ? "" : "s");
	else
		snprintf(rc->reason, sizeof(rc->reason), "%s", plan.ignored);
	return store_delivery_end(st, d->id, rc->state, rc->reason, rc->now_ns, err);
}

static int on_next(struct store *st, void *arg, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct receive *rc = arg;
	struct delivery d;
	int r;

	rc->id = 0;
	r = store_delivery_next(st, a, &d, err);
	if (r == E_NOT_FOUND)
		return OK;
	if (r < 0)
		return r;
	rc->id = d.id;
	snprintf(rc->uuid, sizeof(rc->uuid), "%s", d.uuid);
	return process(rc, st, a, &d, err);
}

/* What the delivery had begun was rolled back. */
static int on_failed(struct store *st, void *arg, struct error *err)
{
	struct receive *rc = arg;

	return store_delivery_end(st, rc->id, "failed", rc->reason, rc->now_ns, err);
}

static int on_prune(struct store *st, void *arg, struct error *err)
{
	struct receive *rc = arg;

	return store_delivery_prune(st, clock_wall(rc->c.clock) - rc->c.keep_ns, err);
}

/* --- on the loop --- */

static void next(struct receive *rc);

/* A full disk, a locked database or a full queue is no fault of the delivery. */
static bool is_passing(int code)
{
	return code == E_DB || code == E_STORAGE_FULL || code == E_UNAVAILABLE;
}

static void on_again(uv_timer_t *t)
{
	next(t->data);
}

static void try_later(struct receive *rc, const struct error *err)
{
	log_warning("deliveries wait: %s", err->text);
	if (!rc->is_stopping)
		uv_timer_start(&rc->again, on_again, TRY_AGAIN_MS, 0);
}

static void on_failed_done(void *arg, int code, const struct error *err)
{
	struct receive *rc = arg;

	rc->is_busy = false;
	if (code < 0) {
		try_later(rc, err);
		return;
	}
	rc->n_failed++;
	next(rc);
}

static void note_failure(struct receive *rc, const struct error *why)
{
	struct error err;

	snprintf(rc->reason, sizeof(rc->reason), "%.290s", why->text);
	log_warning("delivery %s: %s", rc->uuid, rc->reason);
	rc->is_busy = true;
	if (writer_submit(server_writer(rc->server), on_failed, on_failed_done, rc, &err) < 0)
		on_failed_done(rc, err.code, &err);
}

static void on_next_done(void *arg, int code, const struct error *err)
{
	struct receive *rc = arg;

	rc->is_busy = false;
	if (code < 0 && (is_passing(code) || !rc->id)) {
		try_later(rc, err);
	} else if (code < 0) {
		note_failure(rc, err);
	} else if (rc->id) {
		*(!strcmp(rc->state, "done") ? &rc->n_done : &rc->n_ignored) += 1;
		rc->c.on_processed(rc->c.arg);
		next(rc);
	} else if (rc->has_more) {
		next(rc);
	}
}

static void next(struct receive *rc)
{
	struct error err;

	if (!rc->is_started || rc->is_stopping)
		return;
	if (rc->is_busy) {
		rc->has_more = true;
		return;
	}
	rc->has_more = false;
	rc->is_busy = true;
	rc->now_ns = clock_wall(rc->c.clock);
	if (writer_submit(server_writer(rc->server), on_next, on_next_done, rc, &err) < 0) {
		rc->id = 0;
		on_next_done(rc, err.code, &err);
	}
}

static void on_pruned(void *arg, int code, const struct error *err)
{
	if (code < 0)
		log_warning("old deliveries were not removed: %s", err->text);
}

static void on_prune_time(uv_timer_t *t)
{
	struct receive *rc = t->data;
	struct error err;

	if (writer_submit(server_writer(rc->server), on_prune, on_pruned, rc, &err) < 0)
		on_pruned(rc, err.code, &err);
}

struct receive *receive_new(const struct receive_config *c)
{
	struct receive *rc = xcalloc(1, sizeof(*rc));

	rc->c = *c;
	return rc;
}

void receive_start(struct receive *rc, struct server *server)
{
	rc->server = server;
	rc->is_started = true;
	uv_timer_init(rc->c.loop, &rc->again);
	uv_timer_init(rc->c.loop, &rc->prune);
	rc->again.data = rc->prune.data = rc;
	uv_timer_start(&rc->prune, on_prune_time, PRUNE_MS, PRUNE_MS);
	next(rc);
}

void receive_wake(struct receive *rc)
{
	next(rc);
}

void receive_stop(struct receive *rc)
{
	if (!rc->is_started || rc->is_stopping)
		return;
	rc->is_stopping = true;
	uv_close((uv_handle_t *)&rc->again, NULL);
	uv_close((uv_handle_t *)&rc->prune, NULL);
}

void receive_free(struct receive *rc)
{
	free(rc);
}

void receive_metrics(const struct receive *rc, struct buf *out)
{
	static const char line[] =
		"benchd_deliveries_total{direction=\"in\",outcome=\"%s\"} %lld\n";

	buf_printf(out, line, "done", (long long)rc->n_done);
	buf_printf(out, line, "ignored", (long long)rc->n_ignored);
	buf_printf(out, line, "failed", (long long)rc->n_failed);
}
