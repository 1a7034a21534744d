/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arena: memory of one request or one analysis, freed at once. Not thread-safe; one owner. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include "base/cleanup.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */
DEFINE_CLEANUP(struct arena *, arena_free)

/* Zeroed memory, aligned to 16 bytes, valid until arena_free. Never NULL. */
void *arena_alloc(struct arena *a, size_t n);
char *arena_strdup(struct arena *a, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Let the arena own a jansson value: json_decref at arena_free. Returns j. */
json_t *arena_own_json(struct arena *a, json_t *j);
size_t arena_bytes(const struct arena *a); /* taken from the heap so far */

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

#endif
