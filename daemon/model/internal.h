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

#endif
