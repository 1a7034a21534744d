/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's side: what git, programs and the daemon send it. */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "base/json.h"
#include "worker/cpus.h"
#include "worker/gitlog.h"
#include "worker/result.h"
#include "worker/spec.h"
#include "worker/utf8.h"

int fuzz_cpus(struct arena *a, const char *text, size_t n, struct error *err)
{
	cpu_set_t set;

	(void)a;
	(void)n;
	return cpus_parse(text, &set, err);
}

int fuzz_utf8(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct buf out = { 0 }, again = { 0 }, last = { 0 };
	size_t used = utf8_clean(text, n, &out);

	(void)a;
	(void)err;
	/* What was cleaned is clean. */
	if (utf8_clean(buf_str(&out), out.len, &again) != out.len || again.len != out.len)
		abort();
	utf8_last_line(text, n, 64, &last);
	buf_done(&out);
	buf_done(&again);
	buf_done(&last);
	return used <= n ? OK : E_INTERNAL;
}

int fuzz_gitlog(struct arena *a, const char *text, size_t n, struct error *err)
{
	json_t *m = json_object();

	(void)a;
	(void)err;
	gitlog_read(text, n, m);
	json_decref(m);
	return OK;
}

int fuzz_result(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct result r;

	return result_read(a, text, n, &r, err);
}

int fuzz_spec(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct spec *s;
	json_t *j = NULL;
	int r = json_parse(text, n, &j, err);

	return r == OK ? spec_read(a, arena_own_json(a, j), &s, err) : r;
}
