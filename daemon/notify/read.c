/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the configuration says about messages that leave. */
#include <string.h>
#include "base/clock.h"
#include "base/text.h"
#include "daemon/notify/internal.h"

enum { MAX_WEBHOOKS = 50, MAX_RANGES = 100, MAX_PROJECTS = 200 };

struct raw_forge {
	const char *api, *token_file, *context;
	bool status;
	int comment;
};
static const char *const comment_names[] = { "never", "changes", "always", NULL };
static const struct json_field forge_fields[] = {
	{ "api", JF_STRING, offsetof(struct raw_forge, api), false, 8, 1000, NULL },
	{ "token_file", JF_STRING, offsetof(struct raw_forge, token_file), true, 1, 4000,
		NULL },
	{ "status", JF_BOOL, offsetof(struct raw_forge, status), false, 0, 0, NULL },
	{ "comment", JF_ENUM, offsetof(struct raw_forge, comment), false, 0, 0, comment_names },
	{ "context", JF_STRING, offsetof(struct raw_forge, context), false, 1, 60, NULL },
};
struct raw_webhook {
	const char *url, *secret_file;
	json_t *events, *projects;
};
static const struct json_field webhook_fields[] = {
	{ "url", JF_STRING, offsetof(struct raw_webhook, url), true, 8, 2000, NULL },
	{ "secret_file", JF_STRING, offsetof(struct raw_webhook, secret_file), true, 1, 4000,
		NULL },
	{ "events", JF_ARRAY, offsetof(struct raw_webhook, events), false, 1, 2, NULL },
	{ "projects", JF_ARRAY, offsetof(struct raw_webhook, projects), false, 1, MAX_PROJECTS,
		NULL },
};
struct raw_outgoing {
	json_t *allow;
	const char *ca_file;
	int64_t timeout_ns, first_retry_ns, attempts;
};
static const struct json_field outgoing_fields[] = {
	{ "allow", JF_ARRAY, offsetof(struct raw_outgoing, allow), false, 0, MAX_RANGES, NULL },
	{ "ca_file", JF_STRING, offsetof(struct raw_outgoing, ca_file), false, 1, 4000, NULL },
	{ "timeout", JF_DURATION, offsetof(struct raw_outgoing, timeout_ns), false, 0.1, 120,
		NULL },
	{ "first_retry", JF_DURATION, offsetof(struct raw_outgoing, first_retry_ns), false, 0.1,
		3600, NULL },
	{ "attempts", JF_INT, offsetof(struct raw_outgoing, attempts), false, 1, 100, NULL },
};

struct reading {
	struct arena *a;
	const char *folder;
	struct error *err;
};

static int refuse(struct reading *rd, const char *pointer, const char *member, const char *text)
{
	char field[128];

	snprintf(field, sizeof(field), "%.80s%.40s", pointer, member);
	return error_set_field(rd->err, E_UNPROCESSABLE, field, "%s", text);
}

/* http or https, a host, no user, and no '/' at its end where something is put behind it. */
static bool is_url(const char *s, bool is_base)
{
	size_t scheme = !strncmp(s, "https://", 8) ? 8 : !strncmp(s, "http://", 7) ? 7 : 0;
	size_t host = strcspn(s + scheme, "/?#"), n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] > '~')
			return false;
	return scheme && host && !memchr(s + scheme, '@', host) && !strchr(s, '#') &&
	       !(is_base && (s[n - 1] == '/' || strchr(s, '?')));
}

static int read_secrets(struct reading *rd, const char *pointer, const char *member,
	const char *file, struct secrets *ret)
{
	const char *path = *file == '/' ? file : arena_printf(rd->a, "%s/%s", rd->folder, file);
	struct error why;

	if (secrets_read(path, rd->a, ret, &why) == OK)
		return OK;
	return refuse(rd, pointer, member, why.text);
}

static int read_forge(struct reading *rd, const char *hook, json_t *o, struct forge *ret)
{
	struct raw_forge raw = { .api = "https://api.github.com",
		.context = "benchd",
		.status = true,
		.comment = COMMENT_CHANGES };
	char pointer[100];
	int r;

	snprintf(pointer, sizeof(pointer), "/hooks/%.64s/answers", hook);
	r = json_read(o, pointer, forge_fields, ARRAY_SIZE(forge_fields), &raw,
		JSON_REFUSE_UNKNOWN, rd->err);
	if (r == OK && !is_url(raw.api, true))
		r = refuse(rd, pointer, "/api",
			"'api' must begin with https:// or http:// and end without '/'");
	*ret = (struct forge){ .hook = hook,
		.api = raw.api,
		.wants_status = raw.status,
		.comment = (enum comment_when)raw.comment,
		.context = raw.context };
	return r == OK ? read_secrets(rd, pointer, "/token_file", raw.token_file, &ret->token)
		       : r;
}

static int read_forges(struct reading *rd, json_t *hooks, struct notify_rules *ret)
{
	const char *name;
	json_t *hook;
	int r = OK;

	ret->forges = ARENA_ARRAY(rd->a, struct forge, json_object_size(hooks) + 1);
	json_object_foreach (hooks, name, hook) {
		json_t *answers = json_object_get(hook, "answers");

		if (r == OK && answers)
			r = read_forge(rd, name, answers, &ret->forges[ret->n_forges++]);
	}
	return r;
}

static int read_events(struct reading *rd, const char *pointer, json_t *list, struct webhook *w)
{
	size_t i;
	json_t *v;

	w->on_alert = w->on_job = !list;
	json_array_foreach (list, i, v) {
		const char *word = json_is_string(v) ? json_string_value(v) : "";
		char member[40];

		snprintf(member, sizeof(member), "/events/%zu", i);
		if (!strcmp(word, "alert.confirmed"))
			w->on_alert = true;
		else if (!strcmp(word, "job.finished"))
			w->on_job = true;
		else
			return refuse(rd, pointer, member,
				"an event is one of 'alert.confirmed', 'job.finished'");
	}
	return OK;
}

static int check_projects(struct reading *rd, const char *pointer, json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		char member[40];

		snprintf(member, sizeof(member), "/projects/%zu", i);
		if (!json_is_string(v) || !slug_is_valid(json_string_value(v)))
			return refuse(rd, pointer, member, "a project is named by its slug");
	}
	return OK;
}

static int read_webhook(struct reading *rd, const char *name, json_t *o, struct webhook *ret)
{
	struct raw_webhook raw = { 0 };
	char pointer[100];
	int r;

	snprintf(pointer, sizeof(pointer), "/webhooks/%.64s", name);
	if (!slug_is_valid(name) || !json_is_object(o))
		return refuse(rd, pointer, "",
			"a webhook is a slug (a-z, 0-9, single '-' inside) with names and "
			"values");
	r = json_read(o, pointer, webhook_fields, ARRAY_SIZE(webhook_fields), &raw,
		JSON_REFUSE_UNKNOWN, rd->err);
	*ret = (struct webhook){ .name = name, .url = raw.url, .projects = raw.projects };
	if (r == OK && !is_url(raw.url, false))
		r = refuse(rd, pointer, "/url",
			"'url' must begin with https:// or http:// and hold no user");
	if (r == OK)
		r = read_events(rd, pointer, raw.events, ret);
	if (r == OK)
		r = check_projects(rd, pointer, raw.projects);
	return r == OK ? read_secrets(
				 rd, pointer, "/secret_file", raw.secret_file, &ret->secrets)
		       : r;
}

static int read_webhooks(struct reading *rd, json_t *o, struct notify_rules *ret)
{
	const char *name;
	json_t *v;
	int r = OK;

	if (json_object_size(o) > MAX_WEBHOOKS)
		return refuse(rd, "/webhooks", "", "at most 50 webhooks can be configured");
	ret->webhooks = ARENA_ARRAY(rd->a, struct webhook, json_object_size(o) + 1);
	json_object_foreach (o, name, v)
		if (r == OK)
			r = read_webhook(rd, name, v, &ret->webhooks[ret->n_webhooks++]);
	return r;
}

static int read_ca_file(struct reading *rd, const char *file, struct notify_rules *ret)
{
	if (!file)
		return OK;
	ret->ca_file = *file == '/' ? file : arena_printf(rd->a, "%s/%s", rd->folder, file);
	return access(ret->ca_file, R_OK) == 0
		       ? OK
		       : refuse(rd, "/outgoing", "/ca_file", "'ca_file' cannot be read");
}

static int read_outgoing(struct reading *rd, json_t *o, struct notify_rules *ret)
{
	struct raw_outgoing raw = {
		.timeout_ns = 10 * NS_PER_S, .first_retry_ns = 5 * NS_PER_S, .attempts = 8
	};
	size_t i;
	json_t *v;
	int r = OK;

	if (o)
		r = json_read(o, "/outgoing", outgoing_fields, ARRAY_SIZE(outgoing_fields),
			&raw, JSON_REFUSE_UNKNOWN, rd->err);
	if (r == OK)
		r = read_ca_file(rd, raw.ca_file, ret);
	ret->timeout_ns = raw.timeout_ns;
	ret->first_retry_ns = raw.first_retry_ns;
	ret->max_tries = raw.attempts;
	ret->allowed = ARENA_ARRAY(rd->a, struct address_range, json_array_size(raw.allow) + 1);
	json_array_foreach (raw.allow, i, v) {
		char member[40];

		snprintf(member, sizeof(member), "/allow/%zu", i);
		if (r == OK && (!json_is_string(v) ||
				       notify_range_parse(json_string_value(v),
					       &ret->allowed[ret->n_allowed++], rd->err) < 0))
			r = refuse(rd, "/outgoing", member,
				"an address range is written as 10.0.0.0/8, 127.0.0.1 or "
				"::1/128");
	}
	return r;
}

int notify_read(json_t *hooks, json_t *webhooks, json_t *outgoing, const char *folder,
	struct arena *a, struct notify_rules *ret, struct error *err)
{
	struct reading rd = { .a = a, .folder = folder, .err = err };
	int r;

	*ret = (struct notify_rules){ 0 };
	r = read_outgoing(&rd, outgoing, ret);
	if (r == OK)
		r = read_forges(&rd, hooks, ret);
	return r == OK ? read_webhooks(&rd, webhooks, ret) : r;
}

const struct forge *forge_find(const struct notify_rules *n, const char *hook)
{
	for (size_t i = 0; i < n->n_forges; i++)
		if (!strcmp(n->forges[i].hook, hook))
			return &n->forges[i];
	return NULL;
}

const struct webhook *webhook_find(const struct notify_rules *n, const char *name)
{
	for (size_t i = 0; i < n->n_webhooks; i++)
		if (!strcmp(n->webhooks[i].name, name))
			return &n->webhooks[i];
	return NULL;
}
