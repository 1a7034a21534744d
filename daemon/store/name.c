/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, slugs, search patterns and windows of lists: what all nouns of a project share. */
#include "daemon/store/internal.h"

#include <ctype.h>
#include <string.h>
#include "base/secret.h"
#include "base/text.h"

enum { RESOURCE_NAME_MAX = 64, BENCHMARK_NAME_MAX = 1024, SLUG_CUT = 55, SUFFIX = 8 };

static int check_length(
	const char *noun, const char *name, size_t most, bool trimmed, struct error *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > most)
		return error_set_field(err, E_UNPROCESSABLE, "/name",
			"the name of a %s has 1 to %zu bytes, this one has %zu", noun, most, n);
	if (!utf8_is_valid(name, n))
		return error_set_field(
			err, E_UNPROCESSABLE, "/name", "the name of a %s is UTF-8", noun);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 32 || name[i] == 127)
			return error_set_field(err, E_UNPROCESSABLE, "/name",
				"the name of a %s has no control characters", noun);
	if (trimmed && (name[0] == ' ' || name[n - 1] == ' '))
		return error_set_field(err, E_UNPROCESSABLE, "/name",
			"the name of a %s neither begins nor ends with a space", noun);
	return OK;
}

int name_check(const char *noun, enum name_rule rule, const char *name, struct error *err)
{
	if (rule == NAME_BENCHMARK)
		return check_length(noun, name, BENCHMARK_NAME_MAX, false, err);
	if (rule == NAME_RESOURCE)
		return check_length(noun, name, RESOURCE_NAME_MAX, true, err);
	if (!ref_name_is_valid(name))
		return error_set_field(err, E_UNPROCESSABLE, "/name",
			"'%.80s' is no name of a branch: git would refuse it, or it is longer "
			"than 256 bytes",
			name);
	return OK;
}

/* 8 random characters of base 36 and a NUL. */
static void random_suffix(char out[SUFFIX + 1])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t v = random_u64();

	for (int i = 0; i < SUFFIX; i++, v /= 36)
		out[i] = digits[v % 36];
	out[SUFFIX] = 0;
}

static void add_suffix(char slug[SLUG_TEXT])
{
	size_t n = MIN(strlen(slug), (size_t)SLUG_CUT);

	while (n && slug[n - 1] == '-')
		n--;
	slug[n++] = '-';
	random_suffix(slug + n);
}

int slug_choose(struct store *s, int statement, int64_t scope, const char *name,
	const char *slug, char ret[], struct error *err)
{
	int64_t taken = 0;
	int r;

	if (slug && !slug_is_valid(slug))
		return error_set_field(err, E_UNPROCESSABLE, "/slug",
			"'%.80s' is no slug: lower-case letters, digits and single '-' between "
			"them, at most 64",
			slug);
	if (slug)
		strcpy(ret, slug);
	else
		slug_format(name, ret);
	if (!ret[0])
		random_suffix(ret);
	for (int i = 0; i < 8; i++) {
		r = db_get_int(s, statement, 0, &taken, err, ARGS(TEXT(ret), INT(scope)));
		if (r < 0 || !taken)
			return r;
		add_suffix(ret);
	}
	return error_set(err, E_CONFLICT, "no free slug was found for '%.80s'", name);
}

const char *like_pattern(struct arena *a, const char *text)
{
	char *out, *p;

	if (!text)
		return NULL;
	p = out = arena_alloc(a, 2 * strlen(text) + 3);
	*p++ = '%';
	for (; *text; text++) {
		if (strchr("%_\\", *text))
			*p++ = '\\';
		*p++ = (char)tolower((unsigned char)*text);
	}
	*p++ = '%';
	return out;
}

struct window page_window(const struct page *p)
{
	int64_t page = MAX(p->page, 1), limit = MIN(MAX(p->per_page, 0), 255);

	/* Far pages are empty, not an overflow. */
	page = MIN(page, INT64_MAX / 512);
	return (struct window){ .limit = limit, .offset = (page - 1) * limit };
}
