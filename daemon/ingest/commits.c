/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the worker found out about commits while it resolved a job's refs. */
#include <string.h>
#include "base/text.h"
#include "daemon/ingest/ingest.h"

enum { MAX_ANCESTORS = 100, MAX_PARENTS = 64 };

static const char *join_parents(struct arena *a, const json_t *parents)
{
	const char *text = "";
	size_t i;
	json_t *v;

	json_array_foreach (parents, i, v)
		if (i < MAX_PARENTS && json_is_string(v) &&
			git_hash_is_valid(json_string_value(v)))
			text = arena_printf(
				a, "%s%s%s", text, *text ? " " : "", json_string_value(v));
	return text;
}

static const char *clip(struct arena *a, const json_t *o, const char *key)
{
	const char *s = json_get_str(o, key, "");
	size_t n = strlen(s);

	/* Subjects and names are for display; cut long ones at a character's edge. */
	if (n <= 500)
		return s;
	for (n = 500; n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80; n--)
		;
	return arena_strndup(a, s, n);
}

static int save(const struct ingest *in, const char *hash, const json_t *o, struct error *err)
{
	const json_t *time = json_object_get(o, "time");
	struct commit c = {
		.hash = hash,
		.author = clip(in->arena, o, "author"),
		.email = clip(in->arena, o, "email"),
		.subject = clip(in->arena, o, "subject"),
		.parents = join_parents(in->arena, json_object_get(o, "parents")),
		.time_ns = json_get_int(o, "time", 0),
	};
	struct error ignored;

	/* Integer nanoseconds; text is taken too. */
	if (json_is_string(time) &&
		time_parse(json_string_value(time), &c.time_ns, &ignored) < 0)
		c.time_ns = 0;
	return store_commit_save(in->st, in->job->project_id, &c, err);
}

/* Names for a history that is measured later; those already known stay as they are. */
static int save_ancestors(const struct ingest *in, const json_t *list, struct error *err)
{
	struct commit known;
	size_t i;
	json_t *v;
	int r = OK;

	json_array_foreach (list, i, v) {
		const char *hash = json_get_str(v, "hash", "");

		if (i >= MAX_ANCESTORS || !git_hash_is_valid(hash))
			break;
		r = store_commit_find(
			in->st, in->arena, in->job->project_id, hash, &known, err);
		if (r == E_NOT_FOUND)
			r = save(in, hash, v, err);
		if (r < 0)
			break;
	}
	return r;
}

/* A job that named no branch was filed under DEFAULT_BRANCH; its results belong to the branch
 * of what it measures: the one that head names or has, or, when it names no head either, the
 * repository's default, whatever that is called. */
static int take_branch(const struct ingest *in, const json_t *message, struct error *err)
{
	const char *branch = json_get_str(message, "branch", "");
	struct job *j = in->job;

	if (!ref_name_is_valid(branch) || !j->head_ref ||
		(!in->finds_branch && strcmp(j->head_ref, "HEAD") != 0) || !j->branch ||
		strcmp(j->branch, DEFAULT_BRANCH) != 0 || !strcmp(branch, DEFAULT_BRANCH))
		return OK;
	j->branch = arena_strdup(in->arena, branch);
	return store_job_set_branch(in->st, j, err);
}

int ingest_resolved(const struct ingest *in, json_t *message, struct error *err)
{
	const char *hash = json_get_str(message, "hash", "");
	const char *arm = json_get_str(message, "arm", "");
	const json_t *commit = json_object_get(message, "commit");
	int r = OK;

	if (!git_hash_is_valid(hash))
		return error_set_field(err, E_UNPROCESSABLE, "/hash",
			"'hash' is not a commit hash of 40 digits");
	if (!strcmp(arm, "head"))
		in->job->head_hash = arena_strdup(in->arena, hash);
	else if (!strcmp(arm, "base"))
		in->job->base_hash = arena_strdup(in->arena, hash);
	if (!strcmp(arm, "head"))
		r = take_branch(in, message, err);
	if (r == OK && json_is_object(commit))
		r = save(in, hash, commit, err);
	return r == OK ? save_ancestors(in, json_object_get(message, "ancestors"), err) : r;
}
