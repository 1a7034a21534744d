/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folding of several entries (files, iterations) into one, as Bencher does it. */
#include "daemon/ingest/adapter.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

struct item {
	const struct tool_result *result;
	size_t order; /* of first appearance, so that the output keeps it */
};

static int compare_names(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = strcmp(x->result->benchmark, y->result->benchmark);

	if (c == 0)
		c = strcmp(x->result->measure, y->result->measure);
	return c ? c : (x->order > y->order) - (x->order < y->order);
}

static int compare_numbers(double a, double b)
{
	/* An absent bound sorts first. */
	if (isnan(a) || isnan(b))
		return isnan(b) - isnan(a);
	return (a > b) - (a < b);
}

/* By value, then upper, then lower bound. */
static int compare_values(const void *a, const void *b)
{
	const struct tool_result *x = ((const struct item *)a)->result;
	const struct tool_result *y = ((const struct item *)b)->result;
	int c = compare_numbers(x->value, y->value);

	if (c == 0)
		c = compare_numbers(x->upper, y->upper);
	return c ? c : compare_numbers(x->lower, y->lower);
}

static void mean(const struct item *g, size_t n, size_t n_entries, struct tool_result *r)
{
	double value = 0, lower = 0, upper = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tool_result *x = g[i].result;

		value += x->value;
		lower += isnan(x->lower) ? x->value : x->lower;
		upper += isnan(x->upper) ? x->value : x->upper;
	}
	r->value = value / (double)n_entries;
	r->lower = lower / (double)n_entries;
	r->upper = upper / (double)n_entries;
}

static double middle(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : (a + b) / 2;
}

static void fold_group(
	struct item *g, size_t n, size_t n_entries, enum fold fold, struct tool_result *r)
{
	const struct tool_result *low, *high;

	if (fold == FOLD_MEAN) {
		mean(g, n, n_entries, r);
		return;
	}
	qsort(g, n, sizeof(*g), compare_values);
	low = g[fold == FOLD_MIN ? 0 : fold == FOLD_MAX ? n - 1 : (n - 1) / 2].result;
	high = fold == FOLD_MEDIAN ? g[n / 2].result : low;
	r->value = (low->value + high->value) / 2;
	r->lower = middle(low->lower, high->lower);
	r->upper = middle(low->upper, high->upper);
}

/* The folded values themselves are the samples of the result, unless the entries bring their
 * own. */
static void join_samples(struct arena *a, const struct item *g, size_t n, struct tool_result *r)
{
	size_t total = 0, k = 0;

	for (size_t i = 0; i < n; i++)
		total += g[i].result->n_samples ? g[i].result->n_samples : 1;
	r->samples = ARENA_ARRAY(a, double, total);
	for (size_t i = 0; i < n; i++) {
		const struct tool_result *x = g[i].result;

		if (x->n_samples)
			memcpy(r->samples + k, x->samples, x->n_samples * sizeof(double));
		else
			r->samples[k] = x->value;
		k += x->n_samples ? x->n_samples : 1;
	}
	r->n_samples = total;
}

void adapter_fold(const struct tool_output *entries, size_t n, enum fold fold, struct arena *a,
	struct tool_output *ret)
{
	struct item *items;
	size_t total = 0, k = 0;

	*ret = (struct tool_output){ .arena = a, .adapter = n ? entries[0].adapter : "magic" };
	for (size_t i = 0; i < n; i++) {
		total += entries[i].n;
		ret->n_skipped += entries[i].n_skipped;
		if (!ret->skipped)
			ret->skipped = entries[i].skipped;
	}
	items = ARENA_ARRAY(a, struct item, total + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < entries[i].n; j++, k++)
			items[k] = (struct item){ &entries[i].items[j], k };
	qsort(items, total, sizeof(*items), compare_names);
	for (size_t i = 0; i < total; i = k) {
		struct tool_result *r = tool_output_add(
			ret, items[i].result->benchmark, items[i].result->measure);

		for (k = i; k < total &&
			    !strcmp(items[k].result->benchmark, r ? r->benchmark : "") &&
			    !strcmp(items[k].result->measure, r->measure);)
			k++;
		if (!r)
			return;
		r->is_named = items[i].result->is_named;
		r->unit = items[i].result->unit;
		r->better = items[i].result->better;
		r->parameters = items[i].result->parameters;
		join_samples(a, items + i, k - i, r);
		fold_group(items + i, k - i, n, fold, r);
	}
}
