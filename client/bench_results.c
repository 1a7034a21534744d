/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of the commands: the times of their processes, round by round. */
#include "client/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "stats/interval.h"
#include "stats/quantile.h"

struct reading {
	struct client *c;
	const struct bench_commands *commands;
	const char *name; /* NULL: by what they run */
	struct bench_results *out;
	size_t cap;
};

static int get(struct client *c, const char *report, const char *query, json_t **ret)
{
	struct error err = { 0 };
	struct answer a;
	json_t *doc = NULL;
	int code = EXIT_OK;

	if (api_call(c, "GET", project_path(c, "/reports/%s?%s", report, query), NULL, NULL, &a,
		    &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else if (json_parse(buf_str(&a.body), a.body.len, &doc, &err) < 0)
		code = complain(c, &err);
	buf_done(&a.body);
	*ret = arena_own_json(c->arena, doc ? doc : json_object());
	return code;
}

/* Is it the name of this command's benchmark, or that and "[parameters]"? */
static bool is_of(const struct bench_command *k, const char *benchmark)
{
	size_t n = strlen(k->key);

	return !strncmp(k->key, benchmark, n) && (!benchmark[n] || benchmark[n] == '[');
}

static bool is_time(const char *measure)
{
	return !strcmp(measure, "latency") || !strcmp(measure, "Latency");
}

static void add_values(const json_t *process, const char *benchmark, struct bench_result *r)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(process, "results"), i, v) {
		if (strcmp(json_get_str(v, "benchmark", ""), benchmark) != 0 ||
			!is_time(json_get_str(v, "measure", "")))
			continue;
		r->blocks[r->n] = json_get_int(process, "block", 0);
		r->values[r->n++] = json_number_value(json_object_get(v, "value"));
		return;
	}
}

static bool counts(const json_t *process)
{
	return !json_get_bool(process, "replaced", false);
}

static bool is_noisy(const json_t *process)
{
	return !strcmp(json_get_str(process, "noise", ""), "noisy");
}

static void read_values(struct reading *x, const json_t *processes, const char *benchmark,
	struct bench_result *r)
{
	size_t n = json_array_size(processes), i;
	const json_t *p;
	double *sorted;

	r->values = ARENA_ARRAY(x->c->arena, double, n + 1);
	r->blocks = ARENA_ARRAY(x->c->arena, int64_t, n + 1);
	/* As the daemon does it: noisy ones only where there is nothing else. */
	json_array_foreach (processes, i, p)
		if (counts(p) && !is_noisy(p))
			add_values(p, benchmark, r);
	if (!r->n)
		json_array_foreach (processes, i, p)
			if (counts(p))
				add_values(p, benchmark, r);
	sorted = sample_sorted(x->c->arena, r->values, r->n);
	r->median = r->n ? sample_quantile(sorted, r->n, 0.5) : NAN;
	if (!interval_quantile(sorted, r->n, 0.5, 0.05, &r->low, &r->high))
		r->low = r->high = NAN;
}

/* Numbers by their size. */
static int compare_values(const char *a, const char *b)
{
	char *end_a, *end_b;
	double x = strtod(a, &end_a), y = strtod(b, &end_b);

	if (end_a == a || end_b == b || *end_a || *end_b)
		return strcmp(a, b);
	return x < y ? -1 : x > y;
}

/* In the order in which a scan counts; a report has them by name. */
static int compare_results(const void *a, const void *b)
{
	const json_t *x = json_object_get(*(json_t *const *)a, "parameters");
	const json_t *y = json_object_get(*(json_t *const *)b, "parameters"), *v;
	const char *key;
	int r = 0;

	json_object_foreach ((json_t *)x, key, v)
		if (r == 0)
			r = compare_values(json_string_value(v), json_get_str(y, key, ""));
	return r;
}

/* As hyperfine has them: texts. */
static json_t *texts_of(const json_t *parameters)
{
	json_t *o = json_object(), *v;
	const char *key;

	json_object_foreach ((json_t *)parameters, key, v) {
		char number[32];

		json_set_str(o, key,
			json_is_string(v)   ? json_string_value(v)
			: json_is_number(v) ? json_number(json_number_value(v), number)
			: json_is_true(v)   ? "true"
					    : "false");
	}
	return o;
}

static void add(struct reading *x, const struct bench_command *k, json_t *export,
	const json_t *processes)
{
	const char *benchmark = json_get_str(export, "command", "");
	const json_t *parameters = json_object_get(export, "parameters");
	struct bench_result *r = &x->out->items[x->out->n];

	if (x->out->n == x->cap)
		return;
	read_values(x, processes, benchmark, r);
	if (!r->n)
		return;
	r->text = x->name			 ? x->name
		  : json_object_size(parameters) ? bench_text(x->c, k->argv, parameters)
						 : k->text;
	if (k->parameters)
		json_object_set_new(export, "parameters", texts_of(k->parameters));
	json_set_str(export, "command", r->text);
	r->export = export;
	x->out->n++;
}

/* Those of one command, in the order of its parameters. */
static void add_command(struct reading *x, const struct bench_command *k, json_t *results,
	const json_t *processes)
{
	json_t **own = ARENA_ARRAY(x->c->arena, json_t *, json_array_size(results) + 1), *v;
	size_t n = 0, i;

	json_array_foreach (results, i, v)
		if (!k->key || is_of(k, json_get_str(v, "command", "")))
			own[n++] = v;
	qsort(own, n, sizeof(*own), compare_results);
	for (i = 0; i < n; i++)
		add(x, k, own[i], processes);
}

static int read_report(struct reading *x, const char *report, size_t from, size_t to)
{
	json_t *doc, *hyperfine, *results;
	int code;

	if (!*report)
		return EXIT_OK;
	code = get(x->c, report, "format=hyperfine", &hyperfine);
	if (code == EXIT_OK)
		code = get(x->c, report, "samples=1", &doc);
	if (code != EXIT_OK)
		return code;
	results = json_object_get(hyperfine, "results");
	for (size_t i = from; i < to; i++)
		add_command(
			x, &x->commands->items[i], results, json_object_get(doc, "processes"));
	x->out->report = report;
	x->out->notes = json_object_get(json_object_get(doc, "summary"), "notes");
	return EXIT_OK;
}

int bench_results(struct client *c, const struct bench_commands *l, const char *name,
	const json_t *job, struct bench_results *ret)
{
	struct reading x = { .c = c, .commands = l, .name = name, .out = ret, .cap = 1000 };
	const char *base = json_get_str(job, "base_report", "");
	int code = EXIT_OK;

	*ret = (struct bench_results){ .items = ARENA_ARRAY(
					       c->arena, struct bench_result, x.cap) };
	if (*base)
		code = read_report(&x, base, 0, 1);
	if (code == EXIT_OK)
		code = read_report(&x, json_get_str(job, "report", ""), *base ? 1 : 0, l->n);
	return code;
}
