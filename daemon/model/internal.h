/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of model/ share. Not a door. */
#ifndef DAEMON_MODEL_INTERNAL_H
#define DAEMON_MODEL_INTERNAL_H

#include "daemon/model/model.h"

/* Read `scaling` of a definition of this kind. cpus: `cpus` of the workload, which limits what
 * "auto" means. */
int scaling_read(json_t *definition, enum workload_kind kind, const char *cpus, struct arena *a,
	struct scaling_plan *ret, struct error *err) must_check;
/* Turn the parameters of a combination into those of one number of threads. */
int scaling_set(const struct workload *w, json_t *parameters, int threads,
	struct error *err) must_check;
/* {"OMP_NUM_THREADS": "4"} for commands; NULL for kernels, which are told by an option. */
json_t *scaling_environment(struct arena *a, const struct workload *w, int threads);

/* kernel_values.c: `backend` and `dtype` of built-in kernels: words that no kernel knows. */
int kernel_values_check(const json_t *parameters, struct error *err) must_check;
/* kernel_form.c: `size`, `dtype`, `backend` and `device` of this kernel: what it takes, as far
 * as that does not depend on the host. E_UNPROCESSABLE with /parameters/NAME and what is there.
 */
int kernel_form_check(const char *id, const json_t *parameters, struct error *err) must_check;

/* program.c: how a command is run (docs/workloads.md). Check `input`, `output`, `cache` and
 * `exit_codes`, and put them into a spec. */
int program_check(json_t *definition, enum workload_kind kind, struct error *err) must_check;
void program_to_spec(const json_t *definition, json_t *spec);
/* A matrix member: a list of scalars, or {from, to, step}, which becomes a list in place.
 * pointer names it. */
int range_expand(
	json_t *matrix, const char *key, const char *pointer, struct error *err) must_check;
/* prepare or conclude with the parameters of a cell in it; NULL when nothing changes. Braces
 * around anything else stay as they are: they are the shell's. */
json_t *hooks_fill(struct arena *a, const json_t *list, const json_t *parameters);

/* definition_checks.c: parts of a definition. E_UNPROCESSABLE with the pointer of what is
 * wrong; NULL is fine but for refuse. */
int definition_refuse(struct error *err, const char *pointer, const char *what);
int definition_check_argv(json_t *argv, const char *pointer, struct error *err) must_check;
/* name: the member that holds these commands. */
int definition_check_argv_list(json_t *list, const char *name, struct error *err) must_check;
/* Strings, numbers and booleans; or with lists, lists of these. */
int definition_check_scalars(
	json_t *o, const char *name, bool lists, struct error *err) must_check;
int definition_check_environment(json_t *o, struct error *err) must_check;
int definition_check_benchmarks(json_t *list, struct error *err) must_check;
/* Two of one name: their values would run into one. */
int definition_check_names(const json_t *list, struct error *err) must_check;
int definition_check_kernel(json_t *kernel, struct error *err) must_check;
/* An absolute path or a URL of a protocol that git may use here. */
int definition_check_repository(const char *url, struct error *err) must_check;
int definition_check_strings(json_t *list, const char *pointer, struct error *err) must_check;
/* Of files below the folder that the programs run in. */
int definition_check_globs(json_t *list, struct error *err) must_check;
/* Ranges in it become lists. */
int definition_check_matrix(json_t *matrix, struct error *err) must_check;

#endif
