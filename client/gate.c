/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl gate: one verdict for CI. Exit 0 pass, 3 fail, 4 unknown, 1 error. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "client/gate_file.h"

static int code_of(const char *outcome)
{
	if (!strcmp(outcome, "pass"))
		return EXIT_OK;
	if (!strcmp(outcome, "fail"))
		return EXIT_SLOWER;
	return strcmp(outcome, "unknown") ? EXIT_FAILED : EXIT_UNKNOWN;
}

/* --- by a file ---------------------------------------------------------------------------- */

static int add_report(struct client *c, const char *uuid, json_t *reports)
{
	json_t *report = NULL;
	int code = fetch_json(c, project_path(c, "/reports/%s", url_part(c, uuid)), 0, &report);

	if (code == EXIT_OK)
		json_array_append(reports, report);
	return code;
}

/* A job's report, or why it has none. */
static int add_job_report(struct client *c, const json_t *job, json_t *reports)
{
	const char *report = json_get_str(job, "report", NULL);

	if (report)
		return add_report(c, report, reports);
	fprintf(stderr, "benchctl: the job '%s' of '%s' is %s and has no report\n",
		json_get_str(job, "uuid", ""), json_get_str(job, "workload", ""),
		json_get_str(job, "state", "?"));
	return EXIT_FAILED;
}

/* The report of a job; of a suite, those of its members. */
static int add_job(struct client *c, const char *uuid, json_t *reports)
{
	json_t *job = NULL, *member;
	int code = fetch_json(c, project_path(c, "/jobs/%s", url_part(c, uuid)), 0, &job);
	size_t i;

	if (code != EXIT_OK)
		return code;
	if (strcmp(json_get_str(job, "kind", ""), "suite") != 0)
		return add_job_report(c, job, reports);
	json_array_foreach (json_object_get(job, "awaits"), i, member) {
		code = add_job_report(c, member, reports);
		if (code != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

static void print_verdict(struct client *c, json_t *verdict)
{
	static const char *const heads[] = { "rule", "outcome", "reason" };
	struct table *t = table_new(c->arena, ARRAY_SIZE(heads));
	_cleanup_(buf_done)
	struct buf out = { 0 };
	json_t *rule;
	size_t i;

	if (c->output == OUT_JSON) {
		json_dumpf(verdict, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
		return;
	}
	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_head(t, i, heads[i], false);
	json_array_foreach (json_object_get(verdict, "rules"), i, rule) {
		const char *cells[] = { json_get_str(rule, "rule", ""),
			json_get_str(rule, "outcome", ""), json_get_str(rule, "reason", "") };

		table_add(t, cells);
	}
	table_format(t,
		c->output == OUT_MARKDOWN ? TABLE_MARKDOWN
		: c->output == OUT_CSV	  ? TABLE_CSV
					  : TABLE_TEXT,
		&out);
	fputs(buf_str(&out), stdout);
	if (c->output != OUT_CSV)
		printf("\n%s\n", json_get_str(verdict, "outcome", "error"));
}

static int run_file(struct client *c, const char *file, const char *job, const char *report)
{
	json_t *rules, *verdict, *reports = arena_own_json(c->arena, json_array());
	struct error err = { 0 };
	int code;

	if (gate_file_load(c->arena, file, &rules, &err) < 0)
		return complain(c, &err);
	code = job ? add_job(c, job, reports) : add_report(c, report, reports);
	if (code != EXIT_OK)
		return code;
	verdict = gate_file_judge(c->arena, rules, reports);
	print_verdict(c, verdict);
	return code_of(json_get_str(verdict, "outcome", "error"));
}

/* --- by the server ------------------------------------------------------------------------ */

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	const char *job = NULL, *report = NULL, *branch = NULL, *testbed = NULL, *file = NULL;
	const struct option_row rows[] = {
		{ "job", 'j', "JOB", "judge an interleaved comparison", OPT_STRING, &job },
		{ "report", 'r', "REPORT", "judge a report against its history", OPT_STRING,
			&report },
		{ "file", 'f', "FILE", "judge by the rules of a gate file", OPT_STRING, &file },
		{ "branch", 'b', "NAME", "where commits are looked up", OPT_STRING, &branch },
		{ "testbed", 0, "NAME", "only this testbed", OPT_STRING, &testbed },
		{ 0 },
	};
	struct string_list words;
	const char *path;
	struct error err = { 0 };
	struct answer a;
	int code = args_parse(c, self, rows, argc, argv, &words, NULL);

	if (code != EXIT_OK)
		return code;
	if (job || report ? words.n != 0 : words.n != 2)
		return usage_error(self, "name base and head, or --job, or --report");
	if (file && !!job == !!report)
		return usage_error(self, "--file needs --job or --report");
	if (file)
		return run_file(c, file, job, report);
	path = project_path(c, "/gate");
	if (words.n)
		path = add_query(
			c, add_query(c, path, "base", words.items[0]), "head", words.items[1]);
	path = add_query(c, add_query(c, path, "job", job), "report", report);
	path = add_query(c, add_query(c, path, "branch", branch), "testbed", testbed);
	code = print_path(c, path);
	if (code != EXIT_OK)
		return code;
	if (api_call(c, "GET", path, NULL, NULL, &a, &err) < 0)
		return complain(c, &err);
	buf_done(&a.body);
	return code_of(json_get_str(a.json, "outcome", "error"));
}

const struct command command_gate = { "gate", "BASE HEAD | --job JOB | --report REPORT",
	"one verdict for CI",
	"  benchctl gate main my-branch && echo fine\n"
	"  benchctl gate --file suites/smoke.gate.yml --job JOB\n"
	"  exit: 0 pass, 3 fail, 4 unknown, 1 error (nothing measured)\n",
	run };
