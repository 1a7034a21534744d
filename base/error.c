/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 sequence at s; 0: not one, or a control character. No overlong forms, no
 * surrogates (RFC 3629). */
static size_t sequence(const unsigned char *s)
{
	size_t n = *s < 0x80   ? 1
		   : *s < 0xc2 ? 0
		   : *s < 0xe0 ? 2
		   : *s < 0xf0 ? 3
		   : *s < 0xf5 ? 4
			       : 0;

	if (n == 1)
		return *s >= 0x20 && *s != 0x7f;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
		(*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f) ||
		(*s == 0xc2 && s[1] < 0xa0))
		return 0;
	return n;
}

/* A sentence may quote what came from outside: one line, valid UTF-8 and no escape for the
 * terminal or the log that it is going to. */
static void clean(char *text)
{
	for (char *s = text; *s;) {
		size_t n = sequence((const unsigned char *)s);

		if (!n)
			*s = '?';
		s += n ? n : 1;
	}
}

static int set(struct error *err, int code, const char *field, const char *fmt, va_list ap)
{
	if (!err)
		return code;
	err->code = code;
	snprintf(err->field, sizeof(err->field), "%s", field ? field : "");
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	clean(err->field);
	clean(err->text);
	return code;
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, NULL, fmt, ap);
	va_end(ap);
	return code;
}

int error_set_field(struct error *err, int code, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, field, fmt, ap);
	va_end(ap);
	return code;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list ap;
	size_t n;

	if (!err)
		return E_INTERNAL;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, "%s", old);
	clean(err->text);
	return err->code;
}

int error_errno(struct error *err, int code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	size_t n;

	if (saved == ENOSPC || saved == EDQUOT)
		code = E_STORAGE_FULL;
	if (!err)
		return code;
	va_start(ap, fmt);
	set(err, code, NULL, fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(saved));
	return code;
}

static const struct row {
	int code, status;
	const char *name, *title;
} rows[] = {
#define X(id, value, name, status, title) { id, status, name, title },
	ERROR_CODES(X)
#undef X
};

static const struct row *find_row(int code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return &rows[i];
	return find_row(E_INTERNAL);
}

const char *error_name(int code)
{
	return find_row(code)->name;
}

int error_status(int code)
{
	return find_row(code)->status;
}

const char *error_title(int code)
{
	return find_row(code)->title;
}
