/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl bench: measure a command here and now, or two against each other. */
#include "client/bench_export.h"
#include "client/client.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/fs.h"

struct bench {
	const char *name, *runs, *warmup, *exit_codes, *directory, *input, *output, *cache,
		*export_json, *branch, *testbed, *timeout, *fail_on, *seed, *time;
	struct string_list setup, prepare, conclude, cleanup, scan, list, environment;
	bool ignore_failure, shared, no_idle_wait, control, dry_run;
};

/* Numbers where they read as such, so that a parameter keeps its type. */
static json_t *scalar(const char *s, size_t n)
{
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY, NULL);

	if (json_is_number(j) || json_is_boolean(j))
		return j;
	json_decref(j);
	return json_stringn(s, n);
}

/* Shell commands as argv lists. */
static void set_hooks(json_t *definition, const char *key, const struct string_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(list, json_pack("[sss]", "sh", "-c", l->items[i]));
	if (l->n)
		json_object_set(definition, key, list);
	json_decref(list);
}

/* NAME=FROM:TO[:STEP] */
static int add_scan(const struct command *self, json_t *matrix, const char *text)
{
	const char *eq = strchr(text, '=');
	double from, to, step = 1;
	char rest;
	int n = eq ? sscanf(eq + 1, "%lf:%lf:%lf%c", &from, &to, &step, &rest) : 0;

	if (!eq || eq == text || (n != 2 && n != 3))
		return usage_error(self,
			"--scan wants NAME=FROM:TO[:STEP], such as n=1:10:3, not '%s'", text);
	json_object_setn_new(matrix, text, (size_t)(eq - text),
		json_pack("{sf sf sf}", "from", from, "to", to, "step", step));
	return EXIT_OK;
}

/* NAME=a,b,c */
static int add_list(const struct command *self, json_t *matrix, const char *text)
{
	const char *eq = strchr(text, '='), *p;
	json_t *list;

	if (!eq || eq == text || !eq[1])
		return usage_error(self, "--list wants NAME=A,B,C, not '%s'", text);
	list = json_array();
	for (p = eq + 1; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		json_array_append_new(list, scalar(p, n));
		p += n;
	}
	json_object_setn_new(matrix, text, (size_t)(eq - text), list);
	return EXIT_OK;
}

static int add_matrix(const struct command *self, const struct bench *b, json_t *definition)
{
	json_t *matrix = json_object();
	int code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && i < b->scan.n; i++)
		code = add_scan(self, matrix, b->scan.items[i]);
	for (size_t i = 0; code == EXIT_OK && i < b->list.n; i++)
		code = add_list(self, matrix, b->list.items[i]);
	if (json_object_size(matrix))
		json_object_set(definition, "matrix", matrix);
	json_decref(matrix);
	return code;
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

		json_array_append_new(list, scalar(p, n));
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

static json_t *protocol_of(const struct bench *b)
{
	json_t *o = json_object();

	if (b->runs) {
		json_object_set_new(o, "processes", scalar(b->runs, strlen(b->runs)));
		json_set_bool(o, "adaptive", false);
	}
	if (b->warmup)
		json_object_set_new(
			o, "warmup_processes", scalar(b->warmup, strlen(b->warmup)));
	if (b->no_idle_wait)
		json_set_int(o, "idle_wait", 0);
	if (b->control)
		json_set_bool(o, "control", true);
	return o;
}

static json_t *argv_json(const struct string_list *words, size_t from, size_t to)
{
	json_t *a = json_array();

	for (size_t i = from; i < to; i++)
		json_array_append_new(a, json_string(words->items[i]));
	return a;
}

/* What stands behind "--": one command, or two with "---" between them. */
static int add_commands(const struct command *self, const struct bench *b,
	const struct string_list *words, size_t rest, json_t *body, json_t *definition)
{
	size_t cut = rest;

	while (cut < words->n && strcmp(words->items[cut], "---") != 0)
		cut++;
	if (rest > 0 || rest == words->n || cut == rest || cut + 1 == words->n)
		return usage_error(self,
			"give a command behind --, and a second one behind --- to compare");
	for (size_t i = cut + 1; i < words->n; i++)
		if (!strcmp(words->items[i], "---"))
			return usage_error(self,
				"two commands are compared, not more; --list NAME=A,B,C with "
				"{NAME} in the command measures one of each");
	json_object_set_new(definition, "command",
		argv_json(words, cut < words->n ? cut + 1 : rest, words->n));
	if (cut == words->n)
		return b->control ? usage_error(self, "--control needs two commands") : EXIT_OK;
	json_object_set_new(body, "base_argv", argv_json(words, rest, cut));
	json_object_set(body, "head_argv", json_object_get(definition, "command"));
	return EXIT_OK;
}

static const char *program_of(const json_t *argv)
{
	const char *name = json_string_value(json_array_get(argv, 0)), *slash;

	slash = name ? strrchr(name, '/') : NULL;
	return slash ? slash + 1 : name;
}

/* One command goes by the name of its program, which the daemon knows to take; two of different
 * programs need a name that says less. */
static const char *name_of_two(const json_t *body)
{
	const char *base = program_of(json_object_get(body, "base_argv"));
	const char *head = program_of(json_object_get(body, "head_argv"));

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

	if (b->input)
		json_set_str(
			o, "input", is_here(c) && realpath(b->input, full) ? full : b->input);
}

static int make_definition(struct client *c, const struct command *self, const struct bench *b,
	const json_t *body, json_t *o)
{
	int code = add_matrix(self, b, o);

	if (code == EXIT_OK)
		code = add_exit_codes(self, b, o);
	if (code == EXIT_OK)
		code = add_environment(self, b, o);
	json_set_opt(o, "name", b->name ? b->name : name_of_two(body));
	json_set_str(o, "kind", "command");
	set_hooks(o, "setup", &b->setup);
	set_hooks(o, "prepare", &b->prepare);
	set_hooks(o, "conclude", &b->conclude);
	set_hooks(o, "cleanup", &b->cleanup);
	set_directory(c, b, o);
	set_input(c, b, o);
	json_set_opt(o, "output", b->output);
	json_set_opt(o, "cache", b->cache);
	if (b->shared)
		json_set_str(o, "slot", "shared");
	if (b->time)
		json_object_set_new(o, "limits", json_pack("{ss}", "time", b->time));
	json_object_set_new(o, "protocol", protocol_of(b));
	return code;
}

static int file_it(struct client *c, const struct bench *b, json_t *body)
{
	const struct filing f = { .wait = true, .timeout = b->timeout, .fail_on = b->fail_on };
	json_t *job = NULL;
	int code = job_file(c, &f, body, &job), exported;

	if (!b->export_json || !job)
		return code;
	exported = bench_export(c, b->export_json, b->name, body, job);
	return exported == EXIT_OK ? code : exported;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct bench b = { 0 };
	const struct option_row rows[] = {
		{ "runs", 'n', "N", "exactly N runs (default: until it is precise)", OPT_STRING,
			&b.runs },
		{ "warmup", 'w', "N", "runs thrown away first", OPT_STRING, &b.warmup },
		{ "scan", 0, "NAME=FROM:TO[:STEP]", "fill {NAME} with numbers (repeatable)",
			OPT_LIST, &b.scan },
		{ "list", 0, "NAME=A,B,C", "fill {NAME} with words (repeatable)", OPT_LIST,
			&b.list },
		{ "setup", 0, "COMMAND", "by sh, once before all (repeatable)", OPT_LIST,
			&b.setup },
		{ "prepare", 0, "COMMAND", "by sh, before each run", OPT_LIST, &b.prepare },
		{ "conclude", 0, "COMMAND", "by sh, behind each run", OPT_LIST, &b.conclude },
		{ "cleanup", 0, "COMMAND", "by sh, once at the end", OPT_LIST, &b.cleanup },
		{ "ignore-failure", 'i', NULL, "any exit status will do", OPT_FLAG,
			&b.ignore_failure },
		{ "exit-codes", 0, "LIST", "what counts as success (0)", OPT_STRING,
			&b.exit_codes },
		{ "directory", 'C', "DIR",
			"where it runs (here; of another machine's daemon, and for 'fresh': an "
			"empty folder)",
			OPT_STRING, &b.directory },
		{ "input", 0, "FILE", "standard input (nothing)", OPT_STRING, &b.input },
		{ "output", 0, "WORD", "capture or discard standard output", OPT_STRING,
			&b.output },
		{ "cache", 0, "WORD", "page cache before each run: any, warm, cold (root)",
			OPT_STRING, &b.cache },
		{ "env", 0, "NAME=VALUE", "a variable (repeatable)", OPT_LIST, &b.environment },
		{ "time", 0, "TIME", "most time for one run (60s)", OPT_STRING, &b.time },
		{ "control", 0, NULL, "two commands: the first also against itself", OPT_FLAG,
			&b.control },
		{ "name", 0, "NAME", "name of the benchmark (its program)", OPT_STRING,
			&b.name },
		{ "branch", 'b', "NAME", "store results under this branch", OPT_STRING,
			&b.branch },
		{ "testbed", 0, "NAME", "where to run", OPT_STRING, &b.testbed },
		{ "shared", 0, NULL, "may run beside others", OPT_FLAG, &b.shared },
		{ "no-idle-wait", 0, NULL, "do not wait for a quiet host", OPT_FLAG,
			&b.no_idle_wait },
		{ "export-json", 0, "FILE", "write every time as hyperfine exports it",
			OPT_STRING, &b.export_json },
		{ "timeout", 't', "TIME", "stop waiting after this time (exit 8)", OPT_STRING,
			&b.timeout },
		{ "fail-on", 0, "LIST", "slower, unknown: exit 3 or 4", OPT_STRING,
			&b.fail_on },
		{ "dry-run", 0, NULL, "print the request, file nothing", OPT_FLAG, &b.dry_run },
		{ 0 },
	};
	json_t *body = arena_own_json(c->arena, json_object()), *definition = json_object();
	struct string_list words;
	size_t rest;
	int code = args_parse(c, self, rows, argc, argv, &words, &rest);

	json_object_set_new(body, "definition", definition);
	if (code == EXIT_OK)
		code = add_commands(self, &b, &words, rest, body, definition);
	if (code == EXIT_OK)
		code = make_definition(c, self, &b, body, definition);
	if (code != EXIT_OK)
		return code;
	json_set_opt(body, "branch", b.branch);
	json_set_opt(body, "testbed", b.testbed ? b.testbed : c->testbed);
	if (!b.dry_run)
		return file_it(c, &b, body);
	json_dumpf(body, stdout, JSON_INDENT(2));
	putchar('\n');
	return EXIT_OK;
}

const struct command command_bench = { "bench", "[OPTION...] -- COMMAND... [--- COMMAND...]",
	"measure a command, or two against each other",
	"  benchctl bench -w 3 -- ./prog --size 1000\n"
	"  benchctl bench --scan n=1:4 --prepare 'make clean' -- make -j{n}\n"
	"  benchctl bench --cache cold --input data.xz --output discard -- xz -dc\n"
	"  benchctl bench -- grep -r x /usr/include --- rg x /usr/include\n",
	run };
