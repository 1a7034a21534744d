/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that a job keeps: what the programs left behind and a glob of the workload names. */
#ifndef WORKER_ARTIFACTS_H
#define WORKER_ARTIFACTS_H

#include "worker/job.h"

enum {
	ARTIFACTS_MAX_FILES = 64,
	ARTIFACTS_MAX_ENTRIES = 20000, /* looked at */
	ARTIFACTS_MAX_DEPTH = 8,
	ARTIFACTS_MAX_NAME = 255
};
#define ARTIFACTS_MAX_FILE (16 * MiB)
#define ARTIFACTS_MAX_ALL (32 * MiB)

/* Send them as `artifact` messages. Foreign code made these files: only regular ones with one
 * name are read, and no link is followed. What is not kept is said in a note. */
void artifacts_send(struct job *j);

#endif
