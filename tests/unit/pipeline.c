/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of jobs with the real queue, ingest, analysis and store; the writer, the server, the
 * clock and the worker are played here, so that nothing starts a process and nothing sleeps. */
#include "tests/lib/store.h"

#include "daemon/http/http.h"
#include "daemon/run.h"

/* --- the writer and the readers: a list of tasks, run when the test says so --- */

struct task {
	write_fn run;
	written_fn done;
	void *arg;
	bool writes;
};
enum { TASKS = 64 };
static struct {
	struct task list[TASKS], standby;
	size_t n;
	bool has_standby;
	int fail_commit; /* the next one, with this code */
	int commits;
} work;

int writer_submit(struct writer *w, write_fn run, written_fn done, void *arg, struct error *e)
{
	ck_assert_uint_lt(work.n, TASKS);
	work.list[work.n++] = (struct task){ run, done, arg, true };
	return OK;
}

int server_read(struct server *s, write_fn run, written_fn done, void *arg, struct error *e)
{
	ck_assert_uint_lt(work.n, TASKS);
	work.list[work.n++] = (struct task){ run, done, arg, false };
	return OK;
}

void writer_stand_by(struct writer *w, unsigned bits, write_fn run, written_fn done, void *arg)
{
	work.standby = (struct task){ run, done, arg, true };
	work.has_standby = true;
}

bool writer_stand_down(struct writer *w)
{
	bool was = work.has_standby;

	work.has_standby = false;
	return was;
}

struct writer *server_writer(struct server *s)
{
	return NULL;
}

static char told[4096]; /* keys of server_notify, each followed by a space */

void server_notify(struct server *s, const char *key)
{
	size_t n = strlen(told);

	snprintf(told + n, sizeof(told) - n, "%s ", key);
}

static void run_task(const struct task *t)
{
	struct error e = { 0 };
	int code;

	ok(store_begin(db, &err));
	code = t->run(db, t->arg, &e);
	if (code >= 0 && t->writes && work.fail_commit) {
		code = error_set(&e, work.fail_commit, "the disk is full");
		work.fail_commit = 0;
	}
	if (code < 0 || !t->writes)
		store_rollback(db);
	else
		ok(store_commit(db, &err));
	work.commits += code >= 0 && t->writes;
	t->done(t->arg, code, &e);
}

/* Until nothing is left to do but what timers bring. */
static void work_off(void)
{
	while (work.n) {
		struct task t = work.list[0];

		memmove(work.list, work.list + 1, --work.n * sizeof(t));
		run_task(&t);
	}
}

/* --- the worker --- */

struct worker {
	int64_t id;
	int64_t n_ahead;
	bool is_embedded;
	json_t *sent; /* array of what it was sent */
	const char *dropped;
};
static struct worker ann = { .id = 1 }, ben = { .id = 2 };
static const char identity[] = "{\"cpu\":\"model\"}";
static const char hash[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

void worker_send(struct worker *w, json_t *m)
{
	json_array_append_new(w->sent, m);
}

void worker_drop(struct worker *w, const char *reason)
{
	w->dropped = reason;
}

int64_t worker_id(const struct worker *w)
{
	return w->id;
}

int64_t worker_shared_slots(const struct worker *w)
{
	return 1;
}

int64_t worker_ahead_slots(const struct worker *w)
{
	return w->n_ahead;
}

int64_t worker_cpus(const struct worker *w)
{
	return 4;
}

bool worker_is_embedded(const struct worker *w)
{
	return w->is_embedded;
}

const json_t *worker_offered_jobs(const struct worker *w)
{
	return NULL;
}

const char *worker_environment_hash(const struct worker *w)
{
	return hash;
}

const char *worker_environment_identity(const struct worker *w)
{
	return identity;
}

const char *worker_program(const struct worker *w)
{
	return "";
}

void worker_set_useful(struct worker *w)
{
}

void worker_set_busy(struct worker *w, const char *job, bool is_busy)
{
}

/* The daemon's threads and the cpus that are measured on. */
static const void *aside_for;
static size_t n_aside_cpus;

void aside_keep_off(const void *owner, const json_t *cpus)
{
	if (!json_array_size(cpus))
		return;
	aside_for = owner;
	n_aside_cpus = json_array_size(cpus);
}

void aside_return(const void *owner)
{
	if (aside_for == owner)
		aside_for = NULL;
}

/* The nth message of a type that the worker was sent; NULL: there are fewer. Borrowed. */
static json_t *sent(const struct worker *w, const char *type, size_t nth)
{
	size_t i;
	json_t *m;

	json_array_foreach (w->sent, i, m)
		if (!strcmp(json_get_str(m, "type", ""), type) && nth-- == 0)
			return m;
	return NULL;
}

/* --- the rest of the daemon --- */

static int64_t now_ns;
static uv_loop_t loop;
static struct pipeline *pl;
static struct workers_config link_to; /* what the pipeline wants to hear of workers */
static _Atomic int64_t n_waiting, n_cpus;
static struct queue_rules rules;

static int64_t tell_time(void *arg)
{
	return now_ns;
}

static const struct clock clock_here = { tell_time, tell_time, NULL };

static const struct queue_rules *get_rules(void *arg)
{
	return &rules;
}

static void start_pipeline(void)
{
	const struct pipeline_config c = { .loop = &loop,
		.clock = &clock_here,
		.rules = get_rules,
		.n_waiting = &n_waiting,
		.n_cpus = &n_cpus,
		.lease_ns = 30 * NS_PER_S,
		.keep_answers_ns = NS_PER_S };

	pl = pipeline_new(&c);
	pipeline_listen(pl, &link_to);
	pipeline_start(pl, NULL);
	work_off();
}

static void connect_worker(struct worker *w)
{
	json_decref(w->sent);
	w->sent = json_array();
	w->dropped = NULL;
	w->is_embedded = true;
	link_to.on_hello(link_to.arg, w);
	work_off();
}

static void begin(void)
{
	make_folder();
	ok(store_open(db_path, &db, &err));
	memset(&work, 0, sizeof(work));
	told[0] = 0;
	now_ns = T0;
	rules = (struct queue_rules){ .testbed = "host",
		.allow_adhoc_commands = true,
		.workloads = arena_own_json(mem, json_object()),
		.max_attempts = 3 };
	uv_loop_init(&loop);
	start_pipeline();
	connect_worker(&ann);
}

static void on_stopped(void *arg)
{
	*(bool *)arg = true;
}

static void stop_pipeline(void)
{
	bool is_over = false;

	pipeline_hold(pl);
	link_to.on_gone(link_to.arg, &ann, "benchd stops");
	work_off();
	pipeline_stop(pl, on_stopped, &is_over);
	for (int i = 0; i < 100 && !is_over; i++) {
		work_off();
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	ck_assert(is_over);
	pipeline_free(pl);
}

static void end(void)
{
	stop_pipeline();
	json_decref(ann.sent);
	json_decref(ben.sent);
	ann.sent = ben.sent = NULL;
	ann.n_ahead = 0;
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ok(store_check(db, &err));
	store_close(db);
	remove_folder();
}

/* --- jobs --- */

static struct job file_command(void)
{
	const struct filing f = { .project = "p",
		.may_create_project = true,
		.may_exec = true,
		.submitter = "tester",
		.trigger = "api",
		.now_ns = now_ns };
	json_t *body = arena_own_json(mem,
		json_pack("{s{sss[s]s{sisisb}}}", "definition", "kind", "command", "command",
			"true", "protocol", "processes", 1, "idle_wait", 0, "adaptive", 0));
	struct job j;

	ck_assert_ptr_nonnull(body);
	ok(store_begin(db, &err));
	ok(queue_file_job(db, mem, &rules, &f, body, &j, &err));
	ok(store_commit(db, &err));
	pipeline_wake(pl, WAKE_QUEUE);
	work_off();
	return j;
}

static struct job row(const struct job *j)
{
	struct job now;

	ok(store_job_get(db, mem, j->id, &now, &err));
	return now;
}

static void say(struct worker *w, const struct job *j, int64_t attempt, json_t *m)
{
	json_set_str(m, "job", j->uuid);
	json_set_int(m, "attempt", attempt);
	link_to.on_message(link_to.arg, w, json_get_str(m, "type", ""), m);
	json_decref(m);
	work_off();
}

static void say_process(
	struct worker *w, const struct job *j, int64_t attempt, int64_t seq, const char *cell)
{
	json_t *record = json_pack("{sIsssssIsisisss[{sssss[f]}]}", "seq", (json_int_t)seq,
		"cell", cell, "arm", "head", "index", (json_int_t)(seq - 1), "block", 0,
		"order", 0, "termination", "exit", "results", "measure", "latency", "unit",
		"ns", "samples", 1000.0 + (double)seq);

	ck_assert_ptr_nonnull(record);
	say(w, j, attempt, json_pack("{ssso}", "type", "process", "process", record));
}

static void say_done(struct worker *w, const struct job *j, int64_t attempt, const char *status)
{
	say(w, j, attempt,
		json_pack("{sssss[{sssssssi}]}", "type", "done", "status", status, "cells",
			"cell", "0", "stop_reason", "fixed", "verdict", "clean", "processes",
			1));
}

/* --- tests --- */

START_TEST(the_table_leads_every_step_to_an_end)
{
	for (int i = 0; i < n_steps; i++) {
		enum step_id good = (enum step_id)i, bad = (enum step_id)i;
		const struct step *s = &steps[i];

		ck_assert_int_eq(s->work == NULL, s->by == BY_NOBODY || s->by == BY_WORKER);
		ck_assert_int_eq(s->deadline_ns != NULL, s->by == BY_WORKER);
		for (int k = 0; k < n_steps; k++)
			good = steps[good].then;
		ck_assert_msg(good == STEP_OVER, "step %d does not end", i);
		if (i == STEP_WAIT)
			continue;
		for (int k = 0; k < n_steps; k++)
			bad = steps[bad].otherwise;
		ck_assert_msg(bad == STEP_OVER, "step %d does not end after errors", i);
	}
}
END_TEST

START_TEST(a_job_goes_from_the_queue_to_its_report)
{
	char key[64];
	struct job j;

	begin();
	j = file_command();
	ck_assert_int_eq(row(&j).state, JOB_RUNNING);
	ck_assert_str_eq(json_get_str(sent(&ann, "job", 0), "job", ""), j.uuid);
	ck_assert_int_eq(json_get_int(sent(&ann, "job", 0), "attempt", 0), 1);
	say_process(&ann, &j, 1, 1, "0");
	ck_assert_ptr_null(sent(&ann, "stored", 0)); /* it waits for what may follow */
	run_flush(pl->runs);			     /* which a timer brings 5 ms later */
	work_off();
	ck_assert_int_eq(json_get_int(sent(&ann, "stored", 0), "seq", 0), 1);
	say_done(&ann, &j, 1, "succeeded");
	ck_assert_int_eq(row(&j).state, JOB_SUCCEEDED);
	ck_assert_uint_eq(strlen(row(&j).report_uuid), 36);
	snprintf(key, sizeof(key), "end:%s ", j.uuid);
	ck_assert_ptr_nonnull(strstr(told, key));
	end();
}
END_TEST

START_TEST(records_that_come_together_are_stored_and_acknowledged_together)
{
	struct job j;

	begin();
	j = file_command();
	for (int64_t seq = 1; seq <= 5; seq++)
		say_process(&ann, &j, 1, seq, "0");
	uv_run(pl->c.loop, UV_RUN_NOWAIT); /* several do not wait for company */
	work_off();
	ck_assert_int_eq(json_get_int(sent(&ann, "stored", 0), "seq", 0), 5);
	ck_assert_ptr_null(sent(&ann, "stored", 1));
	say_done(&ann, &j, 1, "succeeded");
	ck_assert_int_eq(row(&j).state, JOB_SUCCEEDED);
	end();
}
END_TEST

START_TEST(the_daemon_keeps_off_the_cpus_that_a_job_measures_on)
{
	struct job j;

	begin();
	j = file_command();
	say(&ann, &j, 1, json_pack("{ssss}", "type", "phase", "phase", "measure"));
	ck_assert_ptr_null(aside_for); /* that one did not ask */
	say(&ann, &j, 1,
		json_pack("{sssss[ii]}", "type", "phase", "phase", "measure", "cpus", 1, 2));
	ck_assert_ptr_eq(aside_for, pl->runs);
	ck_assert_uint_eq(n_aside_cpus, 2);
	say_done(&ann, &j, 1, "succeeded");
	ck_assert_ptr_null(aside_for);
	end();
}
END_TEST

START_TEST(an_idle_worker_claims_in_the_transaction_that_files)
{
	begin();
	ck_assert(work.has_standby);
	pipeline_hold(pl);
	ck_assert(!work.has_standby); /* a daemon that stops begins nothing */
	end();
}
END_TEST

START_TEST(what_an_attempt_that_is_over_says_is_dropped)
{
	struct job j;

	begin();
	j = file_command();
	say_process(&ann, &j, 2, 1, "0");
	say_done(&ann, &j, 2, "succeeded");
	say_done(&ben, &j, 1, "succeeded"); /* nor from a worker that does not have it */
	ck_assert_int_eq(row(&j).state, JOB_RUNNING);
	ck_assert_ptr_null(sent(&ann, "stored", 0));
	end();
}
END_TEST

START_TEST(the_job_of_a_lost_worker_goes_on_with_what_is_stored)
{
	json_t *have;
	struct job j;

	begin();
	j = file_command();
	say_process(&ann, &j, 1, 1, "0");
	link_to.on_gone(link_to.arg, &ann, "the worker was ended by signal 9 (Killed)");
	work_off();
	ck_assert_int_eq(row(&j).state, JOB_QUEUED);
	connect_worker(&ben);
	ck_assert_int_eq(row(&j).state, JOB_RUNNING);
	ck_assert_int_eq(json_get_int(sent(&ben, "job", 0), "attempt", 0), 2);
	have = json_object_get(json_object_get(sent(&ben, "job", 0), "spec"), "have");
	ck_assert_uint_eq(json_array_size(have), 1);
	ck_assert_int_eq(json_get_int(json_array_get(have, 0), "seq", 0), 1);
	say_process(&ben, &j, 2, 2, "0");
	say_done(&ben, &j, 2, "succeeded");
	ck_assert_int_eq(row(&j).state, JOB_SUCCEEDED);
	link_to.on_gone(link_to.arg, &ben, "over");
	end();
}
END_TEST

START_TEST(a_killed_daemon_takes_its_jobs_up_again)
{
	struct pipeline *before;
	struct job j;

	begin();
	j = file_command();
	before = pl;
	start_pipeline(); /* on the same store, as if the first had never stopped */
	ck_assert_int_eq(row(&j).state, JOB_QUEUED);
	ck_assert_ptr_nonnull(strstr(row(&j).reason, "goes on with what is stored"));
	connect_worker(&ben);
	ck_assert_int_eq(row(&j).attempt, 2);
	say_process(&ben, &j, 2, 1, "0");
	say_done(&ben, &j, 2, "succeeded");
	ck_assert_int_eq(row(&j).state, JOB_SUCCEEDED);
	/* The first one was not killed after all: what it still hears changes nothing. */
	link_to.on_gone(link_to.arg, &ben, "over");
	stop_pipeline();
	pl = before;
	pipeline_listen(pl, &link_to);
	say_done(&ann, &j, 1, "failed");
	ck_assert_int_eq(row(&j).state, JOB_SUCCEEDED);
	end();
}
END_TEST

START_TEST(a_cancelled_job_is_ended_by_its_worker)
{
	struct job j, now;

	begin();
	j = file_command();
	ok(store_begin(db, &err));
	ok(queue_cancel(db, mem, j.uuid, "tester", now_ns, &now, &err));
	ok(store_commit(db, &err));
	pipeline_wake(pl, WAKE_JOBS);
	work_off();
	ck_assert_str_eq(json_get_str(sent(&ann, "cancel", 0), "reason", ""), "canceled");
	ck_assert_int_eq(row(&j).state, JOB_RUNNING);
	say_done(&ann, &j, 1, "canceled");
	ck_assert_int_eq(row(&j).state, JOB_CANCELED);
	end();
}
END_TEST

START_TEST(records_outlive_a_full_disk)
{
	struct process *list;
	struct job j;
	size_t n;

	begin();
	j = file_command();
	say_process(&ann, &j, 1, 1, "0");
	work.fail_commit = E_STORAGE_FULL;
	run_flush(pl->runs);
	work_off();
	ok(store_process_list(db, mem, j.id, &list, &n, &err));
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_null(sent(&ann, "stored", 0));
	ck_assert_ptr_null(ann.dropped);
	say_done(&ann, &j, 1, "succeeded"); /* what could not be stored is stored with it */
	ok(store_process_list(db, mem, j.id, &list, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(row(&j).state, JOB_SUCCEEDED);
	end();
}
END_TEST

START_TEST(a_message_that_cannot_be_stored_ends_only_its_job)
{
	struct job bad, good;

	begin();
	bad = file_command();
	good = file_command();
	say_process(&ann, &bad, 1, 1, "no such cell");
	run_flush(pl->runs->job_id == bad.id ? pl->runs : pl->runs->next);
	work_off();
	ck_assert_ptr_nonnull(sent(&ann, "cancel", 0));
	ck_assert_int_eq(row(&bad).state, JOB_FAILED);
	ck_assert_int_eq(row(&bad).fault, FAULT_RUNNER);
	ck_assert_msg(strstr(row(&bad).reason, "a process record was refused") != NULL, "%s",
		row(&bad).reason);
	ck_assert_int_eq(row(&good).state, JOB_RUNNING);
	say_process(&ann, &good, 1, 1, "0");
	say_done(&ann, &good, 1, "succeeded");
	ck_assert_int_eq(row(&good).state, JOB_SUCCEEDED);
	end();
}
END_TEST

START_TEST(a_failing_program_is_its_own_fault_and_the_runner_is_tried_again)
{
	struct job j;

	begin();
	j = file_command();
	say(&ann, &j, 1,
		json_pack("{ssssssss}", "type", "done", "status", "failed", "fault", "program",
			"reason", "it exited with status 3"));
	ck_assert_int_eq(row(&j).state, JOB_FAILED);
	ck_assert_int_eq(row(&j).fault, FAULT_PROGRAM);
	ck_assert_str_eq(row(&j).reason, "it exited with status 3");
	j = file_command();
	for (int64_t attempt = 1; attempt <= 3; attempt++) {
		ck_assert_int_eq(row(&j).attempt, attempt);
		say(&ann, &j, attempt,
			json_pack("{ssssssss}", "type", "done", "status", "failed", "fault",
				"runner", "reason", "no memory"));
		now_ns += 3600 * NS_PER_S;
		ok(store_begin(db, &err));
		ok(queue_tick(db, mem, &rules, now_ns, &err));
		ok(store_commit(db, &err));
		pipeline_wake(pl, WAKE_QUEUE);
		work_off();
	}
	ck_assert_int_eq(row(&j).state, JOB_FAILED);
	ck_assert_int_eq(row(&j).fault, FAULT_RUNNER);
	ck_assert_str_eq(row(&j).reason, "no memory");
	end();
}
END_TEST

START_TEST(short_jobs_bring_the_next_ones_ahead_of_their_turn)
{
	struct job j[6];
	json_t *m;
	size_t n = 0;

	begin();
	ann.n_ahead = 8;
	for (int i = 0; i < 3; i++) {
		struct job one = file_command();

		say_process(&ann, &one, 1, 1, "0");
		say_done(&ann, &one, 1, "succeeded");
		ck_assert_int_eq(row(&one).state, JOB_SUCCEEDED);
	}
	for (int i = 0; i < 6; i++)
		j[i] = file_command();
	while (sent(&ann, "job", n))
		n++;
	ck_assert_uint_eq(n, 3 + 1 + 4); /* the one it runs and four ahead */
	ck_assert_int_eq(row(&j[4]).state, JOB_RUNNING);
	ck_assert_int_eq(row(&j[5]).state, JOB_QUEUED);
	/* One is called back: it waits again, and the attempt does not count. */
	say_done(&ann, &j[4], 1, "recalled");
	m = sent(&ann, "job", n);
	ck_assert(row(&j[4]).state == JOB_QUEUED || m != NULL);
	ck_assert_int_eq(row(&j[4]).max_attempts, 4);
	end();
}
END_TEST

START_TEST(metrics_and_checks_tell_what_happened)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	_cleanup_(json_decref)
	json_t *checks = NULL;
	struct job j;

	begin();
	j = file_command();
	say_process(&ann, &j, 1, 1, "0");
	say_done(&ann, &j, 1, "succeeded");
	pipeline_metrics(pl, &out);
	ck_assert_ptr_nonnull(
		strstr(buf_str(&out), "benchd_jobs_ended_total{state=\"succeeded\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "benchd_workers 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "benchd_processes_total 1\n"));
	checks = pipeline_checks(pl);
	ck_assert_str_eq(json_get_str(json_array_get(checks, 0), "detail", ""), "connected");
	end();
}
END_TEST

SUITE("pipeline", the_table_leads_every_step_to_an_end, a_job_goes_from_the_queue_to_its_report,
	records_that_come_together_are_stored_and_acknowledged_together,
	the_daemon_keeps_off_the_cpus_that_a_job_measures_on,
	an_idle_worker_claims_in_the_transaction_that_files,
	what_an_attempt_that_is_over_says_is_dropped,
	the_job_of_a_lost_worker_goes_on_with_what_is_stored,
	a_killed_daemon_takes_its_jobs_up_again, a_cancelled_job_is_ended_by_its_worker,
	records_outlive_a_full_disk, a_message_that_cannot_be_stored_ends_only_its_job,
	a_failing_program_is_its_own_fault_and_the_runner_is_tried_again,
	short_jobs_bring_the_next_ones_ahead_of_their_turn,
	metrics_and_checks_tell_what_happened)
