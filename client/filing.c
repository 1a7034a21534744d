/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filing a job and seeing it through: what submit and bench share. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/secret.h"

static int see_through(struct client *c, const struct filing *f, const char *uuid,
	int64_t deadline, json_t **ret_job)
{
	json_t *job = NULL;
	int code = job_follow(c, uuid, deadline, &job);

	if (code != EXIT_OK)
		return code;
	if (ret_job)
		*ret_job = job;
	if (!f->prints_later || !*json_get_str(job, "report", ""))
		code = print_path(c, project_path(c, "/jobs/%s", uuid));
	if (code != EXIT_OK)
		return code;
	code = job_exit_code(job, f->fail_on);
	if (code == EXIT_BENCHMARK)
		note(c, "see the log: benchctl log %s", uuid);
	return code;
}

static int post(struct client *c, const struct filing *f, json_t *body, struct answer *ret)
{
	char key[UUID_TEXT];
	const char *headers[] = { arena_printf(c->arena, "Idempotency-Key: %s",
					  f->key ? f->key : uuid_new(key)),
		NULL };
	struct error err = { 0 };
	int code = EXIT_OK;

	if (api_call_with(c, "POST", project_path(c, "/jobs"), body, NULL, headers, ret, &err) <
		0)
		return complain(c, &err);
	if (ret->status >= 400)
		code = complain_answer(c, ret);
	buf_done(&ret->body);
	return code;
}

/* A name that was mistyped makes a project of its own, and the job goes there. */
static bool is_project_new(struct client *c)
{
	struct error ignored;
	struct answer a;
	bool is_new;

	if (c->quiet ||
		api_call(c, "GET", project_path(c, "%s", ""), NULL, NULL, &a, &ignored) < 0)
		return false;
	is_new = a.status == 404;
	buf_done(&a.body);
	return is_new;
}

int job_file(struct client *c, const struct filing *f, json_t *body, json_t **ret_job)
{
	int64_t deadline = 0;
	struct error err = { 0 };
	struct answer a;
	const char *uuid;
	bool is_new;
	int code;

	if (f->timeout && duration_parse(f->timeout, &deadline, &err) < 0)
		return complain(c, &err);
	if (deadline)
		deadline += clock_monotonic_ns();
	is_new = is_project_new(c);
	code = post(c, f, body, &a);
	if (code != EXIT_OK)
		return code;
	if (is_new)
		note(c, "the project '%s' was not there and has been made", c->project);
	uuid = json_get_str(a.json, "uuid", "");
	if (f->wait)
		note(c, "job %s", uuid);
	else if (c->output == OUT_JSON)
		json_dumpf(a.json, stdout, JSON_INDENT(2)), putchar('\n');
	else
		printf("%s\n", uuid);
	return f->wait ? see_through(c, f, uuid, deadline, ret_job) : EXIT_OK;
}
