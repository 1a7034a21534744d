/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/handlers.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "base/text.h"

static bool has_scope(const struct principal *who, enum scope scope)
{
	return (who->scopes & 1u << scope) != 0;
}

/* Anonymous readers see public projects; whoever may write may see private ones too. */
static bool may_see(const struct principal *who, const struct project *p)
{
	if (who->project_id && who->project_id != p->id)
		return false;
	return who->token_id || has_scope(who, S_SUBMIT) || !strcmp(p->visibility, "public");
}

int check_project(struct request *rq, const struct project *p, struct error *err)
{
	const char *asked = request_param(rq, "project");

	if (!may_see(request_principal(rq), p))
		return error_set(
			err, E_NOT_FOUND, "there is no project '%s'", *asked ? asked : p->slug);
	return OK;
}

bool is_unchanged(
	struct request *rq, struct store *st, const struct project *p, enum document kind)
{
	const struct app *app = request_app(rq);
	struct error ignored;
	int64_t generation;
	enum format f;

	if (request_format(rq, render_formats(kind), &f, &ignored) < 0 ||
		store_generation(st, p->id, &generation, &ignored) < 0)
		return false;
	return response_not_modified(
		rq, arena_printf(request_arena(rq), "W/\"%.8s-%lld-%d-%s\"", p->uuid,
			    (long long)generation, (int)f, app->version));
}

int find_project(struct request *rq, struct store *st, struct project *ret, struct error *err)
{
	int r = store_project_find(
		st, request_arena(rq), request_param(rq, "project"), ret, err);

	return r < 0 ? r : check_project(rq, ret, err);
}

bool may_create_project(const struct request *rq)
{
	const struct principal *who = request_principal(rq);

	return has_scope(who, S_ADMIN) && !who->project_id;
}

int ensure_project(struct request *rq, struct store *st, struct project *ret, struct error *err)
{
	const char *slug = request_param(rq, "project");
	int r = find_project(rq, st, ret, err);

	if (r != E_NOT_FOUND || !slug_is_valid(slug) || !may_create_project(rq))
		return r;
	return store_project_ensure(
		st, request_arena(rq), slug, clock_wall(request_clock(rq)), ret, err);
}

int answer_json(struct request *rq, int status, json_t *doc)
{
	response_json(rq, status, doc);
	return OK;
}

void answer_empty(struct request *rq)
{
	response_text(rq, 204, "text/plain", "");
}

/* A list that is not whole says so where people read it: in its last line. */
static void add_rest(enum format f, const char *rest, struct buf *out)
{
	if (!rest || (f != F_TEXT && f != F_MARKDOWN))
		return;
	while (out->len && out->data[out->len - 1] == '\n')
		out->len--;
	buf_printf(out, "%s\n", rest);
}

static int answer_with(struct request *rq, int status, enum document kind, json_t *doc,
	const char *rest, struct error *err)
{
	_cleanup_(json_decref)
	json_t *j = doc;
	_cleanup_(buf_done)
	struct buf out = { 0 };
	enum format f;
	int r = request_format(rq, render_formats(kind), &f, err);

	if (r < 0)
		return r;
	if (f == F_JSON)
		return answer_json(rq, status, TAKE(j));
	r = render_document(kind, f, j, request_arena(rq), &out, err);
	if (r < 0)
		return r;
	add_rest(f, rest, &out);
	if (f == F_HTML) {
		char hash[64];

		response_headerf(rq, "Content-Security-Policy",
			"default-src 'none'; style-src 'sha256-%s'", render_style_hash(hash));
	}
	response_buf(rq, status, format_mime(f), &out);
	return OK;
}

int answer(struct request *rq, int status, enum document kind, json_t *doc, struct error *err)
{
	return answer_with(rq, status, kind, doc, NULL, err);
}

int answer_part(struct request *rq, enum document kind, json_t *doc, const char *rest,
	struct error *err)
{
	return answer_with(rq, 200, kind, doc, rest, err);
}

int answer_page_of(
	struct request *rq, enum document kind, json_t *doc, int64_t total, struct error *err)
{
	const char *rest = arena_printf(request_arena(rq),
		" of %lld; page and per_page (at most 255) show the others", (long long)total);

	set_total(rq, total);
	return answer_part(
		rq, kind, doc, (int64_t)json_array_size(doc) < total ? rest : NULL, err);
}

bool query_flag(struct request *rq, const char *name)
{
	const char *v = request_query(rq, name);

	return v && (!*v || !strcmp(v, "1") || !strcmp(v, "true") || !strcmp(v, "yes"));
}

static int query_word(struct request *rq, const char *name, const char *const *words,
	int otherwise, int *ret, struct error *err)
{
	const char *v = request_query(rq, name);

	*ret = otherwise;
	if (!v)
		return OK;
	for (int i = 0; words[i]; i++) {
		if (!strcmp(v, words[i])) {
			*ret = i;
			return OK;
		}
	}
	return error_set_field(err, E_BAD_REQUEST, name, "'%s' of the query must be '%s'%s%s%s",
		name, words[0], words[1] ? " or '" : "", words[1] ? words[1] : "",
		words[1] ? "'" : "");
}

int read_page(struct request *rq, const char *const *sorts, bool descending, struct page *ret,
	struct error *err)
{
	static const char *const directions[] = { "asc", "desc", NULL };
	int sort, direction, r;

	r = request_query_int(rq, "page", 0, 1000000000, 1, &ret->page, err);
	if (r == OK)
		r = request_query_int(rq, "per_page", 0, 255, 8, &ret->per_page, err);
	if (r == OK)
		r = query_word(rq, "sort", sorts, 0, &sort, err);
	if (r == OK)
		r = query_word(rq, "direction", directions, descending, &direction, err);
	if (r < 0)
		return r;
	ret->page = MAX(ret->page, 1);
	ret->name = request_query(rq, "name");
	ret->search = request_query(rq, "search");
	ret->sort = sorts[sort];
	ret->descending = direction == 1;
	ret->archived = query_flag(rq, "archived");
	return OK;
}

void set_total(struct request *rq, int64_t total)
{
	response_headerf(rq, "X-Total-Count", "%lld", (long long)total);
}

int read_object(struct request *rq, json_t **ret, struct error *err)
{
	int r = request_json(rq, ret, err);

	if (r < 0)
		return r;
	if (!json_is_object(*ret))
		return error_set(err, E_UNPROCESSABLE, "the body must be a JSON object");
	return OK;
}

int check_name(const char *field, const char *name, size_t max, struct error *err)
{
	size_t n = strlen(name);

	if (n < 1 || n > max)
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'%s' must have 1 to %zu bytes, not %zu", field + (*field == '/'), max,
			n);
	if (name[0] == ' ' || name[n - 1] == ' ')
		return error_set_field(err, E_UNPROCESSABLE, field,
			"'%s' must not begin or end with a space", field + (*field == '/'));
	return OK;
}

int check_slug(const char *field, const char *slug, struct error *err)
{
	if (slug_is_valid(slug))
		return OK;
	return error_set_field(err, E_UNPROCESSABLE, field,
		"'%.70s' is not a slug: lower-case letters, digits and single hyphens between "
		"them, at most %d",
		slug, SLUG_MAX);
}

static int bit_of(const char *word, size_t n, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (strlen(names[i]) == n && !strncmp(word, names[i], n))
			return i;
	return -1;
}

int query_bits(struct request *rq, const char *name, const char *const *names, unsigned *ret,
	struct error *err)
{
	const char *v = request_query(rq, name);

	*ret = 0;
	while (v && *v) {
		size_t n = strcspn(v, ",");
		int bit = bit_of(v, n, names);

		if (bit < 0) {
			char *word = arena_strndup(request_arena(rq), v, n);
			const char *near = nearest_name(word, names);

			return error_set_field(err, E_BAD_REQUEST, name,
				"'%.40s' is no value of '%s'%s%s%s", word, name,
				near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
		}
		*ret |= 1u << bit;
		v += n + (v[n] == ',');
	}
	return OK;
}

int query_real(struct request *rq, const char *name, double min, double max, double otherwise,
	double *ret, struct error *err)
{
	const char *v = request_query(rq, name);
	char *end;

	*ret = otherwise;
	if (!v)
		return OK;
	*ret = strtod(v, &end);
	if (*end == '%' && !end[1]) {
		*ret /= 100;
		end++;
	}
	if (end == v || *end || !(*ret >= min && *ret <= max))
		return error_set_field(err, E_BAD_REQUEST, name,
			"'%s' of the query must be a number from %g to %g, not '%.40s'", name,
			min, max, v);
	return OK;
}

int query_ms(struct request *rq, const char *name, int64_t *ret_ns, struct error *err)
{
	int64_t ms;
	int r = request_query_int(rq, name, 0, INT64_MAX / NS_PER_MS, 0, &ms, err);

	if (r == OK)
		*ret_ns = ms * NS_PER_MS;
	return r;
}
