/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hooks of the configuration. */
#include <string.h>
#include "base/text.h"
#include "daemon/hooks/internal.h"

enum { MAX_HOOKS = 100, MAX_RULES = 50, MAX_GLOBS = 200, MAX_GLOB = 256 };

#define NAME(id, name) name,
const char *const hook_base_names[] = { HOOK_BASES(NAME) NULL };
#undef NAME

const char *hook_base_name(enum hook_base v)
{
	return hook_base_names[v];
}

int hook_base_parse(const char *name)
{
	for (int i = 0; hook_base_names[i]; i++)
		if (!strcmp(hook_base_names[i], name))
			return i;
	return -1;
}

struct raw_hook {
	const char *repository, *secret_file;
	json_t *rules, *answers;
};
static const struct json_field hook_fields[] = {
	{ "repository", JF_STRING, offsetof(struct raw_hook, repository), true, 3, 200, NULL },
	{ "secret_file", JF_STRING, offsetof(struct raw_hook, secret_file), true, 1, 4000,
		NULL },
	{ "rules", JF_ARRAY, offsetof(struct raw_hook, rules), true, 1, MAX_RULES, NULL },
	{ "answers", JF_OBJECT, offsetof(struct raw_hook, answers), false, 0, 0, NULL },
};

struct raw_rule {
	json_t *events, *branches, *paths, *paths_ignore;
	const char *workload, *project;
	int base, priority;
	bool supersede;
};
#define F(key, kind, required, min, max, names)                                                \
	{                                                                                      \
#key, kind, offsetof(struct raw_rule, key), required, min, max, names          \
	}
static const struct json_field rule_fields[] = {
	F(events, JF_ARRAY, false, 1, 2, NULL),
	F(branches, JF_ARRAY, false, 1, MAX_GLOBS, NULL),
	F(paths, JF_ARRAY, false, 1, MAX_GLOBS, NULL),
	F(paths_ignore, JF_ARRAY, false, 1, MAX_GLOBS, NULL),
	F(workload, JF_STRING, true, 1, 64, NULL),
	F(project, JF_STRING, true, 1, SLUG_MAX, NULL),
	F(base, JF_ENUM, false, 0, 0, hook_base_names),
	F(priority, JF_ENUM, false, 0, 0, priority_names),
	F(supersede, JF_BOOL, false, 0, 0, NULL),
};
#undef F

/* Where one thing is read from; err->field is always at or below it. */
struct place {
	char pointer[120];
	struct error *err;
};

static int refuse(const struct place *at, const char *member, const char *text)
{
	char field[128];

	snprintf(field, sizeof(field), "%.80s%.40s", at->pointer, member);
	return error_set_field(at->err, E_UNPROCESSABLE, field, "%s", text);
}

static int check_globs(const struct place *at, const char *member, json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		char where[40];
		size_t n = json_string_length(v);

		snprintf(where, sizeof(where), "/%s/%zu", member, i);
		if (!json_is_string(v) || n < 1 || n > MAX_GLOB ||
			strlen(json_string_value(v)) != n)
			return refuse(
				at, where, "a pattern must be a string of 1 to 256 bytes");
	}
	return OK;
}

static int read_events(const struct place *at, json_t *list, struct hook_rule *r)
{
	size_t i;
	json_t *v;

	r->on_push = !list;
	json_array_foreach (list, i, v) {
		const char *word = json_is_string(v) ? json_string_value(v) : "";
		char where[40];

		snprintf(where, sizeof(where), "/events/%zu", i);
		if (!strcmp(word, "push"))
			r->on_push = true;
		else if (!strcmp(word, "pull_request"))
			r->on_pull = true;
		else
			return refuse(at, where, "an event is one of 'push', 'pull_request'");
	}
	return OK;
}

static int check_workload(const struct place *at, json_t *workloads, const char *name)
{
	json_t *w = json_object_get(workloads, name);

	if (!w || !strcmp(json_get_str(w, "kind", ""), "build"))
		return OK;
	return refuse(at, "/workload",
		"a hook measures commits: the workload must be of kind 'build'");
}

static int check_rule(const struct place *at, const struct raw_rule *raw, json_t *workloads)
{
	int r = check_globs(at, "branches", raw->branches);

	if (r == OK)
		r = check_globs(at, "paths", raw->paths);
	if (r == OK)
		r = check_globs(at, "paths_ignore", raw->paths_ignore);
	if (r == OK && !slug_is_valid(raw->project))
		r = refuse(at, "/project",
			"'project' must be a slug: a-z, 0-9 and single '-' inside");
	if (r == OK && raw->priority == PRIORITY_CONFIRM)
		r = refuse(at, "/priority", "'confirm' is kept for benchd's own re-runs");
	return r == OK ? check_workload(at, workloads, raw->workload) : r;
}

static int read_rule(
	const struct place *at, json_t *o, json_t *workloads, struct hook_rule *ret)
{
	struct raw_rule raw = { .priority = PRIORITY_PUSH, .supersede = true };
	int r = json_is_object(o)
			? json_read(o, at->pointer, rule_fields, ARRAY_SIZE(rule_fields), &raw,
				  JSON_REFUSE_UNKNOWN, at->err)
			: refuse(at, "", "a rule must have names and values");

	*ret = (struct hook_rule){ .branches = raw.branches,
		.paths = raw.paths,
		.paths_ignore = raw.paths_ignore,
		.project = raw.project,
		.workload = raw.workload,
		.base = (enum hook_base)raw.base,
		.priority = (enum priority)raw.priority,
		.supersede = raw.supersede };
	if (r == OK)
		r = read_events(at, raw.events, ret);
	return r == OK ? check_rule(at, &raw, workloads) : r;
}

static int read_rules(const struct place *at, json_t *list, json_t *workloads, struct arena *a,
	struct hook *ret)
{
	size_t i;
	json_t *v;
	int r = OK;

	ret->n_rules = json_array_size(list);
	ret->rules = ARENA_ARRAY(a, struct hook_rule, ret->n_rules);
	json_array_foreach (list, i, v) {
		struct place below = { .err = at->err };

		snprintf(below.pointer, sizeof(below.pointer), "%.80s/rules/%zu", at->pointer,
			i);
		if (r == OK)
			r = read_rule(&below, v, workloads, &ret->rules[i]);
	}
	return r;
}

/* OWNER/NAME, as GitHub writes it. */
static bool is_repository(const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t owner = strspn(s, letters);
	size_t name = s[owner] == '/' ? strspn(s + owner + 1, letters) : 0;

	return owner && name && !s[owner + 1 + name] && s[0] != '.' && s[owner + 1] != '.';
}

static int read_hook(const struct place *at, json_t *o, const char *folder, json_t *workloads,
	struct arena *a, struct hook *ret)
{
	struct raw_hook raw = { 0 };
	const char *path;
	int r = json_is_object(o)
			? json_read(o, at->pointer, hook_fields, ARRAY_SIZE(hook_fields), &raw,
				  JSON_REFUSE_UNKNOWN, at->err)
			: refuse(at, "", "a hook must have names and values");

	if (r == OK && !is_repository(raw.repository))
		r = refuse(at, "/repository", "'repository' must be OWNER/NAME");
	if (r < 0)
		return r;
	ret->repository = raw.repository;
	ret->answers = raw.answers;
	path = *raw.secret_file == '/' ? raw.secret_file
				       : arena_printf(a, "%s/%s", folder, raw.secret_file);
	r = secrets_read(path, a, &ret->secrets, at->err);
	if (r < 0) {
		struct error why = *at->err;

		return refuse(at, "/secret_file", why.text);
	}
	return read_rules(at, raw.rules, workloads, a, ret);
}

int hooks_read(json_t *o, const char *folder, json_t *workloads, struct arena *a,
	struct hooks *ret, struct error *err)
{
	const char *name;
	json_t *v;
	int r = OK;

	*ret = (struct hooks){ .list = ARENA_ARRAY(a, struct hook, json_object_size(o) + 1) };
	if (json_object_size(o) > MAX_HOOKS)
		return error_set_field(err, E_UNPROCESSABLE, "/hooks",
			"at most %d hooks can be configured", MAX_HOOKS);
	json_object_foreach (o, name, v) {
		struct place at = { .err = err };

		snprintf(at.pointer, sizeof(at.pointer), "/hooks/%.64s", name);
		if (r == OK && (!slug_is_valid(name) || !strcmp(name, "deliveries")))
			r = refuse(&at, "",
				"the name of a hook must be a slug (a-z, 0-9, single '-' "
				"inside) and not 'deliveries'");
		ret->list[ret->n].name = name;
		if (r == OK)
			r = read_hook(&at, v, folder, workloads, a, &ret->list[ret->n]);
		if (r == OK)
			ret->n++;
	}
	return r;
}

const struct hook *hooks_find(const struct hooks *h, const char *name)
{
	for (size_t i = 0; h && i < h->n; i++)
		if (!strcmp(h->list[i].name, name))
			return &h->list[i];
	return NULL;
}
