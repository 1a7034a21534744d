/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/secret_file.h"

#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/fs.h"

static int check_mode(const char *path, struct error *err)
{
	struct stat s;

	if (stat(path, &s) < 0)
		return error_errno(err, E_UNPROCESSABLE, "cannot read the secret '%s'", path);
	if (s.st_mode & 077)
		return error_set(err, E_UNPROCESSABLE,
			"the secret '%s' can be read by others; chmod 600 it", path);
	return OK;
}

static int add_line(const char *path, const char *line, size_t n, struct arena *a,
	struct secrets *ret, struct error *err)
{
	if (n < SECRET_LEAST || n > SECRET_MOST)
		return error_set(err, E_UNPROCESSABLE,
			"a secret in '%s' has %zu bytes; it must have %d to %d", path, n,
			SECRET_LEAST, SECRET_MOST);
	if (ret->n == SECRETS_MAX)
		return error_set(err, E_UNPROCESSABLE,
			"'%s' holds more than %d secrets, one a line", path, SECRETS_MAX);
	ret->text[ret->n++] = arena_strndup(a, line, n);
	return OK;
}

int secrets_read(const char *path, struct arena *a, struct secrets *ret, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	int r = check_mode(path, err);

	*ret = (struct secrets){ 0 };
	if (r == OK)
		r = file_read(path, 16 * KiB, &b, err);
	for (const char *s = buf_str(&b); r == OK && *s; s += *s == '\n') {
		size_t n = strcspn(s, "\n"), used = n;
		const char *line = s;

		while (used && strchr(" \t\r", line[used - 1]))
			used--;
		if (used)
			r = add_line(path, line, used, a, ret, err);
		s += n;
	}
	if (r == OK && ret->n == 0)
		r = error_set(err, E_UNPROCESSABLE, "'%s' holds no secret", path);
	return r;
}
