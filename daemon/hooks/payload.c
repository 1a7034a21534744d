/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What payloads of GitHub, Gitea and Forgejo say. Everything in them is hostile but the
 * signature. */
#include <string.h>
#include <strings.h>
#include "base/text.h"
#include "daemon/hooks/internal.h"

enum { MAX_COMMITS = 2048 /* GitHub lists no more */ };
static const char zero_hash[] = "0000000000000000000000000000000000000000";

static int wrong(const char *member, const char *what, struct error *err)
{
	return error_set_field(
		err, E_UNPROCESSABLE, member, "'%s' of the payload %s", member + 1, what);
}

/* The repository that the hook is for; an answer to another one's delivery is none. */
static int check_repository(const struct hook *h, json_t *payload, struct error *err)
{
	const char *name =
		json_get_str(json_object_get(payload, "repository"), "full_name", NULL);

	if (!name)
		return wrong("/repository/full_name", "is missing", err);
	if (strcasecmp(name, h->repository) != 0)
		return error_set_field(err, E_UNPROCESSABLE, "/repository/full_name",
			"the delivery is of the repository '%.100s', the hook '%s' is for '%s'",
			name, h->name, h->repository);
	return OK;
}

static int read_hash(const json_t *o, const char *key, const char *member, const char **ret,
	struct error *err)
{
	*ret = json_get_str(o, key, NULL);
	if (!*ret || !git_hash_is_valid(*ret))
		return wrong(member, "is not a commit hash of 40 digits", err);
	return OK;
}

static int read_branch(const json_t *o, const char *key, const char *member, const char **ret,
	struct error *err)
{
	*ret = json_get_str(o, key, NULL);
	if (!*ret || !ref_name_is_valid(*ret))
		return wrong(member, "is not a name that git accepts", err);
	return OK;
}

/* A forced push or a list that was cut does not name every file. Gitea does not say whether a
 * push was forced, and lists a few commits only. */
static void read_commits(json_t *payload, struct push *ret)
{
	int64_t n;

	ret->commits = json_object_get(payload, "commits");
	n = (int64_t)json_array_size(ret->commits);
	ret->is_complete = n > 0 && n < MAX_COMMITS &&
			   !json_get_bool(payload, "forced", true) &&
			   json_get_int(payload, "total_commits", n) <= n;
}

int push_read(const struct hook *h, json_t *payload, struct arena *a, struct push *ret,
	const char **ret_why, struct error *err)
{
	const char *ref = json_get_str(payload, "ref", NULL);
	const json_t *repository = json_object_get(payload, "repository");
	int r = check_repository(h, payload, err);

	*ret = (struct push){ 0 };
	*ret_why = NULL;
	if (r == OK && !ref)
		r = wrong("/ref", "is missing", err);
	if (r < 0)
		return r;
	if (strncmp(ref, "refs/heads/", 11) != 0) {
		*ret_why = "no branch was pushed";
		return OK;
	}
	ret->branch = ref + 11;
	if (!ref_name_is_valid(ret->branch))
		return wrong("/ref", "is not a name that git accepts", err);
	r = read_hash(payload, "after", "/after", &ret->after, err);
	if (r == OK)
		r = read_hash(payload, "before", "/before", &ret->before, err);
	if (r == OK)
		r = read_branch(repository, "default_branch", "/repository/default_branch",
			&ret->default_branch, err);
	if (r < 0)
		return r;
	ret->is_deleted =
		json_get_bool(payload, "deleted", false) || !strcmp(ret->after, zero_hash);
	if (!strcmp(ret->before, zero_hash))
		ret->before = NULL;
	read_commits(payload, ret);
	return OK;
}

int gone_read(const struct hook *h, json_t *payload, const char **ret_branch, struct error *err)
{
	int r = check_repository(h, payload, err);

	*ret_branch = NULL;
	if (r < 0 || strcmp(json_get_str(payload, "ref_type", ""), "branch") != 0)
		return r;
	return read_branch(payload, "ref", "/ref", ret_branch, err);
}

static bool is_measured(const char *action)
{
	static const char *const actions[] = { "opened", "synchronize",
		"synchronized" /* Gitea's word */, "reopened", "ready_for_review", "closed" };

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i], action))
			return true;
	return false;
}

/* The head's repository is null when the fork was removed. That a fork is a fork of ours says
 * nothing: what counts is whether the commit comes from the configured repository. */
static bool comes_from_outside(const struct hook *h, const json_t *head)
{
	const char *name = json_get_str(json_object_get(head, "repo"), "full_name", "");

	return strcasecmp(name, h->repository) != 0;
}

int pull_read(const struct hook *h, json_t *payload, struct arena *a, struct pull *ret,
	const char **ret_why, struct error *err)
{
	const json_t *pull = json_object_get(payload, "pull_request");
	const json_t *head = json_object_get(pull, "head");
	int r = check_repository(h, payload, err);

	*ret = (struct pull){ .action = json_get_str(payload, "action", "") };
	*ret_why = NULL;
	if (r < 0)
		return r;
	if (!is_measured(ret->action)) {
		*ret_why = arena_printf(a, "the action '%.40s' changes no commit", ret->action);
		return OK;
	}
	ret->number = json_get_int(payload, "number", 0);
	if (ret->number < 1 || ret->number > INT32_MAX)
		return wrong("/number", "is not a number from 1", err);
	r = read_hash(head, "sha", "/pull_request/head/sha", &ret->head, err);
	if (r == OK)
		r = read_branch(json_object_get(pull, "base"), "ref", "/pull_request/base/ref",
			&ret->base_branch, err);
	ret->is_from_outside = comes_from_outside(h, head);
	return r;
}
