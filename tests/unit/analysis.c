/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <strings.h>
#include "tests/lib/history.h"

static struct world w;

static void begin(uint64_t seed)
{
	start();
	world_init(&w, seed, one_benchmark);
}

/* Change points found, as "version version ...". */
static const char *found(const char *benchmark, struct change_point **ret)
{
	struct series s = the_series(benchmark);
	struct change_point *c;
	const char *text = "";
	size_t n;

	ok(store_change_points(db, mem, s.id, &c, &n, &err));
	for (size_t i = 0; i < n; i++)
		text = arena_printf(mem, "%s%s%lld", text, *text ? " " : "",
			(long long)c[i].version_number);
	if (ret)
		*ret = c;
	return text;
}

static void step_at(int k, double factor)
{
	for (; k < MAX_COMMITS; k++)
		w.level[k] *= factor;
}

static size_t n_alerts(unsigned states)
{
	struct project p;
	struct alert *al;
	size_t n;

	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_alert_list(db, mem, p.id, states, 1000, &al, &n, &err));
	return n;
}

/* --- histories --- */

START_TEST(a_quiet_host_finds_the_slow_commit_of_a_young_history)
{
	struct change_point *c;

	begin(1);
	w.drift = 0.003;
	step_at(8, 1.1);
	run_history(&w, 14, true);
	ck_assert_str_eq(found("a", &c), "8");
	ck_assert_int_eq(c->outcome, OUTCOME_SLOWER);
	ck_assert(c->effect_low < 0.1 && c->effect_high > 0.1);
	ck_assert(c->effect > 0.08 && c->effect < 0.12);
	ck_assert_str_eq(c->hash, commit_hash(8));
	ck_assert_str_eq(c->detector, "rerun");
	ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 1);
	ck_assert_uint_eq(n_alerts(1u << ALERT_SUSPECT), 0);
	finish();
}
END_TEST

START_TEST(it_is_found_too_when_commits_come_one_by_one)
{
	begin(2);
	w.drift = 0.003;
	step_at(5, 1.1);
	run_history(&w, 9, false);
	ck_assert_str_eq(found("a", NULL), "5");
	finish();
}
END_TEST

START_TEST(the_second_commit_of_all_can_be_the_slow_one)
{
	begin(3);
	step_at(1, 1.1);
	run_history(&w, 4, true);
	ck_assert_str_eq(found("a", NULL), "1");
	finish();
}
END_TEST

START_TEST(a_regression_that_is_mended_is_closed)
{
	struct project p;
	struct alert *al;
	size_t n;

	begin(4);
	w.drift = 0.003;
	step_at(6, 1.2);
	step_at(10, 1 / 1.2);
	run_history(&w, 15, false);
	ck_assert_str_eq(found("a", NULL), "6 10");
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_alert_list(db, mem, p.id, 1u << ALERT_RESOLVED, 100, &al, &n, &err));
	for (size_t i = 0; i < n; i++)
		if (al[i].version_number == 6)
			ck_assert_str_eq(al[i].reason, "fixed");
	ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 0);
	finish();
}
END_TEST

/* Levels of different hours do not compare; the ratios of both changes do. */
/* How often is a question of the plain build; with AddressSanitizer a few see what is read. */
#if defined(__SANITIZE_ADDRESS__)
#define TRIALS 3
#else
#define TRIALS 12
#endif

START_TEST(it_is_closed_though_the_host_drifts_in_between)
{
	for (uint64_t seed = 40; seed < 40 + TRIALS / 2; seed++) {
		begin(seed);
		w.drift = 0.2;
		w.scatter = 0.02;
		step_at(6, 2);
		step_at(10, 0.5);
		run_history(&w, 15, false);
		ck_assert_str_eq(found("a", NULL), "6 10");
		ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 0);
		finish();
	}
}
END_TEST

START_TEST(only_the_benchmark_that_changed_is_named)
{
	begin(5);
	world_init(&w, 5,
		"{\"name\":\"w\",\"kind\":\"build\",\"repository\":\"/r\",\"benchmarks\":["
		"{\"name\":\"a\",\"command\":[\"./a\"]},{\"name\":\"b\",\"command\":[\"./"
		"b\"]}]}");
	w.drift = 0.004;
	run_history(&w, 12, true);
	ck_assert_str_eq(found("a", NULL), "");
	ck_assert_str_eq(found("b", NULL), "");
	finish();
}
END_TEST

/* Many histories under one kind of noise: how often is exactly the slow commit named, how often
 * is anything else? */
struct score {
	int n_right, n_wrong, n_reruns;
};
static struct score play(
	int n_worlds, int n_commits, int slow, double drift, double scatter, double tail)
{
	struct score s = { 0 };

	for (int i = 0; i < n_worlds; i++) {
		const char *got;

		begin((uint64_t)(1000 + i));
		w.drift = drift;
		w.scatter = scatter;
		w.tail = tail;
		if (slow)
			step_at(slow, 1.1);
		run_history(&w, n_commits, true);
		got = found("a", NULL);
		s.n_right += !strcmp(got, slow ? arena_printf(mem, "%d", slow) : "");
		s.n_wrong += *got && strcmp(got, arena_printf(mem, "%d", slow)) != 0;
		s.n_reruns += w.n_reruns;
		finish();
	}
	return s;
}

START_TEST(noise_alone_is_not_a_change)
{
	struct score quiet = play(TRIALS, 14, 0, 0.005, 0.01, 0.02);
	struct score drifting = play(TRIALS, 14, 0, 0.04, 0.02, 0.05);
	struct score wild = play(TRIALS, 14, 0, 0.20, 0.20, 0.10);

	ck_assert_int_eq(quiet.n_right, TRIALS);
	ck_assert_int_ge(drifting.n_right, TRIALS - 1);
	ck_assert_int_ge(wild.n_right, TRIALS - 1);
}
END_TEST

START_TEST(the_slow_commit_is_named_under_drift)
{
	struct score quiet = play(TRIALS, 14, 8, 0.005, 0.01, 0.02);
	struct score drifting = play(TRIALS, 14, 8, 0.04, 0.02, 0.05);

	ck_assert_int_eq(quiet.n_right, TRIALS);
	ck_assert_int_ge(drifting.n_right, TRIALS - 1);
}
END_TEST

START_TEST(the_slow_commit_is_named_where_single_runs_tell_nothing)
{
	struct score wild = play(TRIALS, 14, 8, 0.30, 0.10, 0.10);

	ck_assert_int_ge(wild.n_right, TRIALS - 2);
	ck_assert_int_le(wild.n_wrong, 1);
	ck_assert_int_le(wild.n_reruns, TRIALS * 12);
}
END_TEST

/* --- comparison and gate --- */

static struct report_comparison compared(const char *base, const char *head)
{
	struct report_comparison c;
	struct report b, h;
	struct project p;

	ok(store_project_find(db, mem, "p", &p, &err));
	ok(analysis_find_report(db, mem, p.id, base, NULL, NULL, &b, &err));
	ok(analysis_find_report(db, mem, p.id, head, NULL, NULL, &h, &err));
	ok(analysis_compare(db, mem, &b, &h, NULL, &c, &err));
	return c;
}

START_TEST(arms_of_one_job_are_compared_in_pairs)
{
	struct report_comparison c;
	struct gate g;
	struct job j;

	begin(7);
	w.drift = 0.5;
	w.scatter = 0.02;
	step_at(1, 1.1);
	j = submit(&w, commit_hash(0), commit_hash(1));
	run_queue(&w);
	ok(store_job_get(db, mem, j.id, &j, &err));
	ck_assert_int_eq(j.outcome, OUTCOME_SLOWER);
	ck_assert_ptr_nonnull(strstr(j.result_json, "\"paired\":true"));
	ok(analysis_compare_job(db, mem, &j, NULL, &c, &err));
	ck_assert(c.paired && c.same_environment);
	ck_assert_uint_eq(c.n_rows, 1);
	ck_assert_int_eq(c.rows[0].outcome, OUTCOME_SLOWER);
	ck_assert_str_eq(c.rows[0].method, "paired Hodges-Lehmann");
	ck_assert(c.rows[0].stands_out && c.rows[0].q < 0.01);
	ck_assert(c.n_suite == 1 && c.n_standing_out == 1);
	ck_assert(c.rows[0].low < 0.1 && 0.1 < c.rows[0].high);
	ck_assert(fabs(c.geometric_mean - 1.1) < 0.03);
	ok(analysis_gate_job(db, mem, &j, NULL, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(g.rules[0].reason, "a: Latency +1"));
	finish();
}
END_TEST

static const struct comparison_row *row_of(
	const struct report_comparison *c, const char *measure)
{
	for (size_t i = 0; i < c->n_rows; i++)
		if (!strncasecmp(c->rows[i].measure, measure, strlen(measure)))
			return &c->rows[i];
	ck_abort_msg("no row of %s", measure);
	return NULL;
}

START_TEST(a_throughput_that_mirrors_latency_does_not_count_twice)
{
	struct report_comparison c;
	struct gate g;

	begin(27);
	w.work[0] = w.work[1] = 1e9;
	step_at(1, 1.2);
	run_history(&w, 2, false);
	c = compared(commit_hash(0), commit_hash(1));
	ck_assert_uint_eq(c.n_rows, 2);
	ck_assert(row_of(&c, "latency")->decides);
	ck_assert(!row_of(&c, "throughput")->decides);
	ck_assert_int_eq(row_of(&c, "throughput")->outcome, OUTCOME_SLOWER);
	ck_assert_int_eq(c.counts[OUTCOME_SLOWER], 1);
	ok(analysis_gate(db, mem, &c, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(g.rules[0].reason, "a: Latency +"));
	ck_assert_ptr_null(strstr(g.rules[0].reason, "hroughput"));
	finish();
}
END_TEST

START_TEST(a_throughput_that_falls_at_the_same_latency_counts)
{
	struct report_comparison c;

	begin(28);
	w.work[0] = 1e9;
	w.work[1] = 8e8;
	run_history(&w, 2, false);
	c = compared(commit_hash(0), commit_hash(1));
	ck_assert(row_of(&c, "throughput")->decides);
	ck_assert_int_eq(row_of(&c, "throughput")->outcome, OUTCOME_SLOWER);
	ck_assert_int_eq(c.outcome, OUTCOME_SLOWER);
	finish();
}
END_TEST

START_TEST(reports_of_two_jobs_are_compared_by_processes)
{
	struct report_comparison c;

	begin(8);
	step_at(1, 0.8);
	run_history(&w, 2, false);
	c = compared(commit_hash(0), commit_hash(1));
	ck_assert(!c.paired);
	ck_assert_int_eq(c.outcome, OUTCOME_FASTER);
	ck_assert_str_eq(c.rows[0].method, "Hodges-Lehmann");
	ck_assert(c.rows[0].p < 0.001);
	ck_assert(c.rows[0].detectable > 0 && c.rows[0].detectable < 0.1);
	finish();
}
END_TEST

START_TEST(a_report_equals_itself)
{
	struct report_comparison c;
	struct gate g;

	begin(9);
	run_history(&w, 1, false);
	c = compared("main", "main");
	ck_assert_int_eq(c.outcome, OUTCOME_SAME);
	ck_assert(!c.rows[0].stands_out && c.n_suite == 1);
	ok(analysis_gate(db, mem, &c, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_PASS);
	finish();
}
END_TEST

START_TEST(one_value_is_no_test)
{
	struct report_comparison c;
	struct project p;

	begin(10);
	p = a_project("p");
	add_report(p.id, "main", H1, "x", 100);
	add_report(p.id, "main", H2, "x", 150);
	c = compared(H1, H2);
	ck_assert_int_eq(c.outcome, OUTCOME_UNKNOWN);
	ck_assert_str_eq(
		c.rows[0].reason, "one value each, and too short a history to judge them by");
	ck_assert(fabs(c.rows[0].effect - 0.5) < 1e-9);
	finish();
}
END_TEST

START_TEST(one_value_each_is_judged_by_the_scatter_of_the_history)
{
	struct report_comparison c;
	struct project p;

	begin(15);
	p = a_project("p");
	for (int k = 0; k < 20; k++)
		add_report(
			p.id, "main", commit_hash(k), "x", 100 * (1 + 0.004 * gauss(&w.rng)));
	add_report(p.id, "feature", H1, "x", 110);
	add_report(p.id, "slight", H2, "x", 100.1);
	c = compared("main", "feature");
	ck_assert_int_eq(c.outcome, OUTCOME_SLOWER);
	ck_assert_str_eq(c.rows[0].reason, "beyond the scatter of the history");
	ck_assert(c.rows[0].low > 0.06 && c.rows[0].high < 0.14);
	ck_assert(c.rows[0].detectable > 0.01 && c.rows[0].detectable < 0.05);
	c = compared("main", "slight");
	ck_assert_int_ne(c.outcome, OUTCOME_SLOWER);
	ck_assert_int_ne(c.outcome, OUTCOME_FASTER);
	finish();
}
END_TEST

START_TEST(different_sets_are_never_a_pass)
{
	struct report_comparison c;
	struct project p;
	struct gate g;

	begin(11);
	p = a_project("p");
	add_report(p.id, "main", H1, "x", 100);
	add_report(p.id, "main", H2, "y", 100);
	c = compared(H1, H2);
	ck_assert_uint_eq(c.n_rows, 0);
	ck_assert_str_eq(c.added[0], "y Latency");
	ck_assert_str_eq(c.removed[0], "x Latency");
	ck_assert_int_eq(c.outcome, OUTCOME_UNKNOWN);
	ok(analysis_gate(db, mem, &c, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_ERROR);
	finish();
}
END_TEST

START_TEST(a_gate_on_a_failed_job_is_an_error)
{
	struct gate g;
	struct job j;

	begin(12);
	j = submit(&w, NULL, commit_hash(0));
	refused(analysis_gate_job(db, mem, &j, NULL, &g, &err), E_CONFLICT, "has not ended");
	ok(queue_finish(db, &j, JOB_FAILED, FAULT_BUILD, "make: no rule", T0, &err));
	ok(analysis_gate_job(db, mem, &j, NULL, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_ERROR);
	ck_assert_str_eq(g.rules[0].reason, "failed: make: no rule");
	finish();
}
END_TEST

START_TEST(a_young_history_has_no_limits_and_its_gate_is_unknown)
{
	struct history h;
	struct series s;
	struct gate g;
	struct job j;

	begin(13);
	j = submit(&w, NULL, commit_hash(0));
	run_queue(&w);
	ok(store_job_get(db, mem, j.id, &j, &err));
	ok(analysis_gate_job(db, mem, &j, NULL, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_UNKNOWN);
	s = the_series("a");
	ok(analysis_history(db, mem, &s, 100, &h, &err));
	ck_assert(isnan(h.boundary.upper));
	finish();
}
END_TEST

START_TEST(an_older_history_has_limits_and_a_gate)
{
	struct history h;
	struct series s;
	struct gate g;
	struct job j;

	begin(14);
	w.drift = 0.003;
	run_history(&w, 12, false);
	s = the_series("a");
	ok(analysis_history(db, mem, &s, 100, &h, &err));
	ck_assert_int_eq(h.n_baseline, 12);
	ck_assert(h.boundary.lower < 1e6 && 1e6 < h.boundary.upper);
	ck_assert(h.detectable > 0 && h.detectable < 0.05);
	ck_assert_uint_eq(h.n_segments, 1);
	w.level[12] = 1.3e6;
	j = submit(&w, NULL, commit_hash(12));
	run_queue(&w);
	ok(store_job_get(db, mem, j.id, &j, &err));
	ok(analysis_gate_job(db, mem, &j, NULL, &g, &err));
	ck_assert_int_eq(g.outcome, GATE_FAIL);
	finish();
}
END_TEST

static const json_t *gate_row(const struct gate *g, const char *measure)
{
	size_t i;
	json_t *row;

	json_array_foreach (g->rows, i, row)
		if (!strncasecmp(json_get_str(row, "measure", ""), measure, strlen(measure)))
			return row;
	ck_abort_msg("the gate has no row of %s", measure);
}

static struct gate gate_of_commit(int k)
{
	struct job j = submit(&w, NULL, commit_hash(k));
	struct gate g;

	run_queue(&w);
	ok(store_job_get(db, mem, j.id, &j, &err));
	ok(analysis_gate_job(db, mem, &j, NULL, &g, &err));
	return g;
}

START_TEST(a_rate_that_mirrors_latency_does_not_count_twice_against_the_history)
{
	struct gate g;

	begin(29);
	w.drift = 0.003;
	for (int i = 0; i < 13; i++)
		w.work[i] = 1e9;
	run_history(&w, 12, false);
	w.level[12] = 1.3e6;
	g = gate_of_commit(12);
	ck_assert_int_eq(g.outcome, GATE_FAIL);
	ck_assert_ptr_nonnull(strstr(g.rules[1].reason, "Latency"));
	ck_assert_str_eq(json_get_str(gate_row(&g, "throughput"), "outcome", ""), "slower");
	ck_assert(!json_get_bool(gate_row(&g, "throughput"), "decides", true));
	ck_assert(json_get_bool(gate_row(&g, "latency"), "decides", false));
	finish();
}
END_TEST

START_TEST(a_rate_that_falls_at_the_same_latency_counts_against_the_history)
{
	struct gate g;

	begin(30);
	w.drift = 0.003;
	for (int i = 0; i < 12; i++)
		w.work[i] = 1e9;
	run_history(&w, 12, false);
	w.work[12] = 7e8;
	g = gate_of_commit(12);
	ck_assert_int_eq(g.outcome, GATE_FAIL);
	ck_assert(json_get_bool(gate_row(&g, "throughput"), "decides", false));
	ck_assert_ptr_nonnull(strstr(g.rules[1].reason, "hroughput"));
	finish();
}
END_TEST

START_TEST(a_change_begins_a_segment)
{
	struct history h;
	struct series s;

	begin(15);
	w.drift = 0.003;
	step_at(6, 1.3);
	run_history(&w, 10, false);
	s = the_series("a");
	ok(analysis_history(db, mem, &s, 100, &h, &err));
	ck_assert_uint_eq(h.n_segments, 2);
	ck_assert_str_eq(h.segments[0].reason, "first");
	ck_assert_str_eq(h.segments[1].reason, "change_point");
	ck_assert_uint_eq(h.segments[1].start, 6);
	ck_assert(fabs(h.segments[1].median / h.segments[0].median - 1.3) < 0.03);
	ck_assert_int_eq(h.n_baseline, 4);
	finish();
}
END_TEST

static void submit_on(struct world *wd, const char *branch, const char *head)
{
	const struct filing f = {
		.project = "p", .submitter = "tester", .trigger = "api", .now_ns = T0
	};
	json_t *body = arena_own_json(
		mem, json_pack("{ss ss ss}", "workload", "w", "branch", branch, "head", head));
	struct job j;

	ok(queue_file_job(db, mem, &wd->rules, &f, body, &j, &err));
}

START_TEST(a_branch_begins_at_the_level_that_its_start_point_has_reached)
{
	struct start_point from = { .branch = "main", .hash = NULL };
	struct project p;
	struct branch b;
	struct series s;
	struct history h;
	int reruns;

	begin(21);
	step_at(12, 1.3);
	run_history(&w, 16, false);
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_branch_ensure(db, mem, p.id, "feature", &from, T0, &b, &err));
	reruns = w.n_reruns;
	ck_assert_int_gt(reruns, 0);
	submit_on(&w, "feature", commit_hash(16));
	run_queue(&w);
	ck_assert_int_eq(w.n_reruns, reruns);
	ok(store_series_find(db, mem, p.id, "feature", "host", "a", "latency", &s, &err));
	ok(analysis_history(db, mem, &s, 100, &h, &err));
	ck_assert_uint_eq(h.n_segments, 2);
	ck_assert_str_eq(h.segments[1].reason, "change_point");
	ck_assert_int_eq(h.n_baseline, 5);
	finish();
}
END_TEST

START_TEST(uploads_are_judged_by_their_history_alone)
{
	struct change_point *c;
	struct project p;

	begin(16);
	p = a_project("p");
	for (int k = 0; k < 40; k++) {
		double level = k < 25 ? 100 : 110;
		struct job j = { .project_id = p.id, .kind = "command", .trigger = "api" };
		struct simple_report r = add_report(
			p.id, "main", commit_hash(k), "x", level * (1 + 0.004 * gauss(&w.rng)));
		struct findings *f;
		struct rerun *reruns;
		size_t n;

		j.report_uuid = r.uuid;
		j.definition_json = "{}";
		ok(analysis_judge(db, mem, &j, &f, &err));
		ok(analysis_save(db, mem, f, T0, &j, &reruns, &n, &err));
		ck_assert_uint_eq(n, 0);
	}
	ck_assert_str_eq(found("x", &c), "25");
	ck_assert(c->effect_low < 0.1 && 0.1 < c->effect_high);
	ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 1);
	finish();
}
END_TEST

/* What was stored with the newest value of the benchmark a. */
static json_t *newest_detail(void)
{
	struct series s = the_series("a");
	struct point *points;
	struct result *results;
	struct boundary b;
	json_t *o;
	size_t n;

	ok(store_series_points(db, mem, s.id, 1, &points, &n, &err));
	ok(store_report_results(db, mem, points[0].report_id, &results, &n, &err));
	ok(store_boundary_find(db, mem, results[0].metric.id, &b, &err));
	ok(json_parse(b.detail_json, strlen(b.detail_json), &o, &err));
	return arena_own_json(mem, o);
}

/* --- commits that are measured late --- */

static void know_commits(int n)
{
	struct project p = a_project("p");

	for (int k = 0; k < n; k++) {
		struct commit c = { .hash = commit_hash(k),
			.author = "",
			.email = "",
			.subject = "",
			.parents = k ? commit_hash(k - 1) : "",
			.time_ns = T0 + k * NS_PER_S };

		ok(store_commit_save(db, p.id, &c, &err));
	}
}

static void measure_commits(int from, int to)
{
	for (int k = from; k < to; k++) {
		submit(&w, NULL, commit_hash(k));
		run_queue(&w);
	}
}

START_TEST(a_backfilled_commit_moves_the_change_to_where_it_began)
{
	struct change_point *c;
	struct confirmed_alert *told;
	struct project p;
	struct alert *al;
	size_t n, n_told;

	begin(60);
	know_commits(20);
	step_at(8, 1.2);
	measure_commits(0, 8);
	measure_commits(10, 15);
	ck_assert_str_eq(found("a", &c), "8");
	ck_assert_str_eq(c->hash, commit_hash(10));
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_confirmed_alerts(db, mem, T0, 100, &told, &n_told, &err));
	ck_assert_uint_eq(n_told, 1);
	measure_commits(8, 9); /* late, and slow already */
	ck_assert_str_eq(found("a", &c), "8");
	ck_assert_str_eq(c->hash, commit_hash(8));
	ok(store_alert_list(db, mem, p.id, 1u << ALERT_CONFIRMED, 100, &al, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(al[0].hash, commit_hash(8));
	measure_commits(9, 10); /* behind it: nothing moves */
	ck_assert_str_eq(found("a", &c), "8");
	ck_assert_str_eq(c->hash, commit_hash(8));
	ok(store_confirmed_alerts(db, mem, T0, 100, &told, &n_told, &err));
	ck_assert_uint_eq(n_told, 1); /* nobody is told twice */
	finish();
}
END_TEST

START_TEST(a_backfilled_commit_before_the_change_leaves_it_where_it_is)
{
	struct change_point *c;

	begin(61);
	know_commits(20);
	step_at(9, 1.2);
	measure_commits(0, 8);
	measure_commits(9, 15);
	ck_assert_str_eq(found("a", NULL), "8");
	measure_commits(8, 9); /* late, and quick still */
	ck_assert_str_eq(found("a", &c), "9");
	ck_assert_str_eq(c->hash, commit_hash(9));
	ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 1);
	finish();
}
END_TEST

/* A late commit gets its place while a judgement is on its way to the writer. */
START_TEST(a_commit_that_comes_between_judging_and_storing_moves_what_is_stored)
{
	struct world *late = &w;
	struct change_point *c;
	struct branch branch;
	struct version v;
	struct project p;

	begin(63);
	know_commits(30);
	step_at(12, 1.2);
	measure_commits(0, 5);
	measure_commits(6, 12);
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_branch_find(db, mem, p.id, "main", &branch, &err));
	late->between_head = branch.head_id;
	late->between_hash = commit_hash(5);
	measure_commits(12, 16);
	ck_assert_int_eq(late->between_found, 12); /* 11 when it was judged */
	ok(store_version_ensure(db, mem, branch.head_id, commit_hash(12), &v, &err));
	ck_assert_int_eq(v.number, 12);
	ck_assert_str_eq(found("a", &c), "12");
	ck_assert_str_eq(c->hash, commit_hash(12));
	ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 1);
	finish();
}
END_TEST

START_TEST(limits_behind_a_backfilled_commit_are_made_again)
{
	int64_t before;

	begin(62);
	know_commits(30);
	measure_commits(0, 5);
	measure_commits(6, 14);
	before = json_get_int(newest_detail(), "n_history", 0);
	measure_commits(5, 6);
	ck_assert_int_eq(json_get_int(newest_detail(), "n_history", 0), before + 1);
	finish();
}
END_TEST

/* --- configured rules --- */

static void rule(const char *name, const char *model)
{
	struct project p = a_project("p");
	struct limit_rule r = { .project_id = p.id,
		.name = name,
		.source = "api",
		.benchmark = "a*",
		.model_json = model };

	ok(store_rule_save(db, mem, &r, T0, &err));
}

START_TEST(with_nothing_configured_the_default_says_that_it_is)
{
	begin(50);
	run_history(&w, 2, false);
	ck_assert_str_eq(json_get_str(newest_detail(), "origin", ""), "default");
	ck_assert_ptr_nonnull(
		strstr(json_get_str(newest_detail(), "by", ""), "benchd's default"));
	finish();
}
END_TEST

START_TEST(a_configured_limit_judges_jobs_as_it_judges_uploads)
{
	struct project p;
	struct alert *al;
	size_t n;

	begin(51);
	rule("five", "{\"test\":\"percentage\",\"upper_boundary\":0.05}");
	step_at(5, 1.2);
	run_history(&w, 6, false);
	ck_assert_str_eq(json_get_str(newest_detail(), "test", ""), "percentage");
	ck_assert_str_eq(
		json_get_str(newest_detail(), "by", ""), "percentage, the rule 'five'");
	ck_assert_int_eq(w.n_reruns, 0);
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_alert_list(db, mem, p.id, 1u << ALERT_CONFIRMED, 100, &al, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(al[0].limit_side, "upper");
	ck_assert_int_eq(al[0].version_number, 5);
	finish();
}
END_TEST

START_TEST(an_own_test_of_a_job_is_answered_by_re_runs)
{
	struct project p;
	struct alert *al;
	size_t n;

	begin(52);
	rule("big", "{\"test\":\"log_t\",\"min_effect\":0.15}");
	step_at(14, 1.1); /* less than what is asked for */
	step_at(16, 1.3);
	run_history(&w, 18, false);
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(store_alert_list(db, mem, p.id, 1u << ALERT_CONFIRMED, 100, &al, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(al[0].version_number, 16);
	ck_assert_ptr_null(al[0].limit_side);
	ck_assert_ptr_nonnull(strstr(al[0].detail_json, "\"rule\":\"big\""));
	ck_assert_msg(strstr(al[0].detail_json, "\"detectable\":0."), "%s", al[0].detail_json);
	ck_assert_int_ge(w.n_reruns, 2);
	finish();
}
END_TEST

START_TEST(a_rule_sees_smaller_changes_than_the_workload_asks_for)
{
	begin(53);
	w.scatter = 0.001;
	rule("small", "{\"test\":\"log_t\",\"min_effect\":0.005}");
	step_at(14, 1.012); /* the workload's min_effect is 0.02 */
	run_history(&w, 16, false);
	ck_assert_str_eq(found("a", NULL), "14");
	ck_assert_uint_eq(n_alerts(1u << ALERT_CONFIRMED), 1);
	finish();
}
END_TEST

START_TEST(what_is_switched_off_alerts_nobody_and_its_gate_passes)
{
	struct report r;
	struct project p;
	struct gate g;

	begin(54);
	rule("quiet", "{\"test\":\"off\"}");
	step_at(4, 3);
	run_history(&w, 8, false);
	ck_assert_uint_eq(n_alerts(~0u), 0);
	ck_assert_int_eq(w.n_reruns, 0);
	ok(store_project_find(db, mem, "p", &p, &err));
	ok(analysis_find_report(db, mem, p.id, "main", NULL, NULL, &r, &err));
	ok(analysis_gate_report(db, mem, &r, &g, &err));
	ck_assert_str_eq(g.rules[2].rule, "every benchmark has limits");
	ck_assert_int_eq(g.rules[2].outcome, GATE_PASS);
	finish();
}
END_TEST

START_TEST(a_report_is_found_by_what_people_say)
{
	static const char third[] = "3333333333333333333333333333333333333333";
	const struct side_refs refs = { "main", "dev", NULL };
	struct report r, base;
	struct project p;

	begin(17);
	p = a_project("p");
	add_report(p.id, "main", H1, "x", 100);
	add_report(p.id, "dev", H2, "x", 100);
	ok(analysis_find_report(db, mem, p.id, "1111111", NULL, NULL, &r, &err));
	ck_assert_str_eq(r.version.hash, H1);
	ok(analysis_find_report(db, mem, p.id, "dev", NULL, NULL, &r, &err));
	ck_assert_str_eq(r.version.hash, H2);
	ok(analysis_find_report(db, mem, p.id, r.uuid, NULL, NULL, &r, &err));
	/* Several workloads on one branch: the newest one with something in common. */
	add_report(p.id, "main", third, "y", 100);
	ok(analysis_find_report(db, mem, p.id, "dev", NULL, NULL, &r, &err));
	ok(analysis_find_report(db, mem, p.id, "main", NULL, NULL, &base, &err));
	ck_assert_str_eq(base.version.hash, third);
	ok(analysis_match_sides(db, mem, &refs, &base, &r, &err));
	ck_assert_str_eq(base.version.hash, H1);
	ck_assert_str_eq(r.version.hash, H2);
	refused(analysis_find_report(db, mem, p.id, "v9", NULL, NULL, &r, &err), E_NOT_FOUND,
		"there is no report of 'v9'");
	finish();
}
END_TEST

SUITE("analysis", a_quiet_host_finds_the_slow_commit_of_a_young_history,
	it_is_found_too_when_commits_come_one_by_one,
	the_second_commit_of_all_can_be_the_slow_one, a_regression_that_is_mended_is_closed,
	it_is_closed_though_the_host_drifts_in_between,
	only_the_benchmark_that_changed_is_named, noise_alone_is_not_a_change,
	the_slow_commit_is_named_under_drift,
	the_slow_commit_is_named_where_single_runs_tell_nothing,
	arms_of_one_job_are_compared_in_pairs,
	a_throughput_that_mirrors_latency_does_not_count_twice,
	a_throughput_that_falls_at_the_same_latency_counts,
	reports_of_two_jobs_are_compared_by_processes, a_report_equals_itself,
	one_value_is_no_test, one_value_each_is_judged_by_the_scatter_of_the_history,
	different_sets_are_never_a_pass, a_gate_on_a_failed_job_is_an_error,
	a_young_history_has_no_limits_and_its_gate_is_unknown,
	an_older_history_has_limits_and_a_gate,
	a_rate_that_mirrors_latency_does_not_count_twice_against_the_history,
	a_rate_that_falls_at_the_same_latency_counts_against_the_history,
	a_change_begins_a_segment, a_backfilled_commit_moves_the_change_to_where_it_began,
	a_backfilled_commit_before_the_change_leaves_it_where_it_is,
	limits_behind_a_backfilled_commit_are_made_again,
	a_commit_that_comes_between_judging_and_storing_moves_what_is_stored,
	with_nothing_configured_the_default_says_that_it_is,
	a_configured_limit_judges_jobs_as_it_judges_uploads,
	an_own_test_of_a_job_is_answered_by_re_runs,
	a_rule_sees_smaller_changes_than_the_workload_asks_for,
	what_is_switched_off_alerts_nobody_and_its_gate_passes,
	a_branch_begins_at_the_level_that_its_start_point_has_reached,
	uploads_are_judged_by_their_history_alone, a_report_is_found_by_what_people_say)
