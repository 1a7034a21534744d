/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What benchctl bench asks of the daemon: a job with its definition. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client/bench.h"

static json_t *number(const char *s, size_t n)
{
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY, NULL);

	if (json_is_number(j))
		return j;
	json_decref(j);
	return json_stringn(s, n);
}

/* Shell commands as argv lists. */
static void set_hooks(struct client *c, json_t *o, const char *key, const char *const *lines,
	size_t n, const json_t *parameters)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
			json_pack("[sss]", "sh", "-c", bench_fill(c, lines[i], parameters)));
	if (n)
		json_object_set(o, key, list);
	json_decref(list);
}

static int add_exit_codes(const struct command *self, const struct bench *b, json_t *definition)
{
	json_t *list;

	if (b->ignore_failure && b->exit_codes)
		return usage_error(
			self, "--ignore-failure and --exit-codes exclude each other");
	if (b->ignore_failure)
		json_set_str(definition, "exit_codes", "any");
	if (!b->exit_codes)
		return EXIT_OK;
	list = json_array();
	for (const char *p = b->exit_codes; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		json_array_append_new(list, number(p, n));
		p += n;
	}
	json_object_set_new(definition, "exit_codes", list);
	return EXIT_OK;
}

static int add_environment(
	const struct command *self, const struct bench *b, json_t *definition)
{
	json_t *o = json_object();

	for (size_t i = 0; i < b->environment.n; i++) {
		const char *text = b->environment.items[i], *eq = strchr(text, '=');

		if (!eq || eq == text) {
			json_decref(o);
			return usage_error(self, "--env wants NAME=VALUE, not '%s'", text);
		}
		json_object_setn_new(o, text, (size_t)(eq - text), json_string(eq + 1));
	}
	if (b->environment.n)
		json_object_set(definition, "environment", o);
	json_decref(o);
	return EXIT_OK;
}

/* --- how often --- */

/* false: it is no whole number from 1 to 1000. */
static bool count_of(const char *text, int64_t *ret)
{
	char *end;
	long v;

	if (!text)
		return true;
	v = strtol(text, &end, 10);
	*ret = v;
	return *text && !*end && v >= 1 && v <= 1000;
}

static int bad_count(const struct command *self, const char *option, const char *value)
{
	return usage_error(self, "%s takes a number of runs from 1 to 1000, not '%s'%s", option,
		value, strcmp(option, "--runs") ? "" : " (a name is --command-name)");
}

/* To decide between all pairs of n takes so many rounds (bench_rank.c), and two for noise. */
static int64_t least_rounds(const struct bench *b, size_t n)
{
	double pairs = b->reference ? (double)n - 1 : (double)n * ((double)n - 1) / 2;

	return n < 2 ? 0 : (int64_t)ceil(log2(2 * pairs / 0.05)) + 2;
}

static int set_runs(
	const struct command *self, const struct bench *b, size_t n_ranked, json_t *o)
{
	const char *exact = b->runs;
	int64_t n = 0, min = MAX((int64_t)10, least_rounds(b, n_ranked)), max = 0;

	if (!count_of(exact, &n))
		return bad_count(self, "--runs", exact);
	if (!count_of(b->min_runs, &min))
		return bad_count(self, "--min-runs", b->min_runs);
	if (!count_of(b->max_runs, &max))
		return bad_count(self, "--max-runs", b->max_runs);
	if (exact && (b->min_runs || b->max_runs))
		return usage_error(self,
			"--runs is exact; --min-runs and --max-runs are for an open number");
	if (b->min_runs && max && max < min)
		return usage_error(self, "--max-runs is less than --min-runs");
	if (exact) {
		json_set_int(o, "processes", n);
		json_set_bool(o, "adaptive", false);
		return EXIT_OK;
	}
	if (max)
		json_set_int(o, "max_processes", max);
	if (b->min_runs || max || n_ranked > 1)
		json_set_int(o, "processes", max ? MIN(min, max) : min);
	return EXIT_OK;
}

static int set_protocol(
	const struct command *self, const struct bench *b, size_t n_ranked, json_t *definition)
{
	json_t *o = json_object();

	json_object_set_new(definition, "protocol", o);
	if (b->warmup)
		json_object_set_new(
			o, "warmup_processes", number(b->warmup, strlen(b->warmup)));
	if (b->no_idle_wait)
		json_set_int(o, "idle_wait", 0);
	if (b->control)
		json_set_bool(o, "control", true);
	return set_runs(self, b, n_ranked, o);
}

static const char *program_of(const json_t *argv)
{
	const char *name = json_string_value(json_array_get(argv, 0)), *slash;

	slash = name ? strrchr(name, '/') : NULL;
	return slash ? slash + 1 : name;
}

/* One command goes by the name of its program, which the daemon knows to take; two of different
 * programs need a name that says less. */
static const char *name_of_two(const struct bench_commands *l)
{
	const char *base = program_of(l->items[0].argv);
	const char *head = program_of(l->items[1].argv);

	return base && head && strcmp(base, head) != 0 ? "command" : NULL;
}

/* Is the daemon, and so in all likelihood its worker, on this machine? */
static bool is_here(const struct client *c)
{
	static const char *const names[] = { "http://127.", "http://localhost", "http://[::1]",
		"https://127.", "https://localhost", "https://[::1]", "unix:", "/" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(c->host, names[i], strlen(names[i])))
			return true;
	return false;
}

/* What a shell would do: relative names begin here. */
static void set_directory(struct client *c, const struct bench *b, json_t *o)
{
	const char *dir = b->directory;
	char here[PATH_MAX], full[PATH_MAX];

	if (!dir && is_here(c))
		dir = getcwd(here, sizeof(here));
	if (dir && strcmp(dir, "fresh") != 0)
		json_set_str(o, "directory", realpath(dir, full) ? full : dir);
}

static void set_input(struct client *c, const struct bench *b, json_t *o)
{
	char full[PATH_MAX];

	if (b->input && strcmp(b->input, "null") != 0)
		json_set_str(
			o, "input", is_here(c) && realpath(b->input, full) ? full : b->input);
}

/* hyperfine's words for where standard output goes, too. */
static const char *output_of(const struct bench *b)
{
	if (b->output && !strcmp(b->output, "null"))
		return "discard";
	return b->output && !strcmp(b->output, "pipe") ? "capture" : b->output;
}

/* --- the commands --- */

/* One for each command, as hyperfine has it; else all of them before each run. */
static bool is_one_each(const struct bench *b, const struct bench_commands *l)
{
	return l->n > 1 && b->prepare.n == l->n;
}

static void add_benchmark(struct client *c, const struct bench *b,
	const struct bench_commands *l, size_t i, bool are_lines, json_t *list)
{
	const struct bench_command *k = &l->items[i];
	json_t *o = json_pack("{ss sO}", "name", k->key, "command", k->argv);

	if (is_one_each(b, l))
		set_hooks(c, o, "prepare", &b->prepare.items[i], 1, k->parameters);
	else if (are_lines && k->parameters)
		set_hooks(c, o, "prepare", b->prepare.items, b->prepare.n, k->parameters);
	if (are_lines && k->parameters)
		set_hooks(c, o, "conclude", b->conclude.items, b->conclude.n, k->parameters);
	json_array_append_new(list, o);
}

static void set_commands(struct client *c, const struct bench *b,
	const struct bench_commands *l, bool are_lines, enum bench_aim aim, json_t *body,
	json_t *o)
{
	json_t *list;

	if (aim == AIM_PAIR) {
		json_object_set(body, "base_argv", l->items[0].argv);
		json_object_set(body, "head_argv", l->items[1].argv);
	}
	if (aim == AIM_RANK)
		json_set_bool(o, "turns", true);
	if (aim != AIM_RANK || (l->n == 1 && !l->is_scan)) {
		json_object_set(o, "command", l->items[l->n - 1].argv);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < l->n; i++)
		add_benchmark(c, b, l, i, are_lines, list);
	json_object_set_new(o, "benchmarks", list);
}

static int set_matrix(
	struct client *c, const struct command *self, const struct bench *b, json_t *definition)
{
	_cleanup_(json_decref)
	json_t *matrix = NULL;
	int code = bench_matrix(c, self, &b->parameters, &matrix);

	if (json_object_size(matrix))
		json_object_set(definition, "matrix", matrix);
	return code;
}

static int set_definition(struct client *c, const struct command *self, const struct bench *b,
	const struct bench_commands *l, bool are_lines, enum bench_aim aim, json_t *o)
{
	int code = are_lines ? EXIT_OK : set_matrix(c, self, b, o);

	if (code == EXIT_OK)
		code = add_exit_codes(self, b, o);
	if (code == EXIT_OK)
		code = add_environment(self, b, o);
	if (code == EXIT_OK)
		code = set_protocol(self, b, aim == AIM_RANK ? l->n : 0, o);
	json_set_opt(o, "name", b->name ? b->name : aim == AIM_PAIR ? name_of_two(l) : NULL);
	json_set_str(o, "kind", "command");
	set_hooks(c, o, "setup", b->setup.items, b->setup.n, NULL);
	if (!is_one_each(b, l))
		set_hooks(c, o, "prepare", b->prepare.items, b->prepare.n, NULL);
	set_hooks(c, o, "conclude", b->conclude.items, b->conclude.n, NULL);
	set_hooks(c, o, "cleanup", b->cleanup.items, b->cleanup.n, NULL);
	set_directory(c, b, o);
	set_input(c, b, o);
	json_set_opt(o, "output", output_of(b));
	json_set_opt(o, "cache", b->cache);
	if (b->shared)
		json_set_str(o, "slot", "shared");
	if (b->time)
		json_object_set_new(o, "limits", json_pack("{ss}", "time", b->time));
	return code;
}

int bench_request(struct client *c, const struct command *self, const struct bench *b,
	const struct bench_commands *l, bool are_lines, enum bench_aim aim, json_t *body)
{
	json_t *definition = json_object();

	json_object_set_new(body, "definition", definition);
	set_commands(c, b, l, are_lines, aim, body, definition);
	json_set_opt(body, "branch", b->branch);
	json_set_opt(body, "testbed", b->testbed ? b->testbed : c->testbed);
	return set_definition(c, self, b, l, are_lines, aim, definition);
}
