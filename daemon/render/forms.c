/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which document has which forms: one table. */
#include "daemon/render/internal.h"

#include <string.h>

static const struct {
	enum document kind;
	enum format format;
	form_fn render;
} forms[] = {
	{ DOC_JOB, F_TEXT, job_text },
	{ DOC_JOB, F_MARKDOWN, job_markdown },
	{ DOC_JOB, F_CSV, job_csv },
	{ DOC_REPORT, F_TEXT, report_text },
	{ DOC_REPORT, F_MARKDOWN, report_markdown },
	{ DOC_REPORT, F_CSV, report_csv },
	{ DOC_REPORT, F_HTML, report_html },
	{ DOC_REPORT, F_OPENMETRICS, report_openmetrics },
	{ DOC_REPORT, F_HYPERFINE, report_hyperfine },
	{ DOC_COMPARE, F_TEXT, compare_text },
	{ DOC_COMPARE, F_MARKDOWN, compare_markdown },
	{ DOC_COMPARE, F_CSV, compare_csv },
	{ DOC_COMPARE, F_HTML, compare_html },
	{ DOC_COMPARE, F_JUNIT, compare_junit },
	{ DOC_COMPARE, F_OPENMETRICS, compare_openmetrics },
	{ DOC_COMPARE, F_SVG, compare_svg },
	{ DOC_GATE, F_TEXT, gate_text },
	{ DOC_GATE, F_MARKDOWN, gate_markdown },
	{ DOC_GATE, F_JUNIT, gate_junit },
	{ DOC_SERIES, F_TEXT, series_text },
	{ DOC_SERIES, F_CSV, series_csv },
	{ DOC_SERIES, F_SVG, series_svg },
	{ DOC_ALERTS, F_ATOM, alerts_atom },
	{ DOC_ALERT, F_TEXT, alert_text },
	{ DOC_ALERT, F_MARKDOWN, alert_markdown },
	{ DOC_ALERT, F_HTML, alert_html },
};

enum { LIST_FORMATS = 1u << F_TEXT | 1u << F_MARKDOWN | 1u << F_CSV };

const char *format_mime(enum format f)
{
	static const char *const mimes[] = {
		[F_JSON] = "application/json",
		[F_TEXT] = "text/plain; charset=utf-8",
		[F_MARKDOWN] = "text/markdown; charset=utf-8",
		[F_CSV] = "text/csv; charset=utf-8; header=present",
		[F_HTML] = "text/html; charset=utf-8",
		[F_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
		[F_SVG] = "image/svg+xml",
		[F_ATOM] = "application/atom+xml; charset=utf-8",
		[F_NDJSON] = "application/x-ndjson",
		[F_JUNIT] = "application/xml; charset=utf-8",
		[F_HYPERFINE] = "application/vnd.hyperfine+json",
	};

	return mimes[f];
}

unsigned render_formats(enum document kind)
{
	unsigned mask = 1u << F_JSON;

	if (list_is(kind))
		mask |= LIST_FORMATS | 1u << F_NDJSON;
	if (kind == DOC_QUEUE)
		mask |= LIST_FORMATS;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].kind == kind)
			mask |= 1u << forms[i].format;
	return mask;
}

static void add_json(const json_t *j, struct buf *out)
{
	json_format(out, j);
	buf_add_char(out, '\n');
}

static void ndjson(const json_t *doc, struct buf *out)
{
	size_t i;
	json_t *row;

	json_array_foreach (doc, i, row)
		add_json(row, out);
}

int render_document(enum document kind, enum format f, const json_t *doc, struct arena *a,
	struct buf *out, struct error *err)
{
	if (f == F_JSON) {
		add_json(doc, out);
		return OK;
	}
	if (f == F_NDJSON && json_is_array(doc)) {
		ndjson(doc, out);
		return OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (forms[i].kind == kind && forms[i].format == f) {
			forms[i].render(doc, a, out);
			return OK;
		}
	}
	if (!(render_formats(kind) & 1u << f))
		return error_set(err, E_NOT_ACCEPTABLE,
			"there is no such form of this document: ask for another one");
	if (kind == DOC_QUEUE)
		queue_render(f, doc, a, out);
	else
		list_render(kind, f, doc, a, out);
	return OK;
}
