/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's loop: the link, the jobs, signals and the heartbeat. */
#ifndef WORKER_LOOP_H
#define WORKER_LOOP_H

#include "worker/host.h"

struct loop_options {
	struct host *host;  /* its probe is set */
	int link_fd;	    /* connected link of an embedded worker; -1 */
	const char *socket; /* or: connect here, again and again; NULL */
	json_t *job;	    /* or: run this `job` message and end; NULL */
	int output_fd;	    /* where one-job mode writes */
	int64_t shared_slots;
	int signal_fd; /* signalfd of SIGINT, SIGTERM and SIGHUP */
};

/* Until told to end. Returns the exit status of the program: one-job mode 0 succeeded, 1
 * failed, 3 timed out, 4 canceled; else 0, or 1 when the link was lost for good. */
int loop_run(const struct loop_options *o);

#endif
