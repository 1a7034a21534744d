/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of hooks/: what forges send, and which jobs it asks for.
 *
 * For: the rules of the configuration, the signature of a delivery, and what a stored delivery
 * asks for by these rules.
 * Not for: HTTP (http/hooks.c stores deliveries), filing (daemon/receive.c does, from the
 * stored row), answering the forge (notify/).
 *
 * A delivery only selects: its repository must be the configured one, its commits are measured
 * by a configured workload, whose own repository is all that is ever fetched. Pure functions,
 * any thread; a struct hooks is constant once read. */
#ifndef DAEMON_HOOKS_HOOKS_H
#define DAEMON_HOOKS_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/secret_file.h"
#include "daemon/model/model.h"

enum { HOOK_BODY_MAX = 25 * 1024 * 1024 /* GitHub sends no more */ };
#define HOOK_BASES(X)                                                                          \
	X(HOOK_BASE_AUTO, "auto") /* push: before; pull request: merge-base */                 \
	X(HOOK_BASE_BEFORE, "before")                                                          \
	X(HOOK_BASE_MERGE, "merge-base")                                                       \
	X(HOOK_BASE_NONE, "none")
DECLARE_NAMED_ENUM(hook_base, HOOK_BASES)

struct hook_rule {
	bool on_push, on_pull;
	json_t *branches; /* globs; a pull request: of the branch it wants to go to; NULL: all
			   */
	json_t *paths, *paths_ignore; /* globs; NULL: all, none */
	const char *project, *workload;
	enum hook_base base;
	enum priority priority;
	bool supersede;
};
struct hook {
	const char *name;
	const char *repository; /* OWNER/NAME at the forge */
	struct secrets secrets; /* any of them may have signed */
	struct hook_rule *rules;
	size_t n_rules;
	json_t *answers; /* NULL: none; notify's to read */
};
struct hooks {
	struct hook *list;
	size_t n;
};

/* Read the member `hooks` of the configuration, which the arena must keep. folder: of the file,
 * for relative names. workloads: those of the configuration; a rule may name others, which are
 * looked for when a delivery comes. Field errors carry JSON pointers from the root. */
int hooks_read(json_t *o, const char *folder, json_t *workloads, struct arena *a,
	struct hooks *ret, struct error *err) must_check;
const struct hook *hooks_find(const struct hooks *h, const char *name); /* NULL: none */

/* Is header ("sha256=<hex>", or as Gitea and Forgejo have it only the digits; may be NULL) the
 * HMAC-SHA-256 of the body under one of the hook's secrets? The time does not depend on where
 * they differ. Source: GitHub, "Validating webhook deliveries". */
bool hook_signature_is_right(
	const struct hook *h, const char *header, const void *body, size_t n);

/* A job to be filed. */
struct hook_order {
	const struct hook_rule *rule;
	json_t *body; /* of docs/api.md, "Filing a job"; the arena's */
	const char *hash;
	int64_t pull; /* 0: a push */
	bool awaits_approval;
};
struct hook_plan {
	struct hook_order *orders;
	size_t n;
	const char *ignored;	     /* why there are none; "" when there are */
	const char *end_key;	     /* open jobs with this supersede key are to end; NULL */
	const char *gone_branch;     /* a branch that was deleted; NULL */
	const char *const *projects; /* of the rules that care for gone_branch */
	size_t n_projects;
};
/* push, pull_request, delete and ping; the others ask for nothing, whatever they hold. */
bool hook_event_is_used(const char *event);
/* What the delivery asks for. E_UNPROCESSABLE names the member of the payload that is wrong or
 * missing. Events other than push,
 * pull_request and delete ask for nothing. */
int hook_plan(const struct hook *h, const char *event, const void *body, size_t n,
	struct arena *a, struct hook_plan *ret, struct error *err) must_check;

#endif
