/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands as lines, with the parameters that are filled into them. */
#include "client/bench.h"

#include <ctype.h>
#include <string.h>
#include "base/text.h"

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
	values = bench_values(json_object_iter_value(iter));
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
