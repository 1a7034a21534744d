/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, slugs, UUIDs; lists; archiving; removing. */
#include "tests/lib/store.h"

#include "base/secret.h"
#include "base/text.h"

START_TEST(a_project_is_made_on_first_use_and_found_by_slug_and_uuid)
{
	struct project p, q;

	start();
	p = a_project("my-project");
	ck_assert_str_eq(p.name, "my-project");
	ck_assert_str_eq(p.visibility, "private");
	q = a_project("my-project");
	ck_assert_int_eq(q.id, p.id);
	ok(store_project_find(db, mem, p.uuid, &q, &err));
	ck_assert_int_eq(q.id, p.id);
	refused(store_project_ensure(db, mem, "Not A Slug", T0, &q, &err), E_UNPROCESSABLE,
		"is no slug of a project");
	refused(store_project_ensure(
			db, mem, "0b9f0e5e-0000-4000-8000-000000000000", T0, &q, &err),
		E_NOT_FOUND, "there is no project");
	finish();
}
END_TEST

START_TEST(a_used_slug_gets_a_suffix_and_a_used_name_is_refused)
{
	struct project p, q;

	start();
	ok(store_project_add(db, mem, "My Project", NULL, NULL, "public", T0, &p, &err));
	ck_assert_str_eq(p.slug, "my-project");
	ok(store_project_add(db, mem, "My project", NULL, "https://x", "public", T0, &q, &err));
	ck_assert_int_eq(strlen(q.slug), strlen("my-project") + 9);
	ck_assert_int_eq(strncmp(q.slug, "my-project-", 11), 0);
	ck_assert(slug_is_valid(q.slug));
	refused(store_project_add(db, mem, "My Project", NULL, NULL, "public", T0, &q, &err),
		E_CONFLICT, "a project with the name 'My Project'");
	refused(store_project_add(db, mem, "x", NULL, NULL, "secret", T0, &q, &err),
		E_UNPROCESSABLE, "'public' or 'private'");
	finish();
}
END_TEST

START_TEST(a_removed_project_frees_its_name)
{
	struct project p, q;

	start();
	p = a_project("p");
	ok(store_project_remove(db, p.id, T0 + 1, &err));
	refused(store_project_find(db, mem, "p", &q, &err), E_NOT_FOUND, "'p'");
	refused(store_project_remove(db, p.id, T0 + 1, &err), E_NOT_FOUND, "not there");
	q = a_project("p");
	ck_assert_int_ne(q.id, p.id);
	finish();
}
END_TEST

START_TEST(a_long_slug_is_cut_before_its_suffix)
{
	char name[65];
	struct project p;
	struct testbed a, b;

	start();
	p = a_project("p");
	memset(name, 'x', 64);
	name[64] = 0;
	ok(store_testbed_add(db, mem, p.id, name, NULL, T0, &a, &err));
	ck_assert_int_eq(strlen(a.slug), 64);
	name[0] = 'X';
	ok(store_testbed_add(db, mem, p.id, name, NULL, T0, &b, &err));
	ck_assert_int_eq(strlen(b.slug), 64);
	ck_assert(slug_is_valid(b.slug));
	ck_assert_str_ne(a.slug, b.slug);
	ok(store_testbed_add(db, mem, p.id, "\xc3\xa4", NULL, T0, &b, &err));
	ck_assert_int_eq(strlen(b.slug), 8);
	finish();
}
END_TEST

START_TEST(a_text_that_is_a_slug_means_the_slug)
{
	struct project p;
	struct benchmark a, b;

	start();
	p = a_project("p");
	ok(store_benchmark_ensure(db, mem, p.id, "a b", T0, &a, &err));
	ck_assert_str_eq(a.slug, "a-b");
	ok(store_benchmark_ensure(db, mem, p.id, "a-b", T0, &b, &err));
	ck_assert_int_eq(b.id, a.id);
	ok(store_benchmark_ensure_name(db, mem, p.id, "a-b", T0, &b, &err));
	ck_assert_int_ne(b.id, a.id);
	ck_assert_str_eq(b.name, "a-b");
	ok(store_benchmark_find(db, mem, p.id, "a-b", &b, &err));
	ck_assert_str_eq(b.name, "a b");
	ok(store_benchmark_find(db, mem, p.id, a.uuid, &b, &err));
	ck_assert_int_eq(b.id, a.id);
	refused(store_benchmark_find(db, mem, p.id, "A B", &b, &err), E_NOT_FOUND,
		"there is no benchmark 'A B'");
	refused(store_benchmark_ensure(
			db, mem, p.id, "0b9f0e5e-0000-4000-8000-000000000000", T0, &b, &err),
		E_NOT_FOUND, "there is no benchmark");
	finish();
}
END_TEST

START_TEST(a_renamed_slug_still_lets_the_name_be_found)
{
	struct project p;
	struct testbed a, b;

	start();
	p = a_project("p");
	ok(store_testbed_ensure(db, mem, p.id, "host", T0, &a, &err));
	a.slug = "other";
	ok(store_testbed_update(db, mem, &a, T0 + 1, &err));
	ok(store_testbed_ensure(db, mem, p.id, "host", T0, &b, &err));
	ck_assert_int_eq(b.id, a.id);
	ck_assert_int_eq(b.modified_ns, T0 + 1);
	finish();
}
END_TEST

START_TEST(names_have_limits)
{
	static const struct {
		const char *name, *part;
	} cases[] = {
		{ "", "1 to 64 bytes" },
		{ " x", "neither begins nor ends" },
		{ "x\ny", "no control characters" },
		{ "x\xff", "UTF-8" },
	};
	char much[1026];
	struct project p;
	struct testbed t;
	struct branch b;
	struct benchmark k;

	start();
	p = a_project("p");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		refused(store_testbed_ensure(db, mem, p.id, cases[i].name, T0, &t, &err),
			E_UNPROCESSABLE, cases[i].part);
		ck_assert_str_eq(err.field, "/name");
	}
	refused(store_branch_ensure(db, mem, p.id, "a..b", NULL, T0, &b, &err), E_UNPROCESSABLE,
		"is no name of a branch");
	memset(much, 'x', sizeof(much) - 1);
	much[1025] = 0;
	refused(store_benchmark_ensure(db, mem, p.id, much, T0, &k, &err), E_UNPROCESSABLE,
		"1 to 1024 bytes, this one has 1025");
	much[1024] = 0;
	ok(store_benchmark_ensure(db, mem, p.id, much, T0, &k, &err));
	finish();
}
END_TEST

START_TEST(known_measures_bring_units_and_direction)
{
	static const struct {
		const char *asked, *slug, *units;
		enum better better;
	} cases[] = {
		{ "latency", "latency", "nanoseconds (ns)", BETTER_LOWER },
		{ "Throughput", "throughput", "operations / second (ops/s)", BETTER_HIGHER },
		{ "cpu-time", "cpu-time", "nanoseconds (ns)", BETTER_LOWER },
		{ "memory-peak", "memory-peak", "bytes (B)", BETTER_LOWER },
		{ "accuracy.max", "accuracy-max", "1", BETTER_LOWER },
		{ "disk-bandwidth", "disk-bandwidth", "Measure (units)", BETTER_HIGHER },
		{ "weight", "weight", "Measure (units)", BETTER_LOWER },
	};
	const enum better higher = BETTER_HIGHER;
	struct project p;
	struct measure u, again;

	start();
	p = a_project("p");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ok(store_measure_ensure(
			db, mem, p.id, cases[i].asked, NULL, NULL, T0, &u, &err));
		ck_assert_str_eq(u.slug, cases[i].slug);
		ck_assert_str_eq(u.units, cases[i].units);
		ck_assert_int_eq(u.better, cases[i].better);
	}
	ok(store_measure_find(db, mem, p.id, "Latency", &u, &err));
	ck_assert_str_eq(u.name, "Latency");
	ok(store_measure_ensure(db, mem, p.id, "frames", "frames/s", NULL, T0, &u, &err));
	ck_assert_int_eq(u.better, BETTER_HIGHER);
	ok(store_measure_ensure(db, mem, p.id, "score", "points", &higher, T0, &u, &err));
	ck_assert_int_eq(u.better, BETTER_HIGHER);
	ck_assert_str_eq(u.units, "points");
	ok(store_measure_ensure(db, mem, p.id, "score", "other", NULL, T0, &again, &err));
	ck_assert_str_eq(again.units, "points");
	u.units = "marks";
	ok(store_measure_update(db, mem, &u, T0, &err));
	ok(store_measure_find(db, mem, p.id, "score", &again, &err));
	ck_assert_str_eq(again.units, "marks");
	finish();
}
END_TEST

START_TEST(lists_are_paged_sorted_and_searched)
{
	struct project p;
	struct benchmark *k;
	struct page page = { .page = 2, .per_page = 3 };
	char name[16];
	int64_t total;
	size_t n;

	start();
	p = a_project("p");
	for (int i = 0; i < 8; i++) {
		struct benchmark one;

		snprintf(name, sizeof(name), "%c 100%%", 'h' - i);
		ok(store_benchmark_ensure(db, mem, p.id, name, T0 + i, &one, &err));
	}
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(total, 8);
	ck_assert_str_eq(k[0].name, "d 100%");
	page.descending = true;
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_str_eq(k[0].name, "e 100%");
	page = (struct page){ .page = 0, .per_page = 1, .sort = "created" };
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_str_eq(k[0].name, "h 100%");
	page.descending = true;
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_str_eq(k[0].name, "a 100%");
	page = (struct page){ .per_page = 255, .search = "B 100%" };
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_int_eq(total, 1);
	page.search = "1_0";
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_int_eq(total, 0);
	page = (struct page){ .per_page = 0, .name = "c 100%" };
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(total, 1);
	page = (struct page){ .page = INT64_MAX, .per_page = 255 };
	ok(store_benchmark_list(db, mem, p.id, &page, &k, &n, &total, &err));
	ck_assert_int_eq(n, 0);
	finish();
}
END_TEST

START_TEST(what_is_archived_is_hidden_and_comes_back_when_used)
{
	struct project p;
	struct branch b, *list;
	struct page page = { .per_page = 8 };
	int64_t total;
	size_t n;

	start();
	p = a_project("p");
	ok(store_branch_ensure(db, mem, p.id, "main", NULL, T0, &b, &err));
	b.archived_ns = T0 + 1;
	ok(store_branch_update(db, mem, &b, T0 + 1, &err));
	ok(store_branch_list(db, mem, p.id, &page, &list, &n, &total, &err));
	ck_assert_int_eq(total, 0);
	page.archived = true;
	ok(store_branch_list(db, mem, p.id, &page, &list, &n, &total, &err));
	ck_assert_int_eq(total, 1);
	ck_assert_int_eq(list[0].archived_ns, T0 + 1);
	ok(store_branch_ensure(db, mem, p.id, "main", NULL, T0 + 2, &b, &err));
	ck_assert_int_eq(b.archived_ns, 0);
	ok(store_branch_list(db, mem, p.id, &page, &list, &n, &total, &err));
	ck_assert_int_eq(total, 0);
	finish();
}
END_TEST

START_TEST(a_used_name_or_slug_is_refused_on_change)
{
	struct project p;
	struct testbed a, b;

	start();
	p = a_project("p");
	ok(store_testbed_add(db, mem, p.id, "one", NULL, T0, &a, &err));
	ok(store_testbed_add(db, mem, p.id, "two", NULL, T0, &b, &err));
	refused(store_testbed_add(db, mem, p.id, "two", NULL, T0, &b, &err), E_CONFLICT,
		"a testbed with the name 'two'");
	b.slug = "one";
	refused(store_testbed_update(db, mem, &b, T0, &err), E_CONFLICT, "is there already");
	b.slug = "No Slug";
	refused(store_testbed_update(db, mem, &b, T0, &err), E_UNPROCESSABLE, "is no slug");
	b.id = 999;
	b.slug = "three";
	refused(store_testbed_update(db, mem, &b, T0, &err), E_NOT_FOUND, "no testbed 'two'");
	refused(store_testbed_remove(db, 999, &err), E_NOT_FOUND, "this testbed is not there");
	finish();
}
END_TEST

START_TEST(what_reports_refer_to_cannot_be_removed)
{
	struct project p;
	struct simple_report r;
	struct branch b;
	struct testbed t;
	struct benchmark k;
	struct measure u;

	start();
	p = a_project("p");
	r = add_report(p.id, "main", H1, "sum", 1);
	ok(store_branch_find(db, mem, p.id, "main", &b, &err));
	ok(store_testbed_find(db, mem, p.id, "host", &t, &err));
	ok(store_benchmark_find(db, mem, p.id, "sum", &k, &err));
	ok(store_measure_find(db, mem, p.id, "latency", &u, &err));
	refused(store_branch_remove(db, b.id, &err), E_CONFLICT, "this branch still has");
	refused(store_testbed_remove(db, t.id, &err), E_CONFLICT, "this testbed still has");
	refused(store_benchmark_remove(db, k.id, &err), E_CONFLICT, "this benchmark still has");
	refused(store_measure_remove(db, u.id, &err), E_CONFLICT, "this measure still has");
	ok(store_report_remove(db, r.id, &err));
	ok(store_branch_remove(db, b.id, &err));
	ok(store_testbed_remove(db, t.id, &err));
	ok(store_benchmark_remove(db, k.id, &err));
	ok(store_measure_remove(db, u.id, &err));
	refused(store_branch_find(db, mem, p.id, "main", &b, &err), E_NOT_FOUND, "'main'");
	finish();
}
END_TEST

START_TEST(each_change_moves_the_generation)
{
	struct project p;
	struct testbed t;
	int64_t before, after;

	start();
	p = a_project("p");
	ok(store_generation(db, p.id, &before, &err));
	ok(store_testbed_ensure(db, mem, p.id, "host", T0, &t, &err));
	ok(store_generation(db, p.id, &after, &err));
	ck_assert_int_gt(after, before);
	before = after;
	ok(store_testbed_ensure(db, mem, p.id, "host", T0, &t, &err));
	ok(store_generation(db, p.id, &after, &err));
	ck_assert_int_eq(after, before);
	add_report(p.id, "main", H1, "sum", 1);
	ok(store_generation(db, p.id, &after, &err));
	ck_assert_int_gt(after, before);
	finish();
}
END_TEST

static bool has_moved(int64_t project_id, int64_t *seen)
{
	int64_t before = *seen;

	ok(store_generation(db, project_id, seen, &err));
	return *seen > before;
}

/* Cached answers show limits, subjects of commits, and where an alert stands. */
START_TEST(limits_commits_and_journals_move_the_generation)
{
	const struct commit c = { .hash = H1, .subject = "one" };
	const struct boundary b = { .test = "log_t", .baseline = 1, .lower = NAN, .upper = 2 };
	struct simple_report first, second;
	struct alert al = { .hash = H1, .created_ns = T0 };
	struct project p, other;
	int64_t seen = 0, of_other = 0;

	start();
	p = a_project("p");
	other = a_project("other");
	first = add_report(p.id, "main", H1, "sum", 1);
	second = add_report(p.id, "main", H2, "sum", 1);
	ok(store_generation(db, other.id, &of_other, &err));
	ok(store_generation(db, p.id, &seen, &err));
	ok(store_boundary_save(db, first.metric_id, "log_t", 1, 0.9, NAN, "{}", &err));
	ck_assert(has_moved(p.id, &seen));
	ok(store_boundary_add(db, second.metric_id, 0, &b, &err));
	ck_assert(has_moved(p.id, &seen));
	ok(store_boundary_set_model(db, first.metric_id, 0, &err));
	ck_assert(has_moved(p.id, &seen));
	ok(store_commit_save(db, p.id, &c, &err));
	ck_assert(has_moved(p.id, &seen));
	al.series_id = first.series_id;
	al.report_id = first.id;
	ok(store_alert_add(db, mem, &al, first.metric_id, &err));
	ck_assert(has_moved(p.id, &seen));
	al.report_id = second.id;
	ok(store_alert_move(db, &al, second.metric_id, &err));
	ck_assert(has_moved(p.id, &seen));
	ok(store_alert_entry_add(db, al.id, T0, "me", "note", "seen", &err));
	ck_assert(has_moved(p.id, &seen));
	ck_assert(!has_moved(other.id, &of_other));
	finish();
}
END_TEST

START_TEST(commits_and_environments_are_remembered)
{
	struct commit c = { .hash = H1, .author = "A", .subject = "s", .parents = H2 }, back;
	struct environment e, again;
	struct project p;

	start();
	p = a_project("p");
	ok(store_commit_save(db, p.id, &c, &err));
	c.subject = "new";
	ok(store_commit_save(db, p.id, &c, &err));
	ok(store_commit_find(db, mem, p.id, H1, &back, &err));
	ck_assert_str_eq(back.subject, "new");
	ck_assert_str_eq(back.parents, H2);
	ck_assert_str_eq(back.email, "");
	refused(store_commit_find(db, mem, p.id, H2, &back, &err), E_NOT_FOUND, H2);
	ok(store_environment_ensure(db, mem, "abc", "{}", T0, &e, &err));
	ok(store_environment_ensure(db, mem, "abc", "{}", T0 + 9, &again, &err));
	ck_assert_int_eq(again.id, e.id);
	ck_assert_int_eq(again.created_ns, T0);
	refused(store_environment_find(db, mem, "x", &e, &err), E_NOT_FOUND, "environment 'x'");
	finish();
}
END_TEST

START_TEST(workloads_and_iteration_counts_are_kept)
{
	const char *const *names;
	const char *text;
	struct project p;
	int64_t k;
	size_t n;

	start();
	p = a_project("p");
	ok(store_workload_save(db, p.id, "b", "{}", T0, &err));
	ok(store_workload_save(db, p.id, "a", "{}", T0, &err));
	ok(store_workload_save(db, p.id, "a", "{\"kind\":\"command\"}", T0, &err));
	ok(store_workload_list(db, mem, p.id, &names, &n, &err));
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(names[0], "a");
	ok(store_workload_find(db, mem, p.id, "a", &text, &err));
	ck_assert_str_eq(text, "{\"kind\":\"command\"}");
	ok(store_workload_remove(db, p.id, "a", &err));
	refused(store_workload_remove(db, p.id, "a", &err), E_NOT_FOUND, "no workload 'a'");
	ok(store_iterations_find(db, "d", "e", &k, &err));
	ck_assert_int_eq(k, 0);
	ok(store_iterations_save(db, "d", "e", 128, &err));
	ok(store_iterations_find(db, "d", "e", &k, &err));
	ck_assert_int_eq(k, 128);
	finish();
}
END_TEST

SUITE("store_names", a_project_is_made_on_first_use_and_found_by_slug_and_uuid,
	a_used_slug_gets_a_suffix_and_a_used_name_is_refused, a_removed_project_frees_its_name,
	a_long_slug_is_cut_before_its_suffix, a_text_that_is_a_slug_means_the_slug,
	a_renamed_slug_still_lets_the_name_be_found, names_have_limits,
	known_measures_bring_units_and_direction, lists_are_paged_sorted_and_searched,
	what_is_archived_is_hidden_and_comes_back_when_used,
	a_used_name_or_slug_is_refused_on_change, what_reports_refer_to_cannot_be_removed,
	each_change_moves_the_generation, limits_commits_and_journals_move_the_generation,
	commits_and_environments_are_remembered, workloads_and_iteration_counts_are_kept)
