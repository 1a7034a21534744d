/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads, versions, start points: the table of Bencher's protocol, case by case. */
#include "tests/lib/store.h"

static struct project project;

static struct branch ensure(const char *name, const struct start_point *sp)
{
	struct branch b;

	ok(store_branch_ensure(db, mem, project.id, name, sp, T0, &b, &err));
	return b;
}

static int64_t version_of(const struct branch *b, const char *hash)
{
	struct version v;

	ok(store_version_ensure(db, mem, b->head_id, hash, &v, &err));
	return v.number;
}

/* main with versions 0, 1, 2 of the hashes H1, H2, H3. */
static struct branch begin_with_main(void)
{
	struct branch b;

	start();
	project = a_project("p");
	b = ensure("main", NULL);
	ck_assert_int_eq(version_of(&b, H1), 0);
	ck_assert_int_eq(version_of(&b, H2), 1);
	ck_assert_int_eq(version_of(&b, H3), 2);
	return b;
}

START_TEST(a_hash_keeps_its_version_and_no_hash_is_always_new)
{
	struct branch b = begin_with_main();
	struct version *v;
	size_t n;

	ck_assert_int_eq(version_of(&b, H2), 1);
	ck_assert_int_eq(version_of(&b, NULL), 3);
	ck_assert_int_eq(version_of(&b, NULL), 4);
	ck_assert_int_eq(version_of(&b, H3), 2);
	ok(store_version_list(db, mem, b.head_id, 2, &v, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(v[0].number, 4);
	ck_assert_ptr_null(v[0].hash);
	refused(store_version_ensure(db, mem, b.head_id, "abc", &v[0], &err), E_UNPROCESSABLE,
		"40 lower-case hexadecimal digits");
	finish();
}
END_TEST

START_TEST(a_new_branch_goes_on_from_its_start_point)
{
	struct start_point sp = { .branch = "main", .hash = H2 };
	struct branch main = begin_with_main(), b = ensure("feature", &sp);
	struct head_start st;
	struct version *v;
	size_t n;

	ok(store_head_start(db, mem, b.head_id, &st, &err));
	ck_assert_str_eq(st.branch_uuid, main.uuid);
	ck_assert_str_eq(st.head_uuid, main.head_uuid);
	ck_assert_str_eq(st.version.hash, H2);
	ok(store_version_list(db, mem, b.head_id, 10, &v, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(v[0].hash, H2);
	ck_assert_str_eq(v[1].hash, H1);
	/* A hash of the start branch that is measured here is a version of this head. */
	ck_assert_int_eq(version_of(&b, H2), 2);
	refused(store_head_start(db, mem, main.head_id, &st, &err), E_NOT_FOUND,
		"no start point");
	finish();
}
END_TEST

START_TEST(a_start_point_sees_its_newest_max_versions)
{
	struct start_point sp = { .branch = "main", .max_versions = 2 };
	struct start_point second = { .branch = "feature", .max_versions = 3 };
	struct branch b;
	struct version *v;
	size_t n;

	begin_with_main();
	b = ensure("feature", &sp);
	ok(store_version_list(db, mem, b.head_id, 10, &v, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(v[1].number, 1);
	ck_assert_int_eq(version_of(&b, NULL), 3);
	/* What the start branch does not see is not seen through it. */
	b = ensure("second", &second);
	ok(store_version_list(db, mem, b.head_id, 10, &v, &n, &err));
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(v[0].number, 3);
	ck_assert_int_eq(v[2].number, 1);
	ck_assert_int_eq(version_of(&b, NULL), 4);
	finish();
}
END_TEST

/* --- commits that are measured late --- */

static const char *hash(int k)
{
	return arena_printf(mem, "%040x", 0x1000 + k);
}

/* Commit k, child of the commits in parents (0 ends them), made in minute k. */
static void commit(int k, int parent, int other)
{
	struct commit c = { .hash = hash(k),
		.author = "",
		.email = "",
		.subject = "",
		.parents = other    ? arena_printf(mem, "%s %s", hash(parent), hash(other))
			   : parent ? hash(parent)
				    : "",
		.time_ns = T0 + k * 60 * NS_PER_S };

	ok(store_commit_save(db, project.id, &c, &err));
}

/* "1 2 3": which commits the head has, in order of their numbers. */
static const char *order(const struct branch *b)
{
	struct version *v;
	const char *text = "";
	size_t n;

	ok(store_version_list(db, mem, b->head_id, 100, &v, &n, &err));
	for (size_t i = n; i-- > 0;)
		text = arena_printf(mem, "%s%s%ld", text, *text ? " " : "",
			strtol(v[i].hash + 32, NULL, 16) - 0x1000);
	return text;
}

START_TEST(a_backfilled_commit_lands_at_its_place_in_the_graph)
{
	struct branch b;

	start();
	project = a_project("p");
	b = ensure("main", NULL);
	for (int k = 1; k <= 9; k++)
		commit(k, k - 1, k == 7 ? 3 : 0);
	version_of(&b, hash(2));
	version_of(&b, hash(5));
	version_of(&b, hash(9));
	ck_assert_int_eq(version_of(&b, hash(7)), 2);
	ck_assert_str_eq(order(&b), "2 5 7 9");
	ck_assert_int_eq(version_of(&b, hash(1)), 0);
	ck_assert_int_eq(version_of(&b, hash(4)), 2);
	ck_assert_str_eq(order(&b), "1 2 4 5 7 9");
	commit(10, 9, 0);
	ck_assert_int_eq(version_of(&b, hash(10)), 6);
	commit(11, 4, 0); /* of another line: at the end */
	ck_assert_int_eq(version_of(&b, hash(11)), 7);
	ck_assert_int_eq(version_of(&b, hash(5)), 3);
	finish();
}
END_TEST

START_TEST(where_the_graph_is_not_known_dates_decide_and_else_arrival)
{
	struct branch b;

	start();
	project = a_project("p");
	b = ensure("main", NULL);
	commit(20, 19, 0); /* 19 is not known */
	commit(30, 29, 0);
	commit(25, 24, 0);
	commit(40, 39, 0);
	version_of(&b, hash(20));
	version_of(&b, hash(30));
	ck_assert_int_eq(version_of(&b, hash(25)), 1);
	ck_assert_int_eq(version_of(&b, hash(40)), 3);
	ck_assert_int_eq(version_of(&b, hash(99)), 4); /* nothing is known of it */
	ck_assert_str_eq(order(&b), "20 25 30 40 99");
	finish();
}
END_TEST

START_TEST(branches_that_started_behind_the_place_move_too)
{
	struct start_point sp = { .branch = "main" };
	struct branch b, f;

	start();
	project = a_project("p");
	b = ensure("main", NULL);
	for (int k = 1; k <= 6; k++)
		commit(k, k - 1, 0);
	version_of(&b, hash(1));
	version_of(&b, hash(4));
	f = ensure("feature", &sp);
	ck_assert_int_eq(version_of(&f, hash(6)), 2);
	ck_assert_int_eq(version_of(&b, hash(2)), 1);
	ck_assert_str_eq(order(&f), "1 2 4 6");
	ck_assert_int_eq(version_of(&f, hash(6)), 3);
	finish();
}
END_TEST

START_TEST(an_unknown_or_empty_start_branch_is_no_start_point_and_no_error)
{
	struct start_point unknown = { .branch = "nowhere" }, empty = { .branch = "empty" };
	struct branch b;
	struct head_start st;

	begin_with_main();
	ensure("empty", NULL);
	b = ensure("one", &unknown);
	refused(store_head_start(db, mem, b.head_id, &st, &err), E_NOT_FOUND, "no start point");
	b = ensure("two", &empty);
	refused(store_head_start(db, mem, b.head_id, &st, &err), E_NOT_FOUND, "no start point");
	ck_assert_int_eq(version_of(&b, H1), 0);
	finish();
}
END_TEST

START_TEST(a_hash_that_is_not_there_falls_back_to_the_newest_version)
{
	struct start_point sp = { .branch = "main",
		.hash = "9999999999999999999999999999999999999999" };
	struct branch b;
	struct head_start st;

	begin_with_main();
	b = ensure("feature", &sp);
	ok(store_head_start(db, mem, b.head_id, &st, &err));
	ck_assert_str_eq(st.version.hash, H3);
	finish();
}
END_TEST

START_TEST(the_table_of_start_points)
{
	static const struct start_point at_h2 = { .branch = "main", .hash = H2 },
					at_h3 = { .branch = "main", .hash = H3 },
					newest = { .branch = "main" },
					other = { .branch = "other" },
					nowhere = { .branch = "nowhere" }, none = { 0 },
					reset = { .reset = true };
	struct branch main = begin_with_main(), b, c, o;

	/* no start point resolved: keep */
	b = ensure("f", NULL);
	c = ensure("f", &nowhere);
	ck_assert_int_eq(c.head_id, b.head_id);
	c = ensure("f", &none);
	ck_assert_int_eq(c.head_id, b.head_id);
	/* no start point yet and one resolves: new head */
	c = ensure("f", &at_h2);
	ck_assert_int_ne(c.head_id, b.head_id);
	/* the same hash: keep */
	b = ensure("f", &at_h2);
	ck_assert_int_eq(b.head_id, c.head_id);
	/* another hash: new head */
	c = ensure("f", &at_h3);
	ck_assert_int_ne(c.head_id, b.head_id);
	/* no hash, the start branch has not moved: keep */
	b = ensure("f", &newest);
	ck_assert_int_eq(b.head_id, c.head_id);
	/* no hash, it has moved on: new head */
	ck_assert_int_eq(version_of(&main, "4444444444444444444444444444444444444444"), 3);
	c = ensure("f", &newest);
	ck_assert_int_ne(c.head_id, b.head_id);
	/* the new version has no hash: keep */
	ck_assert_int_eq(version_of(&main, NULL), 4);
	b = ensure("f", &newest);
	ck_assert_int_eq(b.head_id, c.head_id);
	/* another start branch: new head */
	o = ensure("other", NULL);
	ck_assert_int_eq(version_of(&o, H1), 0);
	c = ensure("f", &other);
	ck_assert_int_ne(c.head_id, b.head_id);
	/* reset: always a new head, empty when nothing resolves */
	b = ensure("f", &reset);
	ck_assert_int_ne(b.head_id, c.head_id);
	ck_assert_int_eq(version_of(&b, H1), 0);
	c = ensure("f", &reset);
	ck_assert_int_ne(c.head_id, b.head_id);
	finish();
}
END_TEST

START_TEST(only_the_new_start_has_a_hash_means_a_new_head)
{
	struct start_point sp = { .branch = "bare" };
	struct branch bare, b, c;

	begin_with_main();
	bare = ensure("bare", NULL);
	version_of(&bare, NULL);
	b = ensure("f", &sp);
	version_of(&bare, H1);
	c = ensure("f", &sp);
	ck_assert_int_ne(c.head_id, b.head_id);
	finish();
}
END_TEST

START_TEST(a_history_goes_through_its_start_points)
{
	struct start_point sp = { .branch = "main", .hash = H2 }, second = { .branch = "f" };
	struct simple_report r;
	struct point *points;
	size_t n;

	begin_with_main();
	add_report(project.id, "main", H1, "sum", 1);
	add_report(project.id, "main", H2, "sum", 2);
	add_report(project.id, "main", H3, "sum", 3);
	ensure("f", &sp);
	r = add_report(project.id, "f", NULL, "sum", 20);
	ck_assert_int_eq(r.version_number, 2);
	/* What main measures later on an old version is seen too; H3 never. */
	add_report(project.id, "main", H1, "sum", 1.5);
	ok(store_series_points(db, mem, r.series_id, 100, &points, &n, &err));
	ck_assert_int_eq(n, 4);
	ck_assert_double_eq(points[0].value, 1);
	ck_assert_double_eq(points[1].value, 1.5);
	ck_assert_double_eq(points[2].value, 2);
	ck_assert_double_eq(points[3].value, 20);
	ensure("g", &second);
	r = add_report(project.id, "g", NULL, "sum", 30);
	ck_assert_int_eq(r.version_number, 3);
	ok(store_series_points(db, mem, r.series_id, 2, &points, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_double_eq(points[0].value, 20);
	ok(store_series_points(db, mem, r.series_id, 100, &points, &n, &err));
	ck_assert_int_eq(n, 5);
	finish();
}
END_TEST

START_TEST(a_new_head_closes_the_alerts_of_the_old_one)
{
	struct start_point reset = { .reset = true };
	struct alert al = { .state = ALERT_SUSPECT,
		.direction = OUTCOME_SLOWER,
		.created_ns = T0 },
		     *list;
	struct simple_report r;
	size_t n;

	begin_with_main();
	r = add_report(project.id, "main", H1, "sum", 1);
	al.series_id = r.series_id;
	al.report_id = r.id;
	ok(store_alert_add(db, mem, &al, r.metric_id, &err));
	ensure("main", &reset);
	ok(store_alert_open(db, mem, r.series_id, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	ok(store_alert_list(db, mem, project.id, 1u << ALERT_RESOLVED, 10, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(list[0].reason, "the branch was started anew from another point");
	finish();
}
END_TEST

START_TEST(thresholds_are_cloned_only_with_a_new_head)
{
	struct start_point sp = { .branch = "main", .clone_thresholds = true };
	struct boundary_model m = { .test = "t_test",
		.max_sample_size = 64,
		.lower_boundary = NAN,
		.upper_boundary = 0.99 };
	struct branch main = begin_with_main(), f;
	struct threshold x;
	struct testbed t;
	struct measure latency, extra;
	int64_t id;

	ok(store_testbed_ensure(db, mem, project.id, "host", T0, &t, &err));
	ok(store_measure_ensure(
		db, mem, project.id, "latency", NULL, NULL, T0, &latency, &err));
	ok(store_measure_ensure(db, mem, project.id, "extra", NULL, NULL, T0, &extra, &err));
	ok(store_threshold_save(db, project.id, main.id, t.id, latency.id, &m, T0, &id, &err));
	f = ensure("f", NULL);
	ok(store_threshold_save(db, project.id, f.id, t.id, extra.id, &m, T0, &id, &err));
	ensure("f", &sp);
	ok(store_threshold_of(db, mem, f.id, t.id, latency.id, &x, &err));
	ck_assert(x.has_model);
	ck_assert_double_eq(x.model.upper_boundary, 0.99);
	ok(store_threshold_of(db, mem, f.id, t.id, extra.id, &x, &err));
	ck_assert(!x.has_model);
	m.upper_boundary = 0.95;
	ok(store_threshold_save(db, project.id, main.id, t.id, latency.id, &m, T0, &id, &err));
	ensure("f", &sp); /* the start has not moved: no new head, no clone */
	ok(store_threshold_of(db, mem, f.id, t.id, latency.id, &x, &err));
	ck_assert_double_eq(x.model.upper_boundary, 0.99);
	finish();
}
END_TEST

SUITE("store_branch", a_backfilled_commit_lands_at_its_place_in_the_graph,
	where_the_graph_is_not_known_dates_decide_and_else_arrival,
	branches_that_started_behind_the_place_move_too,
	a_hash_keeps_its_version_and_no_hash_is_always_new,
	a_new_branch_goes_on_from_its_start_point, a_start_point_sees_its_newest_max_versions,
	an_unknown_or_empty_start_branch_is_no_start_point_and_no_error,
	a_hash_that_is_not_there_falls_back_to_the_newest_version, the_table_of_start_points,
	only_the_new_start_has_a_hash_means_a_new_head, a_history_goes_through_its_start_points,
	a_new_head_closes_the_alerts_of_the_old_one, thresholds_are_cloned_only_with_a_new_head)
