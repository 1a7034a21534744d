/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of queue/ share. Not for other folders. */
#ifndef DAEMON_QUEUE_INTERNAL_H
#define DAEMON_QUEUE_INTERNAL_H

#include "daemon/queue/queue.h"

/* What a job's definition_json holds beside the definition itself, under the member "job" (the
 * strict reader of workloads never sees it). Borrowed from the JSON. */
struct extras {
	json_t *base_argv, *head_argv;		   /* NULL or arrays of strings */
	json_t *base_parameters, *head_parameters; /* NULL or objects */
	json_t *start_point;			   /* NULL or object */
	json_t *members;			   /* suites: UUIDs of the jobs filed */
	json_t *paths, *paths_ignore;		   /* NULL or arrays of globs */
	const char *unless_head; /* NULL; a commit that is not worth measuring again */
	bool is_merge_base;	 /* base is where head left it, not its tip */
	bool finds_branch;	 /* nobody named a branch: it is that of head */
};
/* Split j's definition: *ret_definition without "job" (arena's), extras borrowed from arena. */
int job_definition(struct arena *a, const struct job *j, json_t **ret_definition,
	struct extras *ret, struct error *err) must_check;
bool job_has_base(const struct job *j, const struct extras *x);

/* Event "state" with the row's state, fault and reason. */
int queue_note_state(
	struct store *st, const struct job *j, int64_t now_ns, struct error *err) must_check;
/* The job's state was changed on this thread: queue_take_touched. */
void queue_touch(const struct job *j);
/* Whoever waited for j, directly or behind others, may go on or never can. */
int queue_release(struct store *st, struct arena *a, const struct job *j, int64_t now_ns,
	struct error *err) must_check;
/* A blocked job whose dependencies may be over already: as queue_release does it. */
int queue_settle(struct store *st, struct arena *a, int64_t id, int64_t now_ns,
	struct error *err) must_check;
/* Jobs filed earlier with j's supersede key give way to it. */
int queue_supersede(struct store *st, struct arena *a, const struct job *j, int64_t now_ns,
	struct error *err) must_check;

/* Cells of a job with both arms' commands: cells as measured under the head's definition, and
 * argv of each arm where they differ (else NULL). */
struct arm_cells {
	struct cell *cells;
	size_t n;
	json_t **base_argv, **head_argv; /* arrays of n, or NULL */
};
int job_cells(struct arena *a, const struct workload *w, json_t *parameters,
	const struct extras *x, struct arm_cells *ret, struct error *err) must_check;

/* The body as read; absent members keep what is here before. */
struct body {
	const char *workload, *branch, *head, *base, *testbed, *supersede_key;
	json_t *definition, *parameters, *protocol, *depends_on, *start_point;
	json_t *base_argv, *head_argv, *base_parameters, *head_parameters;
	json_t *paths, *paths_ignore;
	int priority;
	bool merge_base;
	const char *unless_head;
	int64_t seed;
};

/* Everything one filing needs, so that its steps can be small. */
struct desk {
	struct store *st;
	struct arena *a;
	const struct queue_rules *rules;
	const struct filing *f;
	struct body body;
	struct project project;
	json_t *definition; /* ours to change */
	const char *name;   /* as asked for */
	struct workload w;
	struct job *job;
	struct error *err;
};

int desk_refuse(struct desk *d, const char *field, const char *text);
/* Store the row with what depends on it; members: of a suite, NULL otherwise. */
int desk_add_row(struct desk *d, const struct extras *x, json_t *members) must_check;
int desk_file_suite(struct desk *d, json_t *body) must_check;
/* A job of the workload with this name, with the members of body. */
int desk_file_member(
	struct desk *d, json_t *body, const char *name, struct job *ret) must_check;
/* The control of a suite, a member; *body then waits for it. */
int desk_file_control(struct desk *d, json_t **body, const char *name, json_t *members,
	int64_t *ret_id) must_check;
/* The jobs of the suite's steps; members gets their UUIDs. */
int desk_file_steps(struct desk *d, json_t *body, json_t *members, int64_t **ret_ids,
	size_t *ret_n) must_check;

#endif
