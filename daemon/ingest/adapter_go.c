/* SPDX-License-Identifier: GPL-3.0-or-later */
/* go_bench: the lines of `go test -bench`. NAME ITERATIONS, then pairs of a value and a unit:
 * ns/op is latency; B/op, allocs/op, MB/s and units of the benchmark's own (b.ReportMetric) are
 * measures beside it. -count=N gives a name several times: samples. */
#include "daemon/ingest/scan.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"

struct pair {
	double value, ns;
	const char *unit;
};
enum { MAX_PAIRS = 32 };

static void add(struct tool_output *out, const char *name, const struct pair *p)
{
	static const struct {
		const char *unit, *measure, *units;
		enum better better;
		double factor;
	} known[] = { { "B/op", "allocated", NULL, BETTER_LOWER, 1 },
		{ "allocs/op", "allocations", "allocations", BETTER_LOWER, 1 },
		{ "MB/s", "bytes-per-second", "bytes / second (B/s)", BETTER_HIGHER, 1e6 } };
	struct tool_result *r;

	if (p->ns) {
		r = tool_output_add(out, name, "latency");
		if (r)
			r->value = p->value * p->ns;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].unit, p->unit) != 0)
			continue;
		r = tool_output_add(out, name, known[i].measure);
		if (r) {
			r->unit = known[i].units;
			r->better = known[i].better;
			r->value = p->value * known[i].factor;
		}
		return;
	}
	r = strlen(p->unit) <= 64 ? tool_output_add(out, name, p->unit) : NULL;
	if (r) {
		r->unit = p->unit;
		r->better = strstr(p->unit, "/s") ? BETTER_HIGHER : BETTER_LOWER;
		r->value = p->value;
	}
}

/* "325" or, of large values, "1.5e+06". */
static bool go_number(struct scan *s, double *ret)
{
	double exponent;
	struct scan t;

	if (!scan_number(s, ret))
		return false;
	t = *s;
	if (scan_text(&t, "e+") && scan_number(&t, &exponent) && exponent < 300) {
		*ret *= pow(10, exponent);
		*s = t;
	}
	return true;
}

static bool read_pair(struct tool_output *out, struct scan *l, struct pair *p)
{
	struct scan unit;

	*p = (struct pair){ 0 };
	if (!scan_spaces(l) || !go_number(l, &p->value) || !scan_spaces(l))
		return false;
	unit = *l;
	if (!scan_word(l, out->arena, &p->unit))
		return false;
	if (!scan_time_unit(&unit, &p->ns) || !scan_text(&unit, "/op"))
		p->ns = 0;
	return true;
}

static void go_line(struct tool_output *out, struct scan l, struct scan before)
{
	struct pair pairs[MAX_PAIRS];
	const char *name;
	double iterations;
	bool has_time = false;
	size_t n = 0;

	if (!scan_word(&l, out->arena, &name) || !scan_spaces(&l) ||
		!scan_number(&l, &iterations))
		return;
	while (n < MAX_PAIRS && !scan_end(&l)) {
		if (!read_pair(out, &l, &pairs[n]))
			return;
		has_time |= pairs[n++].ns > 0;
	}
	/* A line without a time is one only under its usual name. */
	if (!has_time && strncmp(name, "Benchmark", 9) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		add(out, name, &pairs[i]);
}

static int read_go(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	int r = average_check(
		"go_bench", average, 1u << AVERAGE_NONE | 1u << AVERAGE_MEAN, err);

	return r < 0 ? r
		     : scan_lines(text, n, go_line, "BenchmarkFib10-8  5000000  325 ns/op", out,
			       err);
}

const struct adapter adapter_go_bench = { "go_bench", read_go };
