/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rust_bench (libtest's #[bench]), rust_criterion and rust_iai, from what they print.
 * Criterion's throughput becomes items or bytes a second, which Bencher leaves out. */
#include "daemon/ingest/scan.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

enum { NONE = 1u << AVERAGE_NONE, MEAN = 1u << AVERAGE_MEAN, MEDIAN = 1u << AVERAGE_MEDIAN };

static void add(struct tool_output *out, const char *name, const char *measure,
	const char *unit, const double v[3])
{
	struct tool_result *r = *name ? tool_output_add(out, name, measure) : NULL;

	if (!r)
		return;
	r->unit = unit;
	r->better = unit ? BETTER_HIGHER : BETTER_LOWER;
	r->value = v[1];
	r->lower = v[0];
	r->upper = v[2];
}

/* test NAME ... bench:  3,161 ns/iter (+/- 975) [= 12 MB/s] */
static void bench_line(struct tool_output *out, struct scan l, struct scan before)
{
	double v, ns, plus, mb;
	const char *name;

	if (!scan_text(&l, "test ") || !scan_word(&l, out->arena, &name) || !scan_spaces(&l) ||
		!scan_text(&l, "... bench:") || !scan_spaces(&l) || !scan_number(&l, &v) ||
		!scan_spaces(&l) || !scan_time_unit(&l, &ns) || !scan_text(&l, "/iter (+/- ") ||
		!scan_number(&l, &plus) || !scan_text(&l, ")"))
		return;
	if (scan_text(&l, " = ") && scan_number(&l, &mb) && scan_text(&l, " MB/s"))
		add(out, name, "bytes-per-second", "bytes / second (B/s)",
			(double[]){ NAN, mb * 1e6, NAN });
	if (scan_end(&l))
		add(out, name, "latency", NULL,
			(double[]){ v * ns - plus * ns, v * ns, v * ns + plus * ns });
}

static int read_bench(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	int r = average_check("rust_bench", average, NONE | MEDIAN, err);

	return r < 0 ? r
		     : scan_lines(text, n, bench_line,
			       "test NAME ... bench: 3,161 ns/iter (+/- 975)", out, err);
}

/* "320.62 ps" or "1.5 Melem/s": value times the unit's factor; which is 't', 'e' or 'B'. */
static bool quantity(struct scan *s, double *ret, char *which)
{
	static const struct {
		const char *unit;
		double factor;
		char which;
	} rates[] = { { "elem/s", 1, 'e' }, { "Kelem/s", 1e3, 'e' }, { "Melem/s", 1e6, 'e' },
		{ "Gelem/s", 1e9, 'e' }, { "B/s", 1, 'B' }, { "KiB/s", 1024, 'B' },
		{ "MiB/s", 1048576, 'B' }, { "GiB/s", 1073741824, 'B' } };
	double v, ns;

	if (!scan_number(s, &v) || !scan_spaces(s))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		if (scan_text(s, rates[i].unit)) {
			*ret = v * rates[i].factor;
			*which = rates[i].which;
			return true;
		}
	*which = 't';
	if (!scan_time_unit(s, &ns))
		return false;
	*ret = v * ns;
	return true;
}

/* [LOW MIDDLE HIGH] */
static bool triple(struct scan *s, double v[3], char *which)
{
	char other;

	return scan_text(s, "[") && quantity(s, &v[0], which) && scan_spaces(s) &&
	       quantity(s, &v[1], &other) && other == *which && scan_spaces(s) &&
	       quantity(s, &v[2], &other) && other == *which && scan_text(s, "]") &&
	       scan_end(s);
}

/* "NAME   time:   [...]"; a long name stands on the line before. */
static void criterion_time(struct tool_output *out, struct scan l, struct scan before)
{
	const char *at = scan_find(&l, " time:");
	struct scan name = { l.p, at }, values = { at ? at + 6 : NULL, l.end };
	const char *text;
	double v[3];
	char which;

	if (!at || !scan_spaces(&values) || !triple(&values, v, &which) || which != 't')
		return;
	text = scan_rest(&name, out->arena);
	add(out, *text ? text : scan_rest(&before, out->arena), "latency", NULL, v);
}

/* "thrpt:  [...]" belongs to the time above it. */
static void criterion_rate(struct tool_output *out, struct scan l)
{
	double v[3];
	char which;

	scan_skip(&l);
	if (out->n == 0 || !scan_text(&l, "thrpt:") || !scan_spaces(&l) ||
		!triple(&l, v, &which) || which == 't')
		return;
	add(out, out->items[out->n - 1].benchmark,
		which == 'B' ? "bytes-per-second" : "items-per-second",
		which == 'B' ? "bytes / second (B/s)" : "items / second (items/s)", v);
}

static void criterion_line(struct tool_output *out, struct scan l, struct scan before)
{
	criterion_time(out, l, before);
	criterion_rate(out, l);
}

static int read_criterion(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	int r = average_check("rust_criterion", average, NONE | MEAN, err);

	return r < 0 ? r
		     : scan_lines(text, n, criterion_line,
			       "NAME   time:   [320.62 ps 323.90 ps 327.55 ps]", out, err);
}

/* "  Instructions:   1735 (+1.5%)" behind a line with the name. */
static bool iai_count(struct scan l, const char *label, double *ret)
{
	scan_skip(&l);
	if (!scan_text(&l, label) || !scan_text(&l, ":") || !scan_spaces(&l) ||
		!scan_number(&l, ret))
		return false;
	scan_skip(&l); /* Gungraun goes on with "|" */
	return l.p == l.end || *l.p == '(';
}

static int read_iai(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	static const char *const labels[][2] = { { "Instructions", "instructions" },
		{ "L1 Accesses", "l1-accesses" }, { "L2 Accesses", "l2-accesses" },
		{ "RAM Accesses", "ram-accesses" },
		{ "Estimated Cycles", "estimated-cycles" } };
	struct scan all = { text, text + n }, l, before = { text, text };
	const char *name = NULL;
	size_t next = 0;
	double v;

	for (; scan_line(&all, &l); before = l) {
		if (iai_count(l, labels[0][0], &v)) {
			name = scan_rest(&before, out->arena);
			next = 0;
		}
		if (!name || next == ARRAY_SIZE(labels) || !iai_count(l, labels[next][0], &v))
			continue;
		add(out, name, labels[next++][1], NULL, (double[]){ NAN, v, NAN });
	}
	if (out->n == 0 || average != AVERAGE_NONE)
		return error_set(err, E_BAD_REQUEST,
			"there are no lines such as 'Instructions: 1735', or an average is "
			"asked for, which rust_iai has not");
	return OK;
}

const struct adapter adapter_rust_bench = { "rust_bench", read_bench };
const struct adapter adapter_rust_criterion = { "rust_criterion", read_criterion };
const struct adapter adapter_rust_iai = { "rust_iai", read_iai };
