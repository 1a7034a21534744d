/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The OpenAPI 3.1 document. Paths, methods, path parameters, summaries and scopes come from the
 * route table; openapi.json has, by "METHOD /path", what the table does not know: query
 * parameters, bodies, answers, and the schemas themselves. A test holds the two against each
 * other. */
#include "daemon/http/handlers.h"

#include <string.h>
#include "base/embed.h"

extern const struct embed openapi_files[];

static json_t *ref(const char *kind, const char *name)
{
	return json_pack("{so}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

/* "Job" -> a reference; "[Job]" -> an array of them. */
static json_t *schema_of(const char *name)
{
	size_t n = strlen(name);
	char inner[64];

	if (name[0] != '[')
		return ref("schemas", name);
	snprintf(inner, sizeof(inner), "%.*s", (int)MIN(n - 2, (size_t)60), name + 1);
	return json_pack("{ssso}", "type", "array", "items", ref("schemas", inner));
}

static const char *mime_of(const char *form)
{
	static const struct {
		const char *name;
		enum format f;
	} table[] = { { "text", F_TEXT }, { "markdown", F_MARKDOWN }, { "csv", F_CSV },
		{ "html", F_HTML }, { "openmetrics", F_OPENMETRICS }, { "svg", F_SVG },
		{ "atom", F_ATOM }, { "ndjson", F_NDJSON }, { "junit", F_JUNIT },
		{ "hyperfine", F_HYPERFINE } };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, form))
			return format_mime(table[i].f);
	return form; /* a media type as it is */
}

static json_t *content_of(const json_t *schema, const json_t *forms)
{
	json_t *content = json_object(), *form;
	size_t i;

	if (json_is_string(schema))
		json_object_set_new(content, "application/json",
			json_pack("{so}", "schema", schema_of(json_string_value(schema))));
	json_array_foreach (forms, i, form)
		json_object_set_new(content, mime_of(json_string_value(form)),
			json_pack("{s{ss}}", "schema", "type", "string"));
	return content;
}

static json_t *answers_of(const json_t *details)
{
	json_t *all = json_object(), *schema;
	const char *code;
	const json_t *forms = json_object_get(details, "forms");

	json_object_foreach (json_object_get(details, "answers"), code, schema) {
		json_t *content = content_of(schema, code[0] == '2' ? forms : NULL);
		json_t *answer = json_pack(
			"{ss}", "description", code[0] == '2' ? "Done" : "See the body");

		if (json_object_size(content))
			json_object_set(answer, "content", content);
		json_decref(content);
		json_object_set_new(all, code, answer);
	}
	json_object_set_new(all, "default", ref("responses", "Problem"));
	return all;
}

/* Every {name} of a template, then the query parameters of the details. */
static json_t *parameters_of(const char *path, const json_t *details)
{
	json_t *list = json_array(), *name;
	size_t i;

	for (const char *s = strchr(path, '{'); s; s = strchr(s + 1, '{')) {
		const char *from = s + 1 + (s[1] == '*');

		json_array_append_new(
			list, json_pack("{sosssbs{ss}}", "name",
				      json_stringn(from, strcspn(from, "}")), "in", "path",
				      "required", 1, "schema", "type", "string"));
	}
	json_array_foreach (json_object_get(details, "query"), i, name)
		json_array_append_new(list, ref("parameters", json_string_value(name)));
	return list;
}

static const char *scope_name(enum scope s)
{
	static const char *const names[] = { "none", "read", "submit", "triage", "exec",
		"admin" };

	return names[s];
}

/* "GET /v0/projects/{project}/jobs" -> "get_projects_project_jobs" */
static json_t *operation_id(const struct route *r)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	bool gap = true;

	for (const char *s = r->method; *s; s++)
		buf_add_char(&b, (char)(*s | 0x20));
	for (const char *s = strncmp(r->path, "/v0", 3) ? r->path : r->path + 3; *s; s++) {
		bool word = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');

		if (word && gap)
			buf_add_char(&b, '_');
		if (word)
			buf_add_char(&b, *s);
		gap = !word;
	}
	return json_string(buf_str(&b));
}

static json_t *operation_of(const struct route *r, const json_t *details)
{
	json_t *o = json_object();
	const char *form = json_get_str(details, "form", NULL);
	const char *body = json_get_str(details, "body", form);

	json_object_set_new(o, "operationId", operation_id(r));
	json_set_str(o, "summary", r->summary);
	json_set_opt(o, "description", json_get_str(details, "description", NULL));
	json_object_set_new(o, "parameters", parameters_of(r->path, details));
	if (body)
		json_object_set_new(o, "requestBody",
			json_pack("{sbs{s{so}}}", "required", 1, "content",
				form ? "application/x-www-form-urlencoded" : "application/json",
				"schema", schema_of(body)));
	json_object_set_new(o, "responses", answers_of(details));
	if (r->scope != S_NONE)
		json_object_set_new(o, "security", json_pack("[{s[]}{}]", "bearer"));
	json_set_str(o, "x-scope", scope_name(r->scope));
	return o;
}

static void add_route(json_t *paths, const struct route *r, const json_t *operations)
{
	char key[256], path[200], method[16];
	const char *star = strstr(r->path, "{*");
	json_t *item;

	/* OpenAPI has no "rest of the path": its name without the star. */
	snprintf(path, sizeof(path), "%.*s%s", star ? (int)(star + 1 - r->path) : 200, r->path,
		star ? star + 2 : "");
	snprintf(key, sizeof(key), "%s %s", r->method, r->path);
	for (size_t i = 0; i < sizeof(method); i++) {
		method[i] = r->method[i] ? (char)(r->method[i] | 0x20) : 0;
		if (!r->method[i])
			break;
	}
	item = json_object_get(paths, path);
	if (!item) {
		item = json_object();
		json_object_set_new(paths, path, item);
	}
	json_object_set_new(item, method, operation_of(r, json_object_get(operations, key)));
}

json_t *openapi_document(const char *version, const char *url)
{
	struct error err;
	json_t *hand = NULL, *doc = json_object(), *paths = json_object();

	if (json_parse((const char *)openapi_files[0].data, openapi_files[0].n, &hand, &err) <
		0)
		return doc; /* a test parses it: cannot happen in a program that was tested */
	for (const struct route *r = routes; r->method; r++)
		add_route(paths, r, json_object_get(hand, "operations"));
	json_set_str(doc, "openapi", "3.1.0");
	json_object_set(doc, "info", json_object_get(hand, "info"));
	json_set_str(json_object_get(doc, "info"), "version", version);
	json_object_set_new(doc, "servers", json_pack("[{ss}]", "url", url));
	json_object_set_new(doc, "paths", paths);
	json_object_set(doc, "components", json_object_get(hand, "components"));
	json_decref(hand);
	return doc;
}
