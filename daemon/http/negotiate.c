/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What form the client wants (RFC 9110 section 12.5), how long it waits (RFC 7240). */
#include "daemon/http/request.h"

#include <string.h>
#include <strings.h>
#include "daemon/render/render.h"

static const int64_t wait_max_ns = 120 * NS_PER_S;

static const struct form {
	enum format format;
	const char *word, *word2; /* of ?format= */
	const char *type, *type2; /* of Accept; NULL: none */
} forms[] = {
	{ F_JSON, "json", "json", "application/json", "application/problem+json" },
	{ F_TEXT, "text", "txt", "text/plain", NULL },
	{ F_MARKDOWN, "markdown", "md", "text/markdown", NULL },
	{ F_CSV, "csv", "csv", "text/csv", NULL },
	{ F_HTML, "html", "html", "text/html", "application/xhtml+xml" },
	{ F_OPENMETRICS, "openmetrics", "metrics", "application/openmetrics-text", NULL },
	{ F_SVG, "svg", "svg", "image/svg+xml", NULL },
	{ F_ATOM, "atom", "atom", "application/atom+xml", NULL },
	{ F_NDJSON, "ndjson", "ndjson", "application/x-ndjson", "application/jsonl" },
	{ F_JUNIT, "junit", "junit", "application/junit+xml", "application/xml" },
	{ F_HYPERFINE, "hyperfine", "hyperfine", "application/vnd.hyperfine+json", NULL },
};

/* One element of a list header: "text/html;level=1;q=0.5". */
struct range {
	const char *s;
	size_t n; /* of the value without parameters */
	double q;
};

static double parse_q(const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		s += strspn(s, "; \t");
		if (end - s > 2 && (*s | 0x20) == 'q' && s[1] == '=')
			return MIN(MAX(strtod(s + 2, NULL), 0), 1);
		s += strcspn(s, ";,");
		if (*s == ',')
			break;
	}
	return 1;
}

static bool next_range(const char **list, struct range *ret)
{
	const char *s = *list + strspn(*list, ", \t");
	size_t all = strcspn(s, ",");

	if (!all)
		return false;
	ret->s = s;
	ret->n = strcspn(s, "; \t,");
	ret->q = parse_q(s + ret->n, all - ret->n);
	*list = s + all;
	return true;
}

/* 3: the type itself, 2: "text/" + star, 1: anything, 0: another type. */
static int specificity(const struct range *r, const char *type)
{
	size_t major = type ? strcspn(type, "/") : 0;

	if (r->n == 3 && !memcmp(r->s, "*/*", 3))
		return 1;
	if (!type)
		return 0;
	if (r->n == major + 2 && !strncasecmp(r->s, type, major + 1) && r->s[major + 1] == '*')
		return 2;
	return strlen(type) == r->n && !strncasecmp(r->s, type, r->n) ? 3 : 0;
}

struct weight {
	double q;
	int specificity, place; /* place in the header: earlier wins */
};

static struct weight weigh(const char *accept, const struct form *f)
{
	struct weight w = { 0, 0, 0 };
	struct range r;

	for (int place = 0; next_range(&accept, &r); place++) {
		int k = MAX(specificity(&r, f->type), specificity(&r, f->type2));

		if (k > w.specificity)
			w = (struct weight){ r.q, k, place };
	}
	return w;
}

static bool is_better(const struct weight *a, const struct weight *b)
{
	if (a->q != b->q)
		return a->q > b->q;
	if (a->specificity != b->specificity)
		return a->specificity > b->specificity;
	return a->place < b->place;
}

static const struct form *best_form(const char *accept, unsigned formats)
{
	struct weight best = { 0, 0, 0 };
	const struct form *ret = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct weight w;

		if (!(formats & 1u << forms[i].format))
			continue;
		w = weigh(accept, &forms[i]);
		if (w.q <= 0 || !is_better(&w, &best))
			continue;
		best = w;
		ret = &forms[i];
	}
	return ret;
}

static const struct form *form_of_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(word, forms[i].word) || !strcmp(word, forms[i].word2))
			return &forms[i];
	return NULL;
}

static int not_offered(unsigned formats, const char *asked, struct error *err)
{
	char words[200] = "";

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n = strlen(words);

		if (formats & 1u << forms[i].format)
			snprintf(words + n, sizeof(words) - n, "%s%s (%s)", n ? ", " : "",
				forms[i].word, forms[i].type);
	}
	return error_set(
		err, E_NOT_ACCEPTABLE, "'%.60s' cannot be had here; there is %s", asked, words);
}

static int pick(unsigned formats, const struct form *f, const char *asked, enum format *ret,
	struct error *err)
{
	if (!f || !(formats & 1u << f->format))
		return not_offered(formats, asked, err);
	*ret = f->format;
	return OK;
}

static const struct form *form_of(int format)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if ((int)forms[i].format == format)
			return &forms[i];
	return NULL;
}

int request_format(struct request *rq, unsigned formats, enum format *ret, struct error *err)
{
	const char *word = request_query(rq, "format");
	const char *accept = request_header(rq, "Accept");

	if (word && *word)
		return pick(formats, form_of_word(word), word, ret, err);
	if (rq->suffix != FORMAT_NONE) {
		const struct form *f = form_of(rq->suffix);

		return pick(formats, f, f->word, ret, err);
	}
	rq->varies = true;
	if (!accept || !*accept)
		accept = "*/*";
	return pick(formats, best_form(accept, formats), accept, ret, err);
}

bool negotiate_wants_page(const struct request *rq)
{
	static const unsigned offered = 1u << F_JSON | 1u << F_TEXT | 1u << F_HTML;
	const char *accept = request_header(rq, "Accept");
	const struct form *f = accept ? best_form(accept, offered) : NULL;

	return f && f->format == F_HTML && !request_query(rq, "format");
}

bool negotiate_wants_text(const struct request *rq)
{
	static const unsigned offered = 1u << F_JSON | 1u << F_TEXT | 1u << F_MARKDOWN;
	const char *word = request_query(rq, "format");
	const char *accept = request_header(rq, "Accept");
	const struct form *f = NULL;

	if (word && *word)
		f = form_of_word(word);
	else if (rq->suffix != FORMAT_NONE)
		f = form_of(rq->suffix);
	else if (accept)
		f = best_form(accept, offered);
	return f && (f->format == F_TEXT || f->format == F_MARKDOWN);
}

bool negotiate_takes_gzip(const struct request *rq)
{
	const char *list = request_header(rq, "Accept-Encoding");
	double gzip = -1, any = -1;
	struct range r;

	while (list && next_range(&list, &r)) {
		if (r.n == 4 && !strncasecmp(r.s, "gzip", 4))
			gzip = r.q;
		else if (r.n == 1 && *r.s == '*')
			any = r.q;
	}
	return gzip > 0 || (gzip < 0 && any > 0);
}

/* "respond-async, wait=60" */
static const char *find_preference(struct request *rq, const char *name)
{
	const char *s = request_header(rq, "Prefer");
	size_t n = strlen(name);

	while (s && *s) {
		s += strspn(s, ",; \t");
		if (!strncasecmp(s, name, n) && s[n] == '=')
			return arena_strndup(rq->arena, s + n + 1, strcspn(s + n + 1, ",; \t"));
		s += strcspn(s, ",;");
	}
	return NULL;
}

int request_wait(struct request *rq, int64_t *ret_ns, struct error *err)
{
	const char *query = request_query(rq, "wait");
	const char *text = query ? query : find_preference(rq, "wait");
	int r;

	*ret_ns = 0;
	if (!text)
		return OK;
	r = duration_parse(text, ret_ns, err);
	if (r < 0 && !query) { /* a preference that is not understood is ignored */
		*ret_ns = 0;
		return OK;
	}
	if (r < 0)
		return error_set_field(err, E_BAD_REQUEST, "wait",
			"query parameter 'wait' is '%.40s'; it must be a duration such as 60s",
			text);
	*ret_ns = MIN(MAX(*ret_ns, 0), wait_max_ns);
	if (!query)
		response_headerf(
			rq, "Preference-Applied", "wait=%lld", (long long)(*ret_ns / NS_PER_S));
	return OK;
}
