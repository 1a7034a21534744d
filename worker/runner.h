/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process of one job: a fork of the worker that runs the job from checkout to `done` as
 * sequential code and then exits. */
#ifndef WORKER_RUNNER_H
#define WORKER_RUNNER_H

#include "worker/host.h"
#include "worker/spec.h"

/* fd: the runner's end of the socketpair to the worker. message: the daemon's `job` object,
 * owned by the caller. slot: in the worker's table. Never returns. */
void runner_main(const struct host *h, int slot, int fd, json_t *message)
	__attribute__((noreturn));

#endif
