/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of workers/ share. Not for other folders. Loop thread only, but for `live`. */
#ifndef DAEMON_WORKERS_INTERNAL_H
#define DAEMON_WORKERS_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>
#include "base/ndjson.h"
#include "daemon/workers/workers.h"

enum { WORKER_MAX = 64, OWNER_TEXT = 64 };
#define LINK_LINE_BYTES (4 * MiB)
#define LINK_QUEUE_BYTES (4 * MiB)

struct worker { /* one link; owned by its uv handle until on_closed */
	struct workers *ws;
	struct worker *next;
	uv_pipe_t pipe;
	struct ndjson lines;
	int64_t id;
	bool is_embedded, has_said_hello, is_closing, is_told;
	int64_t connected_ns, heard_ns; /* realtime, monotonic */
	int64_t heartbeat_at_ns;	/* realtime; 0 = none yet */
	int64_t n_shared, n_ahead;
	char environment_hash[65];
	char program[65]; /* id of its benchd-kernel; "" it does not tell */
	char *identity;	  /* canonical JSON */
	json_t *hello;	  /* as it came */
	json_t *state;	  /* of the last heartbeat, NULL */
	json_t *vulkan;	  /* of the last `devices`, NULL */
	json_t *busy;	  /* array of job uuids */
	char gone[160];	  /* why */
};

struct workers {
	struct workers_config c;
	char owner[OWNER_TEXT]; /* BENCHD_OWNER of everything we start */
	struct worker *links;
	int64_t next_id;
	uv_timer_t timer; /* looks for silent links */
	uv_pipe_t listener;
	bool is_listening, is_stopping;
	int n_handles; /* open uv handles; done() at 0 */
	void (*done)(void *arg);
	void *done_arg;

	/* the embedded worker */
	char *program;
	pid_t pid; /* 0: none runs */
	int64_t spawned_ns, backoff_ns;
	bool is_useful; /* the one that runs has measured something */
	uv_timer_t respawn, kill_timer;
	uv_signal_t child;

	/* Guards the list of links and what workers_live() reads of them. */
	pthread_mutex_t live_lock;
};

/* link.c */
int link_open(struct workers *ws, int fd, bool is_embedded, struct error *err) must_check;
void link_close_all(struct workers *ws, const char *reason);
void link_check_silence(struct workers *ws);
/* embedded.c */
int embedded_start(struct workers *ws, struct error *err) must_check;
void embedded_stop(struct workers *ws);
/* aside.c: a child runs on all the cpus that we were started with. Between fork and exec. */
void aside_leave_in_child(void);
/* sweep.c: end what is left of what this daemon's workers started, now and before. */
void sweep_owner(const char *state_dir, char out[OWNER_TEXT]);
int sweep_leftovers(const char *owner);
void sweep_adopt(void); /* orphans of our children become our children */
/* workers.c */
void handle_opened(struct workers *ws);
void handle_closed(struct workers *ws);

#endif
