/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The isolation profiles.
 *
 * none    own session, clean environment, closed descriptors, nothing else
 * basic   and rlimits, no_new_privs
 * strict  and a user of its own or a user namespace, a limit on processes, namespaces
 * (read-only file systems, private /tmp, no network, the worker's and benchd's folders hidden),
 * Landlock, seccomp (a deny-list, no new namespaces, no unix sockets), no capabilities; the job
 * is refused where a layer is missing
 *
 * A containment, not a boundary against hostile code: that belongs in a throw-away VM. */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include "worker/landlock.h"
#include "worker/launch.h"
#include "worker/namespaces.h"

enum { SANDBOX_MAX_PATHS = 24 };

struct job;

struct sandbox {
	struct namespaces namespaces;
	const char *writable[NAMESPACES_MAX_PATHS];
	size_t n_writable;
	struct landlock_path paths[SANDBOX_MAX_PATHS];
	size_t n_paths;
};

/* Make ready what the job's profile needs, try it out, and note in job->layers what is there.
 * Negative after job_fail when strict lacks a layer. */
int sandbox_open(struct job *j) must_check;
/* Folders that the job's programs may write to change as checkouts appear. */
void sandbox_allow(struct job *j, const char *folder);
/* Put the layers into a launch plan. */
void sandbox_plan(struct job *j, struct launch *l);

#endif
