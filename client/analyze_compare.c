/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchctl analyze --compare: two arms of process values. */
#include "client/analyze.h"

#include "base/text.h"
#include "stats/compare.h"

static void print_comparison_json(const struct comparison *x)
{
	json_t *j = json_object();

	json_set_str(j, "outcome", compare_outcome_name(x->outcome));
	json_set_bool(j, "paired", x->paired);
	json_set_int(j, "n_base", (int64_t)x->n_base);
	json_set_int(j, "n_head", (int64_t)x->n_head);
	json_set_real(j, "base", x->base);
	json_set_real(j, "head", x->head);
	json_set_real(j, "effect", x->effect);
	if (x->has_interval)
		json_object_set_new(j, "effect_interval", analyze_pair(x->lower, x->upper));
	json_set_real(j, "p", x->p);
	json_set_bool(j, "exact", x->exact);
	json_set_bool(j, "absolute", x->absolute);
	json_set_str(j, "reason", x->reason);
	analyze_print_json(j);
}

static void print_comparison(struct analysis *r, const struct comparison *x)
{
	static const char *const titles[] = { "base", "head", "effect", "from", "to", "p",
		"outcome" };
	struct table *t = table_new(r->c->arena, ARRAY_SIZE(titles));
	const char *cells[] = { analyze_show(r, x->base), analyze_show(r, x->head),
		analyze_effect(r, x->effect, x->absolute),
		analyze_effect(r, x->lower, x->absolute),
		analyze_effect(r, x->upper, x->absolute), analyze_show(r, x->p),
		compare_outcome_name(x->outcome) };

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		table_head(t, i, titles[i], i + 1 < ARRAY_SIZE(titles));
	table_add(t, cells);
	analyze_print_table(r, t);
	note(r->c, "%s: %s", compare_outcome_name(x->outcome), x->reason);
}

static int run_comparison(struct analysis *r, const struct values *base,
	const struct values *head, bool paired, const struct compare_params *p,
	struct comparison *ret)
{
	struct arena *a = r->c->arena;

	if (paired && base->n != head->n)
		return error_set(&r->err, E_UNPROCESSABLE,
			"pairs need equal numbers of values: %zu in '%s', %zu in '%s'", base->n,
			r->o.base, head->n, r->o.head);
	return paired ? compare_paired(a, base->x, head->x, base->n, p, ret, &r->err)
		      : compare_unpaired(r->tails, a, base->x, base->n, head->x, head->n, p,
				ret, &r->err);
}

int analyze_compare(struct analysis *r)
{
	static const char *const kinds[] = { "paired", "unpaired", NULL };
	static const int codes[] = { EXIT_OK, EXIT_OK, EXIT_SLOWER, EXIT_UNKNOWN };
	struct compare_params p = compare_defaults();
	struct comparison result;
	struct values base, head;
	int kind = 0, better = LOWER_IS_BETTER, code;

	if (!analyze_choice(r, "compare", r->o.compare, kinds, &kind) ||
		!analyze_choice(r, "better", r->o.better, analyze_betters, &better) ||
		!analyze_number(r, "alpha", r->o.alpha, &p.alpha) ||
		!analyze_number(r, "min-effect", r->o.min_effect, &p.min_effect))
		return EXIT_USAGE;
	p.better = (enum compare_better)better;
	code = analyze_read_arms(r, &base, &head);
	if (code != EXIT_OK)
		return code;
	if (run_comparison(r, &base, &head, kind == 0, &p, &result) != OK)
		return analyze_failed(r);
	if (r->c->output == OUT_JSON)
		print_comparison_json(&result);
	else
		print_comparison(r, &result);
	return codes[result.outcome];
}
