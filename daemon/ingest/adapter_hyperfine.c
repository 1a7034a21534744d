/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shell_hyperfine: the JSON of hyperfine (--export-json). Seconds become nanoseconds; latency =
 * mean -+ stddev, or median with min and max when the average asked for is the median. times[]
 * become samples, user + system the measure cpu-time. A command with a non-zero exit code among
 * its runs measured a failure: it is skipped. */
#include "daemon/ingest/adapter.h"

#include <math.h>

enum { NS = 1000000000 };

static bool has_failed(const json_t *result)
{
	const json_t *codes = json_object_get(result, "exit_codes"), *v;
	size_t i;

	json_array_foreach (codes, i, v)
		if (json_is_integer(v) && json_integer_value(v) != 0)
			return true;
	return false;
}

static void set_bounds(struct tool_result *r, const json_t *j, bool is_median, double value)
{
	double spread = json_get_real(j, "stddev", NAN);

	if (is_median) {
		r->lower = json_get_real(j, "min", NAN) * NS;
		r->upper = json_get_real(j, "max", NAN) * NS;
	} else if (isfinite(spread)) {
		r->lower = (value - spread) * NS;
		r->upper = (value + spread) * NS;
	}
}

static int read_one(struct tool_output *out, json_t *j, enum average average, struct error *err)
{
	const char *command = tool_string(j, "command");
	bool is_median = average == AVERAGE_MEDIAN;
	double value = json_get_real(j, is_median ? "median" : "mean", NAN), cpu;
	struct tool_result *r;

	if (!command)
		return error_set(err, E_BAD_REQUEST,
			"not the JSON of hyperfine: a result has no 'command'");
	if (has_failed(j) || !isfinite(value)) {
		tool_output_skip(out, "'%.100s' %s", command,
			has_failed(j) ? "ended with a non-zero exit code" : "has no time");
		return OK;
	}
	r = tool_output_add(out, command, "latency");
	if (!r)
		return OK;
	r->value = value * NS;
	set_bounds(r, j, is_median, value);
	r->samples = tool_numbers(out, json_object_get(j, "times"), NS, &r->n_samples);
	cpu = json_get_real(j, "user", NAN) + json_get_real(j, "system", NAN);
	if (!isfinite(cpu))
		return OK;
	r = tool_output_add(out, command, "cpu-time");
	if (r) {
		r->unit = "nanoseconds (ns)";
		r->value = cpu * NS;
	}
	return OK;
}

static int read_hyperfine(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	json_t *j, *list, *v;
	size_t i;
	int r = tool_json(text, n, out, &j, err);

	if (r < 0)
		return r;
	list = json_object_get(j, "results");
	if (!json_is_array(list))
		return error_set(
			err, E_BAD_REQUEST, "not the JSON of hyperfine: 'results' is missing");
	json_array_foreach (list, i, v) {
		r = read_one(out, v, average, err);
		if (r < 0)
			return r;
	}
	return OK;
}

const struct adapter adapter_hyperfine = { "shell_hyperfine", read_hyperfine };
