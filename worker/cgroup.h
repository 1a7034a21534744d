/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cgroup v2 where this process may make groups: everything a job starts is placed there by the
 * clone itself, so nothing gets away by double forking, and one write kills all of it, also at
 * the next start after a crash. With the memory and pids controllers delegated it also limits.
 *
 * Layout: OWN/benchd-XXXXXXXX/sN, XXXXXXXX from the state folder, N the slot of the job. The
 * folders stay between jobs: making and removing one costs more than a small process. Only one
 * that was killed is made anew: newer kernels (seen on 6.18) go on killing whatever is cloned
 * into it later. */
#ifndef WORKER_CGROUP_H
#define WORKER_CGROUP_H

#include "worker/host.h"

struct cgroup {
	int fd;			 /* the folder; -1: no cgroup here */
	int procs_fd;		 /* its cgroup.procs, for writing */
	int64_t oom_kills;	 /* memory.events at open */
	bool is_spent;		 /* it was killed */
	const struct host *host; /* of cgroup_open, to make it anew */
	int slot;
	int64_t memory_bytes;
};

/* Find our place, kill what an earlier worker left there, enable controllers where they were
 * delegated to us (then this process moves into OWN/supervisor). Sets h->cgroup and
 * h->cgroup_has_*; without any right all stay unset. */
void cgroup_init(struct host *h);
/* Remove the empty groups at the end of the worker. */
void cgroup_done(struct host *h);

/* The group of a slot with its limits (0: none). Fills *c with -1 when there is none. */
void cgroup_open(const struct host *h, int slot, int64_t memory_bytes, struct cgroup *c);
/* A spent one is removed, once what was killed has gone. */
void cgroup_close(struct cgroup *c);
/* Kill every process in it; returns how many there were. With more than none it is spent. */
int cgroup_kill(struct cgroup *c);
/* Before the next start: a spent one is made anew, with its limits. */
void cgroup_renew(struct cgroup *c);
/* Did the kernel kill for memory since the last call? */
bool cgroup_had_oom(struct cgroup *c);

#endif
