/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a workload demands of the host before it is measured at all (`protocol.require`).
 * Without demands a host is taken as it is, and what it was is stored. Runner only. */
#ifndef WORKER_REQUIRE_H
#define WORKER_REQUIRE_H

#include "worker/job.h"

/* Steps of a job: what can be told at once, and what only the wait for a quiet host shows.
 * Negative after job_fail. */
int require_settings(struct job *j);
int require_moment(struct job *j);

#endif
