/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/capture.h"

#include <ctype.h>
#include <string.h>
#include "worker/utf8.h"

void capture_init(struct capture *c, size_t cap)
{
	*c = (struct capture){ .cap = cap };
}

void capture_done(struct capture *c)
{
	buf_done(&c->head);
	free(c->tail);
	*c = (struct capture){ 0 };
}

static void add_to_ring(struct capture *c, const char *data, size_t n)
{
	size_t size = c->cap - c->cap / 2;

	if (!size)
		return;
	if (!c->tail)
		c->tail = xmalloc(size);
	if (n > size) {
		data += n - size;
		n = size;
	}
	while (n) {
		size_t piece = MIN(n, size - c->tail_at);

		memcpy(c->tail + c->tail_at, data, piece);
		c->tail_at = (c->tail_at + piece) % size;
		c->tail_n = MIN(size, c->tail_n + piece);
		data += piece;
		n -= piece;
	}
}

void capture_add(struct capture *c, const char *data, size_t n)
{
	size_t room = c->cap / 2 - c->head.len;
	size_t first = MIN(n, room);

	c->total += (int64_t)n;
	if (first)
		buf_add(&c->head, data, first);
	if (n > first)
		add_to_ring(c, data + first, n - first);
}

static void add_tail(const struct capture *c, struct buf *out)
{
	size_t size = c->cap - c->cap / 2;
	size_t start = c->tail_n < size ? 0 : c->tail_at;
	size_t first = MIN(c->tail_n, size - start);

	if (!c->tail_n)
		return;
	buf_add(out, c->tail + start, first);
	buf_add(out, c->tail, c->tail_n - first);
}

void capture_text(const struct capture *c, struct buf *out)
{
	int64_t missing = c->total - (int64_t)(c->head.len + c->tail_n);

	buf_add(out, buf_str(&c->head), c->head.len);
	if (missing > 0)
		buf_printf(out, "\n[... %lld bytes left out ...]\n", (long long)missing);
	add_tail(c, out);
}

void capture_last_line(const struct capture *c, size_t max, struct buf *out)
{
	struct buf all = { 0 };

	capture_text(c, &all);
	utf8_last_line(buf_str(&all), all.len, max, out);
	buf_done(&all);
}

static bool speaks_of_error(const char *line)
{
	return strcasestr(line, "error:") || strcasestr(line, "fatal:");
}

static bool says_something(const char *line)
{
	while (*line && !isalnum((unsigned char)*line))
		line++;
	return *line;
}

void capture_error_line(const struct capture *c, size_t max, struct buf *out)
{
	_cleanup_(buf_done)
	struct buf all = { 0 };
	const char *best = NULL;
	char *rest, *line;

	capture_text(c, &all);
	for (rest = all.data; rest && (line = strsep(&rest, "\n"));) {
		if (speaks_of_error(line)) {
			best = line;
			break;
		}
		if (says_something(line))
			best = line;
	}
	if (best)
		utf8_last_line(best, strlen(best), max, out);
}
