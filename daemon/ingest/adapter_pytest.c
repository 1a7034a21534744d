/* SPDX-License-Identifier: GPL-3.0-or-later */
/* python_pytest: the JSON of pytest-benchmark (--benchmark-json). Seconds become nanoseconds;
 * latency = mean -+ stddev, or median -+ iqr when the average asked for is the median. The
 * rounds (stats.data) become samples. */
#include "daemon/ingest/adapter.h"

#include <math.h>

enum { NS = 1000000000 };

static int read_one(struct tool_output *out, json_t *b, enum average average, struct error *err)
{
	json_t *stats = json_object_get(b, "stats"), *parameters;
	const char *name = tool_string(b, "fullname");
	bool is_median = average == AVERAGE_MEDIAN;
	double value, spread;
	struct tool_result *r;

	if (!name || !json_is_object(stats))
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of pytest-benchmark: a benchmark has no 'fullname' or "
			"'stats'");
	value = json_get_real(stats, is_median ? "median" : "mean", NAN);
	spread = json_get_real(stats, is_median ? "iqr" : "stddev", NAN);
	if (!isfinite(value)) {
		tool_output_skip(
			out, "'%.100s' has no %s", name, is_median ? "median" : "mean");
		return OK;
	}
	r = tool_output_add(out, name, "latency");
	if (!r)
		return OK;
	r->value = value * NS;
	if (isfinite(spread)) {
		r->lower = value * NS - spread * NS;
		r->upper = value * NS + spread * NS;
	}
	r->samples = tool_numbers(out, json_object_get(stats, "data"), NS, &r->n_samples);
	parameters = json_object_get(b, "params");
	(void)parameters; /* they stand in the name already, as Bencher has it */
	return OK;
}

static int read_pytest(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	json_t *j, *list, *b;
	size_t i;
	int r = tool_json(text, n, out, &j, err);

	if (r < 0)
		return r;
	list = json_object_get(j, "benchmarks");
	if (!json_is_array(list) || !json_object_get(j, "machine_info"))
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of pytest-benchmark: 'machine_info' or 'benchmarks' is "
			"missing");
	json_array_foreach (list, i, b) {
		r = read_one(out, b, average, err);
		if (r < 0)
			return r;
	}
	return OK;
}

const struct adapter adapter_pytest = { "python_pytest", read_pytest };
