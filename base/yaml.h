/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML files as jansson values, with the line each member came from. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include "base/error.h"
#include "base/json.h"

/* Where things stand in the file: maps JSON pointers to line numbers (1-based). */
struct yaml_lines;
void yaml_lines_free(struct yaml_lines *l);
DEFINE_CLEANUP(struct yaml_lines *, yaml_lines_free)
/* Line of the member at pointer, or of its nearest known parent; 0 when nothing is known. */
int yaml_line_of(const struct yaml_lines *l, const char *pointer);

/* Parse one YAML 1.1 document. Plain scalars: null, true/false (not yes/no), integers, floats;
 * everything else and everything quoted is a string. Anchors and aliases, tags and duplicate
 * keys are refused (E_BAD_REQUEST; field = "name:line"). lines may be NULL. */
int yaml_parse(const char *name, const char *text, size_t n, json_t **ret,
	struct yaml_lines **lines, struct error *err) must_check;
/* Turn err->field from a JSON pointer into "name:line" and put that in front of the sentence.
 */
int yaml_locate_error(const char *name, const struct yaml_lines *l, struct error *err);

#endif
