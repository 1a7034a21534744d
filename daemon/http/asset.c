/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/asset.h"

#include <string.h>
#include "daemon/http/coding.h"
#include "daemon/http/request.h"
#include "daemon/http/server.h"

enum { HASH_DIGITS = 12, PACK_LEVEL = 9 };

static const char *mime_of(const char *name)
{
	static const char *const types[][2] = { { ".css", "text/css; charset=utf-8" },
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" }, { ".json", "application/json" },
		{ ".svg", "image/svg+xml" }, { ".txt", "text/plain; charset=utf-8" },
		{ ".png", "image/png" }, { ".ico", "image/x-icon" }, { ".woff2", "font/woff2" },
		{ ".webmanifest", "application/manifest+json" } };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (!strcmp(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

static char *hashed_name(const char *name, const char *hex)
{
	const char *dot = strrchr(name, '.');
	int stem = dot ? (int)(dot - name) : (int)strlen(name);

	return xasprintf("%.*s.%.*s%s", stem, name, HASH_DIGITS, hex, dot ? dot : "");
}

static void make(struct asset *a, const struct embed *file)
{
	char hex[SHA256_HEX];

	sha256_hex(file->data, file->n, hex);
	a->file = file;
	a->hashed = hashed_name(file->name, hex);
	a->etag = xasprintf("\"%.*s\"", HASH_DIGITS, hex);
	a->mime = mime_of(file->name);
	if (!strncmp(a->mime, "text/", 5) || strstr(a->mime, "json") || strstr(a->mime, "svg"))
		gzip_pack(file->data, file->n, PACK_LEVEL, &a->packed);
	if (a->packed.len >= file->n)
		buf_done(&a->packed);
}

void assets_init(struct assets *a, const struct embed *files)
{
	*a = (struct assets){ 0 };
	while (files && files[a->n].name)
		a->n++;
	a->list = xcalloc(a->n + 1, sizeof(*a->list));
	for (size_t i = 0; i < a->n; i++)
		make(&a->list[i], &files[i]);
}

void assets_done(struct assets *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->list[i].hashed);
		free(a->list[i].etag);
		buf_done(&a->list[i].packed);
	}
	free(a->list);
	*a = (struct assets){ 0 };
}

static const struct asset *find(struct request *rq, const char *name, bool *ret_is_hashed)
{
	const struct assets *a = rq->server ? &rq->server->assets : NULL;

	for (size_t i = 0; a && i < a->n; i++) {
		*ret_is_hashed = !strcmp(a->list[i].hashed, name);
		if (*ret_is_hashed || !strcmp(a->list[i].file->name, name))
			return &a->list[i];
	}
	return NULL;
}

static void set_bytes(struct request *rq, const struct asset *a)
{
	struct response *res = &rq->response;

	response_text(rq, 200, a->mime, "");
	res->fixed = a->file->data;
	res->n_fixed = a->file->n;
	if (!a->packed.len)
		return;
	response_add(res, "Vary", "Accept-Encoding");
	if (!negotiate_takes_gzip(rq))
		return;
	res->fixed = a->packed.data;
	res->n_fixed = a->packed.len;
	res->is_encoded = true;
	response_add(res, "Content-Encoding", "gzip");
	response_headerf(rq, "ETag", "%.*s-gz\"", (int)strlen(a->etag) - 1, a->etag);
}

int response_asset(struct request *rq, const char *name, struct error *err)
{
	bool is_hashed = false;
	const struct asset *a = find(rq, name, &is_hashed);

	if (!a)
		return error_set(err, E_NOT_FOUND, "there is no file '%s'", name);
	response_header(rq, "Cache-Control",
		is_hashed ? "public, max-age=31536000, immutable" : "no-cache");
	if (!response_not_modified(rq, a->etag))
		set_bytes(rq, a);
	return OK;
}

const char *request_asset_url(struct request *rq, const char *name)
{
	bool is_hashed = false;
	const struct asset *a = find(rq, name, &is_hashed);

	return arena_printf(rq->arena, "/assets/%s", a ? a->hashed : name);
}

void response_page(struct request *rq, int status, struct buf *html)
{
	char hex[SHA256_HEX], etag[SHA256_HEX + 3];

	sha256_hex(buf_str(html), html->len, hex);
	snprintf(etag, sizeof(etag), "\"%.16s\"", hex);
	response_header(rq, "Cache-Control", "no-cache");
	if (status == 200 && response_not_modified(rq, etag))
		buf_done(html);
	else
		response_buf(rq, status, "text/html; charset=utf-8", html);
}
