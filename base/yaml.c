/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 64 };

struct line {
	char *pointer;
	int line;
};

struct yaml_lines {
	struct line *items;
	size_t n, cap;
};

struct parse {
	const char *name;
	yaml_parser_t parser;
	struct yaml_lines *lines;
	struct error *err;
	int depth;
};

void yaml_lines_free(struct yaml_lines *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].pointer);
	free(l->items);
	free(l);
}

static void lines_add(struct yaml_lines *l, const char *pointer, int line)
{
	if (!l)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 32;
		l->items = xrealloc(l->items, l->cap * sizeof(*l->items));
	}
	l->items[l->n++] = (struct line){ xstrdup(pointer), line };
}

int yaml_line_of(const struct yaml_lines *l, const char *pointer)
{
	size_t best = 0;
	int line = 0;

	for (size_t i = 0; l && i < l->n; i++) {
		const char *p = l->items[i].pointer;
		size_t n = strlen(p);

		/* The first one is where the member's name stands; its value may begin lines
		 * below. */
		if ((!line || n > best) && !strncmp(pointer, p, n) &&
			(pointer[n] == 0 || pointer[n] == '/')) {
			best = n;
			line = l->items[i].line;
		}
	}
	return line;
}

static int fail(struct parse *p, size_t line, const char *what)
{
	char field[128];

	snprintf(field, sizeof(field), "%.100s:%zu", p->name, line);
	return error_set_field(p->err, E_BAD_REQUEST, field, "%s:%zu: %s", p->name, line, what);
}

/* Words of libyaml that leave people alone with the usual mistakes. */
static const char *hint_for(const char *problem)
{
	static const char *const hints[][2] = {
		{ "cannot start any token",
			"; indent with blanks, not tabs, and quote texts that "
			"begin with @, ` or %" },
		{ "mapping values are not allowed", "; quote a text that has ': ' in it" },
		{ "did not find expected ',' or",
			"; close the list or mapping, and quote texts "
			"with { } [ ] or , in them" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strstr(problem, hints[i][0]))
			return hints[i][1];
	return "";
}

static int next(struct parse *p, yaml_event_t *e)
{
	const yaml_mark_t *at = &p->parser.problem_mark;
	const char *problem;
	char what[256];

	if (yaml_parser_parse(&p->parser, e))
		return OK;
	problem = p->parser.problem ? p->parser.problem : "not valid YAML";
	snprintf(what, sizeof(what), "column %zu: %.120s%s", at->column + 1, problem,
		hint_for(problem));
	return fail(p, at->line + 1, what);
}

static json_t *plain_scalar(const char *s)
{
	char *end;
	double d;
	long long i;

	if (!*s || !strcmp(s, "~") || !strcmp(s, "null"))
		return json_null();
	if (!strcmp(s, "true") || !strcmp(s, "false"))
		return json_boolean(*s == 't');
	if (strspn(s, "+-.0123456789eE") != strlen(s))
		return json_string(s);
	errno = 0;
	i = strtoll(s, &end, 10);
	if (!*end && !errno)
		return json_integer(i);
	d = strtod(s, &end);
	if (!*end && isfinite(d))
		return json_real(d);
	return json_string(s);
}

static int parse_node(struct parse *p, yaml_event_t *e, const char *pointer, json_t **ret);

static int parse_sequence(struct parse *p, const char *pointer, json_t **ret)
{
	_cleanup_(json_decref)
	json_t *a = json_array();
	yaml_event_t e;
	int r;

	for (;;) {
		_cleanup_(free)
		char *child = xasprintf("%s/%zu", pointer, json_array_size(a));
		json_t *v = NULL;

		r = next(p, &e);
		if (r < 0)
			return r;
		if (e.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&e);
			*ret = TAKE(a);
			return OK;
		}
		r = parse_node(p, &e, child, &v);
		if (r < 0)
			return r;
		json_array_append_new(a, v);
	}
}

static int parse_mapping(struct parse *p, const char *pointer, json_t **ret)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	yaml_event_t e;
	int r;

	for (;;) {
		_cleanup_(free)
		char *key = NULL, *child = NULL;
		json_t *v = NULL;
		size_t line;

		r = next(p, &e);
		if (r < 0)
			return r;
		line = e.start_mark.line + 1;
		if (e.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&e);
			*ret = TAKE(o);
			return OK;
		}
		if (e.type != YAML_SCALAR_EVENT) {
			yaml_event_delete(&e);
			return fail(p, line, "a key must be a plain word");
		}
		key = xstrdup((char *)e.data.scalar.value);
		yaml_event_delete(&e);
		if (json_object_get(o, key))
			return fail(p, line, "this key stands here twice");
		child = xasprintf("%s/%s", pointer, key);
		lines_add(p->lines, child, (int)line);
		r = next(p, &e);
		if (r < 0)
			return r;
		r = parse_node(p, &e, child, &v);
		if (r < 0)
			return r;
		if (json_object_set_new(o, key, v) < 0)
			return fail(p, line, "the key is not valid UTF-8");
	}
}

/* Takes the event over. */
static int parse_node(struct parse *p, yaml_event_t *e, const char *pointer, json_t **ret)
{
	size_t line = e->start_mark.line + 1;
	int r;

	lines_add(p->lines, pointer, (int)line);
	if (++p->depth > MAX_DEPTH) {
		yaml_event_delete(e);
		return fail(p, line, "nested deeper than 64 levels");
	}
	if (e->type == YAML_SCALAR_EVENT) {
		const char *s = (char *)e->data.scalar.value;
		bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

		*ret = plain ? plain_scalar(s) : json_stringn(s, e->data.scalar.length);
		r = *ret ? OK : fail(p, line, "not valid UTF-8");
		yaml_event_delete(e);
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		yaml_event_delete(e);
		r = parse_sequence(p, pointer, ret);
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		yaml_event_delete(e);
		r = parse_mapping(p, pointer, ret);
	} else {
		yaml_event_delete(e);
		r = fail(p, line, "aliases are not taken here; write the value out");
	}
	p->depth--;
	return r;
}

static int parse_document(struct parse *p, json_t **ret)
{
	yaml_event_t e;
	int r;

	*ret = NULL;
	for (;;) {
		yaml_event_type_t type;

		r = next(p, &e);
		if (r < 0)
			return r;
		type = e.type;
		switch (type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			yaml_event_delete(&e);
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (*ret) {
				size_t line = e.start_mark.line + 1;

				yaml_event_delete(&e);
				return fail(p, line, "only one document is taken");
			}
			yaml_event_delete(&e);
			break;
		case YAML_STREAM_END_EVENT:
			yaml_event_delete(&e);
			if (!*ret)
				*ret = json_object();
			return OK;
		default:
			r = parse_node(p, &e, "", ret);
			if (r < 0)
				return r;
		}
	}
}

int yaml_parse(const char *name, const char *text, size_t n, json_t **ret,
	struct yaml_lines **lines, struct error *err)
{
	_cleanup_(yaml_lines_free)
	struct yaml_lines *l = xcalloc(1, sizeof(*l));
	struct parse p = { .name = name, .lines = l, .err = err };
	_cleanup_(json_decref)
	json_t *j = NULL;
	int r;

	if (!yaml_parser_initialize(&p.parser))
		return error_set(err, E_INTERNAL, "cannot start the YAML parser");
	yaml_parser_set_input_string(&p.parser, (const unsigned char *)text, n);
	r = parse_document(&p, &j);
	yaml_parser_delete(&p.parser);
	if (r < 0)
		return r;
	*ret = TAKE(j);
	if (lines)
		*lines = TAKE(l);
	return OK;
}

int yaml_locate_error(const char *name, const struct yaml_lines *l, struct error *err)
{
	int line = yaml_line_of(l, err->field);
	int code = err->code;

	if (line) {
		snprintf(err->field, sizeof(err->field), "%.100s:%d", name, line);
		error_prefix(err, "%s:%d: ", name, line);
	} else {
		error_prefix(err, "%s: ", name);
	}
	err->code = code;
	return code;
}
