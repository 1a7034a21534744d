/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Uploads: raw output of tools that already ran, in Bencher's shapes. Three steps: a reader
 * reads the body and runs the adapters, the writer stores everything in one transaction, and a
 * reader makes the answer of what is stored. So a body that is wrong never reaches the store,
 * and the writer neither parses nor renders. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "base/secret.h"
#include "base/text.h"
#include "daemon/analysis/analysis.h"
#include "daemon/ingest/ingest.h"

enum { KEY_MAX = 64 };

struct state {
	struct upload *upload;
	const char *project_uuid, *report_uuid; /* once stored */
};

static int64_t now_of(struct request *rq)
{
	return clock_wall(request_clock(rq));
}

/* A key of one project that names another: Bencher answers 401. */
static int check_bound(struct request *rq, const struct project *p, struct error *err)
{
	const struct principal *who = request_principal(rq);

	if (who->project_id && who->project_id != p->id)
		return error_set_field(err, E_UNAUTHORIZED, "/project",
			"the token '%s' is bound to another project than '%.64s'", who->name,
			p->slug);
	return check_project(rq, p, err);
}

static int find_named(struct request *rq, struct store *st, const char *name,
	struct project *ret, struct error *err)
{
	struct arena *a = request_arena(rq);
	int r = store_project_find(st, a, name, ret, err);

	if (r == OK)
		return check_bound(rq, ret, err);
	if (r != E_NOT_FOUND || uuid_is_valid(name) || !slug_is_valid(name))
		return r;
	if (!may_create_project(rq))
		return error_set_field(err, E_NOT_FOUND, "/project",
			"there is no project '%.64s', and making one needs the scope 'admin' "
			"of "
			"a token of no project",
			name);
	return store_project_ensure(st, a, name, now_of(rq), ret, err);
}

/* The project that the client's context describes: always the same slug for a repository on a
 * host. Its name may be taken by another one; then the slug is its name too. */
static int find_by_context(struct request *rq, struct store *st, const struct upload *u,
	struct project *ret, struct error *err)
{
	struct arena *a = request_arena(rq);
	int r = store_project_find(st, a, u->run_slug, ret, err);

	if (r == OK)
		return check_bound(rq, ret, err);
	if (r != E_NOT_FOUND)
		return r;
	if (!may_create_project(rq))
		return find_named(rq, st, u->run_slug, ret, err);
	r = store_project_add(
		st, a, u->run_project, u->run_slug, NULL, "private", now_of(rq), ret, err);
	if (r == E_CONFLICT)
		r = store_project_ensure(st, a, u->run_slug, now_of(rq), ret, err);
	return r;
}

static int find_target(struct request *rq, struct store *st, const struct upload *u,
	struct project *ret, struct error *err)
{
	const char *in_path = request_param(rq, "project");
	int64_t bound = request_principal(rq)->project_id;

	if (*in_path)
		return ensure_project(rq, st, ret, err);
	if (u->project)
		return find_named(rq, st, u->project, ret, err);
	if (bound)
		return store_project_get(st, request_arena(rq), bound, ret, err);
	if (u->run_slug)
		return find_by_context(rq, st, u, ret, err);
	return error_set_field(err, E_BAD_REQUEST, "/project",
		"'project' is missing: name one, send a 'context', or use a key of a project");
}

/* 201 with the whole report. */
static int answer_stored(struct request *rq, struct store *st, struct error *err)
{
	const struct state *s = request_state(rq);
	struct arena *a = request_arena(rq);
	struct report report;
	struct project p;
	json_t *doc;
	int r = store_project_find(st, a, s->project_uuid, &p, err);

	if (r == OK)
		r = store_report_find(st, a, p.id, s->report_uuid, &report, err);
	if (r == OK)
		r = report_document(rq, st, &p, &report, false, &doc, err);
	if (r < 0)
		return r;
	response_headerf(rq, "Location", "/v0/projects/%s/reports/%s", p.slug, s->report_uuid);
	return answer(rq, 201, DOC_REPORT, doc, err);
}

/* Limits, alerts: what analysis/ makes of one iteration. */
static int judge(
	struct store *st, struct arena *a, const struct upload_stored *u, struct error *err)
{
	struct limits_metric *metrics = ARENA_ARRAY(a, struct limits_metric, u->n + 1);
	const struct limits_run run = { .project_id = u->project_id,
		.report_id = u->report_id,
		.iteration = u->iteration,
		.now_ns = u->now_ns,
		.report_uuid = u->report_uuid,
		.hash = u->hash,
		.branch = u->branch,
		.testbed = u->testbed,
		.version_number = u->version->number,
		.metrics = metrics,
		.n = u->n };

	for (size_t i = 0; i < u->n; i++)
		metrics[i] = (struct limits_metric){ u->metrics[i].id, u->metrics[i].value,
			u->metrics[i].is_ignored };
	return analysis_limits(st, a, &run, err);
}

static int store_upload(struct request *rq, struct store *st, struct error *err)
{
	const struct principal *who = request_principal(rq);
	struct state *s = request_state(rq);
	struct project p;
	int r = find_target(rq, st, s->upload, &p, err);

	if (r == OK)
		r = upload_store(st, request_arena(rq), p.id, s->upload,
			who->token_id ? who->name : NULL, now_of(rq), judge, &s->report_uuid,
			err);
	if (r < 0)
		return r;
	s->project_uuid = p.uuid;
	/* Stands should the daemon be too crowded to park anything. */
	response_json(rq, 201, json_pack("{ss}", "uuid", s->report_uuid));
	request_park(rq, "upload", clock_mono(request_clock(rq)), answer_stored);
	return OK;
}

/* curl has Idempotency-Key where Bencher's client has a member of the body. */
static int take_key(struct request *rq, struct upload *u, struct error *err)
{
	const char *key = request_header(rq, "Idempotency-Key");

	if (u->idempotency_key || !key)
		return OK;
	if (!*key || strlen(key) > KEY_MAX)
		return error_set_field(err, E_BAD_REQUEST, "Idempotency-Key",
			"the Idempotency-Key of an upload must have 1 to %d bytes", KEY_MAX);
	u->idempotency_key = arena_strdup(request_arena(rq), key);
	return OK;
}

static int post_upload(struct request *rq, enum upload_kind kind, struct error *err)
{
	struct state *s = ARENA_ARRAY(request_arena(rq), struct state, 1);
	json_t *body;
	int r = read_object(rq, &body, err);

	if (r == OK)
		r = upload_read(
			body, kind, limit_model_read, request_arena(rq), &s->upload, err);
	if (r == OK)
		r = take_key(rq, s->upload, err);
	if (r < 0)
		return r;
	request_set_state(rq, s);
	request_write(rq, store_upload);
	return OK;
}

int post_run(struct request *rq, struct store *st, struct error *err)
{
	return post_upload(rq, UPLOAD_RUN, err);
}

int post_report(struct request *rq, struct store *st, struct error *err)
{
	return post_upload(rq, UPLOAD_REPORT, err);
}
