/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ending what is left of foreign programs. Runner and worker are subreapers, so every orphan
 * comes back as a child; what was orphaned past both (both killed) is known by a variable in
 * its environment. Single-threaded. */
#ifndef WORKER_SWEEP_H
#define WORKER_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Become the one to whom orphaned descendants return (PR_SET_CHILD_SUBREAPER). */
void sweep_prepare(void);
/* No child and therefore no descendant at all: one system call. */
bool sweep_has_nothing(void);
/* Living children of another process. */
int sweep_count_children(pid_t parent);
/* From now on this child is no stray: sweep_descendants leaves it alone. 0: none. */
void sweep_spare(pid_t pid);
/* Stop, kill and reap every descendant of this process, except the children spare[0..n_spare)
 * and what is below them. First all are stopped, so that a fork bomb cannot outrun the list.
 * Returns how many living processes were killed; *ret_left (may be NULL) how many did not die
 * within limit_ns. */
int sweep_descendants(const pid_t *spare, size_t n_spare, int64_t limit_ns, int *ret_left);
/* Kill every process of this user whose environment has an entry that starts with prefix
 * ("BENCHD_JOB=0198..."), except this process. Returns how many were killed. */
int sweep_marked(const char *prefix);

#endif
