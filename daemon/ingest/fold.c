/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folding of several entries (files, iterations) into one, as Bencher does it, and of what one
 * entry has twice. */
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
		r->is_ignored = items[i].result->is_ignored;
		r->unit = items[i].result->unit;
		r->better = items[i].result->better;
		r->parameters = items[i].result->parameters;
		join_samples(a, items + i, k - i, r);
		fold_group(items + i, k - i, n, fold, r);
	}
}

/* --- what one entry has twice --- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double tool_centre(struct arena *a, const double *x, size_t n, enum average average)
{
	double *sorted = ARENA_ARRAY(a, double, n + 1), sum = 0;

	if (average == AVERAGE_MEAN) {
		for (size_t i = 0; i < n; i++)
			sum += x[i];
		return sum / (double)n;
	}
	memcpy(sorted, x, n * sizeof(*x));
	qsort(sorted, n, sizeof(*sorted), compare_doubles);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static struct tool_result merged(
	struct arena *a, const struct item *g, size_t n, enum average average)
{
	struct tool_result r = *g[n - 1].result;
	double *values = ARENA_ARRAY(a, double, n);

	if (n == 1 || !r.is_named)
		return r;
	join_samples(a, g, n, &r);
	r.lower = r.upper = r.samples[0];
	for (size_t i = 0; i < n; i++)
		values[i] = g[i].result->value;
	for (size_t i = 0; i < r.n_samples; i++) {
		r.lower = MIN(r.lower, r.samples[i]);
		r.upper = MAX(r.upper, r.samples[i]);
	}
	r.value = tool_centre(a, values, n, average);
	return r;
}

static bool is_same_result(const struct item *x, const struct item *y)
{
	return !strcmp(x->result->benchmark, y->result->benchmark) &&
	       !strcmp(x->result->measure, y->result->measure);
}

static int compare_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

void adapter_merge(struct tool_output *entry, enum average average)
{
	struct item *items = ARENA_ARRAY(entry->arena, struct item, entry->n + 1);
	struct tool_result *out = ARENA_ARRAY(entry->arena, struct tool_result, entry->n + 1);
	size_t n = 0, end;

	for (size_t i = 0; i < entry->n; i++)
		items[i] = (struct item){ &entry->items[i], i };
	qsort(items, entry->n, sizeof(*items), compare_names);
	for (size_t i = 0; i < entry->n; i = end) {
		for (end = i + 1; end < entry->n && is_same_result(&items[i], &items[end]);)
			end++;
		out[n] = merged(entry->arena, items + i, end - i, average);
		items[n] = (struct item){ &out[n], items[i].order };
		n++;
	}
	if (n == entry->n)
		return;
	/* Back in the order of first appearance. */
	qsort(items, n, sizeof(*items), compare_order);
	for (size_t i = 0; i < n; i++)
		entry->items[i] = *items[i].result;
	entry->n = entry->cap = n;
}
