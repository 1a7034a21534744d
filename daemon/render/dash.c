/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of the dashboard's pages, and the cells they share. Everything is there without
 * scripts; scripts add charts one can walk in, filters and sorting. */
#include "daemon/render/dash.h"

#include <math.h>
#include <string.h>

void dash_text(struct buf *out, const json_t *doc, const char *path)
{
	html_escape(out, doc_str(doc, path));
}

void dash_text_cell(struct buf *out, const json_t *doc, const char *path)
{
	buf_add_str(out, "<td>");
	dash_text(out, doc, path);
	buf_add_str(out, "</td>");
}

static void percent_encode(struct buf *out, const char *s)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s; s++)
		if (strchr(plain, *s))
			buf_add_char(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
}

void dash_query(struct buf *out, char mark, const char *const *query)
{
	for (; query && query[0]; query += 2, mark = '&') {
		buf_add_char(out, mark);
		percent_encode(out, query[0]);
		buf_add_char(out, '=');
		percent_encode(out, query[1]);
	}
}

void dash_href(struct buf *out, const char *base, const char *const *query)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	dash_query(&b, strchr(base, '?') ? '&' : '?', query);
	buf_add_str(out, "href=\"");
	html_escape(out, base);
	html_escape(out, buf_str(&b));
	buf_add_char(out, '"');
}

const char *dash_base(const json_t *doc, struct arena *a)
{
	return arena_printf(a, "/projects/%s", doc_str(doc, "project.slug"));
}

const char *dash_series_url(const json_t *doc, int64_t id, struct arena *a)
{
	return arena_printf(a, "%s/series/%lld", dash_base(doc, a), (long long)id);
}

void dash_pair(struct buf *out, const char *term, const char *text)
{
	if (!*text)
		return;
	buf_printf(out, "<dt>%s</dt><dd>", term);
	html_escape(out, text);
	buf_add_str(out, "</dd>\n");
}

void dash_link_cell(struct buf *out, const char *href, const char *text)
{
	buf_add_str(out, "<td><a ");
	dash_href(out, href, NULL);
	buf_add_char(out, '>');
	html_escape(out, text);
	buf_add_str(out, "</a></td>");
}

void dash_value_cell(struct buf *out, double v, const char *units)
{
	char text[VALUE_TEXT], number[32];

	if (!isfinite(v)) {
		buf_add_str(out, "<td class=\"n\"></td>");
		return;
	}
	buf_printf(out, "<td class=\"n\" data-v=\"%s\">", json_number(v, number));
	html_escape(out, value_format(v, units, text));
	buf_add_str(out, "</td>");
}

/* "https://github.com/ada/orbit" -> ".../commit/HASH", as GitHub, GitLab, Gitea and Forgejo
 * have it; NULL where the project has no web page. */
static const char *commit_url(const json_t *doc, const char *hash, struct arena *a)
{
	const char *url = doc_str(doc, "project.url");
	size_t n = strlen(url);

	if (!*hash || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
		return NULL;
	if (n > 4 && !strcmp(url + n - 4, ".git"))
		n -= 4;
	while (url[n - 1] == '/')
		n--;
	return arena_printf(a, "%.*s/commit/%s", (int)n, url, hash);
}

void dash_commit_cell(struct buf *out, const json_t *doc, const json_t *o, struct arena *a)
{
	const char *url = commit_url(doc, doc_str(o, "hash"), a);
	char hash[9];

	buf_add_str(out, "<td>");
	if (url) {
		buf_add_str(out, "<a ");
		dash_href(out, url, NULL);
		buf_add_char(out, '>');
	}
	buf_add_str(out, "<code>");
	html_escape(out, short_hash(doc_str(o, "hash"), hash));
	buf_printf(out, "</code>%s ", url ? "</a>" : "");
	dash_text(out, o, "subject");
	buf_add_str(out, "</td>");
}

void dash_time_cell(struct buf *out, const json_t *o, const char *path)
{
	char when[32], minutes[17];

	buf_add_str(out, "<td class=\"t\">");
	snprintf(minutes, sizeof(minutes), "%.16s", short_time(doc_str(o, path), when));
	html_escape(out, minutes);
	buf_add_str(out, "</td>");
}

const char *dash_history_url(const json_t *doc, const char *const names[4], struct arena *a)
{
	return history_page(dash_base(doc, a), names, a);
}

const char *history_page(const char *pages, const char *const names[4], struct arena *a)
{
	const char *const query[] = { "branch", names[0], "testbed", names[1], "benchmark",
		names[2], "measure", names[3], NULL };
	_cleanup_(buf_done)
	struct buf b = { 0 };

	buf_printf(&b, "%s/series", pages);
	dash_query(&b, '?', query);
	return arena_strdup(a, buf_str(&b));
}

void dash_head(struct buf *out, const char *caption, const char *const *titles)
{
	buf_add_str(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_escape(out, caption);
	buf_add_str(out, "\"><table class=\"");
	for (size_t i = 0; titles[i]; i++)
		if (*titles[i] == '~')
			buf_printf(out, "h%zu ", i + 1);
	buf_add_str(out, "\"><caption>");
	html_escape(out, caption);
	buf_add_str(out, "</caption><thead><tr>");
	for (; *titles; titles++) {
		const char *title = *titles + (**titles == '~');
		bool is_number = *title == '#';

		buf_printf(out, "<th scope=\"col\"%s>",
			is_number	? " class=\"n\""
			: *title == '.' ? " class=\"plain\""
					: "");
		html_escape(out, title + (is_number || *title == '.'));
		buf_add_str(out, "</th>");
	}
	buf_add_str(out, "</tr></thead><tbody>\n");
}

void dash_table_end(struct buf *out, size_t n, const char *none)
{
	buf_add_str(out, "</tbody></table></div>\n");
	if (!n && none)
		buf_printf(out, "<p>%s</p>\n", none);
}

/* --- the frame --- */

static const struct {
	const char *title, *path;
} places[] = { { "Overview", "" }, { "Alerts", "/alerts" }, { "Reports", "/reports" },
	{ "Jobs", "/jobs" }, { "Schedules", "/schedules" } };

static void navigation(const json_t *doc, const char *here, struct arena *a, struct buf *out)
{
	const char *base = dash_base(doc, a);

	buf_add_str(out,
		"<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>"
		"<nav aria-label=\"benchd\"><a class=\"brand\" href=\"/projects\">benchd</a>");
	if (*doc_str(doc, "project.slug")) {
		buf_add_str(out, " <span class=\"project\">");
		dash_text(out, doc, "project.name");
		buf_add_str(out, "</span>");
	}
	for (size_t i = 0; *doc_str(doc, "project.slug") && i < ARRAY_SIZE(places); i++) {
		buf_add_str(out, " <a ");
		dash_href(out, arena_printf(a, "%s%s", base, places[i].path), NULL);
		if (!strcmp(here, places[i].path))
			buf_add_str(out, " aria-current=\"page\"");
		buf_printf(out, ">%s</a>", places[i].title);
	}
	buf_printf(out,
		" <a href=\"/deliveries\"%s>Deliveries</a></nav></header>\n<main "
		"id=\"main\">\n",
		strcmp(here, "/deliveries") ? "" : " aria-current=\"page\"");
}

static void script(struct buf *out, const char *url)
{
	if (url)
		buf_printf(out, "<script defer src=\"%s\"></script>\n", url);
}

static void style(struct buf *out, const char *url)
{
	if (url)
		buf_printf(out, "<link rel=\"stylesheet\" href=\"%s\">\n", url);
}

static void page_open(const json_t *doc, const struct page_files *f, const char *title,
	const char *here, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			 "<meta name=\"viewport\" content=\"width=device-width, "
			 "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light "
			 "dark\">\n<link rel=\"icon\" href=\"data:,\">\n<title>");
	html_escape(out, title);
	if (*doc_str(doc, "project.name") && strcmp(title, doc_str(doc, "project.name"))) {
		buf_add_str(out, " - ");
		dash_text(out, doc, "project.name");
	}
	buf_add_str(out, " - benchd</title>\n");
	style(out, f->plot_css);
	style(out, f->css);
	script(out, f->plot_js);
	script(out, f->js);
	buf_add_str(out, "</head><body>\n");
	navigation(doc, here, a, out);
}

static void page_close(const json_t *doc, struct buf *out)
{
	const char *twin = doc_str(doc, "twin");

	buf_add_str(out, "</main>\n<footer>");
	if (*twin) {
		static const char *const csv[] = { "format", "csv", NULL };

		buf_add_str(out, "<p>The same as <a ");
		dash_href(out, twin, NULL);
		buf_add_str(out, ">JSON</a>");
		if (json_is_true(doc_at(doc, "twin_csv"))) {
			buf_add_str(out, " or <a ");
			dash_href(out, twin, csv);
			buf_add_str(out, ">CSV</a>");
		}
		buf_add_str(out, "</p>");
	}
	if (json_is_true(doc_at(doc, "signed_in")))
		buf_add_str(out, "<form method=\"post\" action=\"/logout\"><button>Sign "
				 "out</button></form>");
	buf_add_str(out, "</footer></body></html>\n");
}

/* What stands in place of a page that cannot be had; where a key would help, the form for it.
 */
void dash_problem(const json_t *doc, struct arena *a, struct buf *out)
{
	buf_add_str(out, "<h1>");
	dash_text(out, doc, "title");
	buf_add_str(out, "</h1>\n");
	if (*doc_str(doc, "detail")) {
		buf_add_str(out, "<p class=\"verdict\" role=\"alert\">");
		dash_text(out, doc, "detail");
		buf_add_str(out, "</p>\n");
	}
	if (!json_is_true(doc_at(doc, "sign_in"))) {
		buf_add_str(out, "<p><a href=\"/projects\">All projects</a></p>\n");
		return;
	}
	buf_add_str(out, "<form method=\"post\" action=\"/login\" class=\"bar\"><label>Key "
			 "<input type=\"password\" name=\"key\" required "
			 "autocomplete=\"current-password\"></label>"
			 "<input type=\"hidden\" name=\"next\" value=\"");
	dash_text(out, doc, "next");
	buf_add_str(out, "\"><button>Sign in</button></form>\n<p>A key is made with "
			 "<code>benchctl token --create NAME --scope read</code>.</p>\n");
}

static const struct {
	const char *here;
	form_fn body;
	bool has_plot;
} pages[] = {
	[PAGE_HOME] = { "/projects", dash_home, false },
	[PAGE_OVERVIEW] = { "", dash_overview, false },
	[PAGE_SERIES] = { "/series", dash_series, true },
	[PAGE_COMPARE] = { "/compare", dash_compare, false },
	[PAGE_REPORT] = { "/report", dash_report, false },
	[PAGE_REPORTS] = { "/reports", dash_reports, false },
	[PAGE_JOBS] = { "/jobs", dash_jobs, false },
	[PAGE_PROBLEM] = { "/problem", dash_problem, false },
	[PAGE_JOB] = { "/job", dash_job, false },
	[PAGE_ALERT] = { "/alert", dash_alert, false },
	[PAGE_ALERTS] = { "/alerts", dash_alerts, false },
	[PAGE_SCHEDULES] = { "/schedules", dash_schedules, false },
	[PAGE_DELIVERIES] = { "/deliveries", dash_deliveries, false },
};

void render_page(enum dash_page page, const json_t *doc, const struct page_files *files,
	struct arena *a, struct buf *out)
{
	struct page_files f = *files;

	if (!pages[page].has_plot)
		f.plot_js = f.plot_css = NULL;
	page_open(doc, &f, doc_str(doc, "title"), pages[page].here, a, out);
	pages[page].body(doc, a, out);
	page_close(doc, out);
}
