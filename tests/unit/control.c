/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control kernel: when it moved, the host moved, and what the run shows is held back. */
#include "tests/lib/store.h"

#include "base/rng.h"
#include "daemon/analysis/analysis.h"

static struct rng rng;
static struct project p;

static void begin(void)
{
	start();
	rng_init(&rng, 7);
	p = a_project("p");
}

static double around(double level)
{
	return level * (1 + 0.01 * (rng_uniform(&rng) - 0.5));
}

static struct job a_job(
	const char *name, const char *kind, const char *definition, const char *report_uuid)
{
	struct job j = { .project_id = p.id,
		.name = name,
		.kind = kind,
		.slot = "exclusive",
		.trigger = "schedule",
		.branch = "main",
		.state = JOB_SUCCEEDED,
		.definition_json = definition,
		.max_attempts = 3,
		.created_ns = T0 };

	ok(store_job_add(db, mem, &j, &err));
	j.report_uuid = report_uuid;
	ok(store_job_save(db, &j, -1, &err));
	return j;
}

static void judge(struct job *j)
{
	struct findings *f;
	struct rerun *reruns;
	size_t n;

	ok(analysis_judge(db, mem, j, &f, &err));
	ok(analysis_save(db, mem, f, T0, j, &reruns, &n, &err));
	ok(store_job_save(db, j, -1, &err));
	ck_assert_uint_eq(n, 0);
}

/* One night: the control, then the work that depends on it. Returns the work's job. */
static struct job night(int k, double control, double work)
{
	const char *hash = arena_printf(mem, "%040x", k + 1);
	struct job c, w;

	c = a_job("control", "command", "{\"tags\":[\"control\"]}",
		add_report(p.id, "main", hash, "unchanging", control).uuid);
	judge(&c);
	w = a_job("work", "command", "{}", add_report(p.id, "main", hash, "work", work).uuid);
	ok(store_job_depends(db, w.id, c.id, "any", &err));
	judge(&w);
	return w;
}

static void nights(int from, int to)
{
	for (int k = from; k < to; k++)
		night(k, around(50), around(100));
}

static size_t alerts_of(const char *benchmark, struct alert **ret)
{
	struct alert *all, *kept;
	size_t n, m = 0;

	ok(store_alert_list(db, mem, p.id, 0, 100, &all, &n, &err));
	kept = ARENA_ARRAY(mem, struct alert, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].benchmark.name, benchmark))
			kept[m++] = all[i];
	*ret = kept;
	return m;
}

static json_t *control_of(const struct job *j)
{
	struct job read;
	json_t *o;

	ok(store_job_get(db, mem, j->id, &read, &err));
	o = analysis_control(mem, &read);
	ck_assert_ptr_nonnull(o);
	return o;
}

static unsigned newest_flags(const char *benchmark)
{
	struct series s;
	struct point *points;
	size_t n;

	ok(store_series_find(db, mem, p.id, "main", "host", benchmark, "latency", &s, &err));
	ok(store_series_points(db, mem, s.id, 100, &points, &n, &err));
	return points[n - 1].flags;
}

START_TEST(a_slower_benchmark_beside_a_steady_control_is_a_suspect)
{
	struct alert *a;
	struct job j;

	begin();
	nights(0, 12);
	j = night(12, around(50), 110);
	ck_assert(!json_get_bool(control_of(&j), "moved", true));
	ck_assert_uint_eq(alerts_of("work", &a), 1);
	ck_assert_int_eq(a[0].state, ALERT_SUSPECT);
	ck_assert_ptr_null(strstr(a[0].reason, "held"));
	finish();
}
END_TEST

START_TEST(the_same_beside_a_control_that_moved_is_held)
{
	struct alert *a;
	struct job j;

	begin();
	nights(0, 12);
	j = night(12, 55, 110);
	ck_assert(json_get_bool(control_of(&j), "moved", false));
	ck_assert(fabs(json_get_real(control_of(&j), "effect", 0) - 0.1) < 0.01);
	ck_assert_uint_eq(alerts_of("work", &a), 1);
	ck_assert_int_eq(a[0].state, ALERT_SUSPECT);
	ck_assert_ptr_nonnull(strstr(a[0].reason, "held: the control kernel moved by +"));
	ck_assert_ptr_nonnull(strstr(a[0].reason, "% on this host"));
	ck_assert(newest_flags("work") & POINT_HELD);
	/* The control's own history says so too. */
	ck_assert_uint_eq(alerts_of("unchanging", &a), 1);
	finish();
}
END_TEST

START_TEST(a_faster_control_holds_as_well)
{
	struct job j;

	begin();
	nights(0, 12);
	j = night(12, 45, 110);
	ck_assert(json_get_bool(control_of(&j), "moved", false));
	ck_assert_ptr_nonnull(strstr(json_get_str(control_of(&j), "reason", ""), "by -10."));
	finish();
}
END_TEST

START_TEST(a_second_such_night_adds_no_second_alert)
{
	struct alert *a;

	begin();
	nights(0, 12);
	night(12, 55, 110);
	night(13, 55, 110);
	ck_assert_uint_eq(alerts_of("work", &a), 1);
	ck_assert_int_eq(a[0].state, ALERT_SUSPECT);
	finish();
}
END_TEST

START_TEST(when_the_host_is_back_the_question_is_closed)
{
	struct alert *a;

	begin();
	nights(0, 12);
	night(12, 55, 110);
	nights(13, 14);
	ck_assert_uint_eq(alerts_of("work", &a), 1);
	ck_assert_int_eq(a[0].state, ALERT_RESOLVED);
	ck_assert_ptr_nonnull(strstr(a[0].reason, "environment: the control kernel moved by"));
	ck_assert_ptr_nonnull(strstr(a[0].reason, "judged anew"));
	finish();
}
END_TEST

START_TEST(when_the_code_was_slower_as_well_it_is_asked_anew)
{
	struct alert *a;
	size_t n;

	begin();
	nights(0, 12);
	night(12, 55, 110);
	night(13, around(50), 110);
	n = alerts_of("work", &a);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(a[0].state, ALERT_SUSPECT); /* newest first */
	ck_assert_ptr_null(strstr(a[0].reason, "held"));
	ck_assert_int_eq(a[1].state, ALERT_RESOLVED);
	finish();
}
END_TEST

START_TEST(a_young_control_says_nothing)
{
	struct job j;

	begin();
	nights(0, 3);
	j = night(3, 80, around(100));
	ck_assert(!json_get_bool(control_of(&j), "moved", true));
	ck_assert_str_eq(json_get_str(control_of(&j), "reason", ""),
		"the history of the control kernel is too short");
	finish();
}
END_TEST

START_TEST(a_run_without_control_is_judged_as_ever)
{
	struct alert *a;
	struct job j;

	begin();
	nights(0, 12);
	j = a_job("work", "command", "{}", add_report(p.id, "main", H3, "work", 110).uuid);
	judge(&j);
	ck_assert_ptr_null(analysis_control(mem, &j));
	ck_assert_uint_eq(alerts_of("work", &a), 1);
	finish();
}
END_TEST

SUITE("control", a_slower_benchmark_beside_a_steady_control_is_a_suspect,
	the_same_beside_a_control_that_moved_is_held, a_faster_control_holds_as_well,
	a_second_such_night_adds_no_second_alert, when_the_host_is_back_the_question_is_closed,
	when_the_code_was_slower_as_well_it_is_asked_anew, a_young_control_says_nothing,
	a_run_without_control_is_judged_as_ever)
