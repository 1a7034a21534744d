/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a job asks of a kernel is checked when it is filed, not when it runs: the form of the
 * size, and whether the kernel has the dtype and the backend. What depends on the host (memory,
 * caches, devices) is benchd-kernel's to judge. */
#include "daemon/model/internal.h"

#include <ctype.h>
#include <string.h>
#include "base/text.h"
#include "daemon/model/kernel_table.h"

enum { WORD = 64, UUID_DIGITS = 32, DIMS = 3 };

static const struct form {
	const char *id, *dtypes, *backends, *classes, *dims;
	int n_dims;
	bool may_be_short;
	unsigned pow2; /* bits of dims */
	int64_t min, max;
} forms[] = {
#define X(...) { __VA_ARGS__ },
	KERNELS(X)
#undef X
};

static const struct form *find(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].id, id))
			return &forms[i];
	return NULL;
}

/* --- lists of words ----------------------------------------------------------------------- */

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (const char *at = list;; at += len + 1) {
		len = strcspn(at, ",");
		if (len == n && !strncmp(at, word, n))
			return true;
		if (!at[len])
			return false;
	}
}

/* Next word of a comma list; false at its end. Longer ones are cut and fit nothing. */
static bool next_word(const char **at, char word[WORD])
{
	size_t n;

	if (!*at)
		return false;
	n = strcspn(*at, ",");
	snprintf(word, WORD, "%.*s", (int)MIN(n, (size_t)WORD), *at);
	*at = (*at)[n] ? *at + n + 1 : NULL;
	return true;
}

static int refuse(const char *name, const char *text, const struct form *f, const char *has,
	struct error *err)
{
	char field[32];

	snprintf(field, sizeof(field), "/parameters/%s", name);
	return error_set_field(err, E_UNPROCESSABLE, field, "'%s' is '%.60s', but %s has %s",
		name, text, f->id, has);
}

static int check_words(const char *name, const json_t *v, const char *has, const struct form *f,
	struct error *err)
{
	const char *text = json_string_value(v), *at = text;
	char word[WORD];

	while (next_word(&at, word))
		if (strcmp(word, "all") != 0 && !has_word(has, word))
			return refuse(name, text, f, has, err);
	return OK;
}

/* --- sizes -------------------------------------------------------------------------------- */

static int check_dim(
	const char *text, int64_t v, int i, const struct form *f, struct error *err)
{
	if (v < f->min || v > f->max)
		return error_set_field(err, E_UNPROCESSABLE, "/parameters/size",
			"'size' is '%.60s': %lld is out of range for %s (%s): %lld to %lld",
			text, (long long)v, f->id, f->dims, (long long)f->min,
			(long long)f->max);
	if (f->pow2 >> i & 1 && v & (v - 1))
		return error_set_field(err, E_UNPROCESSABLE, "/parameters/size",
			"'size' is '%.60s': %lld is no power of two, which %s needs (%s)", text,
			(long long)v, f->id, f->dims);
	return OK;
}

static int refuse_size(const char *text, const struct form *f, struct error *err)
{
	return error_set_field(err, E_UNPROCESSABLE, "/parameters/size",
		"'size' is '%.60s'; %s takes %s as %s such as %s (each %lld to %lld), "
		"one of "
		"%s, or l1, l2, l3, dram, levels, caches, all; and lists of them with commas",
		text, f->id, f->dims, f->n_dims > 1 ? "numbers" : "a number",
		f->n_dims == 1	 ? "64Ki"
		: f->n_dims == 2 ? "128x256"
				 : "64x64x128",
		(long long)f->min, (long long)f->max, f->classes);
}

/* "128x1Ki": the numbers, at most n of them; their count, or -1. */
static int read_numbers(const char *word, int most, int64_t *ret)
{
	char part[WORD];
	int n = 0;

	for (const char *at = word;; at++) {
		size_t len = strcspn(at, "x");

		snprintf(part, sizeof(part), "%.*s", (int)len, at);
		if (n == most || !isdigit((unsigned char)*part) ||
			bytes_parse(part, &ret[n++], NULL) != OK)
			return -1;
		at += len;
		if (!*at)
			return n;
	}
}

static int check_numbers(const char *word, const struct form *f, struct error *err)
{
	int64_t v[DIMS];
	double product = 1;
	int n = read_numbers(word, f->n_dims, v), r = OK;

	if (n < 0 || (n < f->n_dims && !f->may_be_short))
		return refuse_size(word, f, err);
	for (int i = 0; r == OK && i < n; i++) {
		r = check_dim(word, v[i], i, f, err);
		product *= (double)v[i];
	}
	if (r == OK && product > 0x1p40)
		return error_set_field(err, E_UNPROCESSABLE, "/parameters/size",
			"'size' is '%.60s': %.3g elements are too many; the limit is 2^40",
			word, product);
	return r;
}

static int check_size(const json_t *v, const struct form *f, struct error *err)
{
	char number[WORD], word[WORD];
	const char *text = json_string_value(v), *at;
	int r = OK;

	if (json_is_integer(v)) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		text = number;
	}
	if (!text)
		return refuse_size(json_is_real(v) ? "no whole number" : "no text", f, err);
	if (has_word("all,levels,caches", text))
		return OK;
	at = text;
	while (r == OK && next_word(&at, word))
		if (!has_word(f->classes, word) && !has_word("l1,l2,l3,dram", word))
			r = check_numbers(word, f, err);
	return r;
}

/* --- devices ------------------------------------------------------------------------------ */

static int check_device(const json_t *v, struct error *err)
{
	const char *text = json_string_value(v);
	size_t n = 0;

	if (text && !strcmp(text, "cpu"))
		return OK;
	for (const char *c = text; c && *c; c++)
		n += isxdigit((unsigned char)*c) ? 1 : *c == '-' ? 0 : UUID_DIGITS + 1;
	if (n == UUID_DIGITS)
		return OK;
	return error_set_field(err, E_UNPROCESSABLE, "/parameters/device",
		"'device' is '%.60s'; it must be cpu (a software device) or the UUID of a "
		"Vulkan "
		"device, 32 hexadecimal digits (GET /v0/devices lists them)",
		text ? text : "no text");
}

int kernel_form_check(const char *id, const json_t *parameters, struct error *err)
{
	const json_t *size = json_object_get(parameters, "size"),
		     *device = json_object_get(parameters, "device");
	const struct form *f = find(id);
	int r = OK;

	if (!f)
		return OK;
	if (size)
		r = check_size(size, f, err);
	if (r == OK)
		r = check_words(
			"dtype", json_object_get(parameters, "dtype"), f->dtypes, f, err);
	if (r == OK)
		r = check_words(
			"backend", json_object_get(parameters, "backend"), f->backends, f, err);
	return r == OK && device ? check_device(device, err) : r;
}
