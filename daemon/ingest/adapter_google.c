/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cpp_google: the JSON of Google Benchmark (--benchmark_format=json). latency = real_time, and
 * beside it cpu-time, items and bytes per second. Aggregates are no benchmarks; the repetitions
 * of a name are samples of one metric (value: their median for average none, else their mean).
 */
#include "daemon/ingest/adapter.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

struct group { /* repetitions of one benchmark and measure */
	const char *benchmark, *measure, *unit;
	enum better better;
	double *x;
	size_t n, cap;
};
struct groups {
	struct group *items;
	size_t n, cap;
	struct arena *arena;
};

/* Repetitions follow each other, so the search goes backwards; it gives up after a few. */
static struct group *find_group(struct groups *g, const char *benchmark, const char *measure)
{
	struct group *items;

	for (size_t i = g->n; i > 0 && g->n - i < 64; i--)
		if (!strcmp(g->items[i - 1].benchmark, benchmark) &&
			!strcmp(g->items[i - 1].measure, measure))
			return &g->items[i - 1];
	if (g->n == g->cap) {
		g->cap = g->cap ? 2 * g->cap : 64;
		items = ARENA_ARRAY(g->arena, struct group, g->cap);
		if (g->n)
			memcpy(items, g->items, g->n * sizeof(*items));
		g->items = items;
	}
	items = &g->items[g->n++];
	*items = (struct group){ .benchmark = benchmark, .measure = measure };
	return items;
}

static void add_value(struct groups *g, const char *benchmark, const char *measure,
	const char *unit, enum better better, double v)
{
	struct group *group;

	if (!isfinite(v))
		return;
	group = find_group(g, benchmark, measure);
	group->unit = unit;
	group->better = better;
	if (group->n == group->cap) {
		double *x;

		group->cap = group->cap ? 2 * group->cap : 4;
		x = ARENA_ARRAY(g->arena, double, group->cap);
		if (group->n)
			memcpy(x, group->x, group->n * sizeof(*x));
		group->x = x;
	}
	group->x[group->n++] = v;
}

static int read_one(struct tool_output *out, struct groups *g, json_t *b, struct error *err)
{
	const char *name = tool_string(b, "name");
	const char *run_type = json_get_str(b, "run_type", "iteration");
	double ns = tool_time_unit(json_get_str(b, "time_unit", "ns"));
	double real = json_get_real(b, "real_time", NAN);

	if (!name)
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of Google Benchmark: a benchmark has no 'name'");
	if (json_get_bool(b, "error_occurred", false)) {
		tool_output_skip(out, "'%.100s' failed: %.100s", name,
			json_get_str(b, "error_message", "no message"));
		return OK;
	}
	if (!strcmp(run_type, "aggregate") || json_object_get(b, "aggregate_name"))
		return OK;
	if (!isfinite(real) || ns == 0) {
		tool_output_skip(
			out, "'%.100s' has no real_time or an unknown time_unit", name);
		return OK;
	}
	add_value(g, name, "latency", NULL, BETTER_LOWER, real * ns);
	add_value(g, name, "cpu-time", "nanoseconds (ns)", BETTER_LOWER,
		json_get_real(b, "cpu_time", NAN) * ns);
	add_value(g, name, "items-per-second", "items / second (items/s)", BETTER_HIGHER,
		json_get_real(b, "items_per_second", NAN));
	add_value(g, name, "bytes-per-second", "bytes / second (B/s)", BETTER_HIGHER,
		json_get_real(b, "bytes_per_second", NAN));
	return OK;
}

static void add_results(struct tool_output *out, const struct groups *g, enum average average)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct group *group = &g->items[i];
		struct tool_result *r = tool_output_add(out, group->benchmark, group->measure);

		if (!r)
			return;
		r->unit = group->unit;
		r->better = group->better;
		r->value = tool_centre(out->arena, group->x, group->n, average);
		if (group->n > 1) {
			r->samples = group->x;
			r->n_samples = group->n;
			r->lower = r->upper = group->x[0];
			for (size_t k = 1; k < group->n; k++) {
				r->lower = MIN(r->lower, group->x[k]);
				r->upper = MAX(r->upper, group->x[k]);
			}
		}
	}
}

static int read_google(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	struct groups g = { .arena = out->arena };
	json_t *j, *list, *b;
	size_t i;
	int r;

	if (average == AVERAGE_MEDIAN)
		return error_set(err, E_BAD_REQUEST, "cpp_google offers no average 'median'");
	r = tool_json(text, n, out, &j, err);
	if (r < 0)
		return r;
	list = json_object_get(j, "benchmarks");
	if (!json_is_array(list) || !json_is_object(json_object_get(j, "context")))
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of Google Benchmark: 'context' or 'benchmarks' is "
			"missing");
	json_array_foreach (list, i, b) {
		r = read_one(out, &g, b, err);
		if (r < 0)
			return r;
	}
	add_results(out, &g, average);
	return OK;
}

const struct adapter adapter_google = { "cpp_google", read_google };
