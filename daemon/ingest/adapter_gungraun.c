/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gungraun (once iai-callgrind), which counts under Valgrind: what it prints
 * (rust_gungraun_stdout), and its summary, version 6, as JSON or one object a line
 * (rust_gungraun_json).
 *
 *   lib_bench::group::fibonacci short:10
 *     Instructions:             1802|1700     (+6.00000%) [+1.06000x]
 *
 * New value, then the old one, which is not read. Name: "module::path id:arguments" in both. Of
 * the JSON those counters are taken that are printed too. Counts have no average. */
#include "daemon/ingest/scan.h"

#include <math.h>
#include <string.h>

enum { LABEL_MAX = 64 };

/* Counters of the JSON by what they are called in print. */
static const struct counter {
	const char *key, *label;
} counters[] = { { "Ir", "Instructions" }, { "L1hits", "L1 Hits" }, { "LLhits", "LL Hits" },
	{ "RamHits", "RAM Hits" }, { "TotalRW", "Total read+write" },
	{ "EstimatedCycles", "Estimated Cycles" }, { "TotalBytes", "Total bytes" },
	{ "TotalBlocks", "Total blocks" }, { "AtTGmaxBytes", "At t-gmax bytes" },
	{ "AtTGmaxBlocks", "At t-gmax blocks" }, { "AtTEndBytes", "At t-end bytes" },
	{ "AtTEndBlocks", "At t-end blocks" }, { "ReadsBytes", "Reads bytes" },
	{ "WritesBytes", "Writes bytes" } };

static const char *units_of(const char *label)
{
	static const char *const ends[][2] = { { "bytes", "bytes (B)" }, { "blocks", "blocks" },
		{ "Hits", "hits" }, { " HR", "percentage (%)" }, { " MR", "percentage (%)" },
		{ "read+write", "accesses" } };
	size_t n = strlen(label);

	if (!strcmp(label, "Instructions") || !strcmp(label, "Estimated Cycles"))
		return NULL; /* built in */
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t k = strlen(ends[i][0]);

		if (n >= k && !strcmp(label + n - k, ends[i][0]))
			return ends[i][1];
	}
	return "events";
}

static void add(struct tool_output *out, const char *name, const char *label, double v)
{
	size_t n = strlen(label);
	struct tool_result *r = isfinite(v) ? tool_output_add(out, name, label) : NULL;

	if (!r)
		return;
	r->value = v;
	r->unit = units_of(label);
	r->better = n > 3 && !strcmp(label + n - 3, " HR") ? BETTER_HIGHER : BETTER_LOWER;
}

/* --- print --- */

/* "Instructions:   1802|N/A ..." */
static bool count(struct tool_output *out, const char *name, struct scan l)
{
	struct scan label = l;
	double v;

	scan_skip(&l);
	label.p = l.p;
	label.end = scan_find(&l, ":");
	if (!label.end || label.end == label.p || label.end - label.p > LABEL_MAX)
		return false;
	l.p = label.end + 1;
	if (!scan_spaces(&l) || !scan_number(&l, &v) || !scan_text(&l, "|"))
		return false;
	add(out, name, scan_rest(&label, out->arena), v);
	return true;
}

static int read_stdout(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	struct scan all = { text, text + n }, l;
	const char *name = NULL;
	int r = average_check("rust_gungraun", average, 1u << AVERAGE_NONE, err);

	while (r == OK && scan_line(&all, &l)) {
		bool is_inset = l.p < l.end && *l.p == ' ';

		if (is_inset && name)
			count(out, name, l);
		else if (!is_inset && scan_find(&l, "::"))
			name = scan_rest(&l, out->arena);
		else if (!is_inset)
			name = NULL;
	}
	if (r == OK && out->n == 0)
		return error_set(err, E_BAD_REQUEST,
			"there are no counts as Gungraun prints them: 'Instructions: "
			"1802|1700'");
	return r;
}

/* --- JSON --- */

/* {"Left": new}, {"Right": old} or {"Both": [new, old]}; each {"Int": n} or {"Float": x}. */
static double newest(const json_t *counter)
{
	const json_t *m = json_object_get(counter, "metrics");
	const json_t *both = json_object_get(m, "Both");
	const json_t *v = both ? json_array_get(both, 0) : json_object_get(m, "Left");

	return json_get_real(v, "Int", json_get_real(v, "Float", NAN));
}

static void add_tools(struct tool_output *out, const char *name, const json_t *profile)
{
	const json_t *total = json_object_get(json_object_get(profile, "summaries"), "total");
	json_t *tools = json_object_get(total, "summary"), *tool;
	const char *key;

	json_object_foreach (tools, key, tool)
		for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
			add(out, name, counters[i].label,
				newest(json_object_get(tool, counters[i].key)));
}

static int add_summary(struct tool_output *out, const json_t *o, struct error *err)
{
	const char *path = tool_string(o, "module_path"), *id = tool_string(o, "id");
	const char *details = tool_string(o, "details"), *name = path;
	const json_t *profiles = json_object_get(o, "profiles"), *p;
	size_t i;

	if (!path || !json_is_array(profiles))
		return error_set(err, E_BAD_REQUEST,
			"not a summary of Gungraun, version 6: 'module_path' or 'profiles' is "
			"missing");
	if (id)
		name = arena_printf(out->arena, "%s %s%s%s", path, id, details ? ":" : "",
			details ? details : "");
	json_array_foreach (profiles, i, p)
		add_tools(out, name, p);
	return OK;
}

/* Where the object that begins at p ends, by its braces; end when it has none. */
static const char *object_end(const char *p, const char *end)
{
	bool in_text = false;
	int depth = 0;

	for (; p < end; p++) {
		if (in_text && *p == '\\')
			p++;
		else if (*p == '"')
			in_text = !in_text;
		else if (!in_text && *p == '{')
			depth++;
		else if (!in_text && *p == '}' && --depth == 0)
			return p + 1;
	}
	return end;
}

static int read_summaries(const char *text, size_t n, enum average average,
	struct tool_output *out, struct error *err)
{
	const char *end = text + n;
	int r = average_check("rust_gungraun", average, 1u << AVERAGE_NONE, err);

	while (r == OK && text < end) {
		const char *next = object_end(text, end);
		_cleanup_(json_decref)
		json_t *o = NULL; /* what is kept of it is copied */

		r = json_parse(text, (size_t)(next - text), &o, err);
		if (r == OK)
			r = add_summary(out, o, err);
		for (text = next; text < end && strchr(" \t\r\n", *text);)
			text++;
	}
	if (r == OK && out->n == 0)
		return error_set(err, E_BAD_REQUEST, "the summary of Gungraun has no counts");
	return r;
}

const struct adapter adapter_gungraun_stdout = { "rust_gungraun_stdout", read_stdout };
const struct adapter adapter_gungraun_json = { "rust_gungraun_json", read_summaries };
