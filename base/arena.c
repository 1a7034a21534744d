/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* The first block with its head fits malloc's cache of small chunks. */
enum { FIRST_BLOCK = 992, MAX_BLOCK = 64 * 1024, ALIGN = 16 };

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ALIGN) char data[];
};

struct owned {
	struct owned *next;
	json_t *json;
};

struct arena {
	struct block *blocks;
	struct owned *owned;
	size_t bytes;
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct owned *o = a->owned; o; o = o->next)
		json_decref(o->json);
	for (struct block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static struct block *add_block(struct arena *a, size_t need)
{
	size_t size = a->blocks ? MIN(a->blocks->size * 2, (size_t)MAX_BLOCK) : FIRST_BLOCK;
	struct block *b;

	size = MAX(size, need);
	b = xmalloc(sizeof(*b) + size);
	b->used = 0;
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	a->bytes += sizeof(*b) + size;
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	void *p;

	assert(n <= SIZE_MAX / 2);
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (n == 0)
		n = ALIGN;
	if (!b || b->size - b->used < n)
		b = add_block(a, n);
	p = b->data + b->used;
	b->used += n;
	return memset(p, 0, n);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	return memcpy(p, s, n);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

json_t *arena_own_json(struct arena *a, json_t *j)
{
	struct owned *o = arena_alloc(a, sizeof(*o));

	o->json = j;
	o->next = a->owned;
	a->owned = o;
	return j;
}

size_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}
