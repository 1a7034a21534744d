/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of HTML documents: one file, no request to anywhere, readable with scripts off. */
#include "daemon/render/internal.h"

#include "base/secret.h"

static const char style[] =
	":root{color-scheme:light dark}"
	"body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 "
	"1rem}"
	"table{border-collapse:collapse;width:100%;margin:1rem 0}"
	"th,td{padding:.25rem .6rem;border-bottom:1px solid #8884;text-align:left}"
	"th{position:sticky;top:0;background:Canvas}"
	".n{text-align:right;font-variant-numeric:tabular-nums}"
	"code,pre{font-family:ui-monospace,monospace}"
	"dt{float:left;clear:left;width:8rem;font-weight:600}dd{margin-left:9rem}"
	".verdict{font-size:1.2rem;border-left:.3rem solid #8888;padding-left:.8rem}"
	".scroll{overflow-x:auto}"
	"svg{max-width:100%;height:auto}";

void page_begin(struct buf *out, const char *title)
{
	buf_add_str(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			 "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	html_escape(out, title);
	buf_printf(out, "</title>\n<style>%s</style></head><body>\n", style);
}

void page_end(struct buf *out)
{
	buf_add_str(out, "<footer><p>benchd</p></footer></body></html>\n");
}

const char *render_style_hash(char out[64])
{
	uint8_t digest[SHA256_BYTES];

	sha256(style, sizeof(style) - 1, digest);
	base64_format(digest, sizeof(digest), out);
	return out;
}

void table_region(const json_t *rows, const struct column *columns, size_t n, const char *name,
	struct arena *a, struct buf *out)
{
	buf_add_str(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	html_escape(out, name);
	buf_add_str(out, "\">");
	table_render(rows, columns, n, F_HTML, a, out);
	buf_add_str(out, "</div>\n");
}
