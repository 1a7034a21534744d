/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of hooks/ share. Not for other folders. */
#ifndef DAEMON_HOOKS_INTERNAL_H
#define DAEMON_HOOKS_INTERNAL_H

#include "daemon/hooks/hooks.h"

/* What a payload says, checked. */
struct push {
	const char *branch, *before /* NULL: the branch is new */, *after, *default_branch;
	bool is_deleted;
	json_t *commits;  /* array */
	bool is_complete; /* the commits name every changed file */
};
struct pull {
	const char *action, *head, *base_branch;
	int64_t number;
	bool is_from_outside; /* of another repository */
};
/* *ret_why: it is none of our business (a tag, say); NULL when it is. */
int push_read(const struct hook *h, json_t *payload, struct arena *a, struct push *ret,
	const char **ret_why, struct error *err) must_check;
/* The event "delete": Gitea sends no push for it. NULL: it was no branch. */
int gone_read(const struct hook *h, json_t *payload, const char **ret_branch,
	struct error *err) must_check;
int pull_read(const struct hook *h, json_t *payload, struct arena *a, struct pull *ret,
	const char **ret_why, struct error *err) must_check;

/* Does the rule want a push or pull request of this branch? */
bool rule_takes_branch(const struct hook_rule *r, const char *branch);
/* Does a file that the push changed count for the rule? Unknown files do. */
bool rule_takes_files(const struct hook_rule *r, const struct push *p);

#endif
