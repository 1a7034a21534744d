/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The protocol of measurement (docs/methods.md): which processes run, in which order, and when
 * it is enough. */
#ifndef WORKER_MEASURE_H
#define WORKER_MEASURE_H

#include "worker/job.h"

/* Measure every cell of the job. Negative after job_fail. */
int measure_job(struct job *j) must_check;

#endif
