/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of queue/: which job next.
 *
 * For: filing a job from a request, cancelling one, choosing the next one for the host, and
 * putting back what a lost worker left.
 * Not for: running anything (workers/), the steps of a job's life (daemon/pipeline.c).
 *
 * All functions but queue_rules_* write: call them on the writer thread inside a transaction.
 * Every change of a job goes through here or the pipeline as read, change, save on that thread,
 * so no stale copy ever overwrites a newer row. */
#ifndef DAEMON_QUEUE_QUEUE_H
#define DAEMON_QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"
#include "daemon/store/store.h"

/* What the configuration says about filing; constant once made, readable from any thread. */
struct queue_rules {
	const char *testbed;	    /* of this daemon */
	bool allow_adhoc_commands;  /* inline definitions, base_argv and head_argv */
	json_t *workloads;	    /* object: name -> definition, all of them checked */
	json_t *shipped;	    /* the same, of suites/: what has no other meaning; NULL */
	int64_t max_waiting;	    /* jobs not yet final, all projects: E_UNAVAILABLE beyond */
	_Atomic int64_t *n_waiting; /* how many there are, roughly; NULL: not limited */
	int64_t max_attempts;
	_Atomic int64_t *n_cpus; /* the worker measures on so many; NULL, 0: none has said */
};

/* The workload that name means for a project: of the configuration, saved by PUT, or a built-in
 * kernel id or glob. *ret_source: "config", "api", "shipped" or "kernel". Any thread, any
 * handle. The definition is owned by the arena. E_NOT_FOUND names the nearest known name. */
int queue_find_workload(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *name, json_t **ret_definition, const char **ret_source,
	struct error *err) must_check;
/* Names a project may use, those of the configuration first; kernels are not listed. Arena. */
int queue_list_workloads(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t project_id, const char *const **ret, size_t *ret_n,
	struct error *err) must_check;

/* The jobs whose state the queue has changed on this thread since the last call (at most
 * 1,024): tell those who watch them ("job:UUID") and, of one that has ended, those who wait for
 * that ("end:UUID"), once it is committed. */
struct touched_job {
	const char *uuid;
	bool is_final;
};
size_t queue_take_touched(struct arena *a, const struct touched_job **ret);

struct filing {
	const char *project; /* slug or UUID */
	bool may_create_project;
	bool is_own;	       /* benchd's own doing: the definition was allowed before */
	bool may_exec;	       /* the caller's scope; the switch of the rules is asked too */
	bool awaits_approval;  /* it runs only after queue_approve */
	const char *submitter; /* token name, "anonymous", ... */
	const char *trigger;   /* "api", "hook", "schedule", "confirm" */
	int64_t now_ns;
};
/* File the job that body (docs/api.md, "Filing a job") asks for: strict reading with pointers
 * to the culprit, the workload with its parameters expanded once to prove that it can run, the
 * whole definition stored with the job. The job is then queued; blocked while it depends on
 * others; waiting_host when no worker of its testbed can exist here. The caller wakes the
 * queue after the commit (WAKE_QUEUE). */
int queue_file_job(struct store *st, struct arena *a, const struct queue_rules *rules,
	const struct filing *f, json_t *body, struct job *ret, struct error *err) must_check;

/* Measure two commits of origin's workload again, interleaved, before everything else: a job
 * with priority and trigger "confirm", the definition, parameters, branch and testbed of
 * origin. What is measured is no point of a history. */
struct rerun_order {
	const char *head_hash, *base_hash;
	const char *const *benchmarks; /* names of cells to measure; NULL: all */
	size_t n_benchmarks;
	int64_t processes; /* an arm, at first; more follow until it is decided */
	bool is_fixed;	   /* no: exactly these */
};
int queue_file_rerun(struct store *st, struct arena *a, const struct queue_rules *rules,
	const struct job *origin, const struct rerun_order *what, int64_t now_ns,
	struct job *ret, struct error *err) must_check;

/* Phases of a running job that somebody wants to end; the pipeline ends it. */
#define PHASE_CANCELING "canceling"
#define PHASE_SUPERSEDING "superseding"

/* Cancel: a waiting job is canceled at once; a running one is marked (phase "canceling") and
 * ended by the pipeline, which the caller pokes (WAKE_JOBS); doing so twice is the same as
 * once. E_CONFLICT when the job has ended. */
int queue_cancel(struct store *st, struct arena *a, const char *uuid, const char *by,
	int64_t now_ns, struct job *ret, struct error *err) must_check;

/* Let a job that awaits approval run, if head is the very commit that it would measure:
 * E_CONFLICT when the job wants another one or awaits nothing. */
int queue_approve(struct store *st, struct arena *a, const char *uuid, const char *head,
	const char *by, int64_t now_ns, struct job *ret, struct error *err) must_check;

/* --- Vulkan devices: which jobs may use them (device.c) --- */
/* What a probe of the testbed found, as benchd-kernel tells it: `vulkan` of a `devices`
 * message. A wedged device that is usable, and whose lock nobody holds, is in order again. */
int queue_devices_seen(struct store *st, struct arena *a, const char *testbed,
	const json_t *vulkan, int64_t now_ns, struct error *err) must_check;
/* What became of the devices of a job: `devices` of its `done` (NULL: it used none). The second
 * loss in a row, across jobs, quarantines a device until an operator clears it. */
int queue_devices_ended(struct store *st, struct arena *a, const struct job *j,
	const char *testbed, const json_t *devices, int64_t now_ns,
	struct error *err) must_check;
/* Adds `refused_devices` to a spec that names the Vulkan backend, for devices not in order. */
int queue_devices_refuse(struct store *st, struct arena *a, const char *testbed, json_t *spec,
	struct error *err) must_check;
/* name: UUID, or UUID.DRIVERID where several drivers have it; dashes do no harm. */
int queue_device_find(struct store *st, struct arena *a, const char *testbed, const char *name,
	struct device *ret, struct error *err) must_check;
/* Jobs may use it again. by and note ("" none) go into its history. E_CONFLICT when it is in
 * order. */
int queue_device_clear(struct store *st, struct arena *a, const char *testbed, const char *name,
	const char *by, const char *note, int64_t now_ns, struct device *ret,
	struct error *err) must_check;

/* A job (of a suite: its members too) gives way to a newer one as far as it has not begun: what
 * runs goes on. Nothing happens to one that has ended. */
int queue_give_way(struct store *st, struct arena *a, const char *uuid, const char *reason,
	int64_t now_ns, struct error *err) must_check;

/* What a job will do, made from its row alone: definition_json is the workload's definition
 * with the job's protocol, and under the member "job" what concerns only this one (commands or
 * parameters of the arms, start point). */
struct queue_plan {
	struct workload workload;
	struct cell *cells; /* as stored: names and definition hash of the head */
	size_t n_cells;
	json_t *spec; /* docs/worker-protocol.md, without have and K; the arena's */
	bool has_repository, has_base, is_merge_base;
	bool finds_branch; /* results belong to the branch of head, which the worker tells */
	const char *start_branch, *start_hash; /* NULL */
	const char *unless_head; /* NULL; nothing is measured when head is this commit */
};
int queue_job_plan(struct arena *a, const struct job *j, struct queue_plan *ret,
	struct error *err) must_check;

/* --- for the pipeline --- */

struct slots { /* what the host has free */
	bool has_exclusive, has_running_shared;
	int64_t n_shared;
	int64_t n_ahead; /* exclusive jobs that may be claimed although one runs */
};
/* Claim what may run now: the waiting job of the highest rank, if a slot for it is free. An
 * exclusive job at the head of the queue holds back shared ones behind it, so that it gets the
 * host to itself in the end. E_NOT_FOUND when nothing may start. */
int queue_claim(struct store *st, struct arena *a, const struct slots *free, int64_t worker_id,
	int64_t now_ns, int64_t lease_ns, struct job *ret, struct error *err) must_check;
/* After an attempt that measured something the next goes on where it stopped: only attempts in
 * a row that measured nothing use max_attempts up. Raises it to three more (or to itself more,
 * when it is less), to ATTEMPTS_MOST. Saving is the caller's. */
enum { ATTEMPTS_IN_A_ROW = 3, ATTEMPTS_MOST = 100 };
int queue_forgive(struct store *st, struct job *j, struct error *err) must_check;
/* Put a running job back (its worker is gone, reason says why): queued again with what is
 * stored, or failed/runner when its attempts are used up, or canceled when that was asked. */
int queue_put_back(struct store *st, struct job *j, const char *reason, int64_t now_ns,
	struct error *err) must_check;
/* End a job in a final state: times, reason, the events "state" and "done", and what waited for
 * it. */
int queue_finish(struct store *st, struct job *j, enum job_state state, enum job_fault fault,
	const char *reason, int64_t now_ns, struct error *err) must_check;
/* Timed work: retry_wait whose time has come, leases that ran out, jobs waiting for a host that
 * is there again. */
int queue_tick(struct store *st, struct arena *a, const struct queue_rules *rules,
	int64_t now_ns, struct error *err) must_check;

#endif
