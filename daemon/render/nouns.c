/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bencher's nouns as JSON, member for member as its client reads them. */
#include "daemon/render/internal.h"

#include <string.h>

json_t *render_project(const struct project *p)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", p->uuid);
	json_set_str(o, "organization", ORGANIZATION_UUID);
	json_set_str(o, "name", p->name);
	json_set_str(o, "slug", p->slug);
	json_set_opt(o, "url", p->url);
	json_set_str(o, "visibility", p->visibility);
	json_set_time(o, "created", p->created_ns);
	json_set_time(o, "modified", p->modified_ns);
	/* Its absence would make the bencher client print a link to claim the project. */
	json_set_time(o, "claimed", p->created_ns);
	return o;
}

/* uuid, project, name, slug, created, modified and, when it is archived, archived. */
static json_t *dimension(const char *uuid, const struct project *p, const char *name,
	const char *slug, const int64_t times[3])
{
	json_t *o = json_object();

	json_set_str(o, "uuid", uuid);
	json_set_str(o, "project", p->uuid);
	json_set_str(o, "name", name);
	json_set_str(o, "slug", slug);
	json_set_time(o, "created", times[0]);
	json_set_time(o, "modified", times[1]);
	if (times[2])
		json_set_time(o, "archived", times[2]);
	return o;
}

#define DIMENSION(d, p)                                                                        \
	dimension((d)->uuid, (p), (d)->name, (d)->slug,                                        \
		(const int64_t[]){ (d)->created_ns, (d)->modified_ns, (d)->archived_ns })

json_t *render_version(const struct version *v)
{
	json_t *o = json_object();

	json_set_int(o, "number", v->number);
	json_set_opt(o, "hash", v->hash);
	return o;
}

json_t *render_branch(const struct branch *b, const struct project *p, const struct version *v)
{
	json_t *o = DIMENSION(b, p), *head = json_object();

	json_set_str(head, "uuid", b->head_uuid);
	json_set_time(head, "created", b->head_created_ns ? b->head_created_ns : b->created_ns);
	if (v)
		json_object_set_new(head, "version", render_version(v));
	json_object_set_new(o, "head", head);
	return o;
}

json_t *render_testbed(const struct testbed *t, const struct project *p)
{
	return DIMENSION(t, p);
}

json_t *render_benchmark(const struct benchmark *b, const struct project *p)
{
	return DIMENSION(b, p);
}

json_t *render_measure(const struct measure *m, const struct project *p)
{
	json_t *o = DIMENSION(m, p);

	json_set_str(o, "units", m->units);
	json_set_str(o, "better", better_name(m->better));
	return o;
}

static json_t *scopes_json(unsigned scopes)
{
	static const char *const names[] = { NULL, "read", "submit", "triage", "exec",
		"admin" }; /* enum scope of http/ */
	json_t *list = json_array();

	for (size_t i = 1; i < ARRAY_SIZE(names); i++)
		if (scopes & (1u << i))
			json_array_append_new(list, json_string(names[i]));
	return list;
}

json_t *render_token(const struct token *t)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", t->uuid);
	json_set_str(o, "name", t->name);
	json_set_str(o, "last_four", t->last_four);
	json_object_set_new(o, "scopes", scopes_json(t->scopes));
	json_set_time(o, "creation", t->created_ns);
	json_set_time(o, "expiration", t->expires_ns);
	json_set_time(o, "revoked", t->revoked_ns);
	json_set_time(o, "last_used", t->last_used_ns);
	return o;
}

/* Stored JSON text as a value; null when it is absent or broken. */
json_t *stored_json(const char *text)
{
	json_t *j = NULL;
	struct error err;

	if (!text || json_parse(text, strlen(text), &j, &err) < 0)
		return json_null();
	return j;
}

json_t *render_environment(const struct environment *e)
{
	json_t *o = json_object();

	json_set_str(o, "id", e->identity_hash);
	json_object_set_new(o, "identity", stored_json(e->identity_json));
	json_set_time(o, "created", e->created_ns);
	return o;
}

json_t *render_commit(const struct commit *c)
{
	json_t *o = json_object();

	json_set_str(o, "hash", c->hash);
	json_set_str(o, "author", c->author);
	json_set_str(o, "subject", c->subject);
	json_set_time(o, "time", c->time_ns);
	return o;
}
