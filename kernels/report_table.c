/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/report.h"

#include <math.h>
#include <stdio.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "kernels/proof.h"
#include "kernels/size.h"
#include "kernels/steady.h"

enum column {
	KERNEL,
	BACKEND,
	DTYPE,
	SIZE,
	MEDIAN,
	SPREAD,
	RATE,
	PERCENT,
	ERROR,
	STATE,
	COLUMNS,
	BOUND = COLUMNS, /* CSV only */
	CSV_COLUMNS
};

struct report_table {
	struct arena *arena;
	struct table *text;
	struct table *csv;
	size_t n;
};

struct report_table *report_table_new(void)
{
	static const char *const text[COLUMNS] = { "KERNEL", "BACKEND", "DTYPE", "SIZE",
		"MEDIAN", "+-", "THROUGHPUT", "OF CEILING", "RMSE", "" };
	static const char *const csv[CSV_COLUMNS] = { "kernel", "backend", "dtype", "size",
		"median_ns", "mad_ns", "throughput", "percent_of_ceiling", "rmse", "verified",
		"bound_by" };
	struct report_table *t = xcalloc(1, sizeof(*t));

	t->arena = arena_new();
	t->text = table_new(t->arena, COLUMNS);
	t->csv = table_new(t->arena, CSV_COLUMNS);
	for (size_t i = 0; i < COLUMNS; i++)
		table_head(t->text, i, text[i], i >= MEDIAN && i < STATE);
	for (size_t i = 0; i < CSV_COLUMNS; i++)
		table_head(t->csv, i, csv[i], false);
	return t;
}

void report_table_free(struct report_table *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t);
}

static double spread(const struct measurement *m)
{
	_cleanup_(free)
	double *d = xcalloc((size_t)m->n_samples, sizeof(*d));

	for (int i = 0; i < m->n_samples; i++)
		d[i] = fabs(m->samples_ns[i] - m->median_ns);
	return steady_median(d, (size_t)m->n_samples);
}

static const char *backend_text(struct report_table *t, const struct params *p)
{
	if (p->backend == BACKEND_THREADS)
		return arena_printf(t->arena, "threads:%d", p->threads);
	return backend_name(p->backend);
}

static const char *state_text(struct report_table *t, const struct measurement *m)
{
	const struct invariant *bad = proof_failed(&m->proof);

	if (bad)
		return arena_printf(t->arena, "WRONG: %s is %.3g, limit %.3g", bad->name,
			bad->value, bad->limit);
	if (m->p.validate)
		return "verified, no message of the validation layer";
	return m->n_samples > 0 && !m->is_steady ? "verified, not steady" : "verified";
}

static void add_text(struct report_table *t, const struct measurement *m, const char *size)
{
	char time[TIME_TEXT];
	const char *cells[COLUMNS] = { m->p.kernel->id, backend_text(t, &m->p),
		dtype_name(m->p.dtype), size, "-", "-", "-", "-", "-", state_text(t, m) };

	if (m->n_samples > 0) {
		cells[MEDIAN] = duration_format(m->median_ns, time);
		cells[SPREAD] =
			arena_printf(t->arena, "%.1f %%", 100 * spread(m) / m->median_ns);
		cells[RATE] =
			arena_printf(t->arena, "%.4g %s", m->rate, m->p.kernel->rate_unit);
	}
	if (m->n_samples > 0 && m->bound_by)
		cells[PERCENT] = arena_printf(t->arena, "%.0f %% %s%s", m->percent, m->bound_by,
			m->is_ceiling_doubtful ? ", ceiling doubtful" : "");
	if (m->proof.accuracy.is_known)
		cells[ERROR] = arena_printf(t->arena, "%.4g", m->proof.accuracy.rmse);
	table_add(t->text, cells);
}

static void add_csv(struct report_table *t, const struct measurement *m, const char *size)
{
	const char *cells[CSV_COLUMNS] = { m->p.kernel->id, backend_text(t, &m->p),
		dtype_name(m->p.dtype), size, "", "", "", "", "",
		m->proof.ok ? "true" : "false", m->bound_by ? m->bound_by : "" };

	if (m->n_samples > 0) {
		cells[MEDIAN] = arena_printf(t->arena, "%.6g", m->median_ns);
		cells[SPREAD] = arena_printf(t->arena, "%.6g", spread(m));
		cells[RATE] =
			arena_printf(t->arena, "%.6g %s", m->rate, m->p.kernel->rate_unit);
	}
	if (m->n_samples > 0 && m->bound_by)
		cells[PERCENT] = arena_printf(t->arena, "%.4g", m->percent);
	if (m->proof.accuracy.is_known)
		cells[ERROR] = arena_printf(t->arena, "%.10g", m->proof.accuracy.rmse);
	table_add(t->csv, cells);
}

void report_table_add(struct report_table *t, const struct measurement *m)
{
	char size[SIZE_TEXT];

	size_format(&m->p, size);
	add_text(t, m, size);
	add_csv(t, m, size);
	t->n++;
}

void report_table_print(struct report_table *t, bool csv)
{
	struct buf b = { 0 };

	if (t->n == 0)
		return;
	table_format(csv ? t->csv : t->text, csv ? TABLE_CSV : TABLE_TEXT, &b);
	fputs(buf_str(&b), stdout);
	buf_done(&b);
}
