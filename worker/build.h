/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a repository to folders with built programs, one an arm. A built tree is kept and used
 * again by (commit, build commands, environment, host); both arms of equal commits share it. */
#ifndef WORKER_BUILD_H
#define WORKER_BUILD_H

#include "worker/job.h"

/* Steps `checkout` and `build` of a job: nothing to do without a repository. Sets
 * job->directory. */
int build_job(struct job *j) must_check;

#endif
