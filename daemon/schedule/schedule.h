/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of schedule/: cron rules that file jobs.
 *
 * For: reading a schedule, knowing its next slots, and dealing with every slot exactly once:
 * filed, skipped, missed or failed, each a row (schedule, slot).
 * Not for: filing jobs itself (the desk does that), timers (daemon/schedules.c).
 *
 * Time is an argument everywhere. Wall time may jump: a slot is an instant, its row is unique,
 * so neither a clock that is set back nor a restart fires it again; slots that a jump forward,
 * an outage or a suspended host has passed over are misfires. */
#ifndef DAEMON_SCHEDULE_SCHEDULE_H
#define DAEMON_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/model/model.h"
#include "daemon/schedule/cron.h"
#include "daemon/store/store.h"

/* What schedule/ needs of the queue. Writer thread, inside its transaction. */
struct schedule_desk {
	/* File the job of body for s; E_UNAVAILABLE: no room now, asked again later. */
	int (*file)(void *arg, struct store *st, struct arena *a, const struct schedule *s,
		json_t *body, int64_t now_ns, struct job *ret, struct error *err);
	/* A job filed earlier gives way, as far as it has not begun. */
	int (*supersede)(void *arg, struct store *st, struct arena *a, const char *job_uuid,
		const char *reason, int64_t now_ns, struct error *err);
	void *arg;
};

/* --- reading: read.c --- */

enum { SCHEDULE_SLOTS_MAX = 1000 };
/* Members of o over what *s holds (docs/api.md, "Schedules"); strings are borrowed from o and
 * a. Checks cron and zone. project: where the caller allows the member, else NULL. Any thread.
 */
int schedule_read(json_t *o, const char *pointer, struct arena *a, const char **project,
	struct schedule *s, struct error *err) must_check;
/* Defaults: UTC, misfire run_once, overlap skip, grace 5 minutes, no jitter. */
struct schedule schedule_defaults(void);

/* --- planning: plan.c; pure but for the zone's file --- */

struct slot {
	int64_t at_ns,
		due_ns; /* due: with jitter, which depends on nothing but schedule and slot */
};
/* The first slots after an instant; fewer than n where the rule ends. */
int schedule_slots(const struct schedule *s, int64_t after_ns, struct slot *ret, size_t n,
	size_t *ret_n, struct error *err) must_check;
/* Set slot_ns and due_ns from seen_ns. */
int schedule_plan(struct schedule *s, struct error *err) must_check;
/* A slot's time on the zone's clocks: "2026-03-29 03:00 +02:00". */
const char *schedule_local(
	const struct schedule *s, int64_t at_ns, struct arena *a, struct error *err);
struct arrears { /* what is due at an instant */
	struct slot newest;
	int64_t n_before; /* slots since seen_ns that are older than it, counted to 10,000 */
};
int schedule_arrears(const struct schedule *s, int64_t now_ns, struct arrears *ret,
	struct error *err) must_check;

/* --- firing: fire.c; writer thread --- */

struct schedule_tally {
	int64_t n_filed, n_missed, n_failed; /* of this tick */
	int64_t next_due_ns;		     /* 0: nothing to wait for */
	int64_t lag_ns;			     /* most, of those filed */
	bool is_held;			     /* the queue had no room: try again soon */
};
/* Deal with everything that is due. */
int schedule_tick(struct store *st, struct arena *a, const struct schedule_desk *desk,
	int64_t now_ns, struct schedule_tally *ret, struct error *err) must_check;
/* File the job now, whatever the time and the overlap rule: a firing of its own. Errors of
 * filing are the caller's. */
int schedule_run_now(struct store *st, struct arena *a, const struct schedule_desk *desk,
	const struct schedule *s, int64_t now_ns, struct firing *ret,
	struct error *err) must_check;
/* Prove that the schedule's job can be filed, and file nothing. */
int schedule_prove(struct store *st, struct arena *a, const struct schedule_desk *desk,
	const struct schedule *s, int64_t now_ns, struct error *err) must_check;
/* Make the rows of source "config" those of the file: name -> members of schedule_read, each
 * with its project. A row whose rule did not change keeps what it has seen, and its pause. All
 * other rows are planned again: the zones of the host may have changed. */
int schedule_sync(struct store *st, struct arena *a, json_t *from_config, int64_t now_ns,
	struct error *err) must_check;

#endif
