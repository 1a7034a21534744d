/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which rule applies to a metric, and why. */
#include <fnmatch.h>
#include <math.h>
#include <string.h>
#include "daemon/analysis/internal.h"

int limit_rules_load(struct limit_rules *l, int64_t project_id, struct error *err)
{
	int r = store_threshold_models(
		l->st, l->a, l->branch->id, l->testbed->id, &l->models, &l->n_models, err);

	return r < 0 ? r
		     : store_rule_list(l->st, l->a, project_id, &l->rules, &l->n_rules, err);
}

/* Own tests leave some values out, so they look further than the sample they want. Rules may
 * hold anything. */
int64_t limit_rules_reach(const struct limit_rules *l)
{
	enum { DEFAULT_REACH = 96 };
	int64_t most = DEFAULT_REACH;

	for (size_t i = 0; i < l->n_models; i++) {
		const struct boundary_model *m = &l->models[i].model;
		bool is_plain = m->max_sample_size && !m->own_json;

		most = MAX(most, is_plain ? m->max_sample_size : LIMIT_PAST_MAX);
	}
	return l->n_rules ? LIMIT_PAST_MAX : MIN(most, (int64_t)LIMIT_PAST_MAX);
}

static bool matches(const char *glob, const char *name, const char *slug)
{
	return !glob || (name && fnmatch(glob, name, 0) == 0) ||
	       (slug && fnmatch(glob, slug, 0) == 0);
}

static bool applies(
	const struct limit_rules *l, const struct limit_rule *r, const struct limit_place *p)
{
	return matches(r->branch, l->branch->name, l->branch->slug) &&
	       matches(r->testbed, l->testbed->name, l->testbed->slug) &&
	       matches(r->measure, p->measure, p->measure_slug) &&
	       matches(r->benchmark, p->benchmark, p->benchmark_slug);
}

static int weight(const struct limit_rule *r)
{
	return 8 * !!r->benchmark + 4 * !!r->measure + 2 * !!r->testbed + !!r->branch;
}

static const struct limit_rule *find_rule(
	const struct limit_rules *l, const struct limit_place *p)
{
	const struct limit_rule *best = NULL;

	for (size_t i = 0; i < l->n_rules; i++)
		if (applies(l, &l->rules[i], p) &&
			(!best || weight(&l->rules[i]) >= weight(best)))
			best = &l->rules[i];
	return best;
}

static const struct measure_model *find_model(const struct limit_rules *l, int64_t measure_id)
{
	for (size_t i = 0; i < l->n_models; i++)
		if (l->models[i].measure_id == measure_id)
			return &l->models[i];
	return NULL;
}

static const struct boundary_model own_default = {
	.test = "log_t", .lower_boundary = NAN, .upper_boundary = NAN
};

static int load_rule(struct arena *a, const struct limit_rule *rule, struct boundary_model *ret,
	struct error *err)
{
	_cleanup_(json_decref)
	json_t *o = NULL;
	int r = json_parse(rule->model_json, strlen(rule->model_json), &o, err);

	return r < 0 ? r : limit_model_read(o, "/model", a, ret, err);
}

static int choose(const struct limit_rules *l, const struct limit_place *where,
	struct boundary_model *model, struct limit_choice *ret, struct error *err)
{
	const struct measure_model *m = find_model(l, where->measure_id);
	const struct limit_rule *rule = m ? NULL : find_rule(l, where);

	*ret = (struct limit_choice){ .origin = m      ? "threshold"
						: rule ? "rule"
						       : "default",
		.name = rule ? rule->name : NULL,
		.model_id = m ? m->model.id : 0 };
	*model = m ? m->model : own_default;
	return rule ? load_rule(l->a, rule, model, err) : OK;
}

int limit_rules_choose(const struct limit_rules *l, const struct limit_place *where,
	enum better better, struct limit_choice *ret, struct error *err)
{
	struct boundary_model model;
	int r = choose(l, where, &model, ret, err);

	return r < 0 ? r : limit_model_load(&model, better, &ret->model, err);
}

const char *limit_choice_text(struct arena *a, const struct limit_choice *c)
{
	if (c->model_id)
		return arena_printf(a, "%s, the threshold of this branch, testbed and measure",
			c->model.test);
	return c->name ? arena_printf(a, "%s, the rule '%.80s'", c->model.test, c->name)
		       : DEFAULT_RULE_TEXT;
}

/* --- explain --- */

static json_t *rule_line(
	const struct limit_rules *l, const struct limit_rule *r, const struct limit_place *p)
{
	json_t *o = json_object();
	const char *why = !matches(r->branch, l->branch->name, l->branch->slug)
				  ? "its branch pattern does not match"
			  : !matches(r->testbed, l->testbed->name, l->testbed->slug)
				  ? "its testbed pattern does not match"
			  : !matches(r->measure, p->measure, p->measure_slug)
				  ? "its measure pattern does not match"
			  : !matches(r->benchmark, p->benchmark, p->benchmark_slug)
				  ? "its benchmark pattern does not match"
				  : NULL;

	json_set_str(o, "rule", r->name);
	json_set_bool(o, "matches", !why);
	json_set_int(o, "weight", weight(r));
	json_set_str(o, "why", why ? why : "all its patterns match");
	return o;
}

static const char *sentence(
	const struct limit_rules *l, const struct limit_choice *c, const struct limit_place *p)
{
	if (c->model_id)
		return arena_printf(l->a,
			"the threshold of branch '%.80s', testbed '%.64s' and measure '%.64s' "
			"applies to all its benchmarks",
			l->branch->name, l->testbed->name, p->measure);
	if (c->name)
		return arena_printf(l->a,
			"no threshold is set for this branch, testbed and measure; of the "
			"rules that match, '%.80s' is the most specific",
			c->name);
	return "nothing is configured here: benchd's default applies, which measures again "
	       "or asks further reports before it alerts";
}

int analysis_explain(struct store *st, struct arena *a, int64_t project_id,
	const struct limit_place *where, json_t **ret, struct error *err)
{
	struct limit_rules l = {
		.st = st, .a = a, .branch = where->branch, .testbed = where->testbed
	};
	struct boundary_model model;
	struct limit_choice c;
	json_t *o, *tried;
	int r = limit_rules_load(&l, project_id, err);

	if (r == OK)
		r = choose(&l, where, &model, &c, err);
	if (r == OK)
		r = limit_model_load(&model, BETTER_LOWER, &c.model, err);
	if (r < 0)
		return r;
	o = json_object();
	json_set_str(o, "origin", c.origin);
	json_set_str(o, "rule", c.name);
	json_set_str(o, "why", sentence(&l, &c, where));
	json_object_set_new(o, "model", limit_model_json(&model));
	json_set_int(o, "min_sample_size", (int64_t)c.model.t.min_sample);
	json_set_int(o, "max_sample_size", (int64_t)c.model.t.max_sample);
	json_set_real(o, "min_effect", c.model.t.min_effect);
	json_set_int(o, "confirm", c.model.confirm);
	json_set_str(o, "history", c.model.by_segment ? "segment" : "all");
	tried = json_array();
	for (size_t i = 0; i < l.n_rules; i++)
		json_array_append_new(tried, rule_line(&l, &l.rules[i], where));
	json_object_set_new(o, "rules", tried);
	*ret = o;
	return OK;
}
