/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include "base/clock.h"

enum { MAX_DEPTH = 64, MAX_KEYS = 128 };

static int edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	int row[64];

	if (n > 60 || m > 60)
		return 100;
	for (size_t j = 0; j <= m; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int diagonal = row[0];

		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(cost, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[m];
}

const char *nearest_name(const char *word, const char *const *names)
{
	const char *best = NULL;
	int least = (int)strlen(word) / 2 + 1;

	for (; *names; names++) {
		int d = edit_distance(word, *names);

		if (d < least) {
			least = d;
			best = *names;
		}
	}
	return best;
}

static const char *kind_name(enum json_kind kind)
{
	static const char *const names[] = { "a string", "an integer", "a number",
		"true or false", "a duration such as \"60s\"", "a size such as \"64Mi\"",
		"one of", "an object", "an array", "a value" };

	return names[kind];
}

/* 'a', 'b', 'c' of a field that takes words; nothing for others. */
static void add_words(const struct json_field *f, struct buf *out)
{
	for (int i = 0; f->kind == JF_ENUM && f->names[i]; i++)
		buf_printf(out, "%s'%s'", i ? ", " : "", f->names[i]);
}

static int refuse(const char *pointer, const char *key, struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(const char *pointer, const char *key, struct error *err, const char *fmt, ...)
{
	char field[256], text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(field, sizeof(field), "%s/%s", pointer, key);
	return error_set_field(err, E_UNPROCESSABLE, field, "'%s' %s", key, text);
}

static int refuse_kind(
	const char *pointer, const struct json_field *f, const char *what, struct error *err)
{
	struct buf words = { 0 };
	int r;

	add_words(f, &words);
	r = refuse(pointer, f->key, err, "%smust be %s%s%s", what, kind_name(f->kind),
		words.len ? " " : "", buf_str(&words));
	buf_done(&words);
	return r;
}

static int check_limits(const struct json_field *f, double v, const char *what,
	const char *pointer, struct error *err)
{
	if (f->min == 0 && f->max == 0)
		return OK;
	if (f->min == f->max && v != f->min)
		return refuse(
			pointer, f->key, err, "must be %.16g%s, not %.16g", f->min, what, v);
	if (v < f->min || v > f->max)
		return refuse(pointer, f->key, err, "must be %.16g to %.16g%s, not %.16g",
			f->min, f->max, what, v);
	return OK;
}

static int read_string(const struct json_field *f, const json_t *v, const char *pointer,
	void *target, struct error *err)
{
	const char *s = json_string_value(v);

	if (strlen(s) != json_string_length(v))
		return refuse(pointer, f->key, err, "must not contain a NUL character");
	*(const char **)target = s;
	return check_limits(f, (double)strlen(s), " bytes long", pointer, err);
}

static int read_quantity(const struct json_field *f, const json_t *v, const char *pointer,
	int64_t *target, struct error *err)
{
	bool is_time = f->kind == JF_DURATION;
	const char *unit = is_time ? " seconds" : " bytes";
	double scale = is_time ? 1e9 : 1;
	struct error inner;

	if (json_is_string(v)) {
		int r = is_time ? duration_parse(json_string_value(v), target, &inner)
				: bytes_parse(json_string_value(v), target, &inner);

		if (r < 0)
			return refuse(pointer, f->key, err, "is wrong: %s", inner.text);
	} else {
		double d = json_number_value(v) * scale;

		if (!isfinite(d) || d < 0 || d > 9e18) {
			int r = check_limits(f, json_number_value(v), unit, pointer, err);

			return r < 0 ? r
				     : refuse(pointer, f->key, err, "must be 0 to %.15g%s",
					       floor(9e18 / scale), unit);
		}
		*target = (int64_t)llround(d);
	}
	return check_limits(f, (double)*target / scale, unit, pointer, err);
}

static int read_enum(const struct json_field *f, const json_t *v, const char *pointer,
	int *target, struct error *err)
{
	const char *s = json_string_value(v);
	struct buf list = { 0 };
	int r;

	for (int i = 0; f->names[i]; i++)
		if (!strcmp(s, f->names[i])) {
			*target = i;
			return OK;
		}
	add_words(f, &list);
	r = refuse(pointer, f->key, err, "is '%.60s'; it must be one of %s", s, buf_str(&list));
	buf_done(&list);
	return r;
}

static bool has_kind(enum json_kind kind, const json_t *v)
{
	switch (kind) {
	case JF_STRING:
	case JF_ENUM:
		return json_is_string(v);
	case JF_INT:
		return json_is_integer(v);
	case JF_DOUBLE:
		return json_is_number(v);
	case JF_BOOL:
		return json_is_boolean(v);
	case JF_DURATION:
	case JF_BYTES:
		return json_is_string(v) || json_is_number(v);
	case JF_OBJECT:
		return json_is_object(v);
	case JF_ARRAY:
		return json_is_array(v);
	case JF_ANY:
		return true;
	}
	return false;
}

static int read_field(const struct json_field *f, json_t *v, const char *pointer, void *target,
	struct error *err)
{
	if (!has_kind(f->kind, v))
		return refuse_kind(pointer, f, "", err);
	switch (f->kind) {
	case JF_STRING:
		return read_string(f, v, pointer, target, err);
	case JF_INT:
		*(int64_t *)target = json_integer_value(v);
		return check_limits(f, (double)json_integer_value(v), "", pointer, err);
	case JF_DOUBLE:
		*(double *)target = json_number_value(v);
		return check_limits(f, json_number_value(v), "", pointer, err);
	case JF_BOOL:
		*(bool *)target = json_is_true(v);
		return OK;
	case JF_DURATION:
	case JF_BYTES:
		return read_quantity(f, v, pointer, target, err);
	case JF_ENUM:
		return read_enum(f, v, pointer, target, err);
	case JF_ARRAY:
		*(json_t **)target = v;
		return check_limits(f, (double)json_array_size(v), " elements", pointer, err);
	case JF_OBJECT:
	case JF_ANY:
		*(json_t **)target = v;
		return OK;
	}
	return OK;
}

static int refuse_unknown(json_t *o, const char *pointer, const struct json_field *fields,
	size_t n, struct error *err)
{
	const char *names[MAX_KEYS + 1] = { 0 }, *key, *near;
	json_t *v;

	for (size_t i = 0; i < n && i < MAX_KEYS; i++)
		names[i] = fields[i].key;
	json_object_foreach (o, key, v) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= !strcmp(key, fields[i].key);
		if (known)
			continue;
		near = nearest_name(key, names);
		if (near)
			return refuse(pointer, key, err,
				"is not known here; did you mean '%s'?", near);
		return refuse(pointer, key, err, "is not known here");
	}
	return OK;
}

int json_read(json_t *o, const char *pointer, const struct json_field *fields, size_t n,
	void *out, enum json_unknown unknown, struct error *err)
{
	int r;

	if (!json_is_object(o))
		return error_set_field(err, E_UNPROCESSABLE, pointer, "'%s' must be an object",
			*pointer ? pointer : "the body");
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(o, fields[i].key);

		if (!v || json_is_null(v)) {
			if (fields[i].required)
				return refuse_kind(pointer, &fields[i], "is missing; it ", err);
			continue;
		}
		r = read_field(&fields[i], v, pointer, (char *)out + fields[i].offset, err);
		if (r < 0)
			return r;
	}
	return unknown == JSON_REFUSE_UNKNOWN ? refuse_unknown(o, pointer, fields, n, err) : OK;
}

/* jansson's own limit on nesting is 2048; ours is 64, checked on the text before parsing so
 * that the recursion never gets there. */
static bool too_deep(const char *text, size_t n)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > MAX_DEPTH)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

enum { PARSE_FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY };

int json_parse(const char *text, size_t n, json_t **ret, struct error *err)
{
	json_error_t je;
	json_t *j;

	if (too_deep(text, n))
		return error_set(err, E_BAD_REQUEST, "the JSON is nested deeper than %d levels",
			MAX_DEPTH);
	j = json_loadb(text, n, PARSE_FLAGS, &je);
	/* An integer beyond 64 bits is a number all the same. */
	if (!j && json_error_code(&je) == json_error_numeric_overflow)
		j = json_loadb(text, n, PARSE_FLAGS | JSON_DECODE_INT_AS_REAL, &je);
	if (!j)
		return error_set(err, E_BAD_REQUEST, "not valid JSON at line %d, column %d: %s",
			je.line, je.column, je.text);
	*ret = j;
	return OK;
}

void json_set_str(json_t *o, const char *key, const char *s)
{
	json_t *v = s ? json_string(s) : json_null();

	/* What is not UTF-8 cannot be a JSON string: say so instead of losing the member. */
	json_object_set_new(o, key, v ? v : json_string("(not UTF-8)"));
}

void json_set_opt(json_t *o, const char *key, const char *s)
{
	if (s)
		json_set_str(o, key, s);
}

void json_set_int(json_t *o, const char *key, int64_t v)
{
	json_object_set_new(o, key, json_integer(v));
}

void json_set_real(json_t *o, const char *key, double v)
{
	json_object_set_new(o, key, isfinite(v) ? json_real(v) : json_null());
}

void json_set_bool(json_t *o, const char *key, bool v)
{
	json_object_set_new(o, key, json_boolean(v));
}

void json_set_time(json_t *o, const char *key, int64_t ns)
{
	char text[TIME_TEXT];

	json_set_str(o, key, ns ? time_format(ns, text) : NULL);
}

const char *json_get_str(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : otherwise;
}

int64_t json_get_int(const json_t *o, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

double json_get_real(const json_t *o, const char *key, double otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : otherwise;
}

bool json_get_bool(const json_t *o, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

int bytes_parse(const char *text, int64_t *ret, struct error *err)
{
	static const char prefixes[] = "kmgt";
	char *end;
	double v = strtod(text, &end), base = 1000;
	const char *p = NULL;

	if (end == text || !isfinite(v) || v < 0)
		goto bad;
	if (*end)
		p = strchr(prefixes, tolower((unsigned char)*end));
	if (p && *p) {
		end++;
		if (*end == 'i') {
			base = 1024;
			end++;
		}
		v *= pow(base, (double)(p - prefixes + 1));
	}
	if (*end == 'B' || *end == 'b')
		end++;
	if (*end || v > 9e18)
		goto bad;
	*ret = (int64_t)llround(v);
	return OK;
bad:
	return error_set(err, E_BAD_REQUEST,
		"'%.60s' is not a size; write a number and k, M, G (1000) or Ki, Mi, Gi (1024)",
		text);
}
