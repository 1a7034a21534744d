/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a delivery to the jobs that it asks for. */
#include <string.h>
#include "base/secret.h"
#include "daemon/hooks/internal.h"

enum { KEY_MAX = 200 };

struct planning {
	const struct hook *h;
	struct arena *a;
	struct hook_plan *plan;
	bool saw_branch; /* a rule was for the branch, whatever it said to the files */
};

/* Jobs with the same key replace each other. "pr:" is the queue's word for what replaces a
 * running job too. */
static const char *make_key(
	struct arena *a, const char *kind, const char *hook, const char *rest)
{
	char hex[SHA256_HEX];

	if (strlen(rest) > KEY_MAX - 80)
		rest = sha256_hex(rest, strlen(rest), hex);
	return arena_printf(a, "%s:%s:%s", kind, hook, rest);
}

static const char *pull_key(struct planning *p, int64_t number)
{
	return make_key(p->a, "pr", p->h->name, arena_printf(p->a, "%lld", (long long)number));
}

static json_t *add_order(struct planning *p, const struct hook_rule *rule, const char *hash,
	const char *branch, const char *key)
{
	struct hook_order *o = &p->plan->orders[p->plan->n++];
	json_t *body = arena_own_json(p->a, json_object());

	*o = (struct hook_order){ .rule = rule, .body = body, .hash = hash };
	json_set_str(body, "workload", rule->workload);
	json_set_str(body, "branch", branch);
	json_set_str(body, "head", hash);
	json_set_str(body, "priority", priority_name(rule->priority));
	if (rule->supersede)
		json_set_str(body, "supersede_key", key);
	return body;
}

/* The worker sees every file that differs; a payload does not always name them all. */
static void set_paths(json_t *body, const struct hook_rule *rule)
{
	if (!json_object_get(body, "base"))
		return;
	if (rule->paths)
		json_object_set(body, "paths", rule->paths);
	if (rule->paths_ignore)
		json_object_set(body, "paths_ignore", rule->paths_ignore);
}

static void set_merge_base(json_t *body, const char *branch)
{
	json_set_str(body, "base", branch);
	json_set_bool(body, "merge_base", true);
}

/* --- push --- */

/* A new branch has no commit before: where it left the default branch is its base. The default
 * branch is always compared with what it was. */
static void set_push_base(json_t *body, const struct hook_rule *rule, const struct push *push)
{
	bool is_default = !strcmp(push->branch, push->default_branch);

	if (rule->base == HOOK_BASE_NONE)
		return;
	if (push->before && (rule->base != HOOK_BASE_MERGE || is_default))
		json_set_str(body, "base", push->before);
	else if (!is_default)
		set_merge_base(body, push->default_branch);
}

static void order_push(
	struct planning *p, const struct hook_rule *rule, const struct push *push)
{
	json_t *body;

	if (!rule->on_push || !rule_takes_branch(rule, push->branch))
		return;
	p->saw_branch = true;
	if (!rule_takes_files(rule, push))
		return;
	body = add_order(p, rule, push->after, push->branch,
		make_key(p->a, "push", p->h->name, push->branch));
	set_push_base(body, rule, push);
	set_paths(body, rule);
}

static void plan_gone(struct planning *p, const char *branch)
{
	const char **projects = ARENA_ARRAY(p->a, const char *, p->h->n_rules);
	struct hook_plan *plan = p->plan;

	for (size_t i = 0; i < p->h->n_rules; i++) {
		const struct hook_rule *r = &p->h->rules[i];

		if (r->on_push && rule_takes_branch(r, branch))
			projects[plan->n_projects++] = r->project;
	}
	plan->projects = projects;
	plan->gone_branch = branch;
	plan->end_key = make_key(p->a, "push", p->h->name, branch);
	plan->ignored = arena_printf(p->a, "the branch '%s' was deleted", branch);
}

static int plan_delete(struct planning *p, json_t *payload, struct error *err)
{
	const char *branch;
	int r = gone_read(p->h, payload, &branch, err);

	if (r == OK && branch)
		plan_gone(p, branch);
	else if (r == OK)
		p->plan->ignored = "no branch was deleted";
	return r;
}

static int plan_push(struct planning *p, json_t *payload, struct error *err)
{
	struct push push;
	const char *why;
	int r = push_read(p->h, payload, p->a, &push, &why, err);

	if (r < 0)
		return r;
	if (why) {
		p->plan->ignored = why;
		return OK;
	}
	if (push.is_deleted) {
		plan_gone(p, push.branch);
		return OK;
	}
	for (size_t i = 0; i < p->h->n_rules; i++)
		order_push(p, &p->h->rules[i], &push);
	if (p->plan->n == 0)
		p->plan->ignored = arena_printf(p->a,
			p->saw_branch
				? "the push to '%s' changes only files that no rule is for"
				: "no rule is for pushes to '%s'",
			push.branch);
	return OK;
}

/* --- pull request --- */

/* Results of a pull request are a branch of their own: the name of a fork's branch may be that
 * of one of ours. */
static void order_pull(
	struct planning *p, const struct hook_rule *rule, const struct pull *pull)
{
	const char *branch = arena_printf(p->a, "pull/%lld", (long long)pull->number);
	json_t *body, *start;

	if (!rule->on_pull || !rule_takes_branch(rule, pull->base_branch))
		return;
	body = add_order(p, rule, pull->head, branch, pull_key(p, pull->number));
	start = json_object();
	json_set_str(start, "branch", pull->base_branch);
	json_object_set_new(body, "start_point", start);
	if (rule->base == HOOK_BASE_BEFORE)
		json_set_str(body, "base", pull->base_branch);
	else if (rule->base != HOOK_BASE_NONE)
		set_merge_base(body, pull->base_branch);
	set_paths(body, rule);
	p->plan->orders[p->plan->n - 1].pull = pull->number;
	p->plan->orders[p->plan->n - 1].awaits_approval = pull->is_from_outside;
}

static int plan_pull(struct planning *p, json_t *payload, struct error *err)
{
	struct pull pull;
	const char *why;
	int r = pull_read(p->h, payload, p->a, &pull, &why, err);

	if (r < 0)
		return r;
	if (why) {
		p->plan->ignored = why;
		return OK;
	}
	if (!strcmp(pull.action, "closed")) {
		p->plan->end_key = pull_key(p, pull.number);
		p->plan->ignored = "the pull request was closed";
		return OK;
	}
	for (size_t i = 0; i < p->h->n_rules; i++)
		order_pull(p, &p->h->rules[i], &pull);
	if (p->plan->n == 0)
		p->plan->ignored = arena_printf(
			p->a, "no rule is for pull requests to '%s'", pull.base_branch);
	return OK;
}

bool hook_event_is_used(const char *event)
{
	return !strcmp(event, "push") || !strcmp(event, "pull_request") ||
	       !strcmp(event, "delete") || !strcmp(event, "ping");
}

int hook_plan(const struct hook *h, const char *event, const void *body, size_t n,
	struct arena *a, struct hook_plan *ret, struct error *err)
{
	struct planning p = { .h = h, .a = a, .plan = ret };
	json_t *payload;
	int r;

	*ret = (struct hook_plan){ .ignored = "",
		.orders = ARENA_ARRAY(a, struct hook_order, h->n_rules) };
	if (!strcmp(event, "ping") || !hook_event_is_used(event)) {
		ret->ignored = arena_printf(a, "the event '%.40s' asks for nothing", event);
		return OK;
	}
	if (n == 0)
		return error_set(err, E_UNPROCESSABLE, "the payload is empty");
	r = json_parse(body, n, &payload, err);
	if (r < 0)
		return error_prefix(err, "the payload: ");
	arena_own_json(a, payload);
	if (!json_is_object(payload))
		return error_set(err, E_UNPROCESSABLE, "the payload is no JSON object");
	if (!strcmp(event, "delete"))
		return plan_delete(&p, payload, err);
	return !strcmp(event, "push") ? plan_push(&p, payload, err)
				      : plan_pull(&p, payload, err);
}
