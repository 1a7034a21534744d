/* SPDX-License-Identifier: GPL-3.0-or-later */
/* python_asv: what `asv run` prints.
 *
 *   [ 35.00%] ··· benchmarks.TimeSuite.time_keys     11.1±0.01μs
 *   [ 40.00%] ··· benchmarks.mem_list                      8.06k
 *
 * A benchmark with parameters has "ok" there, and a table below, whose rule of '=' says where
 * its columns are (in characters); the first parameter is the first column, the others are in
 * the title of each (with one parameter the second line holds its name, and rows follow):
 *
 *   [ 85.00%] ··· ====== ======= =======
 *                 --           kind
 *                 ------ ---------------
 *                   n      list    a b
 *                 ====== ======= =======
 *                   10    2±1ms    n/a
 *                 ====== ======= =======
 *
 * Bencher reads times without parameters; memory, tracked values and tables are ours. */
#include "daemon/ingest/scan.h"

#include <math.h>
#include <string.h>

enum {
	MAX_COLUMNS = 64,
	MAX_TITLES = 4096, /* bytes of a line of them */
	MAX_PARAMETERS = 16
};

struct column {
	size_t from, to; /* characters of a line */
	const char *title;
};
struct table {
	struct tool_output *out;
	const char *name; /* of the benchmark; NULL: no table is expected */
	struct column columns[MAX_COLUMNS];
	size_t n;
	int n_rules, n_lines; /* of '=' and of text, seen so far */
	bool is_wide;	      /* of more than one parameter */
	const char *names;    /* of the other parameters */
};

/* --- values --- */

/* 8.06k, 24.9M: powers of 1000. */
static bool scan_bytes(struct scan *s, double *ret)
{
	static const char suffixes[] = "kMGTPEH";
	const char *at;

	if (!scan_number(s, ret))
		return false;
	at = s->p < s->end ? strchr(suffixes, *s->p) : NULL;
	if (at && *at) {
		*ret *= pow(1000, (double)(at - suffixes + 1));
		s->p++;
	}
	return scan_end(s);
}

static bool scan_time(struct scan *s, double *v, double *spread)
{
	double ns;

	if (!scan_number(s, v) || !scan_text(s, "\xc2\xb1") || !scan_number(s, spread) ||
		!scan_time_unit(s, &ns) || !scan_end(s))
		return false;
	*v *= ns;
	*spread *= ns;
	return true;
}

static void add(struct tool_output *out, const char *name, const char *measure,
	const char *unit, double v, double spread)
{
	struct tool_result *r = tool_output_add(out, name, measure);

	if (!r)
		return;
	r->unit = unit;
	r->value = v;
	r->lower = v - spread;
	r->upper = v + spread;
}

/* The kind of a benchmark is in the beginning of its function's name. */
static bool is_kind(const char *name, const char *kind)
{
	const char *dot = strrchr(name, '.');

	return !strncmp(dot ? dot + 1 : name, kind, strlen(kind));
}

/* False: this is no value. kind decides, name is stored. */
static bool add_value(
	struct tool_output *out, const char *kind, const char *name, struct scan s)
{
	double v, spread;
	struct scan again = s;

	if (scan_time(&s, &v, &spread))
		add(out, name, "latency", NULL, v, spread);
	else if (is_kind(kind, "peakmem_") && scan_bytes(&again, &v))
		add(out, name, "memory-peak", NULL, v, NAN);
	else if (is_kind(kind, "mem_") && scan_bytes(&again, &v))
		add(out, name, "memory-size", "bytes (B)", v, NAN);
	else if (is_kind(kind, "track_") && scan_number(&again, &v) && scan_end(&again))
		add(out, name, "tracked", "tracked value", v, NAN);
	else
		return false;
	return true;
}

/* --- tables --- */

/* Characters [from, to) of a line, which is UTF-8. */
static struct scan cut(const struct scan *l, size_t from, size_t to)
{
	struct scan ret = { l->end, l->end };
	size_t at = 0;

	for (const char *p = l->p; p < l->end; p++) {
		if (((unsigned char)*p & 0xC0) == 0x80)
			continue;
		if (at == from)
			ret.p = p;
		if (at == to) {
			ret.end = p;
			break;
		}
		at++;
	}
	return ret;
}

static size_t characters(const char *from, const char *to)
{
	size_t n = 0;

	for (; from < to; from++)
		n += ((unsigned char)*from & 0xC0) != 0x80;
	return n;
}

/* "====== ====", after what is there before (the progress). */
static bool read_rule(struct table *t, const struct scan *l, const char *from)
{
	struct scan s = { from, l->end };
	size_t n = 0;

	if (l->end - l->p > MAX_TITLES)
		return false;
	for (scan_skip(&s); s.p < s.end && n < MAX_COLUMNS; scan_skip(&s)) {
		const char *begin = s.p;

		while (s.p < s.end && *s.p == '=')
			s.p++;
		if (s.p == begin || (s.p < s.end && *s.p != ' '))
			return false;
		if (!t->n_rules)
			t->columns[n] = (struct column){ .from = characters(l->p, begin),
				.to = characters(l->p, s.p) };
		n++;
	}
	if (n < 2 || s.p < s.end || (t->n_rules && n != t->n))
		return false;
	t->n = n;
	return true;
}

static const char *cell_text(struct table *t, const char *line, size_t from, size_t to)
{
	struct scan all = { line, line + strlen(line) }, cell = cut(&all, from, to);

	return scan_rest(&cell, t->out->arena);
}

static void take_titles(struct table *t, const struct scan *l)
{
	const char *line = arena_strndup(t->out->arena, l->p, (size_t)(l->end - l->p));

	for (size_t i = 0; i < t->n; i++)
		t->columns[i].title = cell_text(t, line, t->columns[i].from, t->columns[i].to);
}

/* "param2 / param3" and "True / x": names and values of the parameters but the first. */
static void set_parameters(
	struct table *t, json_t *parameters, const char *names, const char *values)
{
	struct scan n = { names, names + strlen(names) },
		    v = { values, values + strlen(values) };

	for (int i = 0; i < MAX_PARAMETERS && n.p < n.end; i++) {
		const char *n_end = scan_find(&n, " / "), *v_end = scan_find(&v, " / ");
		struct scan name = { n.p, n_end ? n_end : n.end };
		struct scan value = { v.p, n_end && v_end ? v_end : v.end };

		json_set_str(parameters, scan_rest(&name, t->out->arena),
			scan_rest(&value, t->out->arena));
		n.p = n_end ? n_end + 3 : n.end;
		v.p = n_end && v_end ? v_end + 3 : v.end;
	}
}

static const char *cell_name(struct table *t, size_t column, const char *first)
{
	struct arena *a = t->out->arena;
	json_t *parameters = arena_own_json(a, json_object());

	json_set_str(parameters, t->columns[0].title, first);
	if (t->is_wide)
		set_parameters(t, parameters, t->names, t->columns[column].title);
	return arena_printf(a, "%s%s", t->name, parameters_suffix(a, parameters));
}

/* False: this is no row. */
static bool read_row(struct table *t, const struct scan *l)
{
	struct scan first = cut(l, t->columns[0].from, t->columns[0].to);
	const char *value = scan_rest(&first, t->out->arena);

	for (size_t i = 1; *value && i < t->n; i++) {
		struct scan cell = cut(l, t->columns[i].from, t->columns[i].to);
		const char *name;

		scan_skip(&cell);
		if (cell.p == cell.end)
			break;
		name = cell_name(t, i, value);
		if (!add_value(t->out, t->name, name, cell))
			tool_output_skip(t->out, "'%.100s' has no value", name);
	}
	return *value && t->out->n_skipped < ADAPTER_MAX_RESULTS;
}

static bool title_line(struct table *t, const struct scan *l)
{
	const char *line;

	if (l->end - l->p > MAX_TITLES)
		return false;
	line = arena_strndup(t->out->arena, l->p, (size_t)(l->end - l->p));
	if (t->n_lines == 1) {
		t->is_wide = !strncmp(line + strspn(line, " "), "-- ", 3);
		t->names = cell_text(t, line, t->columns[1].from, t->columns[t->n - 1].to);
	}
	if (t->n_lines == (t->is_wide ? 3 : 1))
		take_titles(t, l);
	return true;
}

/* False: the table has ended, or never begun. */
static bool table_line(struct table *t, const struct scan *l, const char *from)
{
	if (read_rule(t, l, from)) {
		t->n_rules++;
	} else if (t->n_rules == 0) {
		return false;
	} else {
		bool is_title = ++t->n_lines <= (t->is_wide ? 3 : 2);

		if (!(is_title ? title_line(t, l) : read_row(t, l)))
			return false;
	}
	return t->n_rules < (t->is_wide ? 3 : 2);
}

/* --- lines --- */

static bool scan_progress(struct scan *l)
{
	double percent;

	if (!scan_text(l, "["))
		return false;
	scan_skip(l);
	return scan_number(l, &percent) && scan_text(l, "%] \xc2\xb7\xc2\xb7\xc2\xb7 ");
}

static void result_line(struct table *t, struct scan l)
{
	const char *word;

	if (!scan_word(&l, t->out->arena, &word) || !scan_spaces(&l))
		return;
	if (scan_text(&l, "failed")) {
		tool_output_skip(t->out, "'%.100s' failed", word);
	} else if (scan_text(&l, "ok") && scan_end(&l)) {
		t->name = word;
		t->n_rules = t->n_lines = 0;
		t->is_wide = false;
	} else {
		add_value(t->out, word, word, l);
	}
}

static int read_asv(const char *text, size_t n, enum average average, struct tool_output *out,
	struct error *err)
{
	struct table t = { .out = out };
	struct scan all = { text, text + n }, l;
	int r = average_check(
		"python_asv", average, 1u << AVERAGE_NONE | 1u << AVERAGE_MEDIAN, err);

	while (r == OK && scan_line(&all, &l)) {
		struct scan s = l;
		bool is_new = scan_progress(&s);

		if (t.name && !table_line(&t, &l, s.p))
			t.name = NULL;
		else if (t.name)
			continue;
		if (is_new)
			result_line(&t, s);
	}
	if (r == OK && out->n == 0)
		return error_set(err, E_BAD_REQUEST,
			"there is no line such as '[ 35.00%%] ... NAME  11.1 +- 0.01 us'");
	return r;
}

const struct adapter adapter_asv = { "python_asv", read_asv };
