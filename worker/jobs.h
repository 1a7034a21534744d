/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's table of running jobs: one runner process each. The worker forwards what runners
 * say without looking at it, and speaks for those that died. A worker of its own unit outlives
 * the daemon: jobs go on while it is away, and what it has not stored is kept and told again.
 * Worker process only. */
#ifndef WORKER_JOBS_H
#define WORKER_JOBS_H

#include <poll.h>
#include "base/secret.h"
#include "worker/host.h"
#include "worker/kept.h"
#include "worker/link.h"
#include "worker/probe.h"

enum { JOBS_MAX = 64, JOBS_FDS = 2 * JOBS_MAX + PROBE_FDS };

struct jobs_slot {
	char id[UUID_TEXT];
	int64_t attempt;
	pid_t pid; /* 0: free slot */
	int pidfd, fd;
	struct buf in; /* from the runner, up to the last whole line */
	bool is_done;  /* its `done` was seen */
	bool is_ended; /* its stream is at the end; the process may still be there */
	bool is_exclusive;
	bool is_fenced;	 /* what it says is dropped: a newer attempt or a shutdown */
	char status[16]; /* of its `done`, for one-job mode */
};

struct jobs {
	const struct host *host;
	struct link *link;
	struct probe probe; /* of Vulkan devices; exclusive jobs wait for it */
	int signal_fd;	    /* closed in runners */
	json_t *waiting; /* `job` messages of exclusive jobs behind the one that runs, in order
			  */
	struct kept kept;
	bool keeps;   /* the worker outlives the daemon */
	bool recalls; /* what waits goes back to the daemon */
	bool is_held; /* no daemon is there, or it has not said what goes on: nothing is sent */
	struct jobs_slot slots[JOBS_MAX];
	char last_status[16];
};

void jobs_init(
	struct jobs *js, const struct host *host, struct link *link, int signal_fd, bool keeps);
void jobs_done(struct jobs *js);
/* A `job` message. While an exclusive job runs, further ones wait. Bad ones are answered with
 * `done`, failed, fault runner. */
void jobs_start(struct jobs *js, json_t *message);
/* A `cancel` message. */
void jobs_cancel(struct jobs *js, const json_t *message);
/* The daemon is gone: everything goes on, and nothing is sent until jobs_resume. Only where the
 * worker keeps. */
void jobs_hold(struct jobs *js);
/* A daemon is there; true when jobs are to be offered to it, which answers with `resume`. */
bool jobs_offer(struct jobs *js);
/* A `resume` message: what it names goes on, what has not been stored is sent again. All else
 * that was offered ends at once. NULL: nothing goes on. */
void jobs_resume(struct jobs *js, const json_t *message);
/* A `stored` message. */
void jobs_stored(struct jobs *js, const json_t *message);
/* End what runs, since the disk runs full; each says so itself. */
void jobs_end_for_disk(struct jobs *js);
/* End everything at once; nothing more is forwarded. */
void jobs_shut_down(struct jobs *js);
size_t jobs_running(const struct jobs *js);
/* Descriptors to poll (JOBS_FDS at most), and what to do afterwards with the same array. */
size_t jobs_poll_fds(const struct jobs *js, struct pollfd *fds);
void jobs_handle(struct jobs *js, const struct pollfd *fds, size_t n);
/* Tell the daemon what the last probe found, if there was one. */
void jobs_tell_devices(struct jobs *js);
/* Once in a while: a probe where a device that was held is free again. */
void jobs_watch_devices(struct jobs *js);
/* [{job, attempt}] for hello and heartbeat: what runs, what waits for its turn in order, what
 * has ended and is not stored yet. */
json_t *jobs_list(const struct jobs *js);

#endif
