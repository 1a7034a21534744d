/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One job on its way through the pipeline, and what its steps are made of.
 *
 * A run belongs to the loop thread. While `is_busy` a step of it is on the writer or on a
 * reader; the loop then leaves alone what that step may touch (the members marked so). */
#ifndef DAEMON_RUN_H
#define DAEMON_RUN_H

#include <stdatomic.h>
#include "daemon/analysis/analysis.h"
#include "daemon/pipeline.h"

enum { RUN_UUID = 37, RUN_REASON = 512, PIPELINE_WORKERS = 64 };
/* Jobs between claim and end for each worker, beyond its slots: where judging them takes longer
 * than running them, the workers wait, and the jobs where they cost little. */
enum { RUNS_BEHIND = 4 };

/* Steps of a job's life; what they do is the table in pipeline.c. */
enum step_id {
	STEP_WAIT,
	STEP_DISPATCH,
	STEP_MEASURE,
	STEP_CONCLUDE,
	STEP_INGEST,
	STEP_JUDGE,
	STEP_RECORD,
	STEP_FINISH,
	STEP_PUT_BACK,
	STEP_FAIL,
	STEP_OVER,
	n_steps
};

enum place {
	BY_LOOP,   /* at once */
	BY_WORKER, /* benchd-worker sends messages until `done` */
	BY_WRITER, /* in the writer's transaction, and the step is saved in the same one */
	BY_READER, /* on a reader thread */
	BY_NOBODY,
};

/* What a step's work returns when the job has ended and no step follows. */
enum { JOB_IS_OVER = 1 };

struct run;
struct claim;
struct step {
	const char *phase; /* in the job's row while the step is due; NULL: not running */
	enum place by;
	int (*work)(struct run *run, struct store *st, struct error *err);
	enum step_id then, otherwise; /* after success, after an error */
	enum step_id restart;	      /* where a restarted daemon takes the job up again */
	int64_t (*deadline_ns)(const struct run *run); /* NULL: none */
};
extern const struct step steps[n_steps];

struct run {
	struct pipeline *pl;
	struct run *next;
	enum step_id step;

	/* constant once claimed */
	int64_t job_id, attempt;
	char uuid[RUN_UUID];
	bool is_exclusive;
	char environment_hash[65];
	char program[65];	/* id of the worker's benchd-kernel; "" not told */
	char *identity;		/* canonical JSON of the environment */
	struct arena *arena;	/* of plan */
	struct queue_plan plan; /* read by steps only, but for dispatch */
	struct worker *worker;	/* NULL: none (any more) */
	int64_t worker_id;	/* of the last one, which may be gone */

	/* messages of the worker */
	json_t *inbox;	    /* came in; the loop's */
	json_t *batch;	    /* being stored; the step's while busy */
	bool is_one_by_one; /* the last batch failed as a whole: find the culprit */
	json_t *done;	    /* the last message of all; set by a step, then constant */

	/* the step on its way */
	bool is_busy;
	bool is_reading, waits_for_reader;
	struct arena *scratch;		   /* of one transaction; the step's */
	const struct touched_job *touched; /* changed by the transaction; scratch's */
	size_t n_touched;
	struct job job;	      /* the row as that transaction sees it; the step's */
	int64_t now_ns;	      /* when it was sent off */
	int64_t told_ns;      /* when the first process of inbox came, monotonic; 0: none did */
	int64_t sent_ns;      /* that of batch */
	enum step_id reached; /* first step that is not the writer's */
	enum step_id failed_at;
	bool is_stale;	 /* the row is no longer this attempt's */
	bool is_at_once; /* judged in the transaction that stored it: job is newer than its row
			  */
	struct arena *findings_arena;
	struct findings *findings;

	int64_t turn;	  /* when its worker was told of it, counted; 0: not told */
	int64_t begun_ns; /* monotonic; 0: others are before it */
	bool holds_slot;
	bool has_freed;	    /* other jobs may have become ready by its end, or itself again */
	bool is_unchanged;  /* head is the commit that was not to be measured again */
	bool is_lost;	    /* its worker is gone */
	bool is_left;	    /* lost because the daemon stops: the worker goes on with it */
	bool is_adrift;	    /* found after a start; waits for the worker that has it */
	int64_t n_told;	    /* adrift: number of the last message that is stored */
	const char *ending; /* "canceled", "timed_out", "superseded": the worker was told */
	char reason[RUN_REASON]; /* for PUT_BACK, FAIL and FINISH */
	uv_timer_t timer;	 /* deadline, then grace; or a pause before trying again */
	uv_timer_t flush;	 /* gathers messages that can wait */
	int n_handles;
};

struct pipeline {
	struct pipeline_config c;
	struct server *server;
	struct run *runs;
	struct worker *workers[PIPELINE_WORKERS];
	size_t n_workers;
	bool is_started, is_stopping;
	bool has_recovered; /* what an earlier life left is in runs */
	bool is_claiming, claim_again;
	struct claim *standing; /* of an idle worker, for the next job that is filed; NULL */
	bool is_looking, look_again; /* for jobs that are to be ended */
	int n_reading;		     /* runs whose step is on a reader */
	int n_pending;		     /* writes and reads that belong to no run */
	int n_runs;
	uv_timer_t tick, patience;
	int n_short;	 /* exclusive jobs in a row that were short */
	int64_t n_turns; /* jobs that workers were told of */
	bool is_ticking;
	int n_timers;			    /* open ones of tick and patience */
	_Atomic bool has_new_files;	    /* jobs have kept some since the last pruning */
	_Atomic int n_ticks;		    /* read on the writer */
	int64_t tick_wall_ns, tick_mono_ns; /* clocks at the last tick */
	void (*done)(void *arg);
	void *done_arg;

	/* for other threads */
	_Atomic int64_t n_connected, n_running, n_put_back, n_recalled, n_processes, claimed_ns;
	_Atomic int64_t storing_ns; /* of batches with processes, until they were durable */
	_Atomic int64_t telling_ns; /* of workers, between processes */
	_Atomic int64_t n_ended[job_state_count];
	int64_t n_ended_trimmed; /* ended jobs when memory was given back */
};

/* --- pipeline.c --- */
void run_enter(struct run *run, enum step_id id);
/* Walk from step `at` through all steps that are the writer's, saving each. Sets reached, or
 * failed_at with an error. Writer thread, inside the savepoint. */
int run_walk(struct run *run, struct store *st, enum step_id at, struct error *err) must_check;
/* Read the row into run->job; E_CONFLICT (and is_stale) when it is not this attempt's any more.
 */
int run_load(struct run *run, struct store *st, struct error *err) must_check;
/* Tell those who watch the job and those it touched. Before its scratch is freed. */
void run_notify(struct run *run);
void pipeline_notify_touched(struct pipeline *pl, const struct touched_job *list, size_t n);
/* Give free memory back to the system when so many jobs have ended since the last time. Loop
 * thread; takes about a millisecond. */
void pipeline_trim(struct pipeline *pl, int64_t at_least);
/* Tell what a background write or read of the pipeline has ended; may complete a stop. */
void pipeline_settle(struct pipeline *pl);
int64_t pipeline_now(const struct pipeline *pl);

/* --- run.c: birth, messages, end --- */
struct run *run_new(struct pipeline *pl, const struct job *j);
void run_add(struct run *run); /* into pl->runs */
void run_end(struct run *run);
struct run *run_find(struct pipeline *pl, const char *uuid, int64_t attempt);
void run_arm(struct run *run, int64_t ns, uv_timer_cb cb);
void run_disarm(struct run *run);
void run_release_slot(struct run *run);
void run_receive(struct run *run, const char *type, json_t *message);
void run_flush(struct run *run);
/* Tell a worker of its own unit that it need not keep its messages up to number n. */
void run_release_told(struct worker *w, const char *uuid, int64_t attempt, int64_t n);
void run_cancel(struct run *run, const char *ending);
void run_lose(struct run *run, const char *reason);

/* --- messages.c: what the worker's messages do to the stored job; writer thread --- */
int messages_apply(struct run *run, struct store *st, struct error *err) must_check;
bool message_is_known(const char *type);
bool message_can_wait(const char *type);

/* --- ahead.c: exclusive jobs that a worker is given before their turn --- */
int64_t ahead_room(const struct pipeline *pl, const struct worker *w);
void ahead_begin(struct run *run); /* it is sent to its worker */
void ahead_end(
	struct run *run, const struct worker *w); /* it does not hold the slot any more */

/* --- claim.c --- */
void claim_jobs(struct pipeline *pl);
/* Whether so many jobs wait to be judged that no more are claimed until some have ended. */
bool claim_is_full(const struct pipeline *pl);
/* Take back the claim that waits for a job to be filed. False: one was, and it is under way. */
bool claim_stand_down(struct pipeline *pl);
void recover_jobs(struct pipeline *pl);
void look_for_cancels(struct pipeline *pl);
struct worker *worker_by_id(struct pipeline *pl, int64_t id); /* NULL: it is gone */

/* --- reunion.c: workers that went on while the daemon was away --- */
void reunion_wait(struct run *run);	 /* for the worker that has it */
void reunion_begin(struct pipeline *pl); /* the runs of an earlier life are there */
void reunion_take_up(struct pipeline *pl, struct worker *w); /* what it brings */
void reunion_leave(struct pipeline *pl);		     /* the daemon stops */

/* --- devices.c: a `devices` message --- */
void devices_take(struct pipeline *pl, const json_t *message);

/* --- steps.c: the work of the steps --- */
int step_dispatch(struct run *run, struct store *st, struct error *err) must_check;
int step_conclude(struct run *run, struct store *st, struct error *err) must_check;
int step_ingest(struct run *run, struct store *st, struct error *err) must_check;
int step_judge(struct run *run, struct store *st, struct error *err) must_check;
int step_record(struct run *run, struct store *st, struct error *err) must_check;
int step_finish(struct run *run, struct store *st, struct error *err) must_check;
int step_put_back(struct run *run, struct store *st, struct error *err) must_check;
int step_fail(struct run *run, struct store *st, struct error *err) must_check;

#endif
