/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tools that print one result a line: js_benchmark, js_time, ruby_benchmark and
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

/* default: 7617ms - timer ended, as Firefox and Bencher have it */
static bool timer(struct tool_output *out, struct scan l, const char *end)
{
	const char *at = scan_find_last(&l, ": ");
	struct scan name = { l.p, at }, s = { at ? at + 2 : NULL, l.end };
	double v, ns;

	return at && scan_number(&s, &v) && (scan_spaces(&s), scan_time_unit(&s, &ns)) &&
	       scan_text(&s, end) && scan_end(&s) && add(out, name, "latency", v * ns, NAN);
}

static void time_js_line(struct tool_output *out, struct scan l, struct scan before)
{
	timer(out, l, " - timer ended");
}

static int read_time_js(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	int r = average_check("js_time", average, NONE, err);

	return r < 0 ? r
		     : scan_lines(
			       text, n, time_js_line, "NAME: 7617ms - timer ended", out, err);
}

/* sum: 46.338ms, as Node, Deno and Chrome have it. Many a line of a log looks like that, so
 * that magic comes here last. */
static void timer_line(struct tool_output *out, struct scan l, struct scan before)
{
	double minutes, seconds;
	const char *at = scan_find_last(&l, ": ");
	struct scan name = { l.p, at }, s = { at ? at + 2 : NULL, l.end };

	if (timer(out, l, "") || !at)
		return;
	/* 1:02.345 (m:ss.mmm) */
	if (scan_number(&s, &minutes) && scan_text(&s, ":") && scan_number(&s, &seconds) &&
		scan_text(&s, " (m:ss.mmm)") && scan_end(&s))
		add(out, name, "latency", (60 * minutes + seconds) * ns_per_s, NAN);
}

static int read_timer(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	int r = average_check("js_time", average, NONE, err);

	return r < 0 ? r : scan_lines(text, n, timer_line, "NAME: 46.338ms", out, err);
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

static void ruby_line(struct tool_output *out, struct scan l)
{
	double total, real;
	struct tool_result *r;
	const char *p = l.p;

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
	struct scan all = { text, text + n }, l;
	int r = average_check("ruby_benchmark", average, NONE, err);
	size_t n_before = 0; /* results that stand before the rehearsal */

	while (r == OK && scan_line(&all, &l)) {
		struct scan begin = l;

		if (scan_text(&begin, "Rehearsal ---"))
			n_before = out->n;
		else if (scan_find(&l, "--- total: "))
			out->n = n_before;
		else
			ruby_line(out, l);
	}
	if (r == OK && out->n == 0)
		return error_set(err, E_BAD_REQUEST,
			"there is no line such as 'NAME  0.950000  0.000000  0.950000 (  "
			"0.952039)'");
	return r;
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
const struct adapter adapter_js_timer = { "js_time", read_timer };
const struct adapter adapter_ruby = { "ruby_benchmark", read_ruby };
const struct adapter adapter_dart = { "dart_benchmark_harness", read_dart };
