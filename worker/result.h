/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines a measured process wrote to BENCHD_RESULT_FD (docs/result-protocol.md), checked and
 * collected. Everything lives in the arena given. */
#ifndef WORKER_RESULT_H
#define WORKER_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"

enum {
	RESULT_MAX_LINE = 1024 * 1024,
	RESULT_MAX_LINES = 10000,
	RESULT_MAX_SERIES = 1000,
	RESULT_MAX_SAMPLES = 100000
};

struct doubles {
	double *v;
	size_t n, cap;
};

/* One (benchmark, measure, parameters). */
struct result_series {
	const char *benchmark, *measure;
	const char *unit, *better;	/* as said; NULL: not said */
	json_t *parameters;		/* NULL: none */
	int64_t iterations;		/* K inside one sample; 0: not said */
	struct doubles samples, warmup; /* times in ns */
};

struct result {
	struct arena *arena; /* borrowed */
	struct result_series *series;
	size_t n_series, cap_series;
	size_t n_values; /* samples and warm-ups of all series */
	int64_t n_lines;
	int64_t n_signs; /* lines of them that only tell of progress: there is no limit of them
			  */
	bool said_hello;
	bool steady_said, steady;
	bool verify_failed;
	int64_t calibrated;	   /* K found by a calibrating run; 0: none */
	const char *error;	   /* the program's own words, NULL: none */
	json_t *verify, *metadata; /* NULL: none; owned by the arena */
};

/* Read text[0..n), NUL-terminated. The first line that breaks the protocol is E_UNPROCESSABLE
 * with its number; what came before it stays in *ret. An unfinished last line counts as a line.
 */
int result_read(struct arena *a, const char *text, size_t n, struct result *ret,
	struct error *err) must_check;
/* The first series of this measure; NULL when there is none. */
const struct result_series *result_find(const struct result *r, const char *measure);
/* Unit of the values as kept: "ns" for every unit of time. NULL: not said. */
const char *result_unit(const struct result_series *s);
/* True when a series has at least one sample that is not a warm-up. */
bool result_has_samples(const struct result *r);
#endif
