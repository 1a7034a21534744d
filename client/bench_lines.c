/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands as lines, and the parameters that are filled into them. */
#include "client/bench.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

/* Numbers where they read as such, so that a parameter keeps its type. */
static json_t *scalar(const char *s, size_t n)
{
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY, NULL);

	if (json_is_number(j) || json_is_boolean(j))
		return j;
	json_decref(j);
	return json_stringn(s, n);
}

/* --- parameters --- */

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

/* {from, to, step} as its values; what they are meant to be, not what sums of them are. */
static json_t *values_of(const json_t *v)
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

/* --- words --- */

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

const char *bench_text(struct client *c, const json_t *argv, const json_t *parameters)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const json_t *v;
	size_t i;

	json_array_foreach (argv, i, v) {
		if (i)
			buf_add_char(&out, ' ');
		add_quoted(&out, bench_fill(c, json_string_value(v), parameters));
	}
	return arena_strdup(c->arena, buf_str(&out));
}

struct splitting {
	const char *at;
	bool needs_shell; /* seen: what sh does more than to split */
	bool is_open;	  /* a quote is not closed */
	bool has_word;
	struct buf word;
};

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/* Behind the opening quote; up to behind the closing one. */
static void take_quoted(struct splitting *s, char quote)
{
	for (; *s->at && *s->at != quote; s->at++) {
		if (quote == '"' && strchr("$`", *s->at))
			s->needs_shell = true;
		if (quote == '"' && *s->at == '\\' && s->at[1] && strchr("$`\"\\", s->at[1]))
			s->at++;
		buf_add_char(&s->word, *s->at);
	}
	s->is_open |= !*s->at;
	s->at += *s->at != 0;
}

static bool take_word(struct splitting *s)
{
	s->word.len = 0;
	s->has_word = false;
	s->at += strspn(s->at, " \t");
	if (*s->at && strchr("#~", *s->at))
		s->needs_shell = true;
	while (*s->at && !is_blank(*s->at)) {
		char ch = *s->at++;

		s->has_word = true;
		if (ch == '\'' || ch == '"') {
			take_quoted(s, ch);
			continue;
		}
		if (strchr("|&;<>()$`*?[\n", ch))
			s->needs_shell = true;
		if (ch == '\\' && *s->at)
			ch = *s->at++;
		buf_add_char(&s->word, ch);
	}
	return s->has_word;
}

/* What the first word of a line may be that is no program: VAR=x prog, cd DIR, if ... */
static bool is_of_shell(const char *word)
{
	static const char *const words[] = { ":", ".", "!", "{", "cd", "command", "eval",
		"exec", "exit", "export", "for", "if", "case", "while", "until", "read", "set",
		"source", "time", "trap", "type", "ulimit", "umask", "unset", "wait" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word))
			return true;
	while (isalnum((unsigned char)word[n]) || word[n] == '_')
		n++;
	return n > 0 && word[n] == '=';
}

static int split(
	const struct command *self, const char *line, json_t **ret_argv, bool *ret_needs_shell)
{
	struct splitting s = { .at = line };
	json_t *argv = json_array();

	while (take_word(&s)) {
		if (!json_array_size(argv))
			s.needs_shell |= is_of_shell(buf_str(&s.word));
		json_array_append_new(argv, json_string(buf_str(&s.word)));
	}
	buf_done(&s.word);
	*ret_argv = argv;
	*ret_needs_shell = s.needs_shell;
	if (s.is_open)
		return usage_error(self, "a quote is not closed in: %s", line);
	if (!json_array_size(argv))
		return usage_error(self, "a command is empty");
	return EXIT_OK;
}

/* The daemon fills in what stands between braces. */
static json_t *with_plain_braces(const json_t *argv)
{
	json_t *out = json_array(), *v;
	size_t i;

	json_array_foreach (argv, i, v) {
		_cleanup_(buf_done)
		struct buf b = { 0 };

		for (const char *p = json_string_value(v); *p; p++) {
			buf_add_char(&b, *p);
			if (*p == '{' || *p == '}')
				buf_add_char(&b, *p);
		}
		json_array_append_new(out, json_string(buf_str(&b)));
	}
	return out;
}

static int line_argv(struct client *c, const struct command *self, const char *line,
	const char *shell, json_t **ret)
{
	bool never = shell && !strcmp(shell, "none"), needs_shell;
	json_t *argv;
	int code = split(self, line, &argv, &needs_shell);

	arena_own_json(c->arena, argv);
	if (code == EXIT_OK && !never && (shell || needs_shell)) {
		const char *name = shell && strcmp(shell, "default") != 0 ? shell : "sh";
		bool ignored;

		code = split(self, name, &argv, &ignored);
		arena_own_json(c->arena, argv);
		json_array_append_new(argv, json_string("-c"));
		json_array_append_new(argv, json_string(line));
	}
	*ret = arena_own_json(c->arena, with_plain_braces(argv));
	return code;
}

/* --- lines and parameters --- */

struct expanding {
	struct client *c;
	const struct command *self;
	const char *shell;
	struct bench_commands *out;
};

static int add_line(struct expanding *x, const char *line, const json_t *parameters)
{
	struct bench_commands *l = x->out;
	struct bench_command *k = &l->items[l->n];

	if (l->n == BENCH_COMMANDS_MAX)
		return usage_error(
			x->self, "these are more than %d commands", BENCH_COMMANDS_MAX);
	l->n++;
	*k = (struct bench_command){ .text = bench_fill(x->c, line, parameters) };
	if (json_object_size(parameters))
		k->parameters = arena_own_json(x->c->arena, json_deep_copy(parameters));
	return line_argv(x->c, x->self, k->text, x->shell, &k->argv);
}

static int add_product(
	struct expanding *x, const char *line, json_t *matrix, void *iter, json_t *parameters)
{
	_cleanup_(json_decref)
	json_t *values = NULL;
	int code = EXIT_OK;
	json_t *v;
	size_t i;

	if (!iter)
		return add_line(x, line, parameters);
	values = values_of(json_object_iter_value(iter));
	if (!json_array_size(values))
		return usage_error(
			x->self, "the range of '%s' leads nowhere", json_object_iter_key(iter));
	json_array_foreach (values, i, v) {
		if (code != EXIT_OK)
			break;
		json_object_set(parameters, json_object_iter_key(iter), v);
		code = add_product(
			x, line, matrix, json_object_iter_next(matrix, iter), parameters);
	}
	return code;
}

int bench_lines(struct client *c, const struct command *self, const char *const *lines,
	size_t n, const char *shell, const struct bench_parameters *p,
	struct bench_commands *ret)
{
	struct expanding x = { .c = c, .self = self, .shell = shell, .out = ret };
	_cleanup_(json_decref)
	json_t *matrix = NULL;
	int code = bench_matrix(c, self, p, &matrix);

	*ret = (struct bench_commands){ .items = ARENA_ARRAY(c->arena, struct bench_command,
						BENCH_COMMANDS_MAX),
		.is_scan = json_object_size(matrix) > 0 };
	for (size_t i = 0; code == EXIT_OK && i < n; i++) {
		_cleanup_(json_decref)
		json_t *parameters = json_object();

		code = add_product(&x, lines[i], matrix, json_object_iter(matrix), parameters);
	}
	bench_name(c, ret);
	return code;
}

static bool is_taken(const struct bench_commands *l, size_t before, const char *key)
{
	for (size_t i = 0; i < before; i++)
		if (!strcmp(l->items[i].key, key))
			return true;
	return false;
}

void bench_name(struct client *c, struct bench_commands *l)
{
	for (size_t i = 0; i < l->n; i++) {
		char *key =
			arena_printf(c->arena, "%.*s", BENCH_NAME_MAX - 8, l->items[i].text);
		size_t n = strlen(key);

		while (n && !utf8_is_valid(key, n)) /* a character was cut in two */
			key[--n] = 0;
		for (char *p = key; *p; p++)
			if ((unsigned char)*p < ' ' || *p == 127)
				*p = ' ';
		l->items[i].key = key;
		for (int k = 2; is_taken(l, i, l->items[i].key); k++)
			l->items[i].key = arena_printf(c->arena, "%s (%d)", key, k);
	}
}
