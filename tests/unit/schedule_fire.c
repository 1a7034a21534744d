/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every slot exactly once: clock changes, clocks that are set, restarts, misfires, pauses. */
#include "tests/lib/store.h"

#include "base/clock.h"
#include "daemon/schedule/schedule.h"

static int64_t project_id;
static int n_filed, refuse_with;
static const char *last_superseded;

static int fake_file(void *arg, struct store *st, struct arena *a, const struct schedule *s,
	json_t *body, int64_t now_ns, struct job *ret, struct error *e)
{
	struct job j = { .project_id = s->project_id,
		.name = json_get_str(body, "workload", "?"),
		.kind = "command",
		.slot = "exclusive",
		.state = JOB_QUEUED,
		.priority = PRIORITY_NIGHTLY,
		.max_attempts = 3,
		.created_ns = now_ns,
		.queued_ns = now_ns,
		.definition_json = "{}" };
	int r = store_job_add(st, a, &j, e);

	if (r == OK && refuse_with)
		return error_set(e, refuse_with, "no: %s", j.name);
	n_filed += r == OK;
	*ret = j;
	return r;
}

static int fake_supersede(void *arg, struct store *st, struct arena *a, const char *job_uuid,
	const char *reason, int64_t now_ns, struct error *e)
{
	struct job j;
	int r = store_job_find(st, a, job_uuid, &j, e);

	last_superseded = arena_strdup(mem, job_uuid);
	j.state = JOB_SUPERSEDED;
	j.reason = reason;
	return r == OK ? store_job_save(st, &j, -1, e) : r;
}

static const struct schedule_desk desk = { .file = fake_file, .supersede = fake_supersede };

static int64_t at(const char *text)
{
	int64_t ns;

	ok(time_parse(text, &ns, &err));
	return ns;
}

static void begin(void)
{
	start();
	project_id = a_project("p").id;
	n_filed = refuse_with = 0;
	last_superseded = NULL;
}

static struct schedule make(const char *members, int64_t now_ns)
{
	struct schedule s = schedule_defaults();
	json_t *o;

	ok(json_parse(members, strlen(members), &o, &err));
	arena_own_json(mem, o);
	s.project_id = project_id;
	s.name = "night";
	s.job_json = "{\"workload\":\"w\"}";
	ok(schedule_read(o, "", mem, NULL, &s, &err));
	s.seen_ns = s.created_ns = s.modified_ns = now_ns;
	ok(schedule_plan(&s, &err));
	ok(store_schedule_add(db, mem, &s, &err));
	return s;
}

static struct schedule_tally tick(int64_t now_ns)
{
	struct schedule_tally t;

	ok(schedule_tick(db, mem, &desk, now_ns, &t, &err));
	return t;
}

/* A daemon that is there: it wakes when something is due, until the time given. */
static int live(int64_t from_ns, int64_t to_ns)
{
	int before = n_filed;
	int64_t next = tick(from_ns).next_due_ns;

	while (next && next <= to_ns)
		next = tick(next).next_due_ns;
	return n_filed - before;
}

static struct firing newest(const struct schedule *s)
{
	struct firing *list;
	size_t n;

	ok(store_firing_list(db, mem, s->id, 1, &list, &n, &err));
	ck_assert_int_eq((int)n, 1);
	return list[0];
}

static void end_job(const struct firing *f)
{
	struct job j;

	ok(store_job_get(db, mem, f->job_id, &j, &err));
	j.state = JOB_SUCCEEDED;
	ok(store_job_save(db, &j, -1, &err));
}

static void reopen(void)
{
	ok(store_commit(db, &err));
	store_close(db);
	ok(store_open(db_path, &db, &err));
	ok(store_begin(db, &err));
	ok(schedule_sync(db, mem, NULL, T0, &err));
}

START_TEST(a_nightly_fires_once_a_day_across_both_clock_changes)
{
	begin();
	make("{\"cron\":\"30 2 * * *\",\"time_zone\":\"Europe/Berlin\",\"overlap\":\"allow\"}",
		at("2026-03-01T00:00:00Z"));
	/* 02:30 does not exist on 29 March and comes twice on 25 October. */
	ck_assert_int_eq(live(at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z")), 3);
	ck_assert_int_eq(live(at("2026-10-24T12:00:00Z"), at("2026-10-26T12:00:00Z")), 3);
	finish();
}
END_TEST

START_TEST(quarter_hours_go_on_evenly_across_clock_changes)
{
	begin();
	make("{\"cron\":\"*/15 * * * "
	     "*\",\"time_zone\":\"Europe/Berlin\",\"overlap\":\"allow\"}",
		at("2026-10-24T22:00:00Z"));
	ck_assert_int_eq(live(at("2026-10-24T22:00:00Z"), at("2026-10-25T22:00:00Z")), 96);
	finish();
}
END_TEST

START_TEST(a_clock_that_is_set_back_fires_no_slot_again)
{
	struct schedule s;
	int64_t noon = at("2026-11-21T12:00:00Z"), day = 86400 * NS_PER_S;

	begin();
	s = make("{\"cron\":\"0 * * * *\",\"overlap\":\"allow\"}", noon - day);
	ck_assert_int_eq(live(noon - day + 1, noon), 24);
	/* A day back: nothing of that day again, and everything behind it in its time. */
	ck_assert_int_eq(live(noon - day + 1, noon), 0);
	ck_assert_int_eq(live(noon + 1, noon + day), 24);
	/* From a wrong future back to the present the schedule lives on. */
	tick(at("2040-01-01T00:00:30Z"));
	ck_assert_int_eq(live(noon + day + 1, noon + 2 * day), 24);
	ok(store_schedule_find(db, mem, project_id, "night", &s, &err));
	ck_assert_int_eq(s.slot_ns, noon + 2 * day + 3600 * NS_PER_S);
	finish();
}
END_TEST

START_TEST(a_clock_that_is_set_forward_leaves_misfires)
{
	struct schedule s;
	int64_t noon = at("2026-11-21T12:00:00Z"), day = 86400 * NS_PER_S;
	struct firing f;

	begin();
	s = make("{\"cron\":\"30 * * * *\",\"overlap\":\"allow\"}", noon);
	ck_assert_int_eq(tick(noon + day).n_filed, 1);
	f = newest(&s);
	ck_assert_int_eq(f.slot_ns, noon + day - 1800 * NS_PER_S);
	ck_assert_int_eq(f.n_missed, 23);
	ck_assert_int_eq(live(noon + day + 1, noon + day + 3600 * NS_PER_S), 1);
	finish();
}
END_TEST

START_TEST(a_restart_in_the_middle_neither_loses_nor_doubles_a_slot)
{
	int64_t noon = at("2026-11-21T12:00:00Z");

	begin();
	make("{\"cron\":\"*/10 * * * *\",\"overlap\":\"allow\"}", noon);
	ck_assert_int_eq(live(noon, noon + 1790 * NS_PER_S), 2);
	reopen();
	ck_assert_int_eq(live(noon + 1795 * NS_PER_S, noon + 3600 * NS_PER_S), 4);
	reopen();
	ck_assert_int_eq(live(noon + 3600 * NS_PER_S, noon + 3600 * NS_PER_S), 0);
	finish();
}
END_TEST

START_TEST(what_was_not_committed_fires_after_the_restart)
{
	int64_t noon = at("2026-11-21T12:00:00Z");

	begin();
	make("{\"cron\":\"0 13 * * *\"}", noon);
	ok(store_commit(db, &err));
	ok(store_begin(db, &err));
	ck_assert_int_eq(tick(noon + 3600 * NS_PER_S).n_filed, 1);
	store_rollback(db); /* killed before the commit: neither row nor job */
	ok(store_begin(db, &err));
	ck_assert_int_eq(tick(noon + 3601 * NS_PER_S).n_filed, 1);
	ck_assert_int_eq(tick(noon + 3602 * NS_PER_S).n_filed, 0);
	finish();
}
END_TEST

START_TEST(a_misfire_is_run_once_or_skipped_by_its_policy)
{
	int64_t noon = at("2026-11-21T12:00:00Z"), day = 86400 * NS_PER_S;
	struct schedule s;
	struct firing f;

	begin();
	s = make("{\"cron\":\"0 3 * * *\",\"misfire\":\"skip\"}", noon);
	ck_assert_int_eq(tick(noon + 5 * day).n_missed, 5);
	f = newest(&s);
	ck_assert_int_eq(f.state, FIRING_MISSED);
	ck_assert_int_eq(f.n_missed, 4);
	ck_assert_int_eq(f.job_id, 0);
	ck_assert_ptr_nonnull(strstr(f.reason, "nobody was there"));
	/* Late by less than the grace is no misfire. */
	ck_assert_int_eq(tick(at("2026-11-27T03:04:59Z")).n_filed, 1);
	ok(store_schedule_remove(db, &s, &err));
	s = make("{\"cron\":\"0 3 * * *\",\"misfire\":\"run_once\"}", noon);
	ck_assert_int_eq(tick(noon + 5 * day).n_filed, 1);
	ck_assert_int_eq(newest(&s).n_missed, 4);
	finish();
}
END_TEST

START_TEST(a_pause_is_no_misfire)
{
	int64_t noon = at("2026-11-21T12:00:00Z"), day = 86400 * NS_PER_S;
	struct schedule s;

	begin();
	s = make("{\"cron\":\"0 3 * * *\"}", noon);
	s.is_paused = true;
	ok(store_schedule_save(db, &s, &err));
	ck_assert_int_eq(live(noon, noon + 3 * day), 0);
	ck_assert_int_eq(tick(noon + 3 * day).next_due_ns, 0);
	s.is_paused = false;
	s.seen_ns = noon + 3 * day; /* as PATCH does */
	ok(schedule_plan(&s, &err));
	ok(store_schedule_save(db, &s, &err));
	ck_assert_int_eq(live(noon + 3 * day, noon + 4 * day), 1);
	finish();
}
END_TEST

START_TEST(a_slot_whose_predecessor_still_runs_is_skipped_or_replaces_it)
{
	int64_t noon = at("2026-11-21T12:00:00Z"), hour = 3600 * NS_PER_S;
	struct schedule s;
	struct firing first, second;

	begin();
	s = make("{\"cron\":\"0 * * * *\"}", noon);
	tick(noon + hour);
	first = newest(&s);
	ck_assert_int_eq(tick(noon + 2 * hour).n_filed, 0);
	second = newest(&s);
	ck_assert_int_eq(second.state, FIRING_SKIPPED);
	ck_assert_ptr_nonnull(strstr(second.reason, "is still queued"));
	ck_assert_ptr_nonnull(strstr(second.reason, first.job_uuid));
	end_job(&first);
	ck_assert_int_eq(tick(noon + 3 * hour).n_filed, 1);
	ok(store_schedule_find(db, mem, project_id, "night", &s, &err));
	s.overlap = OVERLAP_SUPERSEDE;
	ok(store_schedule_save(db, &s, &err));
	first = newest(&s);
	ck_assert_int_eq(tick(noon + 4 * hour).n_filed, 1);
	ck_assert_str_eq(last_superseded, first.job_uuid);
	finish();
}
END_TEST

START_TEST(a_job_that_cannot_be_filed_is_recorded_with_its_reason)
{
	int64_t noon = at("2026-11-21T12:00:00Z"), hour = 3600 * NS_PER_S;
	struct schedule s;
	struct firing f;
	int64_t counts[job_state_count];

	begin();
	s = make("{\"cron\":\"0 * * * *\"}", noon);
	refuse_with = E_NOT_FOUND;
	ck_assert_int_eq(tick(noon + hour).n_failed, 1);
	f = newest(&s);
	ck_assert_int_eq(f.state, FIRING_FAILED);
	ck_assert_str_eq(f.reason, "no: w");
	ok(store_job_counts(db, counts, &err));
	ck_assert_int_eq(counts[JOB_QUEUED], 0); /* nothing of it stayed */
	refuse_with = 0;
	ck_assert_int_eq(tick(noon + 2 * hour).n_filed, 1);
	finish();
}
END_TEST

START_TEST(a_full_queue_uses_up_no_slot)
{
	int64_t noon = at("2026-11-21T12:00:00Z"), hour = 3600 * NS_PER_S;
	struct schedule_tally t;

	begin();
	make("{\"cron\":\"0 * * * *\"}", noon);
	refuse_with = E_UNAVAILABLE;
	t = tick(noon + hour);
	ck_assert(t.is_held);
	ck_assert_int_eq(t.next_due_ns, noon + hour);
	refuse_with = 0;
	ck_assert_int_eq(tick(noon + hour + 10 * NS_PER_S).n_filed, 1);
	finish();
}
END_TEST

START_TEST(jitter_is_the_same_after_a_restart_and_stays_inside_its_limit)
{
	int64_t noon = at("2026-11-21T12:00:00Z");
	struct slot slots[50], again[50];
	bool differ = false;
	struct schedule s;
	size_t n;

	begin();
	s = make("{\"cron\":\"*/5 * * * *\",\"jitter\":\"20m\",\"overlap\":\"allow\"}", noon);
	ok(schedule_slots(&s, noon, slots, 50, &n, &err));
	ok(schedule_slots(&s, noon, again, 50, &n, &err));
	ck_assert_int_eq((int)n, 50);
	ck_assert_int_eq(memcmp(slots, again, sizeof(slots)), 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert(slots[i].due_ns >= slots[i].at_ns);
		ck_assert(slots[i].due_ns < slots[i].at_ns + 300 * NS_PER_S);
		differ |= slots[i].due_ns - slots[i].at_ns != slots[0].due_ns - slots[0].at_ns;
	}
	ck_assert(differ);
	ck_assert_int_eq(live(noon, noon + 3900 * NS_PER_S - 1), 12);
	finish();
}
END_TEST

START_TEST(a_run_by_hand_is_a_firing_of_its_own)
{
	int64_t noon = at("2026-11-21T12:00:00Z");
	struct schedule s;
	struct firing a, b;

	begin();
	s = make("{\"cron\":\"0 3 * * *\"}", noon);
	ok(schedule_run_now(db, mem, &desk, &s, noon, &a, &err));
	ok(schedule_run_now(db, mem, &desk, &s, noon, &b, &err));
	ck_assert_int_eq(b.slot_ns, a.slot_ns + 1);
	ck_assert(newest(&s).is_manual);
	finish();
}
END_TEST

START_TEST(the_configuration_decides_about_its_own_rows_only)
{
	int64_t noon = at("2026-11-21T12:00:00Z"), hour = 3600 * NS_PER_S;
	json_t *one, *other;
	struct schedule s, mine;

	begin();
	mine = make("{\"cron\":\"0 3 * * *\"}", noon);
	one = arena_own_json(mem, json_pack("{s{ss ss ss}}", "conf", "cron", "0 * * * *",
					  "workload", "w", "project", "p"));
	other = arena_own_json(mem, json_pack("{s{ss ss ss}}", "conf", "cron", "5 * * * *",
					    "workload", "w", "project", "p"));
	ok(schedule_sync(db, mem, one, noon, &err));
	ok(store_schedule_find(db, mem, project_id, "conf", &s, &err));
	ck_assert_str_eq(s.source, "config");
	/* The same rule again after an outage: what was missed is still missed. */
	ok(schedule_sync(db, mem, one, noon + 2 * hour, &err));
	ck_assert_int_eq(tick(noon + 2 * hour + 1).n_filed, 1);
	/* Another rule: counted from now on. */
	ok(schedule_sync(db, mem, other, noon + 10 * hour, &err));
	ck_assert_int_eq(tick(noon + 10 * hour + 1).n_filed, 0);
	ok(schedule_sync(db, mem, arena_own_json(mem, json_object()), noon, &err));
	refused(store_schedule_find(db, mem, project_id, "conf", &s, &err), E_NOT_FOUND,
		"no schedule 'conf'");
	ok(store_schedule_find(db, mem, project_id, mine.uuid, &s, &err));
	finish();
}
END_TEST

START_TEST(wrong_schedules_name_the_member)
{
	static const char *const bad[][3] = {
		{ "{\"cron\":\"61 * * * *\"}", "/cron", "no minute" },
		{ "{\"cron\":\"@daily\",\"time_zone\":\"Mars/Olympus\"}", "/time_zone",
			"time zone" },
		{ "{\"cron\":\"@daily\",\"misfire\":\"twice\"}", "/misfire", "run_once" },
		{ "{\"cron\":\"@daily\",\"jitter\":\"2h\"}", "/jitter", "3600" },
		{ "{\"corn\":\"@daily\"}", "/corn", "did you mean 'cron'" },
		{ "{}", "/cron", "is missing" },
		{ "{\"cron\":\"@daily\",\"job\":{},\"workload\":\"w\"}", "/job", "exclude" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct schedule s = schedule_defaults();
		json_t *o;

		s.name = "x";
		s.job_json = "{}";
		ok(json_parse(bad[i][0], strlen(bad[i][0]), &o, &err));
		arena_own_json(mem, o);
		refused(schedule_read(o, "", mem, NULL, &s, &err), E_UNPROCESSABLE, bad[i][2]);
		ck_assert_str_eq(err.field, bad[i][1]);
	}
	finish();
}
END_TEST

SUITE("schedule_fire", a_nightly_fires_once_a_day_across_both_clock_changes,
	quarter_hours_go_on_evenly_across_clock_changes,
	a_clock_that_is_set_back_fires_no_slot_again,
	a_clock_that_is_set_forward_leaves_misfires,
	a_restart_in_the_middle_neither_loses_nor_doubles_a_slot,
	what_was_not_committed_fires_after_the_restart,
	a_misfire_is_run_once_or_skipped_by_its_policy, a_pause_is_no_misfire,
	a_slot_whose_predecessor_still_runs_is_skipped_or_replaces_it,
	a_job_that_cannot_be_filed_is_recorded_with_its_reason, a_full_queue_uses_up_no_slot,
	jitter_is_the_same_after_a_restart_and_stays_inside_its_limit,
	a_run_by_hand_is_a_firing_of_its_own, the_configuration_decides_about_its_own_rows_only,
	wrong_schedules_name_the_member)
