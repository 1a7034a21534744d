/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl submit: file a job, and with --wait see it through. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"
#include "base/yaml.h"

struct submit {
	const char *branch, *head, *base, *testbed, *processes, *samples, *iterations, *seed,
		*priority, *timeout, *fail_on, *key, *definition, *supersede, *budget,
		*min_effect;
	struct string_list params, base_params, head_params, after;
	bool wait, command, dry_run, fixed, control, shared, no_idle_wait;
};

/* A number or boolean where it reads as one, so that the server sees the type the user meant.
 */
static json_t *scalar(const char *s)
{
	json_t *j = json_loads(s, JSON_DECODE_ANY, NULL);

	if (j && (json_is_number(j) || json_is_boolean(j)))
		return j;
	json_decref(j);
	return json_string(s);
}

static json_t *parameters(const struct command *self, const struct string_list *l, int *code)
{
	json_t *o = json_object();

	for (size_t i = 0; i < l->n; i++) {
		const char *eq = strchr(l->items[i], '=');

		if (!eq || eq == l->items[i]) {
			*code = usage_error(
				self, "--param wants NAME=VALUE, not '%s'", l->items[i]);
			break;
		}
		json_object_setn_new(
			o, l->items[i], (size_t)(eq - l->items[i]), scalar(eq + 1));
	}
	return o;
}

static void set_number(json_t *o, const char *key, const char *text)
{
	if (text)
		json_object_set_new(o, key, scalar(text));
}

static void set_object(json_t *o, const char *key, json_t *v)
{
	if (json_object_size(v))
		json_object_set_new(o, key, v);
	else
		json_decref(v);
}

static int read_definition(struct client *c, const char *path, json_t **ret)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err = { 0 };
	int r = file_read(!strcmp(path, "-") ? "/dev/stdin" : path, MiB, &b, &err);

	if (r == OK)
		r = yaml_parse(path, buf_str(&b), b.len, ret, NULL, &err);
	return r < 0 ? complain(c, &err) : EXIT_OK;
}

static json_t *protocol_of(const struct submit *s)
{
	json_t *o = json_object();

	set_number(o, "processes", s->processes);
	set_number(o, "samples", s->samples);
	set_number(o, "iterations", s->iterations);
	set_number(o, "min_effect", s->min_effect);
	json_set_opt(o, "budget", s->budget);
	if (s->fixed)
		json_set_bool(o, "adaptive", false);
	if (s->control)
		json_set_bool(o, "control", true);
	if (s->no_idle_wait)
		json_set_int(o, "idle_wait", 0);
	return o;
}

static json_t *argv_json(const struct string_list *words, size_t from)
{
	json_t *a = json_array();

	for (size_t i = from; i < words->n; i++)
		json_array_append_new(a, json_string(words->items[i]));
	return a;
}

static int add_target(struct client *c, const struct command *self, const struct submit *s,
	const struct string_list *words, size_t rest, json_t *body)
{
	json_t *definition = NULL;
	int code = EXIT_OK;

	if (s->definition) {
		code = read_definition(c, s->definition, &definition);
	} else if (rest < words->n) {
		definition = json_pack(
			"{ss so}", "kind", "command", "command", argv_json(words, rest));
		if (rest) /* else it is called after its program */
			json_set_str(definition, "name", words->items[0]);
		if (s->shared)
			json_set_str(definition, "slot", "shared");
	} else if (words->n == 1) {
		json_set_str(body, "workload", words->items[0]);
		return EXIT_OK;
	} else {
		return usage_error(self, "name one workload, or give a command behind --");
	}
	if (definition)
		json_object_set_new(body, "definition", definition);
	return code;
}

static int make_body(struct client *c, const struct command *self, const struct submit *s,
	const struct string_list *words, size_t rest, json_t **ret)
{
	json_t *body = arena_own_json(c->arena, json_object());
	int code = add_target(c, self, s, words, rest, body);

	if (code != EXIT_OK)
		return code;
	set_object(body, "parameters", parameters(self, &s->params, &code));
	set_object(body, "base_parameters", parameters(self, &s->base_params, &code));
	set_object(body, "head_parameters", parameters(self, &s->head_params, &code));
	set_object(body, "protocol", protocol_of(s));
	json_set_opt(body, "branch", s->branch);
	json_set_opt(body, "head", s->head);
	json_set_opt(body, "base", s->base);
	json_set_opt(body, "testbed", s->testbed ? s->testbed : c->testbed);
	json_set_opt(body, "priority", s->priority);
	json_set_opt(body, "supersede_key", s->supersede);
	set_number(body, "seed", s->seed);
	if (s->after.n) {
		json_t *list = json_array();

		for (size_t i = 0; i < s->after.n; i++)
			json_array_append_new(list,
				json_pack("{ssss}", "job", s->after.items[i], "on", "success"));
		json_object_set_new(body, "depends_on", list);
	}
	*ret = body;
	return code;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct submit s = { 0 };
	const struct option_row rows[] = {
		{ "param", 'P', "NAME=VALUE", "a parameter (repeatable)", OPT_LIST, &s.params },
		{ "head", 0, "REF", "commit, branch or tag to measure", OPT_STRING, &s.head },
		{ "base", 0, "REF", "compare with this one, interleaved", OPT_STRING, &s.base },
		{ "base-param", 0, "NAME=VALUE", "a parameter of the base arm", OPT_LIST,
			&s.base_params },
		{ "head-param", 0, "NAME=VALUE", "a parameter of the head arm", OPT_LIST,
			&s.head_params },
		{ "branch", 'b', "NAME", "store results under this branch", OPT_STRING,
			&s.branch },
		{ "testbed", 0, "NAME", "where to run", OPT_STRING, &s.testbed },
		{ "definition", 'd', "FILE", "a definition instead of a workload's name",
			OPT_STRING, &s.definition },
		{ "processes", 'n', "N", "fresh processes an arm", OPT_STRING, &s.processes },
		{ "samples", 0, "N", "samples a process", OPT_STRING, &s.samples },
		{ "iterations", 0, "N", "repeats inside a sample", OPT_STRING, &s.iterations },
		{ "fixed", 0, NULL, "no adaptive stop: exactly N processes", OPT_FLAG,
			&s.fixed },
		{ "control", 0, NULL, "add a base-against-base pair", OPT_FLAG, &s.control },
		{ "budget", 0, "TIME", "most time for one benchmark", OPT_STRING, &s.budget },
		{ "min-effect", 0, "X", "smallest change of interest, 0.02 = 2 %", OPT_STRING,
			&s.min_effect },
		{ "no-idle-wait", 0, NULL, "do not wait for a quiet host", OPT_FLAG,
			&s.no_idle_wait },
		{ "shared", 0, NULL, "command: may run beside others", OPT_FLAG, &s.shared },
		{ "seed", 0, "N", "seed of every random choice", OPT_STRING, &s.seed },
		{ "priority", 0, "CLASS", "manual, push, nightly, backfill", OPT_STRING,
			&s.priority },
		{ "after", 0, "JOB", "run when that job succeeded (repeatable)", OPT_LIST,
			&s.after },
		{ "supersede-key", 0, "KEY", "replaces older jobs with this key", OPT_STRING,
			&s.supersede },
		{ "key", 0, "KEY", "Idempotency-Key (default: a new one)", OPT_STRING, &s.key },
		{ "wait", 'w', NULL, "follow it and print the result", OPT_FLAG, &s.wait },
		{ "timeout", 't', "TIME", "stop waiting after this time (exit 8)", OPT_STRING,
			&s.timeout },
		{ "fail-on", 0, "LIST", "slower, unknown: exit 3 or 4", OPT_STRING,
			&s.fail_on },
		{ "dry-run", 0, NULL, "print the request, or a workload's cells; file nothing",
			OPT_FLAG, &s.dry_run },
		{ 0 },
	};
	struct string_list words;
	size_t rest;
	json_t *body;
	int code = args_parse(c, self, rows, argc, argv, &words, &rest);

	if (code == EXIT_OK)
		code = make_body(c, self, &s, &words, rest, &body);
	if (code != EXIT_OK)
		return code;
	if (!s.dry_run)
		return job_file(c,
			&(struct filing){ .wait = s.wait,
				.timeout = s.timeout,
				.fail_on = s.fail_on,
				.key = s.key },
			body, NULL);
	if (json_object_get(body, "workload") && c->output != OUT_JSON)
		return print_path(
			c, project_path(c, "/workloads/%s/cells", url_part(c, words.items[0])));
	json_dumpf(body, stdout, JSON_INDENT(2));
	putchar('\n');
	return EXIT_OK;
}

const struct command command_submit = { "submit", "WORKLOAD | -- COMMAND...", "file a job",
	"  benchctl submit stream.triad -P backend=simd -P size=64Mi --wait\n"
	"  benchctl submit mybuild --head my-branch --base main --wait --fail-on slower\n"
	"  benchctl submit -n 20 --wait -- ./prog --size 1000\n"
	"  benchctl submit 'regrid.*' --base-param backend=scalar --head-param backend=simd "
	"--wait\n",
	run };
