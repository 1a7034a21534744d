/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of spec.h share; not for others. Errors are E_UNPROCESSABLE with the field. */
#ifndef WORKER_SPEC_INTERNAL_H
#define WORKER_SPEC_INTERNAL_H

#include "worker/spec.h"

enum { SPEC_ARG_BYTES = 128 * 1024 };

/* --- spec_lists.c: what many members hold --- */
/* An array of 1 to SPEC_MAX_ARGS strings, SPEC_ARG_BYTES in all; NULL-terminated. */
int spec_read_argv(struct arena *a, json_t *j, const char *pointer, char ***ret,
	struct error *err) must_check;
int spec_read_steps(struct arena *a, json_t *j, const char *pointer, struct spec_steps *s,
	struct error *err) must_check;
/* "NAME=value", NULL-terminated. */
int spec_read_environment(
	struct arena *a, json_t *j, size_t most, char ***ret, struct error *err) must_check;

/* --- spec_cells.c: what is measured, and what was --- */
int spec_read_cells(struct arena *a, json_t *j, struct spec *s, struct error *err) must_check;
/* Takes `have` out of whole: the JSON of what was measured can be large, and what is in memory
 * here hides the size of small programs (maxrss_floor_kib). */
void spec_read_have(struct arena *a, json_t *whole, json_t *j, struct spec *s);

#endif
