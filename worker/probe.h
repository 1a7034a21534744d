/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which Vulkan devices this host has: `benchd-kernel probe`, run at the start, on SIGHUP, after
 * a process that used one crashed or lost it, and when a lock that nobody of ours held is free
 * again. The worker itself never loads a driver. Never beside an exclusive job, which would
 * measure it too: jobs wait for it, at most PROBE_S. The last answer is kept; runners, which
 * are forks, have it for free. Worker process only. */
#ifndef WORKER_PROBE_H
#define WORKER_PROBE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/json.h"

enum { PROBE_S = 10, PROBE_FDS = 2 };

struct host;
struct probe {
	pid_t pid; /* 0: none runs */
	int pidfd, fd;
	struct buf out;
	int64_t kill_at_ns; /* CLOCK_MONOTONIC */
	bool is_wanted, is_late;
	bool is_failed; /* the last one told nothing: `why` */
	/* the last answer */
	json_t *devices; /* as benchd-kernel tells them, with `held`; NULL: none yet */
	char why[320];	 /* why there is none; "" */
	int64_t at_ns;	 /* CLOCK_REALTIME; 0: not asked yet */
};

static inline void probe_want(struct probe *p)
{
	p->is_wanted = true;
}
/* Jobs wait. */
static inline bool probe_is_due(const struct probe *p)
{
	return p->is_wanted || p->pid;
}
/* Start the one that is wanted, if none runs. */
void probe_start(struct probe *p, const struct host *h);
size_t probe_poll_fds(const struct probe *p, struct pollfd *fds); /* at most PROBE_FDS */
/* Read, and end what is late. True when there is a new answer. */
bool probe_handle(struct probe *p);
int64_t probe_wake_ns(const struct probe *p); /* CLOCK_MONOTONIC; INT64_MAX: never */
/* Where no job of ours runs: has a device that was held become free, or did the last probe fail
 * a minute ago? Then one is wanted. */
void probe_watch(struct probe *p);
/* The `devices` message of docs/worker-protocol.md. */
json_t *probe_message(const struct probe *p);
void probe_close(struct probe *p); /* in a runner: its descriptors */

#endif
