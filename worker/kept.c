/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/kept.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

static const char number_start[] = "{\"n\":";

static struct kept_job *find(const struct kept *k, const char *id, int64_t attempt)
{
	struct kept_job *j = k->first;

	while (j && (j->attempt != attempt || strcmp(j->id, id) != 0))
		j = j->next;
	return j;
}

static struct kept_job *find_or_make(struct kept *k, const char *id, int64_t attempt)
{
	struct kept_job *j = find(k, id, attempt);

	if (j)
		return j;
	j = xcalloc(1, sizeof(*j));
	snprintf(j->id, sizeof(j->id), "%s", id);
	j->attempt = attempt;
	j->next = k->first;
	k->first = j;
	return j;
}

static void job_free(struct kept_job *j)
{
	buf_done(&j->lines);
	free(j);
}

/* {"type":...} becomes {"n":17,"type":...} */
static void add_line(struct kept_job *j, const char *line, size_t n)
{
	static const char done_line[] = "{\"type\":\"done\"";

	j->has_done |= n > sizeof(done_line) && !memcmp(line, done_line, sizeof(done_line) - 1);
	buf_printf(&j->lines, "%s%lld,", number_start, (long long)++j->n);
	buf_add(&j->lines, line + 1, n - 1);
}

const char *kept_add(
	struct kept *k, const char *id, int64_t attempt, const char *text, size_t *n)
{
	struct kept_job *j = find_or_make(k, id, attempt);
	size_t before = j->lines.len;

	for (const char *at = text, *end = text + *n; at < end;) {
		size_t len = (size_t)((const char *)memchr(at, '\n', (size_t)(end - at)) - at);

		add_line(j, at, len + 1);
		at += len + 1;
	}
	*n = j->lines.len - before;
	return j->lines.data + before;
}

size_t kept_bytes(const struct kept *k, const char *id, int64_t attempt)
{
	const struct kept_job *j = find(k, id, attempt);

	return j ? j->lines.len : 0;
}

static void remove_job(struct kept *k, struct kept_job *gone)
{
	struct kept_job **p = &k->first;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	job_free(gone);
}

static int64_t number_of(const char *line)
{
	return strtoll(line + sizeof(number_start) - 1, NULL, 10);
}

void kept_release(struct kept *k, const char *id, int64_t attempt, int64_t n)
{
	struct kept_job *j = find(k, id, attempt);
	size_t at = 0;

	if (!j)
		return;
	while (at < j->lines.len && number_of(j->lines.data + at) <= n)
		at += (size_t)((char *)memchr(j->lines.data + at, '\n', j->lines.len - at) -
			       (j->lines.data + at)) +
		      1;
	buf_consume(&j->lines, at);
	if (j->has_done && !j->lines.len)
		remove_job(k, j);
}

const char *kept_find(const struct kept *k, const char *id, int64_t attempt, size_t *ret_n)
{
	const struct kept_job *j = find(k, id, attempt);

	*ret_n = j ? j->lines.len : 0;
	return j ? buf_str(&j->lines) : NULL;
}

void kept_forget(struct kept *k, const char *id, int64_t before)
{
	for (struct kept_job *j = k->first, *next; j; j = next) {
		next = j->next;
		if (j->attempt < before && !strcmp(j->id, id))
			remove_job(k, j);
	}
}

void kept_done(struct kept *k)
{
	for (struct kept_job *j = k->first, *next; j; j = next) {
		next = j->next;
		job_free(j);
	}
	k->first = NULL;
}
