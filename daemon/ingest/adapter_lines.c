/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tools that print one result a line: js_benchmark, js_time, python_asv, ruby_benchmark,
 * dart_benchmark_harness. */
#include "daemon/ingest/scan.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

enum { NONE = 1u << AVERAGE_NONE, MEAN = 1u << AVERAGE_MEAN, MEDIAN = 1u << AVERAGE_MEDIAN };
static const double ns_per_s = 1e9;

static struct tool_result *add(struct tool_output *out, struct scan name, const char *measure,
	double value, double spread)
{
	const char *text = scan_rest(&name, out->arena);
	struct tool_result *r = *text ? tool_output_add(out, text, measure) : NULL;

	if (!r)
		return NULL;
	r->value = value;
	r->lower = value - spread; /* NAN: none */
	r->upper = value + spread;
	return r;
}

/* fib(10) x 1,431,759 ops/sec ±0.74% (93 runs sampled) */
static void benchmark_js_line(struct tool_output *out, struct scan l, struct scan before)
{
	const char *at = scan_find_last(&l, " x ");
	struct scan name = { l.p, at }, s = { at ? at + 3 : NULL, l.end };
	double v, percent, runs;

	if (at && scan_number(&s, &v) && scan_text(&s, " ops/sec \xc2\xb1") &&
		scan_number(&s, &percent) && scan_text(&s, "% (") && scan_number(&s, &runs) &&
		(scan_text(&s, " runs sampled)") || scan_text(&s, " run sampled)")) &&
		scan_end(&s))
		add(out, name, "throughput", v, v * (percent / 100));
}

static int read_benchmark_js(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	int r = average_check("js_benchmark", average, NONE | MEDIAN, err);

	return r < 0 ? r
		     : scan_lines(text, n, benchmark_js_line,
			       "NAME x 1,431,759 ops/sec ...(93 runs sampled)", out, err);
}

/* default: 7617ms - timer ended */
static void time_js_line(struct tool_output *out, struct scan l, struct scan before)
{
	const char *at = scan_find_last(&l, ": ");
	struct scan name = { l.p, at }, s = { at ? at + 2 : NULL, l.end };
	double v, ns;

	if (at && scan_number(&s, &v) && scan_time_unit(&s, &ns) &&
		scan_text(&s, " - timer ended") && scan_end(&s))
		add(out, name, "latency", v * ns, NAN);
}

static int read_time_js(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	int r = average_check("js_time", average, NONE, err);

	return r < 0 ? r
		     : scan_lines(
			       text, n, time_js_line, "NAME: 7617ms - timer ended", out, err);
}

/* [ 35.00%] ··· benchmarks.TimeSuite.time_keys     11.1±0.01μs */
static void asv_line(struct tool_output *out, struct scan l, struct scan before)
{
	double percent, v, spread, ns;
	struct scan name;
	const char *word;

	if (!scan_text(&l, "["))
		return;
	scan_skip(&l);
	if (!scan_number(&l, &percent) || !scan_text(&l, "%] \xc2\xb7\xc2\xb7\xc2\xb7 "))
		return;
	name = l;
	if (!scan_word(&l, out->arena, &word) || !scan_spaces(&l))
		return;
	name.end = l.p;
	if (scan_text(&l, "failed")) {
		tool_output_skip(out, "'%.100s' failed", word);
		return;
	}
	if (scan_number(&l, &v) && scan_text(&l, "\xc2\xb1") && scan_number(&l, &spread) &&
		scan_time_unit(&l, &ns) && scan_end(&l))
		add(out, name, "latency", v * ns, spread * ns);
}

static int read_asv(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	int r = average_check("python_asv", average, NONE | MEDIAN, err);

	return r < 0 ? r
		     : scan_lines(text, n, asv_line, "[ 35.00%] ... NAME  11.1 +- 0.01 us", out,
			       err);
}

/* Of Benchmark.bmbm the rehearsal comes first, and ends in a line of its own: it does not
 * count.
 *
 * for:      0.950000   0.000000   0.950000 (  0.952039): user, system, total, real */
static bool ruby_figures(struct scan s, double *total, double *real)
{
	double user, system;

	if (!scan_spaces(&s) || !scan_number(&s, &user) || !scan_spaces(&s) ||
		!scan_number(&s, &system) || !scan_spaces(&s) || !scan_number(&s, total) ||
		!scan_spaces(&s) || !scan_text(&s, "("))
		return false;
	scan_skip(&s);
	return scan_number(&s, real) && scan_text(&s, ")") && scan_end(&s);
}

static void ruby_line(struct tool_output *out, struct scan l, struct scan before)
{
	double total, real;
	struct tool_result *r;
	const char *p = l.p;

	if (scan_find(&l, "--- total: ")) {
		out->n = 0;
		return;
	}
	while (p < l.end &&
		!(scan_is_gap(&l, p) && ruby_figures((struct scan){ p, l.end }, &total, &real)))
		p++;
	if (p == l.end)
		return;
	add(out, (struct scan){ l.p, p }, "latency", real * ns_per_s, NAN);
	r = add(out, (struct scan){ l.p, p }, "cpu-time", total * ns_per_s, NAN);
	if (r)
		r->unit = "nanoseconds (ns)";
}

static int read_ruby(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	int r = average_check("ruby_benchmark", average, NONE, err);

	return r < 0 ? r
		     : scan_lines(text, n, ruby_line,
			       "NAME  0.950000  0.000000  0.950000 (  0.952039)", out, err);
}

/* Template(RunTime): 1.0 us. */
static void dart_line(struct tool_output *out, struct scan l, struct scan before)
{
	static const char mark[] = "(RunTime): ";
	const char *at = scan_find(&l, mark);
	struct scan name = { l.p, at }, s = { at ? at + sizeof(mark) - 1 : NULL, l.end };
	double v;

	if (at && scan_number(&s, &v) && scan_text(&s, " us.") && scan_end(&s))
		add(out, name, "latency", v * 1e3, NAN);
}

static int read_dart(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	int r = average_check("dart_benchmark_harness", average, NONE | MEAN, err);

	return r < 0 ? r : scan_lines(text, n, dart_line, "NAME(RunTime): 1.0 us.", out, err);
}

const struct adapter adapter_js_benchmark = { "js_benchmark", read_benchmark_js };
const struct adapter adapter_js_time = { "js_time", read_time_js };
const struct adapter adapter_asv = { "python_asv", read_asv };
const struct adapter adapter_ruby = { "ruby_benchmark", read_ruby };
const struct adapter adapter_dart = { "dart_benchmark_harness", read_dart };
