/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of jobs.h share; not for others. */
#ifndef WORKER_JOBS_INTERNAL_H
#define WORKER_JOBS_INTERNAL_H

#include "worker/jobs.h"

/* --- jobs.c --- */
const char *jobs_id_of(const json_t *message);
struct jobs_slot *jobs_find(struct jobs *js, const char *id); /* that runs; NULL */
/* For the noise of those that run. A runner that has said `done` has ended everything of its
 * job, and only has to exit. */
void jobs_count(struct jobs *js);
/* Whole lines about one job. */
void jobs_tell(struct jobs *js, const char *id, int64_t attempt, const char *lines, size_t n);
void jobs_send_failed(struct jobs *js, const char *id, int64_t attempt, const char *reason);
void jobs_tell_runner(const struct jobs_slot *s, const char *reason);
bool jobs_are_measuring(const struct jobs *js);
/* Its place among those that wait; their number when it is not there. */
size_t jobs_find_waiting(const struct jobs *js, const char *id);
/* A device is in trouble: the daemon, which knows what that means, gives these out again. */
void jobs_recall_waiting(struct jobs *js);
void jobs_start_waiting(struct jobs *js); /* as far as nothing is in their way */

#endif
