/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs: rows, queue, fencing, dependencies, events, logs. */
#include "tests/lib/store.h"

#include <pthread.h>

static struct job reload(const struct job *j)
{
	struct job back;

	ok(store_job_get(db, mem, j->id, &back, &err));
	return back;
}

static struct job claim(const char *slot)
{
	struct job j;

	ok(store_job_claim(db, mem, slot, 7, T0 + 1, T0 + 100, &j, &err));
	return j;
}

static void end_job(const struct job *j, enum job_state state)
{
	struct job now = reload(j);

	now.state = state;
	now.finished_ns = T0 + 2;
	ok(store_job_save(db, &now, -1, &err));
}

START_TEST(a_job_is_read_as_it_was_filed)
{
	struct project p;
	struct job j, back;

	start();
	p = a_project("p");
	j = add_job(p.id, "saxpy", PRIORITY_PUSH);
	ok(store_job_find(db, mem, j.uuid, &back, &err));
	ck_assert_int_eq(back.id, j.id);
	ck_assert_str_eq(back.project_slug, "p");
	ck_assert_str_eq(back.name, "saxpy");
	ck_assert_int_eq(back.state, JOB_QUEUED);
	ck_assert_int_eq(back.priority, PRIORITY_PUSH);
	ck_assert_uint_eq(back.seed, UINT64_MAX);
	ck_assert_str_eq(back.definition_json, "{\"kind\":\"command\"}");
	ck_assert_str_eq(back.trigger, "api");
	ck_assert_str_eq(back.phase, "");
	ck_assert_ptr_null(back.branch);
	refused(store_job_find(db, mem, "x", &back, &err), E_NOT_FOUND, "there is no job 'x'");
	refused(store_job_get(db, mem, 99, &back, &err), E_NOT_FOUND, "not there");
	finish();
}
END_TEST

START_TEST(what_the_pipeline_changes_is_saved)
{
	struct project p;
	struct job j, back;

	start();
	p = a_project("p");
	add_job(p.id, "a", PRIORITY_MANUAL);
	j = claim("exclusive");
	j.state = JOB_FAILED;
	j.fault = FAULT_BUILD;
	j.phase = "";
	j.reason = "make failed";
	j.outcome = OUTCOME_UNKNOWN;
	j.head_hash = H1;
	j.n_done = 3;
	j.n_total = 20;
	j.report_uuid = "r";
	j.result_json = "{}";
	j.finished_ns = T0 + 9;
	ok(store_job_save(db, &j, j.attempt, &err));
	j.result_json = NULL; /* as lists give it: the stored one stays */
	ok(store_job_save(db, &j, j.attempt, &err));
	back = reload(&j);
	ck_assert_int_eq(back.state, JOB_FAILED);
	ck_assert_int_eq(back.fault, FAULT_BUILD);
	ck_assert_str_eq(back.reason, "make failed");
	ck_assert_str_eq(back.head_hash, H1);
	ck_assert_int_eq(back.n_total, 20);
	ck_assert_str_eq(back.result_json, "{}");
	finish();
}
END_TEST

START_TEST(the_highest_class_and_then_the_oldest_is_claimed)
{
	struct project p;
	struct job night, push, later, first;

	start();
	p = a_project("p");
	night = add_job(p.id, "night", PRIORITY_NIGHTLY);
	push = add_job(p.id, "push", PRIORITY_PUSH);
	later = add_job(p.id, "later", PRIORITY_PUSH);
	ck_assert_int_gt(later.id, push.id);
	first = claim("exclusive");
	ck_assert_int_eq(first.id, push.id);
	ck_assert_int_eq(first.state, JOB_RUNNING);
	ck_assert_int_eq(first.attempt, 1);
	ck_assert_int_eq(first.worker_id, 7);
	ck_assert_int_eq(first.lease_until_ns, T0 + 100);
	ck_assert_int_eq(first.started_ns, T0 + 1);
	ck_assert_int_eq(claim("exclusive").id, later.id);
	ck_assert_int_eq(claim("exclusive").id, night.id);
	refused(store_job_claim(db, mem, "exclusive", 7, T0, T0, &first, &err), E_NOT_FOUND,
		"the queue of slot 'exclusive' is empty");
	finish();
}
END_TEST

START_TEST(a_job_waits_for_its_time_and_its_slot)
{
	struct project p;
	struct job j, none;

	start();
	p = a_project("p");
	j = add_job(p.id, "a", PRIORITY_MANUAL);
	j.not_before_ns = T0 + 50;
	ok(store_job_save(db, &j, -1, &err));
	refused(store_job_claim(db, mem, "exclusive", 7, T0, T0, &none, &err), E_NOT_FOUND,
		"is empty");
	refused(store_job_claim(db, mem, "shared", 7, T0 + 60, T0, &none, &err), E_NOT_FOUND,
		"is empty");
	ok(store_job_claim(db, mem, "exclusive", 7, T0 + 50, T0, &none, &err));
	finish();
}
END_TEST

START_TEST(an_old_attempt_is_refused)
{
	struct project p;
	struct job first, second;

	start();
	p = a_project("p");
	add_job(p.id, "a", PRIORITY_MANUAL);
	first = claim("exclusive");
	ok(store_job_lease(db, first.id, 1, T0 + 200, &err));
	second = first;
	second.state = JOB_QUEUED;
	ok(store_job_save(db, &second, 1, &err));
	second = claim("exclusive");
	ck_assert_int_eq(second.attempt, 2);
	first.state = JOB_SUCCEEDED;
	refused(store_job_save(db, &first, 1, &err), E_CONFLICT,
		"at attempt 2, this is attempt 1");
	refused(store_job_lease(db, first.id, 1, T0 + 300, &err), E_CONFLICT,
		"attempt 1 of the job does not run");
	ck_assert_int_eq(reload(&first).state, JOB_RUNNING);
	first.id = 999;
	refused(store_job_save(db, &first, 1, &err), E_NOT_FOUND, "not there");
	finish();
}
END_TEST

START_TEST(leases_that_are_over_are_found)
{
	struct project p;
	struct job *list;
	size_t n;

	start();
	p = a_project("p");
	add_job(p.id, "a", PRIORITY_MANUAL);
	add_job(p.id, "b", PRIORITY_MANUAL);
	claim("exclusive");
	ok(store_job_expired(db, mem, T0 + 99, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	ok(store_job_expired(db, mem, T0 + 100, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(list[0].name, "a");
	finish();
}
END_TEST

START_TEST(places_and_counts_follow_the_queue)
{
	int64_t place, counts[job_state_count];
	struct project p;
	struct job a, b;

	start();
	p = a_project("p");
	a = add_job(p.id, "a", PRIORITY_NIGHTLY);
	b = add_job(p.id, "b", PRIORITY_MANUAL);
	ok(store_job_position(db, a.id, &place, &err));
	ck_assert_int_eq(place, 2);
	ok(store_job_position(db, b.id, &place, &err));
	ck_assert_int_eq(place, 1);
	claim("exclusive");
	ok(store_job_position(db, b.id, &place, &err));
	ck_assert_int_eq(place, 0);
	ok(store_job_counts(db, counts, &err));
	ck_assert_int_eq(counts[JOB_QUEUED], 1);
	ck_assert_int_eq(counts[JOB_RUNNING], 1);
	ck_assert_int_eq(counts[JOB_FAILED], 0);
	finish();
}
END_TEST

START_TEST(lists_filter_and_page)
{
	struct project p, q;
	struct job *list, one;
	struct job_filter f = { .limit = 2 };
	size_t n;

	start();
	p = a_project("p");
	q = a_project("q");
	for (int i = 0; i < 3; i++)
		add_job(p.id, "a", PRIORITY_NIGHTLY);
	add_job(p.id, "b", PRIORITY_MANUAL);
	one = add_job(q.id, "a", PRIORITY_CONFIRM);
	end_job(&one, JOB_SUCCEEDED);
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(list[0].id, one.id);
	ck_assert_ptr_null(list[0].definition_json);
	f.project_id = p.id;
	f.name = "a";
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(list[0].id, 3);
	f.before_id = list[1].id;
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(list[0].id, 1);
	f = (struct job_filter){ .limit = 100,
		.states = 1u << JOB_QUEUED | 1u << JOB_RUNNING,
		.queue_order = true };
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 4);
	ck_assert_str_eq(list[0].name, "b");
	f.project_id = q.id;
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	f = (struct job_filter){ .limit = 100, .states = 1u << JOB_SUCCEEDED };
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	f = (struct job_filter){ .limit = 100, .branch = "other" };
	ok(store_job_list(db, mem, &f, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	finish();
}
END_TEST

START_TEST(a_blocked_job_runs_after_what_it_depends_on)
{
	struct project p;
	struct job build, measure, gate, always;
	int64_t *ids;
	size_t n;

	start();
	p = a_project("p");
	build = add_job(p.id, "build", PRIORITY_MANUAL);
	measure = add_job(p.id, "measure", PRIORITY_MANUAL);
	gate = add_job(p.id, "gate", PRIORITY_MANUAL);
	always = add_job(p.id, "always", PRIORITY_MANUAL);
	end_job(&measure, JOB_BLOCKED);
	end_job(&gate, JOB_BLOCKED);
	end_job(&always, JOB_BLOCKED);
	ok(store_job_depends(db, measure.id, build.id, "success", &err));
	ok(store_job_depends(db, gate.id, measure.id, "success", &err));
	ok(store_job_depends(db, always.id, build.id, "any", &err));
	ok(store_job_dependents(db, mem, build.id, &ids, &n, &err));
	ck_assert_int_eq(n, 2);
	ok(store_job_unblock(db, T0, &err));
	ck_assert_int_eq(reload(&measure).state, JOB_BLOCKED);
	end_job(&build, JOB_SUCCEEDED);
	ok(store_job_unblock(db, T0 + 5, &err));
	ck_assert_int_eq(reload(&measure).state, JOB_QUEUED);
	ck_assert_int_eq(reload(&measure).queued_ns, T0 + 5);
	ck_assert_int_eq(reload(&always).state, JOB_QUEUED);
	ck_assert_int_eq(reload(&gate).state, JOB_BLOCKED);
	finish();
}
END_TEST

START_TEST(a_failure_cancels_the_whole_chain_behind_it)
{
	struct project p;
	struct job build, measure, gate, always;

	start();
	p = a_project("p");
	build = add_job(p.id, "build", PRIORITY_MANUAL);
	measure = add_job(p.id, "measure", PRIORITY_MANUAL);
	gate = add_job(p.id, "gate", PRIORITY_MANUAL);
	always = add_job(p.id, "always", PRIORITY_MANUAL);
	end_job(&measure, JOB_BLOCKED);
	end_job(&gate, JOB_BLOCKED);
	end_job(&always, JOB_BLOCKED);
	ok(store_job_depends(db, measure.id, build.id, "success", &err));
	ok(store_job_depends(db, gate.id, measure.id, "success", &err));
	ok(store_job_depends(db, always.id, measure.id, "any", &err));
	end_job(&build, JOB_FAILED);
	ok(store_job_unblock(db, T0 + 5, &err));
	ck_assert_int_eq(reload(&measure).state, JOB_CANCELED);
	ck_assert_str_eq(reload(&measure).reason, "a job that it depends on did not succeed");
	ck_assert_int_eq(reload(&gate).state, JOB_CANCELED);
	ck_assert_int_eq(reload(&gate).finished_ns, T0 + 5);
	ck_assert_int_eq(reload(&always).state, JOB_QUEUED);
	finish();
}
END_TEST

START_TEST(jobs_cannot_wait_for_each_other)
{
	struct project p;
	struct job a, b, c;

	start();
	p = a_project("p");
	a = add_job(p.id, "a", PRIORITY_MANUAL);
	b = add_job(p.id, "b", PRIORITY_MANUAL);
	c = add_job(p.id, "c", PRIORITY_MANUAL);
	ok(store_job_depends(db, b.id, a.id, "success", &err));
	ok(store_job_depends(db, c.id, b.id, "any", &err));
	refused(store_job_depends(db, a.id, c.id, "any", &err), E_UNPROCESSABLE, "in a circle");
	refused(store_job_depends(db, a.id, a.id, "any", &err), E_UNPROCESSABLE, "in a circle");
	refused(store_job_depends(db, a.id, 999, "any", &err), E_CONFLICT, "is gone");
	finish();
}
END_TEST

START_TEST(a_waiting_job_moves_up_one_class_at_a_time)
{
	struct project p;
	struct job night, push;

	start();
	p = a_project("p");
	night = add_job(p.id, "night", PRIORITY_NIGHTLY);
	ok(store_job_age(db, T0 - 1, T0 + 10, PRIORITY_PUSH, &err)); /* too young */
	ok(store_job_age(db, T0, T0 + 10, PRIORITY_PUSH, &err));
	push = add_job(p.id, "push", PRIORITY_PUSH);
	ok(store_job_age(db, T0 + 9, T0 + 20, PRIORITY_PUSH, &err)); /* aged at T0 + 10 */
	ck_assert_int_eq(claim("exclusive").id, push.id);
	push = add_job(p.id, "push", PRIORITY_PUSH);
	push.queued_ns = T0 + 5;
	ok(store_job_save(db, &push, -1, &err));
	for (int i = 0; i < 5; i++)
		ok(store_job_age(db, T0 + 1000 * i, T0 + 1000 * i, PRIORITY_PUSH, &err));
	ck_assert_int_eq(claim("exclusive").id, night.id);
	ck_assert_int_eq(reload(&night).priority, PRIORITY_NIGHTLY);
	finish();
}
END_TEST

START_TEST(older_open_jobs_of_the_same_key_are_found)
{
	struct project p;
	struct job j = { .name = "a",
		.kind = "command",
		.slot = "exclusive",
		.state = JOB_QUEUED,
		.definition_json = "{}",
		.supersede_key = "k" },
		   *list;
	size_t n;

	start();
	p = a_project("p");
	j.project_id = p.id;
	for (int i = 0; i < 4; i++)
		ok(store_job_add(db, mem, &j, &err));
	j.id = 2;
	end_job(&j, JOB_SUCCEEDED);
	ok(store_job_superseded(db, mem, "k", 4, &list, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(list[0].id, 1);
	ck_assert_int_eq(list[1].id, 3);
	ok(store_job_superseded(db, mem, "other", 4, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	finish();
}
END_TEST

START_TEST(events_are_replayed_after_the_last_seen)
{
	struct project p;
	struct job a, b;
	struct job_event *e;
	size_t n;

	start();
	p = a_project("p");
	a = add_job(p.id, "a", PRIORITY_MANUAL);
	b = add_job(p.id, "b", PRIORITY_MANUAL);
	ok(store_job_event_add(db, a.id, T0, "state", "{\"state\":\"queued\"}", &err));
	ok(store_job_event_add(db, b.id, T0, "state", NULL, &err));
	ok(store_job_event_add(db, a.id, T0 + 1, "done", "{}", &err));
	ok(store_job_events(db, mem, a.id, 0, 10, &e, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(e[0].data_json, "{\"state\":\"queued\"}");
	ok(store_job_events(db, mem, a.id, e[0].id, 10, &e, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(e[0].kind, "done");
	finish();
}
END_TEST

/* --- logs --- */

START_TEST(a_short_log_is_kept_whole)
{
	struct project p;
	struct job j;
	const char *text;

	start();
	p = a_project("p");
	j = add_job(p.id, "a", PRIORITY_MANUAL);
	ok(store_job_log_read(db, mem, j.id, &text, &err));
	ck_assert_str_eq(text, "");
	ok(store_job_log_append(db, j.id, "build", "one\n", 4, T0, &err));
	ok(store_job_log_append(db, j.id, "stdout", "two\0\n", 5, T0, &err));
	ok(store_job_log_read(db, mem, j.id, &text, &err));
	ck_assert_str_eq(text, "one\ntwo?\n");
	finish();
}
END_TEST

/* n lines "line 0000001\n" of 13 bytes. */
static void log_lines(const struct job *j, int from, int n, int at_once)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	for (int i = from; i < from + n; i++) {
		buf_printf(&b, "line %07d\n", i);
		if ((i + 1) % at_once == 0 || i + 1 == from + n) {
			ok(store_job_log_append(db, j->id, "stdout", b.data, b.len, T0, &err));
			buf_clear(&b);
		}
	}
}

START_TEST(a_long_log_keeps_its_head_and_its_tail)
{
	const int n = 100000;
	const char *text, *mark;
	struct project p;
	struct job j;
	long long left_out;
	int64_t pieces;

	start();
	p = a_project("p");
	j = add_job(p.id, "a", PRIORITY_MANUAL);
	log_lines(&j, 0, n, 997);
	ok(store_job_log_read(db, mem, j.id, &text, &err));
	ck_assert_int_eq(strncmp(text, "line 0000000\n", 13), 0);
	mark = strstr(text, "\n[... ");
	ck_assert_ptr_nonnull(mark);
	ck_assert_int_eq(mark - text, 256 * 1024);
	ck_assert_int_eq(sscanf(mark, "\n[... %lld bytes left out ...]\n", &left_out), 1);
	ck_assert_int_eq(left_out, n * 13LL - 2 * 256 * 1024);
	ck_assert_str_eq(text + strlen(text) - 13, "line 0099999\n");
	ok(db_pragma_int(db, "SELECT sum(length(data)) FROM job_log_piece", &pieces, &err));
	ck_assert_int_le(pieces, 2 * 256 * 1024 + 997 * 13);
	finish();
}
END_TEST

START_TEST(one_huge_piece_and_characters_across_the_cut_are_no_trouble)
{
	enum { N = 700000 };
	char *data = malloc(N);
	const char *text, *mark;
	struct project p;
	struct job j;

	start();
	p = a_project("p");
	j = add_job(p.id, "a", PRIORITY_MANUAL);
	data[0] = 'x'; /* two-byte characters from here on: the cuts fall inside one */
	for (int i = 1; i + 1 < N; i += 2)
		memcpy(data + i, "\xc3\xa4", 2);
	ok(store_job_log_append(db, j.id, "stdout", data, N - 1, T0, &err));
	ok(store_job_log_read(db, mem, j.id, &text, &err));
	mark = strstr(text, "\n[... ");
	ck_assert_ptr_nonnull(mark);
	ck_assert_int_eq(mark - text, 256 * 1024 - 1);
	ck_assert_int_eq((unsigned char)*(strchr(mark + 1, '\n') + 1), 0xc3);
	ck_assert_int_eq(strlen(strchr(mark + 1, '\n') + 1), 256 * 1024);
	free(data);
	finish();
}
END_TEST

/* --- claims at once --- */

enum { CLAIMERS = 8, CLAIM_JOBS = 1000 };
struct claimer {
	pthread_t thread;
	int64_t taken[CLAIM_JOBS];
	int n;
};

/* A writer of its own for each: what several daemons on one database would be. */
static void *claim_all(void *arg)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct claimer *c = arg;
	struct store *s;
	struct error e;
	struct job j;
	int r = store_open_with(db_path, schema_files, false, &s, &e);

	while (r == OK) {
		r = store_begin(s, &e);
		if (r == E_UNAVAILABLE) {
			r = OK;
			continue;
		}
		if (r == OK)
			r = store_job_claim(s, a, "exclusive", 1, T0, T0 + 1, &j, &e);
		if (r == OK)
			r = store_commit(s, &e);
		if (r == OK)
			c->taken[c->n++] = j.id;
	}
	store_rollback(s);
	store_close(s);
	return (void *)(intptr_t)(r == E_NOT_FOUND ? OK : r);
}

START_TEST(eight_claimers_take_each_of_a_thousand_jobs_once)
{
	static struct claimer c[CLAIMERS];
	static bool seen[CLAIM_JOBS + 1];
	struct project p;
	int64_t n = 0, twice = 0;
	void *result;

	make_folder();
	ok(store_open_with(db_path, schema_files, false, &db, &err));
	ok(db_exec(db, "PRAGMA synchronous = OFF", &err));
	ok(store_begin(db, &err));
	p = a_project("p");
	for (int i = 0; i < CLAIM_JOBS; i++)
		add_job(p.id, "a", PRIORITY_MANUAL);
	ok(store_commit(db, &err));
	for (int i = 0; i < CLAIMERS; i++)
		ck_assert_int_eq(pthread_create(&c[i].thread, NULL, claim_all, &c[i]), 0);
	for (int i = 0; i < CLAIMERS; i++) {
		pthread_join(c[i].thread, &result);
		ck_assert_int_eq((intptr_t)result, OK);
		for (int k = 0; k < c[i].n; k++) {
			twice += seen[c[i].taken[k]];
			seen[c[i].taken[k]] = true;
			n++;
		}
	}
	ck_assert_int_eq(twice, 0);
	ck_assert_int_eq(n, CLAIM_JOBS);
	ok(db_pragma_int(db, "SELECT count(*) FROM job WHERE attempt = 1", &n, &err));
	ck_assert_int_eq(n, CLAIM_JOBS);
	ok(store_begin(db, &err));
	finish();
}
END_TEST

SUITE("store_job", a_job_is_read_as_it_was_filed, what_the_pipeline_changes_is_saved,
	the_highest_class_and_then_the_oldest_is_claimed, a_job_waits_for_its_time_and_its_slot,
	an_old_attempt_is_refused, leases_that_are_over_are_found,
	places_and_counts_follow_the_queue, lists_filter_and_page,
	a_blocked_job_runs_after_what_it_depends_on,
	a_failure_cancels_the_whole_chain_behind_it, jobs_cannot_wait_for_each_other,
	a_waiting_job_moves_up_one_class_at_a_time, older_open_jobs_of_the_same_key_are_found,
	events_are_replayed_after_the_last_seen, a_short_log_is_kept_whole,
	a_long_log_keeps_its_head_and_its_tail,
	one_huge_piece_and_characters_across_the_cut_are_no_trouble,
	eight_claimers_take_each_of_a_thousand_jobs_once)
