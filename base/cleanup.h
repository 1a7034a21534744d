/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scope-bound ownership, and allocation that cannot fail.
 *
 * Memory whose size we choose may abort the program when it is not there; what input sizes is
 * checked and limited before it gets here. Any thread. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/param.h>
#include <unistd.h>
#include <jansson.h>

#define _cleanup_(f) __attribute__((cleanup(f##p)))
#define TAKE(p)                                                                                \
	({                                                                                     \
		__typeof__(p) take_ = (p);                                                     \
		(p) = NULL;                                                                    \
		take_;                                                                         \
	})
#define TAKE_FD(fd)                                                                            \
	({                                                                                     \
		int take_ = (fd);                                                              \
		(fd) = -1;                                                                     \
		take_;                                                                         \
	})
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#ifndef MIN /* <uv.h> brings both through <sys/param.h> */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#define KiB 1024LL
#define MiB (1024LL * KiB)
#define GiB (1024LL * MiB)
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Make the helper that _cleanup_(f) needs: fp(&variable) calls f(variable), which takes NULL.
 */
#define DEFINE_CLEANUP(type, f)                                                                \
	static inline void f##p(type *p)                                                       \
	{                                                                                      \
		f(*p);                                                                         \
	}

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline void freep(void *p)
{
	free(*(void **)p);
}
static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}
/* jansson itself brings json_decrefp, so _cleanup_(json_decref) works too. */

#endif
