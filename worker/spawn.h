/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What starting a process costs here: the floor under every command timed from outside. */
#ifndef WORKER_SPAWN_H
#define WORKER_SPAWN_H

#include "worker/job.h"

/* Median wall time of 20 runs of /bin/true behind the job's walls, ns; measured once in a
 * worker's life (per profile none and basic; strict each time). 0: could not be measured. */
int64_t spawn_cost_ns(struct job *j);

#endif
