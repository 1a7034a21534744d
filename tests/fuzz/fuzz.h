/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is fuzzed: everything that reads bytes from outside. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/arena.h"
#include "base/error.h"

enum { FUZZ_MAX = 64 * 1024 }; /* bytes of an input */

struct fuzz_target {
	const char *name;
	/* Read text[0..n), NUL-terminated behind. OK when it was accepted; a negative code with
	 * err filled in when it was refused. Everything from a, or freed. */
	int (*read)(struct arena *a, const char *text, size_t n, struct error *err);
	/* Inputs to begin with: files below the source folder (a glob; NULL: none) and texts.
	 */
	const char *files;
	const char *texts[8];
};
extern const struct fuzz_target fuzz_targets[];
extern const size_t n_fuzz_targets;

/* worker_targets.c: headers of both sides cannot stand in one file. */
int fuzz_cpus(struct arena *a, const char *text, size_t n, struct error *err);
int fuzz_utf8(struct arena *a, const char *text, size_t n, struct error *err);
int fuzz_gitlog(struct arena *a, const char *text, size_t n, struct error *err);
int fuzz_result(struct arena *a, const char *text, size_t n, struct error *err);
int fuzz_spec(struct arena *a, const char *text, size_t n, struct error *err);

#endif
