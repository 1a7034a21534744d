/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of commands: ranges and lists. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "client/bench.h"

/* Numbers where they read as such, so that a parameter keeps its type. */
static json_t *scalar(const char *s, size_t n)
{
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY, NULL);

	if (json_is_number(j) || json_is_boolean(j))
		return j;
	json_decref(j);
	return json_stringn(s, n);
}

static int scan_error(const struct command *self, const char *text)
{
	return usage_error(
		self, "--scan wants NAME=FROM:TO[:STEP], such as n=1:10:3, not '%s'", text);
}

/* NAME=FROM:TO[:STEP] */
static int add_scan(const struct command *self, json_t *matrix, const char *text)
{
	const char *eq = strchr(text, '=');
	double from, to, step = 1;
	char rest;
	int n = eq ? sscanf(eq + 1, "%lf:%lf:%lf%c", &from, &to, &step, &rest) : 0;

	if (!eq || eq == text || (n != 2 && n != 3))
		return scan_error(self, text);
	json_object_setn_new(matrix, text, (size_t)(eq - text),
		json_pack("{sf sf sf}", "from", from, "to", to, "step", step));
	return EXIT_OK;
}

static void add_words(json_t *matrix, const char *name, size_t n_name, const char *words)
{
	json_t *list = json_array();

	for (const char *p = words;; p++) {
		size_t n = strcspn(p, ",");

		json_array_append_new(list, scalar(p, n));
		p += n;
		if (!*p)
			break;
	}
	json_object_setn_new(matrix, name, n_name, list);
}

/* NAME=a,b,c */
static int add_list(const struct command *self, json_t *matrix, const char *text)
{
	const char *eq = strchr(text, '=');

	if (!eq || eq == text || !eq[1])
		return usage_error(self, "--list wants NAME=A,B,C, not '%s'", text);
	add_words(matrix, text, (size_t)(eq - text), eq + 1);
	return EXIT_OK;
}

/* -P NAME MIN MAX [-D STEP] */
static int add_range(struct client *c, const struct command *self, json_t *matrix,
	const struct bench_parameters *p, size_t i)
{
	const char *const *v = &p->range.items[3 * i];
	const char *step = i < p->deltas.n ? p->deltas.items[i] : "1";

	return add_scan(
		self, matrix, arena_printf(c->arena, "%s=%s:%s:%s", v[0], v[1], v[2], step));
}

int bench_matrix(struct client *c, const struct command *self, const struct bench_parameters *p,
	json_t **ret)
{
	json_t *matrix = json_object();
	int code = EXIT_OK;

	*ret = matrix;
	if (p->deltas.n > p->range.n / 3)
		return usage_error(self, "each --parameter-step-size needs a --parameter-scan");
	for (size_t i = 0; code == EXIT_OK && i < p->scan.n; i++)
		code = add_scan(self, matrix, p->scan.items[i]);
	for (size_t i = 0; code == EXIT_OK && i < p->range.n / 3; i++)
		code = add_range(c, self, matrix, p, i);
	for (size_t i = 0; code == EXIT_OK && i < p->list.n; i++)
		code = add_list(self, matrix, p->list.items[i]);
	for (size_t i = 0; code == EXIT_OK && i + 1 < p->words.n; i += 2)
		add_words(matrix, p->words.items[i], strlen(p->words.items[i]),
			p->words.items[i + 1]);
	return code;
}

json_t *bench_values(const json_t *v)
{
	double from, to, step;
	json_t *list;

	if (!json_is_object(v))
		return json_incref((json_t *)v);
	from = json_number_value(json_object_get(v, "from"));
	to = json_number_value(json_object_get(v, "to"));
	step = json_number_value(json_object_get(v, "step"));
	list = json_array();
	for (int i = 0; i <= BENCH_COMMANDS_MAX && step * (to - from) >= 0; i++) {
		double x = round((from + i * step) * 1e9) / 1e9;

		if (step == 0 || (x - to) * (step > 0 ? 1 : -1) > 1e-9 * fabs(step))
			break;
		json_array_append_new(
			list, x == floor(x) ? json_integer((json_int_t)x) : json_real(x));
	}
	return list;
}

static const char *value_text(struct client *c, const json_t *v)
{
	char number[32];

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_integer(v))
		return arena_printf(c->arena, "%lld", (long long)json_integer_value(v));
	if (json_is_real(v))
		return arena_strdup(c->arena, json_number(json_real_value(v), number));
	return json_is_true(v) ? "true" : "false";
}

const char *bench_fill(struct client *c, const char *text, const json_t *parameters)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };

	while (*text) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		size_t n = end ? (size_t)(end - text) - 1 : 0;
		const json_t *v = end ? json_object_getn(parameters, text + 1, n) : NULL;

		if (v) {
			buf_add_str(&out, value_text(c, v));
			text = end + 1;
		} else {
			buf_add_char(&out, *text++);
		}
	}
	return arena_strdup(c->arena, buf_str(&out));
}
