/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparisons and gates: what analysis/ says, in the format asked for. */
#include "daemon/http/handlers.h"

#include <math.h>
#include <string.h>
#include "daemon/analysis/analysis.h"

/* ?threshold=0.05 or 5%: the least relative change of interest. */
static int read_rules(struct request *rq, struct compare_rules *ret, struct error *err)
{
	int r = query_real(rq, "threshold", 0, 10, NAN, &ret->min_effect, err);

	ret->alpha = 0;
	if (r == OK)
		r = query_real(rq, "alpha", 0.000001, 0.5, 0, &ret->alpha, err);
	return r;
}

static int find_job(struct request *rq, struct store *st, const struct project *p,
	const char *uuid, struct job *ret, struct error *err)
{
	int r = store_job_find(st, request_arena(rq), uuid, ret, err);

	if (r == OK && ret->project_id != p->id)
		return error_set_field(err, E_NOT_FOUND, "job",
			"there is no job '%.40s' in project '%s'", uuid, p->slug);
	return r;
}

static int find_side(struct request *rq, struct store *st, const struct project *p,
	const char *side, const char *testbed, struct report *ret, struct error *err)
{
	const char *ref = request_query(rq, side);

	if (!ref || !*ref)
		return error_set_field(err, E_BAD_REQUEST, side,
			"'%s' of the query is missing: a report, a commit or a branch", side);
	return analysis_find_report(st, request_arena(rq), p->id, ref,
		request_query(rq, "branch"), testbed, ret, err);
}

/* Where no testbed is asked for: both of the one that head was measured on last, else both of
 * base's, else whatever there is. */
static int find_sides(struct request *rq, struct store *st, const struct project *p,
	struct report *base, struct report *head, struct error *err)
{
	const char *testbed = request_query(rq, "testbed");
	struct error ignored;
	struct report other;
	int r = find_side(rq, st, p, "base", testbed, base, err);

	if (r == OK)
		r = find_side(rq, st, p, "head", testbed, head, err);
	if (r < 0 || testbed || base->testbed.id == head->testbed.id)
		return r;
	if (find_side(rq, st, p, "base", head->testbed.name, &other, &ignored) == OK &&
		other.testbed.id == head->testbed.id)
		*base = other;
	else if (find_side(rq, st, p, "head", base->testbed.name, &other, &ignored) == OK &&
		 other.testbed.id == base->testbed.id)
		*head = other;
	return OK;
}

static int compare_sides(struct request *rq, struct store *st, const struct project *p,
	const struct compare_rules *rules, struct report_comparison *ret, struct error *err)
{
	const struct side_refs refs = { request_query(rq, "base"), request_query(rq, "head"),
		request_query(rq, "branch") };
	struct report base, head;
	int r = find_sides(rq, st, p, &base, &head, err);

	if (r == OK)
		r = analysis_match_sides(st, request_arena(rq), &refs, &base, &head, err);
	if (r == OK)
		r = analysis_compare(st, request_arena(rq), &base, &head, rules, ret, err);
	return r;
}

/* By ?job= or by ?base=&head=. */
static int compare(struct request *rq, struct store *st, const struct project *p,
	struct report_comparison *ret, struct error *err)
{
	const char *job = request_query(rq, "job");
	struct compare_rules rules;
	struct job j;
	int r = read_rules(rq, &rules, err);

	if (r < 0)
		return r;
	if (!job)
		return compare_sides(rq, st, p, &rules, ret, err);
	r = find_job(rq, st, p, job, &j, err);
	return r < 0 ? r : analysis_compare_job(st, request_arena(rq), &j, &rules, ret, err);
}

int get_compare(struct request *rq, struct store *st, struct error *err)
{
	static const char *const names[] = { "base", "head", "job", "branch", "testbed",
		"threshold", "alpha", NULL };
	struct report_comparison c;
	struct project p;
	int r = request_query_only(rq, names, err);

	if (r == OK)
		r = find_project(rq, st, &p, err);
	if (r < 0 || is_unchanged(rq, st, &p, DOC_COMPARE))
		return r;
	r = compare(rq, st, &p, &c, err);
	return r < 0 ? r : answer(rq, 200, DOC_COMPARE, analysis_comparison_json(&c), err);
}

int compare_document(struct request *rq, struct store *st, const struct project *p,
	json_t **ret, struct error *err)
{
	struct report_comparison c;
	int r = compare(rq, st, p, &c, err);

	if (r == OK)
		*ret = analysis_comparison_json(&c);
	return r;
}

int job_comparison(struct request *rq, struct store *st, const struct job *j, json_t **ret,
	struct error *err)
{
	struct report_comparison c;
	int r;

	*ret = NULL;
	if (!j->base_report_uuid || !j->report_uuid)
		return OK;
	r = analysis_compare_job(st, request_arena(rq), j, NULL, &c, err);
	if (r == OK)
		*ret = analysis_comparison_json(&c);
	return r == E_NOT_FOUND ? OK : r;
}

static int gate_of_report(struct request *rq, struct store *st, const struct project *p,
	const char *ref, struct gate *ret, struct error *err)
{
	struct report report;
	int r = analysis_find_report(st, request_arena(rq), p->id, ref,
		request_query(rq, "branch"), request_query(rq, "testbed"), &report, err);

	return r < 0 ? r : analysis_gate_report(st, request_arena(rq), &report, ret, err);
}

static int gate_of_job(struct request *rq, struct store *st, const struct project *p,
	const char *uuid, struct gate *ret, struct error *err)
{
	struct compare_rules rules;
	struct job j;
	int r = read_rules(rq, &rules, err);

	if (r == OK)
		r = find_job(rq, st, p, uuid, &j, err);
	return r < 0 ? r : analysis_gate_job(st, request_arena(rq), &j, &rules, ret, err);
}

static int gate(struct request *rq, struct store *st, const struct project *p, struct gate *ret,
	struct error *err)
{
	const char *report = request_query(rq, "report"), *job = request_query(rq, "job");
	struct report_comparison *c;
	int r;

	if (report)
		return gate_of_report(rq, st, p, report, ret, err);
	if (job)
		return gate_of_job(rq, st, p, job, ret, err);
	c = ARENA_NEW(request_arena(rq), struct report_comparison);
	r = compare(rq, st, p, c, err);
	return r < 0 ? r : analysis_gate(st, request_arena(rq), c, ret, err);
}

/* ?fail_on= names outcomes of a comparison or of a gate. */
static const char *const fail_words[] = { "slower", "unknown", "faster", "fail", "error",
	NULL };
enum { ON_SLOWER = 1, ON_UNKNOWN = 2, ON_FASTER = 4, ON_FAIL = 8, ON_ERROR = 16 };

static bool fails(const struct gate *g, unsigned on)
{
	if (g->outcome == GATE_ERROR) /* nothing was measured: never a success */
		return on != 0;
	if (g->outcome == GATE_FAIL && on & (ON_FAIL | ON_SLOWER))
		return true;
	if (g->outcome == GATE_UNKNOWN && on & ON_UNKNOWN)
		return true;
	return (g->comparison == OUTCOME_SLOWER && on & ON_SLOWER) ||
	       (g->comparison == OUTCOME_UNKNOWN && on & ON_UNKNOWN) ||
	       (g->comparison == OUTCOME_FASTER && on & ON_FASTER);
}

int get_gate(struct request *rq, struct store *st, struct error *err)
{
	static const char *const names[] = { "base", "head", "job", "branch", "testbed",
		"threshold", "alpha", "report", "fail_on", NULL };
	struct project p;
	struct gate g;
	unsigned on;
	int r = request_query_only(rq, names, err);

	if (r == OK)
		r = query_bits(rq, "fail_on", fail_words, &on, err);
	if (r == OK)
		r = find_project(rq, st, &p, err);
	if (r == OK)
		r = gate(rq, st, &p, &g, err);
	if (r < 0)
		return r;
	return answer(rq, fails(&g, on) ? 409 : 200, DOC_GATE, analysis_gate_json(&g), err);
}
