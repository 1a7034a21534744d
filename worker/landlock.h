/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Landlock: a process gives up rights on files, for itself and all it starts (landlock(7)). */
#ifndef WORKER_LANDLOCK_H
#define WORKER_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct landlock_path {
	const char *path;
	bool is_writable; /* else only reading and executing below it */
};

/* ABI version of the kernel; 0: not there or switched off. */
int landlock_abi(void);
/* Restrict this process to paths[0..n); paths that do not exist are left out.
 * Async-signal-safe: called between fork and exec. 0 or an errno. Needs no_new_privs. */
int landlock_restrict(const struct landlock_path *paths, size_t n);

#endif
