/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the end of a benchd-kernel means for its job: the table of its exit statuses
 * (docs/worker-protocol.md). Runner only. */
#ifndef WORKER_KERNEL_EXIT_H
#define WORKER_KERNEL_EXIT_H

#include "worker/record.h"

/* 0: it is not one of benchd-kernel, or its end is none of the table. Negative after job_fail
 * or job_time_out, with its own words, or the last that it printed, in the reason. */
int kernel_exit_check(struct job *j, const struct turn *t, const struct record *rec);

#endif
