/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets that have to be known as they are (HMAC keys, tokens of others): one a line of a file
 * that nobody else may read. */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include "base/arena.h"
#include "base/error.h"

enum { SECRETS_MAX = 4, SECRET_LEAST = 8, SECRET_MOST = 1024 };

struct secrets {
	const char *text[SECRETS_MAX]; /* the first one is the one to use, all of them count */
	size_t n;
};

/* Read path; empty lines and blanks at the ends of lines do not count. E_UNPROCESSABLE when
 * others may read it, when there is none or more than SECRETS_MAX, or one has not SECRET_LEAST
 * to SECRET_MOST bytes. The texts are the arena's. */
int secrets_read(
	const char *path, struct arena *a, struct secrets *ret, struct error *err) must_check;

#endif
