/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/build.h"

#include <string.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"
#include "worker/cache.h"
#include "worker/git.h"

enum { KEY_DIGITS = 32 };

static void add_steps(struct buf *b, const struct spec_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		for (char **a = steps->argv[i]; *a; a++)
			json_quote(b, *a);
		buf_add_char(b, '\n');
	}
}

/* The folder's name: as long for one commit as for any other, and no arm's name in it. */
static char *tree_path(struct job *j, const char *hash)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	char hex[SHA256_HEX];

	buf_printf(&b, "%s\n%s\n%s\n%d\n", j->spec->repository, hash, j->host->id,
		(int)j->spec->isolation);
	add_steps(&b, &j->spec->build);
	for (char **e = j->spec->environment; e && *e; e++)
		buf_printf(&b, "%s\n", *e);
	sha256_hex(b.data, b.len, hex);
	return arena_printf(j->arena, "%s/cache/tree/%.*s", j->host->state, KEY_DIGITS, hex);
}

static int run_build(struct job *j, const char *tree)
{
	int64_t end = clock_monotonic_ns() + j->spec->limits.build_time_ns;
	char limit[TIME_TEXT];
	struct error err;

	for (size_t i = 0; i < j->spec->build.n; i++) {
		int64_t left = MAX(end - clock_monotonic_ns(), (int64_t)1);
		int r = job_run_tool(j, j->spec->build.argv[i], tree, "build", left, &err);

		if (r == E_GONE)
			return job_stopped(j);
		if (r == E_DEADLINE)
			return job_time_out(j,
				"the build did not end within %s; raise limits.build_time",
				duration_format((double)j->spec->limits.build_time_ns, limit));
		if (r < 0)
			return job_fail(
				j, FAULT_BUILD, "build step %zu failed: %s", i + 1, err.text);
	}
	return OK;
}

static int check_out(struct job *j, struct git *g, const char *hash, const char *tree)
{
	_cleanup_(free)
	char *built = xasprintf("%s.built", tree);
	struct error err;

	(void)unlink(built);
	if (dir_remove(tree, &err) < 0)
		return job_fail(j, FAULT_RUNNER, "%s", err.text);
	return git_checkout(g, hash, tree);
}

/* What is to be done for an arm once the mirror is free for others. */
struct tree {
	const char *path;
	char hash[41];
	int lock_fd; /* -1: shared with the other arm */
	bool needs_build;
};

static int open_tree(struct job *j, struct git *g, size_t arm, struct tree *t)
{
	struct error err;
	int r;

	t->path = j->directory[arm] = tree_path(j, t->hash);
	/* The same commit in both arms: the same files, locked already. */
	if (arm > 0 && !strcmp(j->directory[0], t->path))
		return OK;
	r = cache_lock(j, t->path, &t->lock_fd, &err);
	if (r == E_GONE)
		return job_stopped(j);
	if (r < 0)
		return job_fail(j, FAULT_RUNNER, "%s", err.text);
	t->needs_build = !cache_is_built(t->path);
	if (t->needs_build)
		return check_out(j, g, t->hash, t->path);
	channel_note(&j->ch, "%s: built before, taken from the cache", t->hash);
	return OK;
}

static int build_tree(struct job *j, const struct tree *t)
{
	struct error err;
	int r = OK;

	sandbox_allow(j, t->path);
	if (t->needs_build) {
		if (j->spec->build.n)
			job_phase(j, "build", t->hash);
		r = run_build(j, t->path);
		if (r == OK && cache_note_built(t->path, &err) < 0)
			r = job_fail(j, FAULT_RUNNER, "%s", err.text);
	}
	if (t->lock_fd >= 0)
		cache_share(t->lock_fd); /* and held until the runner ends */
	return r;
}

static int get_trees(struct job *j, struct tree *trees)
{
	struct git g;
	int r = git_open(&g, j);

	for (size_t i = 0; r == OK && i < j->spec->n_arms; i++)
		r = git_resolve(&g, i, trees[i].hash);
	if (r == OK && j->spec->n_arms == 2)
		r = git_check_paths(&g, trees[0].hash, trees[1].hash);
	for (size_t i = 0; r == OK && i < j->spec->n_arms; i++)
		r = open_tree(j, &g, i, &trees[i]);
	git_close(&g);
	return r;
}

int build_job(struct job *j)
{
	struct tree trees[SPEC_ARMS] = { { .lock_fd = -1 }, { .lock_fd = -1 } };
	int r;

	if (!j->spec->repository)
		return OK;
	job_phase(j, "checkout", j->spec->repository);
	r = get_trees(j, trees);
	for (size_t i = 0; r == OK && i < j->spec->n_arms; i++)
		r = build_tree(j, &trees[i]);
	if (r == OK)
		(void)cache_evict(j->host);
	return r;
}
