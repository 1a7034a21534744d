/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON values as text. jansson's own writer takes ten times as long for a page of numbers and
 * prints 0.1 as 0.10000000000000001. */
#include "base/json.h"

#include <math.h>
#include <string.h>

char *json_canonical(const json_t *j)
{
	return json_dumps(
		j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
}

/* %g drops trailing zeros, so 15 digits give the shortest text of whatever has one that short;
 * 17 always read back equal. */
const char *json_number(double v, char out[32])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, 32, "%.*g", digits, v);
		if (strtod(out, NULL) == v)
			break;
	}
	return out;
}

static void add_escape(struct buf *b, unsigned char c)
{
	static const char plain[] = "\b\t\n\f\r\"\\", names[] = "btnfr\"\\";
	const char *p = c ? strchr(plain, c) : NULL;

	if (p) {
		buf_add_char(b, '\\');
		buf_add_char(b, names[p - plain]);
	} else {
		buf_printf(b, "\\u%04x", c);
	}
}

static void quote(struct buf *b, const char *s, size_t n)
{
	size_t from = 0;

	buf_add_char(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, s + from, i - from);
		add_escape(b, c);
		from = i + 1;
	}
	buf_add(b, s + from, n - from);
	buf_add_char(b, '"');
}

void json_quote(struct buf *b, const char *s)
{
	quote(b, s, strlen(s));
}

/* A real stays one when it is read again: "100.0". */
static void add_real(struct buf *b, double v)
{
	char text[40];

	if (fabs(v) < 1e15 && v == floor(v))
		snprintf(text, sizeof(text), "%.1f", v);
	else
		json_number(v, text);
	buf_add_str(b, text);
	if (!strpbrk(text, ".en"))
		buf_add_str(b, ".0");
}

static void add_integer(struct buf *b, json_int_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, v);
	buf_add_str(b, text);
}

static void add_object(struct buf *b, const json_t *j)
{
	const char *key;
	json_t *v;
	bool first = true;

	buf_add_char(b, '{');
	json_object_foreach ((json_t *)j, key, v) {
		if (!first)
			buf_add_char(b, ',');
		first = false;
		json_quote(b, key);
		buf_add_char(b, ':');
		json_format(b, v);
	}
	buf_add_char(b, '}');
}

static void add_array(struct buf *b, const json_t *j)
{
	size_t i;
	json_t *v;

	buf_add_char(b, '[');
	json_array_foreach (j, i, v) {
		if (i)
			buf_add_char(b, ',');
		json_format(b, v);
	}
	buf_add_char(b, ']');
}

void json_format(struct buf *b, const json_t *j)
{
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT:
		add_object(b, j);
		break;
	case JSON_ARRAY:
		add_array(b, j);
		break;
	case JSON_STRING:
		quote(b, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		add_integer(b, json_integer_value(j));
		break;
	case JSON_REAL:
		add_real(b, json_real_value(j));
		break;
	case JSON_TRUE:
		buf_add_str(b, "true");
		break;
	case JSON_FALSE:
		buf_add_str(b, "false");
		break;
	default:
		buf_add_str(b, "null");
	}
}

char *json_text(const json_t *j)
{
	struct buf b = { 0 };

	json_format(&b, j);
	return buf_take(&b);
}
