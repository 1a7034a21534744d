/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports, results, series and points. */
#include "tests/lib/store.h"

START_TEST(a_report_is_read_as_it_was_stored)
{
	struct project p;
	struct simple_report r;
	struct report report;
	struct result *results;
	size_t n;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 10.5);
	ok(store_report_find(db, mem, p.id, r.uuid, &report, &err));
	ck_assert_str_eq(report.branch.name, "main");
	ck_assert_str_eq(report.version.hash, H1);
	ck_assert_int_eq(report.version.number, 0);
	ck_assert_str_eq(report.testbed.name, "host");
	ck_assert_int_eq(report.start_ns, T0);
	ck_assert_int_eq(report.end_ns, T0 + 5);
	ck_assert_ptr_null(report.job_uuid);
	ck_assert_ptr_null(report.environment_hash);
	ok(store_report_results(db, mem, r.id, &results, &n, &err));
	ck_assert_int_eq(n, 1);
	ck_assert_double_eq(results[0].metric.value, 10.5);
	ck_assert_double_nan(results[0].metric.lower);
	ck_assert_str_eq(results[0].benchmark.name, "sum");
	ck_assert_str_eq(results[0].measure.units, "nanoseconds (ns)");
	finish();
}
END_TEST

START_TEST(points_come_in_version_order_newest_max_of_them)
{
	struct project p;
	struct simple_report r;
	struct point *points;
	size_t n;

	start();
	p = a_project("p");
	add_report(p.id, "main", H1, "sum", 1);
	add_report(p.id, "main", H2, "sum", 2);
	r = add_report(p.id, "main", H3, "sum", 3);
	ok(store_series_points(db, mem, r.series_id, 2, &points, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(points[0].hash, H2);
	ck_assert_double_eq(points[0].value, 2);
	ck_assert_str_eq(points[1].hash, H3);
	ck_assert_str_eq(points[1].report_uuid, r.uuid);
	ck_assert_int_eq(points[1].version_number, 2);
	finish();
}
END_TEST

SUITE("store_report", a_report_is_read_as_it_was_stored,
	points_come_in_version_order_newest_max_of_them)
