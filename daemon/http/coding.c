/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gzip (RFC 1952) both ways, on the threads that may take their time. */
#include "daemon/http/request.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>
#include "daemon/http/coding.h"

enum { GZIP_BITS = 15 + 16, PACK_LEVEL = 4, PACK_LEAST = 1024, STEP = 64 * 1024 };
static const int64_t unpacked_max = 64 * MiB, unpacked_ratio = 10;

static int inflate_all(z_stream *z, int64_t max, struct buf *out, struct error *err)
{
	int r = Z_OK;

	while (r != Z_STREAM_END) {
		buf_reserve(out, STEP);
		z->next_out = (Bytef *)out->data + out->len;
		z->avail_out = STEP;
		r = inflate(z, Z_NO_FLUSH);
		if (r != Z_OK && r != Z_STREAM_END)
			return error_set(err, E_BAD_REQUEST, "the body is not whole gzip data");
		out->len += STEP - z->avail_out;
		out->data[out->len] = 0;
		if ((int64_t)out->len > max)
			return error_set(err, E_TOO_LARGE,
				"the body has more than %lld bytes when unpacked",
				(long long)max);
	}
	if (z->avail_in)
		return error_set(err, E_BAD_REQUEST, "the body has bytes after its gzip data");
	return OK;
}

int gzip_unpack(const struct buf *in, int64_t max, struct buf *out, struct error *err)
{
	z_stream z = { .next_in = (Bytef *)in->data, .avail_in = (uInt)in->len };
	int r;

	if (inflateInit2(&z, GZIP_BITS) != Z_OK)
		return error_set(err, E_INTERNAL, "zlib does not start");
	r = inflate_all(&z, max, out, err);
	inflateEnd(&z);
	return r;
}

void gzip_pack(const void *data, size_t n, int level, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)data, .avail_in = (uInt)n };

	if (deflateInit2(&z, level, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	buf_reserve(out, deflateBound(&z, (uLong)n));
	z.next_out = (Bytef *)out->data;
	z.avail_out = (uInt)(out->cap - 1);
	if (deflate(&z, Z_FINISH) == Z_STREAM_END)
		out->len = z.total_out;
	out->data[out->len] = 0;
	deflateEnd(&z);
}

int coding_unpack(struct request *rq, struct error *err)
{
	const char *coding = request_header(rq, "Content-Encoding");
	_cleanup_(buf_done)
	struct buf out = { 0 };
	int r;

	if (rq->is_unpacked || !rq->has_body || !coding || strcasecmp(coding, "gzip"))
		return OK;
	r = gzip_unpack(
		&rq->body, MIN(unpacked_max, rq->route->max_body * unpacked_ratio), &out, err);
	if (r < 0)
		return r;
	buf_done(&rq->body);
	rq->body = out;
	out = (struct buf){ 0 };
	rq->is_unpacked = true;
	return OK;
}

static bool is_packable(const char *mime)
{
	return mime &&
	       (!strncmp(mime, "text/", 5) || strstr(mime, "json") || strstr(mime, "xml") ||
		       strstr(mime, "javascript") || strstr(mime, "openmetrics"));
}

/* A strong tag names bytes, so the packed form needs its own (RFC 9110 section 8.8.3.3). */
static void mark_tag(struct request *rq)
{
	const char *tag = response_find(&rq->response, "ETag");
	size_t n = tag ? strlen(tag) : 0;

	if (n > 2 && *tag == '"')
		response_headerf(rq, "ETag", "%.*s-gz\"", (int)n - 1, tag);
}

void coding_pack(struct request *rq)
{
	struct response *res = &rq->response;
	_cleanup_(buf_done)
	struct buf out = { 0 };

	if (res->is_encoded || res->fixed || res->body.len < PACK_LEAST ||
		!is_packable(res->mime))
		return;
	response_add(res, "Vary", rq->varies ? "Accept, Accept-Encoding" : "Accept-Encoding");
	if (!negotiate_takes_gzip(rq))
		return;
	gzip_pack(res->body.data, res->body.len, PACK_LEVEL, &out);
	if (out.len == 0 || out.len >= res->body.len)
		return;
	buf_done(&res->body);
	res->body = out;
	out = (struct buf){ 0 };
	res->is_encoded = true;
	response_add(res, "Content-Encoding", "gzip");
	mark_tag(rq);
}
