/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "client/gate_file.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/text.h"
#include "base/yaml.h"

enum { OPERATORS = 4, MAX_NAMED = 3, PATTERN_MAX = 256 };
static const char *const operators[OPERATORS + 1] = { "<", "<=", ">", ">=", NULL };
static const char *const statistics[] = { "value", "min", "q1", "median", "q3", "max", "mean",
	"stddev", "mad", "cv", NULL };
static const char *const members[] = { "benchmark", "measure", "statistic", "alerts", "<",
	"<=", ">", ">=", NULL };

/* --- reading ------------------------------------------------------------------------------ */

static bool is_among(const char *word, const char *const *names)
{
	while (*names && strcmp(*names, word) != 0)
		names++;
	return *names != NULL;
}

/* A limit: a number, or text with a unit whose factor is told. ret_unit: 0 none, 's', '%'. */
static bool read_limit(const json_t *v, double *ret, char *ret_unit)
{
	static const struct {
		const char *suffix;
		double factor;
		char unit;
	} rows[] = { { "", 1, 0 }, { "%", 0.01, '%' }, { "ns", 1, 's' }, { "us", 1e3, 's' },
		{ "ms", 1e6, 's' }, { "s", 1e9, 's' } };
	char *end;
	double x;

	*ret_unit = 0;
	*ret = json_number_value(v);
	if (json_is_number(v))
		return true;
	if (!json_is_string(v))
		return false;
	x = strtod(json_string_value(v), &end);
	if (end == json_string_value(v) || !isfinite(x))
		return false;
	end += strspn(end, " ");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(end, rows[i].suffix) == 0) {
			*ret = x * rows[i].factor;
			*ret_unit = rows[i].unit;
			return true;
		}
	return false;
}

/* Members that are words: patterns, the statistic, "none". */
static int check_word(const char *rule, const char *key, const json_t *v, struct error *err)
{
	const char *text = json_string_value(v), *near;

	if (!text || !*text || strlen(text) > PATTERN_MAX)
		return error_set_field(err, E_UNPROCESSABLE, key,
			"'%s' of the rule '%s' must be text of 1 to %d bytes", key, rule,
			PATTERN_MAX);
	if (!strcmp(key, "alerts") && strcmp(text, "none") != 0)
		return error_set_field(err, E_UNPROCESSABLE, key,
			"'alerts' of the rule '%s' is '%.40s'; it can only be none", rule,
			text);
	if (strcmp(key, "statistic") != 0 || is_among(text, statistics))
		return OK;
	near = nearest_name(text, statistics);
	return error_set_field(err, E_UNPROCESSABLE, key,
		"'statistic' of the rule '%s' is '%.40s'; did you mean '%s'?", rule, text,
		near ? near : "value");
}

static int check_member(const char *rule, const char *key, const json_t *v, struct error *err)
{
	const char *near;
	double limit;
	char unit;

	if (is_among(key, operators)) {
		if (read_limit(v, &limit, &unit))
			return OK;
		return error_set_field(err, E_UNPROCESSABLE, key,
			"the limit of the rule '%s' must be a number, with ns, us, ms, s or %% "
			"behind it or nothing",
			rule);
	}
	if (is_among(key, members))
		return check_word(rule, key, v, err);
	near = nearest_name(key, members);
	return error_set_field(err, E_UNPROCESSABLE, key,
		"'%.40s' of the rule '%s' is not known here%s%s%s", key, rule,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int check_rule(const char *name, json_t *rule, struct error *err)
{
	size_t n_limits = 0;
	const char *key;
	json_t *v;

	if (!json_is_object(rule))
		return error_set_field(
			err, E_UNPROCESSABLE, name, "the rule '%.80s' must be a mapping", name);
	json_object_foreach (rule, key, v) {
		int r = check_member(name, key, v, err);

		if (r != OK)
			return r;
		n_limits += is_among(key, operators);
	}
	if (json_object_get(rule, "alerts"))
		return OK;
	if (!json_object_get(rule, "measure") || n_limits == 0)
		return error_set_field(err, E_UNPROCESSABLE, name,
			"the rule '%.80s' needs 'measure' and one of < <= > >=, or 'alerts: "
			"none'",
			name);
	return OK;
}

static int check_rules(const char *path, json_t *rules, struct error *err)
{
	const char *name;
	json_t *rule;

	if (!json_is_object(rules) || json_object_size(rules) == 0 ||
		json_object_size(rules) > GATE_FILE_RULES)
		return error_set_field(err, E_UNPROCESSABLE, "gate",
			"%s: 'gate' must be a mapping of 1 to %d rules", path, GATE_FILE_RULES);
	json_object_foreach (rules, name, rule) {
		int r = check_rule(name, rule, err);

		if (r != OK)
			return error_prefix(err, "%s: ", path);
	}
	return OK;
}

int gate_file_load(struct arena *a, const char *path, json_t **ret, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	json_t *o = NULL;
	int r = file_read(!strcmp(path, "-") ? "/dev/stdin" : path, 1024 * 1024, &b, err);

	if (r == OK)
		r = yaml_parse(path, buf_str(&b), b.len, &o, NULL, err);
	if (r != OK)
		return r;
	*ret = json_object_get(arena_own_json(a, o), "gate");
	return check_rules(path, *ret, err);
}

/* --- judging ------------------------------------------------------------------------------ */

struct judge {
	struct arena *a;
	json_t *rule;
	size_t n, n_bad, n_absent; /* values: all, beyond the limit, without the statistic */
	const char *bad;	   /* the first of them, in words */
	const char *error;	   /* NULL = none */
};

static bool glob_matches_any_case(struct arena *a, const char *pattern, const char *text)
{
	char *p = arena_strdup(a, pattern), *t = arena_strdup(a, text);

	for (char *c = p; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (char *c = t; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return glob_match(p, t);
}

static bool holds(const char *operator, double x, double limit)
{
	if (operator[0] == '<')
		return operator[1] ? x <= limit : x<limit;
	return operator[1] ? x >= limit : x> limit;
}

/* Times in the unit that people would write; everything else as it is. */
static const char *in_words(struct arena *a, double x, const char *units)
{
	static const struct {
		double ns;
		const char *name;
	} scales[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 0, "ns" } };
	char text[32];
	size_t i = 0;

	if (!strstr(units, "(ns)"))
		return arena_strdup(a, json_number(x, text));
	while (fabs(x) < scales[i].ns)
		i++;
	return arena_printf(
		a, "%.5g %s", x / (scales[i].ns ? scales[i].ns : 1), scales[i].name);
}

/* One value against the limits of the rule. */
static void judge_value(struct judge *j, const char *benchmark, const char *measure,
	const char *units, double x)
{
	for (int i = 0; i < OPERATORS; i++) {
		json_t *v = json_object_get(j->rule, operators[i]);
		char unit;
		double limit;

		if (!v || !read_limit(v, &limit, &unit))
			continue;
		if (unit == 's' && !strstr(units, "(ns)")) {
			j->error = arena_printf(j->a, "%s of %s is in %s, not a time", measure,
				benchmark, units);
			return;
		}
		if (holds(operators[i], x, limit))
			continue;
		if (j->n_bad++ < MAX_NAMED)
			j->bad = arena_printf(j->a, "%s%s%s: %s %s, not %s %s", j->bad,
				*j->bad ? "; " : "", benchmark, measure,
				in_words(j->a, x, units), operators[i],
				in_words(j->a, limit, units));
		return;
	}
}

static void judge_measure(struct judge *j, const char *benchmark, json_t *entry)
{
	const char *pattern = json_get_str(j->rule, "measure", "");
	const char *statistic = json_get_str(j->rule, "statistic", "value");
	json_t *measure = json_object_get(entry, "measure");
	const char *name = json_get_str(measure, "name", "");
	bool is_value = !strcmp(statistic, "value");
	double x = json_get_real(
		json_object_get(entry, is_value ? "metric" : "statistics"), statistic, NAN);

	if (!glob_matches_any_case(j->a, pattern, name) &&
		!glob_matches_any_case(j->a, pattern, json_get_str(measure, "slug", "")))
		return;
	j->n++;
	if (isfinite(x))
		judge_value(j, benchmark, name,
			strcmp(statistic, "cv") ? json_get_str(measure, "units", "") : "1", x);
	else
		j->n_absent++;
}

static void judge_report(struct judge *j, json_t *report)
{
	const char *pattern = json_get_str(j->rule, "benchmark", "*");
	json_t *iteration, *result, *entry;
	size_t i, k, m;

	json_array_foreach (json_object_get(report, "results"), i, iteration)
		json_array_foreach (iteration, k, result) {
			const char *name =
				json_get_str(json_object_get(result, "benchmark"), "name", "");

			if (!glob_match(pattern, name))
				continue;
			json_array_foreach (json_object_get(result, "measures"), m, entry)
				judge_measure(j, name, entry);
		}
}

/* The sweeps of a report: their mean efficiency is the measure scaling.efficiency. */
static void judge_scaling(struct judge *j, json_t *report)
{
	static const char name[] = "scaling.efficiency";
	json_t *sweep;
	size_t i;

	if (!glob_match(json_get_str(j->rule, "measure", ""), name))
		return;
	json_array_foreach (json_object_get(report, "scaling"), i, sweep) {
		const char *benchmark = json_get_str(sweep, "benchmark", "");
		double x = json_get_real(sweep, "mean_efficiency", NAN);

		if (!glob_match(json_get_str(j->rule, "benchmark", "*"), benchmark))
			continue;
		j->n++;
		if (isfinite(x))
			judge_value(j, benchmark, name, "1", x);
		else
			j->n_absent++;
	}
}

/* Alerts that a report carries are confirmed ones; dismissed and resolved ones are past. */
static void judge_alerts(struct judge *j, json_t *report)
{
	json_t *alert;
	size_t i;

	j->n++;
	json_array_foreach (json_object_get(report, "alerts"), i, alert) {
		const char *benchmark = json_get_str(
			json_object_get(alert, "benchmark"), "name", "a benchmark");

		if (strcmp(json_get_str(alert, "status", "active"), "active") != 0)
			continue;
		if (j->n_bad++ < MAX_NAMED)
			j->bad = arena_printf(j->a, "%s%san alert on %s", j->bad,
				*j->bad ? "; " : "", benchmark);
	}
}

static const char *reason_of(const struct judge *j)
{
	if (j->error)
		return j->error;
	if (j->n == 0)
		return "it matches nothing that was measured";
	if (j->n_absent)
		return arena_printf(
			j->a, "%zu of %zu values have no such statistic", j->n_absent, j->n);
	if (j->n_bad > MAX_NAMED)
		return arena_printf(j->a, "%s; and %zu more", j->bad, j->n_bad - MAX_NAMED);
	return j->n_bad ? j->bad : arena_printf(j->a, "%zu checked", j->n);
}

static const char *outcome_of(const struct judge *j)
{
	if (j->error || j->n == 0 || j->n_absent)
		return "error";
	return j->n_bad ? "fail" : "pass";
}

static json_t *judge_rule(struct arena *a, const char *name, json_t *rule, json_t *reports)
{
	struct judge j = { .a = a, .rule = rule, .bad = "" };
	json_t *o = json_object(), *report;
	size_t i;

	json_array_foreach (reports, i, report)
		if (json_object_get(rule, "alerts")) {
			judge_alerts(&j, report);
		} else {
			judge_report(&j, report);
			judge_scaling(&j, report);
		}
	json_set_str(o, "rule", name);
	json_set_str(o, "outcome", outcome_of(&j));
	json_set_str(o, "reason", reason_of(&j));
	return o;
}

static int severity(const char *outcome)
{
	return !strcmp(outcome, "pass") ? 0 : !strcmp(outcome, "fail") ? 1 : 2;
}

json_t *gate_file_judge(struct arena *a, json_t *rules, json_t *reports)
{
	json_t *o = arena_own_json(a, json_object()), *list = json_array(), *rule;
	const char *name, *worst = "pass";

	json_object_foreach (rules, name, rule) {
		json_t *one = judge_rule(a, name, rule, reports);
		const char *outcome = json_get_str(one, "outcome", "error");

		if (severity(outcome) > severity(worst))
			worst = outcome;
		json_array_append_new(list, one);
	}
	json_set_str(o, "outcome", worst);
	json_object_set_new(o, "rules", list);
	return o;
}
