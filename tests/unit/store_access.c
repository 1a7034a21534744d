/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Change points, alerts, limits, thresholds; tokens and answers given once. */
#include "tests/lib/store.h"

START_TEST(change_points_that_stay_keep_their_id)
{
	struct change_point set[] = {
		{ .version_number = 3, .hash = H1, .effect = 0.1, .outcome = OUTCOME_SLOWER },
		{ .version_number = 7,
			.effect = -0.2,
			.p = NAN,
			.outcome = OUTCOME_FASTER,
			.detector = "x" },
	};
	struct change_point *c;
	struct simple_report r;
	struct project p;
	struct series *series;
	int64_t id;
	size_t n;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 1);
	ok(store_change_points_save(db, r.series_id, set, 2, T0, &err));
	ok(store_change_points(db, mem, r.series_id, &c, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(c[1].version_number, 7);
	ck_assert_double_nan(c[1].p);
	id = c[1].id;
	set[1].effect = -0.3;
	ok(store_change_points_save(db, r.series_id, set + 1, 1, T0 + 5, &err));
	ok(store_change_points(db, mem, r.series_id, &c, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(c[0].id, id);
	ck_assert_int_eq(c[0].created_ns, T0);
	ck_assert_double_eq(c[0].effect, -0.3);
	ok(store_project_changes(db, mem, p.id, 10, &c, &series, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(series[0].benchmark.name, "sum");
	refused(store_change_points_save(db, 99, set, 1, T0, &err), E_NOT_FOUND, "series 99");
	finish();
}
END_TEST

START_TEST(an_alert_goes_from_suspect_to_resolved)
{
	struct alert al = { .state = ALERT_SUSPECT,
		.direction = OUTCOME_SLOWER,
		.effect = 0.1,
		.p = NAN,
		.hash = H1,
		.created_ns = T0,
		.detail_json = "{}" },
		     *list, back;
	struct simple_report r;
	struct project p;
	size_t n;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 1);
	al.series_id = r.series_id;
	al.report_id = r.id;
	ok(store_alert_add(db, mem, &al, r.metric_id, &err));
	ok(store_alert_open(db, mem, r.series_id, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(list[0].benchmark.name, "sum");
	ck_assert_str_eq(list[0].branch.name, "main");
	ck_assert_int_eq(list[0].metric_id, r.metric_id);
	ck_assert_double_nan(list[0].p);
	al.state = ALERT_CONFIRMED;
	al.reason = "seen again";
	al.modified_ns = T0 + 1;
	ok(store_alert_save(db, &al, &err));
	ok(store_alert_list(db, mem, p.id, 1u << ALERT_SUSPECT, 10, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	ok(store_alert_list(db, mem, p.id, 0, 10, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	al.state = ALERT_RESOLVED;
	ok(store_alert_save(db, &al, &err));
	ok(store_alert_open(db, mem, r.series_id, &list, &n, &err));
	ck_assert_int_eq(n, 0);
	ok(store_alert_of_report(db, mem, r.id, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	ok(store_alert_find(db, mem, p.id, al.uuid, &back, &err));
	ck_assert_int_eq(back.state, ALERT_RESOLVED);
	ck_assert_str_eq(back.reason, "seen again");
	ck_assert_int_eq(back.modified_ns, T0 + 1);
	refused(store_alert_find(db, mem, p.id, "x", &back, &err), E_NOT_FOUND, "alert 'x'");
	al.id = 99;
	refused(store_alert_save(db, &al, &err), E_NOT_FOUND, "not there");
	finish();
}
END_TEST

START_TEST(limits_of_a_metric_are_kept)
{
	struct simple_report r;
	struct boundary b;

	start();
	r = add_report(a_project("p").id, "main", H1, "sum", 1);
	refused(store_boundary_find(db, mem, r.metric_id, &b, &err), E_NOT_FOUND, "no limits");
	ok(store_boundary_save(db, r.metric_id, "log_t", 1.0, NAN, 1.1, "{}", &err));
	ok(store_boundary_find(db, mem, r.metric_id, &b, &err));
	ck_assert_double_nan(b.lower);
	ck_assert_double_eq(b.upper, 1.1);
	ck_assert_str_eq(b.test, "log_t");
	finish();
}
END_TEST

struct rule {
	struct project p;
	struct branch b;
	struct testbed t;
	struct measure u[2];
};

static struct rule a_rule(void)
{
	struct rule x;

	start();
	x.p = a_project("p");
	ok(store_branch_ensure(db, mem, x.p.id, "main", NULL, T0, &x.b, &err));
	ok(store_testbed_ensure(db, mem, x.p.id, "host", T0, &x.t, &err));
	ok(store_measure_ensure(db, mem, x.p.id, "latency", NULL, NULL, T0, &x.u[0], &err));
	ok(store_measure_ensure(db, mem, x.p.id, "throughput", NULL, NULL, T0, &x.u[1], &err));
	return x;
}

START_TEST(a_model_is_replaced_only_when_a_field_differs)
{
	struct boundary_model m = { .test = "t_test",
		.max_sample_size = 64,
		.lower_boundary = NAN,
		.upper_boundary = 0.99 },
			      old;
	struct rule x = a_rule();
	struct threshold th;
	const char *first;
	int64_t id, again;

	ok(store_threshold_save(db, x.p.id, x.b.id, x.t.id, x.u[0].id, &m, T0, &id, &err));
	ok(store_threshold_of(db, mem, x.b.id, x.t.id, x.u[0].id, &th, &err));
	ck_assert_str_eq(th.measure.slug, "latency");
	ck_assert_double_nan(th.model.lower_boundary);
	ck_assert_int_eq(th.model.min_sample_size, 0);
	first = th.model.uuid;
	ok(store_threshold_save(
		db, x.p.id, x.b.id, x.t.id, x.u[0].id, &m, T0 + 1, &again, &err));
	ck_assert_int_eq(again, id);
	ok(store_threshold_find(db, mem, x.p.id, th.uuid, &th, &err));
	ck_assert_str_eq(th.model.uuid, first);
	ck_assert_int_eq(th.modified_ns, T0);
	m.window_s = 60;
	ok(store_threshold_save(
		db, x.p.id, x.b.id, x.t.id, x.u[0].id, &m, T0 + 2, &again, &err));
	ok(store_threshold_find(db, mem, x.p.id, th.uuid, &th, &err));
	ck_assert_str_ne(th.model.uuid, first);
	ck_assert_int_eq(th.modified_ns, T0 + 2);
	ok(store_threshold_get_model(db, mem, id, first, &old, &err));
	ck_assert_int_eq(old.replaced_ns, T0 + 2);
	ok(store_threshold_save(
		db, x.p.id, x.b.id, x.t.id, x.u[0].id, NULL, T0 + 3, &again, &err));
	ok(store_threshold_find(db, mem, x.p.id, th.uuid, &th, &err));
	ck_assert(!th.has_model);
	ok(store_threshold_remove(db, id, &err));
	refused(store_threshold_find(db, mem, x.p.id, th.uuid, &th, &err), E_NOT_FOUND,
		"there is no threshold");
	finish();
}
END_TEST

START_TEST(a_reset_removes_the_models_that_are_not_listed)
{
	struct boundary_model m = {
		.test = "static", .lower_boundary = 1, .upper_boundary = NAN
	};
	struct threshold_filter f = { .branch = "main", .page = { .per_page = 8 } };
	struct rule x = a_rule();
	struct threshold *list;
	int64_t id, total;
	size_t n;

	for (int i = 0; i < 2; i++)
		ok(store_threshold_save(
			db, x.p.id, x.b.id, x.t.id, x.u[i].id, &m, T0 + i, &id, &err));
	ok(store_threshold_reset(db, x.b.id, x.t.id, &x.u[1].id, 1, T0 + 5, &err));
	ok(store_threshold_list(db, mem, x.p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(total, 2);
	ck_assert(!list[0].has_model);
	ck_assert(list[1].has_model);
	f.page.sort = "modified";
	f.page.descending = true;
	f.measure = NULL;
	ok(store_threshold_list(db, mem, x.p.id, &f, &list, &n, &total, &err));
	ck_assert_str_eq(list[0].measure.slug, "latency");
	f.measure = "throughput";
	ok(store_threshold_list(db, mem, x.p.id, &f, &list, &n, &total, &err));
	ck_assert_int_eq(total, 1);
	finish();
}
END_TEST

START_TEST(a_threshold_with_boundaries_stays)
{
	struct boundary_model m = {
		.test = "static", .lower_boundary = 1, .upper_boundary = NAN
	};
	struct rule x = a_rule();
	struct simple_report r;
	struct threshold th;
	int64_t id;

	r = add_report(x.p.id, "main", H1, "sum", 1);
	ok(store_threshold_save(db, x.p.id, x.b.id, x.t.id, x.u[0].id, &m, T0, &id, &err));
	ok(store_threshold_of(db, mem, x.b.id, x.t.id, x.u[0].id, &th, &err));
	ok(store_boundary_save(db, r.metric_id, "static", NAN, 1, NAN, NULL, &err));
	ok(store_boundary_set_model(db, r.metric_id, th.model.id, &err));
	refused(store_threshold_remove(db, id, &err), E_CONFLICT, "remove its model instead");
	refused(store_testbed_remove(db, x.t.id, &err), E_CONFLICT, "this testbed still has");
	finish();
}
END_TEST

START_TEST(a_token_is_found_by_the_hash_of_its_key)
{
	static const uint8_t hash[32] = { 1, 2, 3 }, other[32] = { 9 };
	struct token t = { .name = "ci",
		.last_four = "wxyz",
		.scopes = 6,
		.created_ns = T0,
		.expires_ns = T0 + 9 },
		     back, *list;
	int64_t count;
	size_t n;

	start();
	ok(store_token_add(db, mem, hash, &t, &err));
	ok(store_token_find(db, mem, hash, &back, &err));
	ck_assert_str_eq(back.uuid, t.uuid);
	ck_assert_int_eq(back.scopes, 6);
	ck_assert_int_eq(back.project_id, 0);
	refused(store_token_find(db, mem, other, &back, &err), E_NOT_FOUND, "not known");
	ok(store_token_count(db, &count, &err));
	ck_assert_int_eq(count, 1);
	ok(store_token_used(db, t.id, T0 + 4, &err));
	ok(store_token_revoke(db, t.uuid, T0 + 5, &err));
	ok(store_token_revoke(db, t.uuid, T0 + 7, &err));
	ok(store_token_find(db, mem, hash, &back, &err));
	ck_assert_int_eq(back.revoked_ns, T0 + 5);
	ck_assert_int_eq(back.last_used_ns, T0 + 4);
	ok(store_token_count(db, &count, &err));
	ck_assert_int_eq(count, 0);
	ok(store_token_list(db, mem, &list, &n, &err));
	ck_assert_int_eq(n, 1);
	refused(store_token_revoke(db, "x", T0, &err), E_NOT_FOUND, "no token 'x'");
	t.name = "";
	refused(store_token_add(db, mem, other, &t, &err), E_UNPROCESSABLE, "1 to 64 bytes");
	finish();
}
END_TEST

START_TEST(an_answer_is_kept_under_its_key)
{
	struct idempotent i = { .body_hash = "h",
		.status = 202,
		.body = "{}",
		.location = "/x",
		.created_ns = T0 },
			  back;

	start();
	refused(store_idempotency_find(db, mem, "s", "k", &back, &err), E_NOT_FOUND, "'k'");
	ok(store_idempotency_save(db, "s", "k", &i, &err));
	refused(store_idempotency_save(db, "s", "k", &i, &err), E_CONFLICT, "already");
	ok(store_idempotency_save(db, "other", "k", &i, &err));
	ok(store_idempotency_find(db, mem, "s", "k", &back, &err));
	ck_assert_int_eq(back.status, 202);
	ck_assert_str_eq(back.location, "/x");
	ck_assert_ptr_null(back.content_type);
	ok(store_idempotency_prune(db, T0, &err));
	ok(store_idempotency_find(db, mem, "s", "k", &back, &err));
	ok(store_idempotency_prune(db, T0 + 1, &err));
	refused(store_idempotency_find(db, mem, "s", "k", &back, &err), E_NOT_FOUND, "'k'");
	finish();
}
END_TEST

SUITE("store_access", change_points_that_stay_keep_their_id,
	an_alert_goes_from_suspect_to_resolved, limits_of_a_metric_are_kept,
	a_model_is_replaced_only_when_a_field_differs,
	a_reset_removes_the_models_that_are_not_listed, a_threshold_with_boundaries_stays,
	a_token_is_found_by_the_hash_of_its_key, an_answer_is_kept_under_its_key)
