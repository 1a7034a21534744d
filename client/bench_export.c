/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/bench_export.h"

#include <stdlib.h>
#include <string.h>
#include "base/fs.h"

/* One word as a shell would have it written. */
static void add_quoted(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%^";

	if (*word && word[strspn(word, plain)] == 0) {
		buf_add_str(b, word);
		return;
	}
	buf_add_char(b, '\'');
	for (; *word; word++)
		if (*word == '\'')
			buf_add_str(b, "'\\''");
		else
			buf_add_char(b, *word);
	buf_add_char(b, '\'');
}

/* Every {name} of a parameter becomes its value, as the daemon does it. */
static void fill(struct buf *out, const char *word, const json_t *parameters)
{
	while (*word) {
		const char *end = *word == '{' ? strchr(word, '}') : NULL;
		size_t n = end ? (size_t)(end - word) - 1 : 0;
		const json_t *v = end ? json_object_getn(parameters, word + 1, n) : NULL;

		if (json_is_string(v)) {
			buf_add_str(out, json_string_value(v));
			word = end + 1;
		} else {
			buf_add_char(out, *word++);
		}
	}
}

static void command_line(struct buf *out, const json_t *argv, const json_t *parameters)
{
	const json_t *v;
	size_t i;

	json_array_foreach (argv, i, v) {
		_cleanup_(buf_done)
		struct buf word = { 0 };

		fill(&word, json_string_value(v), parameters);
		if (i)
			buf_add_char(out, ' ');
		add_quoted(out, buf_str(&word));
	}
}

static void name_results(json_t *results, const char *name, const json_t *argv)
{
	json_t *r;
	size_t i;

	json_array_foreach (results, i, r) {
		_cleanup_(buf_done)
		struct buf text = { 0 };

		if (name)
			buf_add_str(&text, name);
		else
			command_line(&text, argv, json_object_get(r, "parameters"));
		json_object_set_new(r, "command", json_string(buf_str(&text)));
	}
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

static void sort_results(json_t *results)
{
	size_t n = json_array_size(results);
	json_t **list = xcalloc(n + 1, sizeof(json_t *));

	for (size_t i = 0; i < n; i++)
		list[i] = json_incref(json_array_get(results, i));
	qsort(list, n, sizeof(json_t *), compare_results);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(results, i, list[i]);
	free(list);
}

static int add_report(
	struct client *c, const char *report, const char *name, const json_t *argv, json_t *all)
{
	struct error err = { 0 };
	struct answer a;
	json_t *doc = NULL, *results;
	int code = EXIT_OK;

	if (!*report)
		return EXIT_OK;
	if (api_call(c, "GET", project_path(c, "/reports/%s?format=hyperfine", report), NULL,
		    NULL, &a, &err) < 0)
		return complain(c, &err);
	if (a.status >= 400)
		code = complain_answer(c, &a);
	else if (json_parse(buf_str(&a.body), a.body.len, &doc, &err) < 0)
		code = complain(c, &err);
	results = json_object_get(doc, "results");
	name_results(results, name, argv);
	sort_results(results);
	json_array_extend(all, results);
	json_decref(doc);
	buf_done(&a.body);
	return code;
}

static int write_results(struct client *c, const char *path, json_t *results)
{
	_cleanup_(json_decref)
	json_t *doc = json_pack("{sO}", "results", results);
	_cleanup_(free)
	char *text = json_dumps(doc, JSON_INDENT(2));
	_cleanup_(free)
	char *lines = xasprintf("%s\n", text);
	struct error err = { 0 };

	return file_write(path, lines, strlen(lines), 0644, &err) < 0 ? complain(c, &err)
								      : EXIT_OK;
}

int bench_export(struct client *c, const char *path, const char *name, const json_t *body,
	const json_t *job)
{
	_cleanup_(json_decref)
	json_t *all = json_array();
	const json_t *head = json_object_get(json_object_get(body, "definition"), "command");
	int code;

	code = add_report(c, json_get_str(job, "base_report", ""), name,
		json_object_get(body, "base_argv"), all);
	if (code == EXIT_OK)
		code = add_report(c, json_get_str(job, "report", ""), name, head, all);
	if (code != EXIT_OK || !json_array_size(all))
		return code;
	return write_results(c, path, all);
}
