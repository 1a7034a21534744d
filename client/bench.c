/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl bench: measure commands here and now: one, two against each other, or many in turns.
 */
#include "client/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which commands --- */

static json_t *argv_json(const struct string_list *words, size_t from, size_t to)
{
	json_t *a = json_array();

	for (size_t i = from; i < to; i++)
		json_array_append_new(a, json_string(words->items[i]));
	return a;
}

/* What stands behind "--": commands word by word, "---" between them. */
static int take_words(struct client *c, const struct command *self,
	const struct string_list *words, struct bench_commands *l)
{
	l->items = ARENA_ARRAY(c->arena, struct bench_command, BENCH_COMMANDS_MAX);
	for (size_t from = 0; from <= words->n;) {
		struct bench_command *k = &l->items[l->n];
		size_t to = from;

		while (to < words->n && strcmp(words->items[to], "---") != 0)
			to++;
		if (to == from)
			return usage_error(self,
				"give a command behind --, and further ones behind --- each");
		if (l->n++ == BENCH_COMMANDS_MAX)
			return usage_error(
				self, "these are more than %d commands", BENCH_COMMANDS_MAX);
		k->argv = arena_own_json(c->arena, argv_json(words, from, to));
		k->text = bench_text(c, k->argv, NULL);
		from = to + 1;
	}
	bench_name(c, l);
	return EXIT_OK;
}

/* The reference goes before the lines. */
static int take_lines(struct client *c, const struct command *self, const struct bench *b,
	const struct string_list *lines, struct bench_commands *l)
{
	const char *shell = b->no_shell ? "none" : b->shell;
	const char **all = ARENA_ARRAY(c->arena, const char *, lines->n + 1);
	size_t n = 0;

	if (b->reference)
		all[n++] = b->reference;
	for (size_t i = 0; i < lines->n; i++)
		all[n++] = lines->items[i];
	return bench_lines(c, self, all, n, shell, &b->parameters, l);
}

static bool has_parameters(const struct bench *b)
{
	const struct bench_parameters *p = &b->parameters;

	return p->scan.n || p->list.n || p->range.n || p->words.n;
}

static int take_commands(struct client *c, const struct command *self, const struct bench *b,
	const struct string_list *words, size_t rest, struct bench_commands *l)
{
	if (rest > 0 && rest < words->n)
		return usage_error(
			self, "give commands as lines, or word by word behind --, not both");
	if (words->n == 0)
		return usage_error(self, "give a command behind --, or lines of commands");
	if (b->reference && rest == 0)
		return usage_error(self,
			"--reference is a line and goes with lines; behind -- the first is the "
			"base");
	if (b->reference && has_parameters(b))
		return usage_error(self, "--reference and parameters exclude each other");
	return rest ? take_lines(c, self, b, words, l) : take_words(c, self, words, l);
}

/* By --command-name, one for each. */
static int take_names(
	const struct command *self, const struct bench *b, struct bench_commands *l)
{
	if (b->names.n > l->n)
		return usage_error(
			self, "%zu names are given to %zu commands", b->names.n, l->n);
	for (size_t i = 0; i < b->names.n; i++)
		l->items[i].text = b->names.items[i];
	return EXIT_OK;
}

static enum bench_aim aim_of(const struct bench *b, const struct bench_commands *l)
{
	bool is_scan = l->is_scan || has_parameters(b);

	if (l->n > 2 || is_scan || b->reference || (l->n == 2 && b->prepare.n == 2))
		return AIM_RANK;
	return l->n == 2 ? AIM_PAIR : AIM_ONE;
}

static int check(const struct command *self, const struct bench *b,
	const struct bench_commands *l, enum bench_aim aim)
{
	if (b->control && aim != AIM_PAIR)
		return usage_error(self, "--control needs two commands");
	if (b->files.sort && !bench_sort_is_known(b->files.sort))
		return usage_error(self,
			"--sort takes auto, command, mean-time or median-time, not '%s'",
			b->files.sort);
	if (aim != AIM_ONE && b->prepare.n > 1 && b->prepare.n != l->n)
		return usage_error(self,
			"--prepare is given once, or once for each of the %zu commands", l->n);
	return EXIT_OK;
}

/* --- what came of it --- */

static int print_form(struct client *c, const struct bench_ranking *k, const struct bench *b)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	bool by_time = bench_sorts_by_time(b->files.sort, true);

	switch (c->output) {
	case OUT_JSON:
		json_dumpf(arena_own_json(c->arena, bench_json(k)), stdout, JSON_INDENT(2));
		putchar('\n');
		return EXIT_OK;
	case OUT_CSV:
		bench_csv(k, b->files.sort, &out);
		break;
	case OUT_MARKDOWN:
		bench_markdown(k, b->files.sort, &out);
		break;
	default:
		bench_print(c, k, !by_time);
		bench_print_summary(c, k);
		bench_print_notes(c, k);
		return EXIT_OK;
	}
	fwrite(out.data, 1, out.len, stdout);
	return EXIT_OK;
}

static bool has_files(const struct bench *b)
{
	return b->files.json || b->files.csv || b->files.markdown;
}

static int see_results(struct client *c, const struct bench *b, struct bench_commands *l,
	enum bench_aim aim, const json_t *job)
{
	bool names_benchmarks = aim == AIM_RANK && (l->n > 1 || l->is_scan);
	struct bench_ranking k;
	struct bench_results r;
	int code = EXIT_OK;

	if (aim != AIM_RANK && !has_files(b) && (aim == AIM_ONE || c->output != OUT_TABLE))
		return EXIT_OK;
	for (size_t i = 0; !names_benchmarks && i < l->n; i++)
		l->items[i].key = NULL;
	code = bench_results(c, l, b->names.n ? NULL : b->name, job, &r);
	if (code != EXIT_OK || !r.n)
		return code;
	code = bench_rank(c, &r, b->reference ? 0 : SIZE_MAX, &k);
	if (code == EXIT_OK && aim == AIM_RANK)
		code = print_form(c, &k, b);
	else if (code == EXIT_OK && aim == AIM_PAIR && c->output == OUT_TABLE)
		bench_print_summary(c, &k);
	return code == EXIT_OK ? bench_export(c, &k, &b->files) : code;
}

static int file_it(struct client *c, const struct bench *b, struct bench_commands *l,
	enum bench_aim aim, json_t *body)
{
	const bool prints = aim == AIM_RANK && c->output <= OUT_MARKDOWN;
	const struct filing f = { .wait = true,
		.prints_later = prints,
		.timeout = b->timeout,
		.fail_on = b->fail_on };
	json_t *job = NULL;
	int code = job_file(c, &f, body, &job), seen;

	if (!job)
		return code;
	if (code == EXIT_BENCHMARK && !b->ignore_failure &&
		strstr(json_get_str(job, "reason", ""), " exited with "))
		note(c, "-i takes any exit status");
	seen = see_results(c, b, l, aim, job);
	return seen == EXIT_OK ? code : seen;
}

static int run(struct client *c, const struct command *self, int argc, char **argv)
{
	struct bench b = { 0 };
	const struct option_row rows[] = {
		{ "runs", 'n', "N", "exactly N runs (default: until it is precise)", OPT_STRING,
			&b.runs },
		{ "runs", 'r', "N", "the same", OPT_STRING, &b.runs },
		{ "min-runs", 'm', "N", "at least N runs (10)", OPT_STRING, &b.min_runs },
		{ "max-runs", 'M', "N", "at most N runs (50)", OPT_STRING, &b.max_runs },
		{ "warmup", 'w', "N", "runs thrown away first", OPT_STRING, &b.warmup },
		{ "scan", 0, "NAME=FROM:TO[:STEP]", "fill {NAME} with numbers (repeatable)",
			OPT_LIST, &b.parameters.scan },
		{ "list", 0, "NAME=A,B,C", "fill {NAME} with words (repeatable)", OPT_LIST,
			&b.parameters.list },
		{ "parameter-scan", 'P', "NAME A Z", "as --scan", OPT_TRIPLE,
			&b.parameters.range },
		{ "parameter-step-size", 'D', "STEP", "of the --parameter-scan", OPT_LIST,
			&b.parameters.deltas },
		{ "parameter-list", 'L', "NAME A,B,C", "as --list", OPT_PAIR,
			&b.parameters.words },
		{ "setup", 's', "COMMAND", "by sh, once before all (repeatable)", OPT_LIST,
			&b.setup },
		{ "prepare", 'p', "COMMAND",
			"by sh, before each run; once for all, or for each", OPT_LIST,
			&b.prepare },
		{ "conclude", 0, "COMMAND", "by sh, behind each run", OPT_LIST, &b.conclude },
		{ "cleanup", 'c', "COMMAND", "by sh, once at the end", OPT_LIST, &b.cleanup },
		{ "ignore-failure", 'i', NULL, "any exit status will do", OPT_FLAG,
			&b.ignore_failure },
		{ "exit-codes", 0, "LIST", "what counts as success (0)", OPT_STRING,
			&b.exit_codes },
		{ "shell", 'S', "SHELL", "for lines: always by SHELL -c, or 'none'", OPT_STRING,
			&b.shell },
		{ "no-shell", 'N', NULL, "for lines: none, as --shell none", OPT_FLAG,
			&b.no_shell },
		{ "reference", 0, "LINE", "a command that the others are compared with",
			OPT_STRING, &b.reference },
		{ "command-name", 0, "NAME", "how a command is called, one for each", OPT_LIST,
			&b.names },
		{ "directory", 'C', "DIR", "where it runs (here; 'fresh': an empty folder)",
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
		{ "sort", 0, "WORD", "auto, command, mean-time or median-time", OPT_STRING,
			&b.files.sort },
		{ "export-json", 0, "FILE", "write every time as hyperfine exports it",
			OPT_STRING, &b.files.json },
		{ "export-csv", 0, "FILE", "the numbers of each command, as hyperfine",
			OPT_STRING, &b.files.csv },
		{ "export-markdown", 0, "FILE", "a table", OPT_STRING, &b.files.markdown },
		{ "timeout", 't', "TIME", "stop waiting after this time (exit 8)", OPT_STRING,
			&b.timeout },
		{ "fail-on", 0, "LIST", "slower, unknown: exit 3 or 4", OPT_STRING,
			&b.fail_on },
		{ "dry-run", 0, NULL, "print the request, file nothing", OPT_FLAG, &b.dry_run },
		{ 0 },
	};
	json_t *body = arena_own_json(c->arena, json_object());
	struct bench_commands l = { 0 };
	struct string_list words;
	enum bench_aim aim;
	size_t rest;
	int code = args_parse(c, self, rows, argc, argv, &words, &rest);

	if (code == EXIT_OK)
		code = take_commands(c, self, &b, &words, rest, &l);
	if (code == EXIT_OK)
		code = take_names(self, &b, &l);
	if (code != EXIT_OK)
		return code;
	aim = aim_of(&b, &l);
	code = check(self, &b, &l, aim);
	if (code == EXIT_OK)
		code = bench_request(c, self, &b, &l, rest > 0, aim, body);
	if (code != EXIT_OK)
		return code;
	if (!b.dry_run)
		return file_it(c, &b, &l, aim, body);
	json_dumpf(body, stdout, JSON_INDENT(2));
	putchar('\n');
	return EXIT_OK;
}

const struct command command_bench = { "bench",
	"[OPTION...] (-- COMMAND... [--- COMMAND...] | LINE...)",
	"measure a command, two against each other, or many in turns",
	"  benchctl bench -w 3 -- ./prog --size 1000\n"
	"  benchctl bench -- grep -r x /usr/include --- rg x /usr/include\n"
	"  benchctl bench 'gzip -kf data' 'xz -kf data' 'zstd -kf data'\n"
	"  benchctl bench -P n 1 4 --prepare 'make clean' 'make -j{n}'\n"
	"  benchctl bench --cache cold --input data.xz --output discard -- xz -dc\n",
	run };
