/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fresh set of namespaces for one process: its own pids, mounts, network, ipc. Process 1 of
 * it is a fork of the runner that only reaps; the measured process is a child of the runner all
 * the same (so wait4 accounts for it) and joins. When process 1 dies, everything inside dies.
 */
#ifndef WORKER_NAMESPACES_H
#define WORKER_NAMESPACES_H

#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"

enum { NAMESPACES_MAX_PATHS = 8 };

struct namespaces {
	pid_t pid; /* process 1, seen from outside; 0: none */
	int pidfd;
	const char *hidden; /* a folder that is empty inside, but for what is writable in it;
			       NULL: none. Borrowed */
};

static inline void namespaces_init(struct namespaces *n)
{
	*n = (struct namespaces){ .pidfd = -1 };
}
/* Make them: all file systems read-only but writable[0..n) (bound as they are), private /tmp,
 * /var/tmp, /dev/shm (each at most a fifth of memory) and /dev/pts, n->hidden empty, new /proc,
 * no network but loopback. Without root inside a new user namespace, in which this user is
 * itself. */
int namespaces_enter(struct namespaces *n, const char *const *writable, size_t n_writable,
	struct error *err) must_check;
/* Flags with which a process joins by setns(2) on n->pidfd; its next child is inside. */
int namespaces_flags(void);
/* Kill all inside. */
void namespaces_leave(struct namespaces *n);

#endif
