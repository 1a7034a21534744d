/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Projects, in Bencher's shapes. Unknown members are ignored: its client may send newer ones.
 */
#include "daemon/http/handlers.h"

#include <string.h>

static const char *const visibilities[] = { "public", "private", NULL };

struct project_body {
	const char *name, *slug, *url;
	int visibility; /* index, -1: not given */
};
static const struct json_field fields[] = {
	{ "name", JF_STRING, offsetof(struct project_body, name), false, 1, 64, NULL },
	{ "slug", JF_STRING, offsetof(struct project_body, slug), false, 1, 64, NULL },
	{ "url", JF_STRING, offsetof(struct project_body, url), false, 1, 1024, NULL },
	{ "visibility", JF_ENUM, offsetof(struct project_body, visibility), false, 0, 0,
		visibilities },
};

static int read_project(
	struct request *rq, struct project_body *b, json_t **ret_body, struct error *err)
{
	int r = read_object(rq, ret_body, err);

	b->visibility = -1;
	if (r == OK)
		r = json_read(
			*ret_body, "", fields, ARRAY_SIZE(fields), b, JSON_IGNORE_UNKNOWN, err);
	if (r == OK && b->name)
		r = check_name("/name", b->name, 64, err);
	if (r == OK && b->slug)
		r = check_slug("/slug", b->slug, err);
	return r;
}

/* Bencher's path names an organization; there is this one. */
static int check_organization(struct request *rq, struct error *err)
{
	const char *asked = request_param(rq, "organization");

	if (!*asked || !strcmp(asked, ORGANIZATION_SLUG) || !strcmp(asked, ORGANIZATION_UUID))
		return OK;
	return error_set(err, E_NOT_FOUND,
		"there is no organization '%.64s': benchd has one, '%s'", asked,
		ORGANIZATION_SLUG);
}

int get_projects(struct request *rq, struct store *st, struct error *err)
{
	static const char *const sorts[] = { "name", NULL };
	struct page page = { 0 };
	struct project *list;
	size_t n;
	int64_t total;
	json_t *doc;
	int r = check_organization(rq, err);

	if (r == OK)
		r = read_page(rq, sorts, false, &page, err);
	if (r == OK)
		r = store_project_list(st, request_arena(rq), &page, &list, &n, &total, err);
	if (r < 0)
		return r;
	doc = json_array();
	for (size_t i = 0; i < n; i++) {
		if (check_project(rq, &list[i], err) == OK)
			json_array_append_new(doc, render_project(&list[i]));
		else
			total--;
	}
	return answer_page_of(rq, DOC_PROJECTS, doc, total, err);
}

int post_project(struct request *rq, struct store *st, struct error *err)
{
	struct project_body b = { 0 };
	struct project p;
	json_t *body;
	int r = check_organization(rq, err);

	if (r == OK)
		r = read_project(rq, &b, &body, err);
	if (r < 0)
		return r;
	if (!b.name)
		return error_set_field(err, E_UNPROCESSABLE, "/name", "'name' is missing");
	if (!may_create_project(rq))
		return error_set(err, E_FORBIDDEN,
			"making a project needs the scope 'admin' of a token of no project");
	r = store_project_add(st, request_arena(rq), b.name, b.slug, b.url,
		visibilities[b.visibility < 0 ? 1 : b.visibility],
		clock_wall(request_clock(rq)), &p, err);
	if (r < 0)
		return r;
	response_headerf(rq, "Location", "/v0/projects/%s", p.slug);
	return answer_json(rq, 201, render_project(&p));
}

int get_project(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	int r = find_project(rq, st, &p, err);

	return r < 0 ? r : answer_json(rq, 200, render_project(&p));
}

int patch_project(struct request *rq, struct store *st, struct error *err)
{
	struct project_body b = { 0 };
	struct project p;
	json_t *body;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = read_project(rq, &b, &body, err);
	if (r < 0)
		return r;
	p.name = b.name ? b.name : p.name;
	p.slug = b.slug ? b.slug : p.slug;
	if (b.url || json_is_null(json_object_get(body, "url")))
		p.url = b.url;
	if (b.visibility >= 0)
		p.visibility = visibilities[b.visibility];
	p.modified_ns = clock_wall(request_clock(rq));
	r = store_project_update(st, request_arena(rq), &p, p.modified_ns, err);
	return r < 0 ? r : answer_json(rq, 200, render_project(&p));
}

enum {
	STATES_OPEN = 1 << JOB_AWAITING_APPROVAL | 1 << JOB_BLOCKED | 1 << JOB_QUEUED |
		      1 << JOB_WAITING_HOST | 1 << JOB_RUNNING | 1 << JOB_RETRY_WAIT
};

/* Nobody could look at them or cancel them any more. */
static int check_no_jobs(
	struct request *rq, struct store *st, const struct project *p, struct error *err)
{
	const struct job_filter f = {
		.project_id = p->id, .states = STATES_OPEN, .limit = 1, .queue_order = true
	};
	struct job *jobs;
	size_t n;
	int r = store_job_list(st, request_arena(rq), &f, &jobs, &n, err);

	if (r == OK && n > 0)
		return error_set(err, E_CONFLICT,
			"the project '%s' has jobs that have not ended, such as %s; cancel "
			"them "
			"first",
			p->slug, jobs[0].uuid);
	return r;
}

int delete_project(struct request *rq, struct store *st, struct error *err)
{
	struct project p;
	int r = find_project(rq, st, &p, err);

	if (r == OK)
		r = check_no_jobs(rq, st, &p, err);
	if (r == OK)
		r = store_project_remove(st, p.id, clock_wall(request_clock(rq)), err);
	if (r == OK)
		answer_empty(rq);
	return r;
}

/* Bencher's permissions, by what of ours covers them. */
static enum scope scope_of(const char *permission)
{
	static const struct {
		const char *name;
		enum scope scope;
	} table[] = { { "view", S_READ }, { "create", S_SUBMIT }, { "edit", S_TRIAGE },
		{ "delete", S_ADMIN }, { "manage", S_ADMIN }, { "view_role", S_ADMIN },
		{ "create_role", S_ADMIN }, { "edit_role", S_ADMIN },
		{ "delete_role", S_ADMIN } };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(permission, table[i].name))
			return table[i].scope;
	return S_NONE;
}

int get_allowed(struct request *rq, struct store *st, struct error *err)
{
	enum scope scope = scope_of(request_param(rq, "permission"));
	struct project p;
	json_t *doc;
	int r = find_project(rq, st, &p, err);

	if (r < 0)
		return r;
	if (scope == S_NONE)
		return error_set(err, E_NOT_FOUND, "there is no permission '%.40s'",
			request_param(rq, "permission"));
	doc = json_object();
	json_set_bool(doc, "allowed", request_need(rq, scope, err) == OK);
	return answer_json(rq, 200, doc);
}
