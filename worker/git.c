/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/git_internal.h"

#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/secret.h"
#include "base/text.h"
#include "worker/cache.h"
#include "worker/gitlog.h"

/* All that git may read as configuration: nothing of the system's or the user's. */
static const char config[] = "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n"
			     "\taskPass = /bin/false\n"
			     "[protocol]\n\tallow = never\n"
			     "[protocol \"http\"]\n\tallow = always\n"
			     "[protocol \"https\"]\n\tallow = always\n"
			     "[protocol \"ssh\"]\n\tallow = always\n"
			     "[submodule]\n\trecurse = false\n"
			     "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
			     "[safe]\n\tdirectory = *\n[advice]\n\tdetachedHead = false\n";

/* --- the mirror -------------------------------------------------------------------------- */

static int make_mirror(struct git *g, struct error *err)
{
	_cleanup_(free)
	char *head = xasprintf("%s/HEAD", g->mirror);

	if (access(head, F_OK) == 0)
		return OK;
	return GIT(g, NULL, err, "init", "--quiet", "--bare", "--end-of-options", g->mirror);
}

static int write_config(struct git *g, struct error *err)
{
	_cleanup_(free)
	char *path = xasprintf("%s/gitconfig", g->job->host->state);

	if (access(path, F_OK) == 0)
		return OK;
	return file_write(path, config, sizeof(config) - 1, 0644, err);
}

int git_open(struct git *g, struct job *j)
{
	const char *url = j->spec->repository, *problem = git_url_problem(url);
	char hex[SHA256_HEX];
	struct error err;
	int r;

	*g = (struct git){ .job = j, .url = url, .lock_fd = -1 };
	if (problem)
		return job_fail(
			j, FAULT_BUILD, "the repository '%.200s' is refused: %s", url, problem);
	sha256_hex(url, strlen(url), hex);
	g->mirror = xasprintf("%s/cache/git/%.32s", j->host->state, hex);
	if (cache_make(j->host, &err) < 0 || write_config(g, &err) < 0)
		return job_fail(j, FAULT_RUNNER, "%s", err.text);
	r = cache_lock(j, g->mirror, &g->lock_fd, &err);
	if (r == OK)
		r = make_mirror(g, &err);
	if (r == E_GONE)
		return job_stopped(j);
	return r < 0 ? job_fail(j, FAULT_RUNNER, "cannot make a mirror of '%s': %s", url,
			       err.text)
		     : OK;
}

void git_close(struct git *g)
{
	if (g->lock_fd >= 0)
		close(g->lock_fd);
	g->lock_fd = -1;
	free(TAKE(g->mirror));
}

static int fetch(struct git *g, const char *refspec, struct error *err)
{
	return GIT(g, NULL, err, git_dir(g), "fetch", "--quiet", "--prune", "--force",
		"--no-write-fetch-head", "--no-recurse-submodules", "--end-of-options", g->url,
		refspec ? refspec : "+refs/heads/*:refs/heads/*",
		refspec ? NULL : "+refs/tags/*:refs/tags/*");
}

static int fetch_all(struct git *g)
{
	struct error err;
	int r = g->is_fetched ? OK : fetch(g, NULL, &err);

	if (r == E_GONE)
		return job_stopped(g->job);
	if (r < 0)
		return job_fail(g->job, FAULT_RUNNER,
			"cannot fetch from '%s': %s; check that it is reachable from this host",
			g->url, err.text);
	g->is_fetched = true;
	return OK;
}

static int find_default_branch(struct git *g)
{
	struct error err;
	int r = git_ask_default_branch(g, &err);

	if (r == E_GONE)
		return job_stopped(g->job);
	if (r < 0)
		return job_fail(g->job, FAULT_RUNNER, "cannot ask '%s' for its HEAD: %s",
			g->url, err.text);
	return g->default_branch
		       ? OK
		       : job_fail(g->job, FAULT_BUILD,
				 "'%s' does not say which branch is its default; name one",
				 g->url);
}

static int resolve_ref(struct git *g, const char *ref, char hash[41])
{
	struct arena *a = g->job->arena;
	struct error err;
	int r = fetch_all(g);

	if (r == OK && !strcmp(ref, "HEAD"))
		r = find_default_branch(g);
	if (r < 0)
		return r;
	if (!strcmp(ref, "HEAD"))
		ref = g->default_branch;
	if (git_parse_rev(g, arena_printf(a, "refs/heads/%s", ref), hash) ||
		git_parse_rev(g, arena_printf(a, "refs/tags/%s", ref), hash) ||
		(git_is_abbreviation(ref) && git_parse_rev(g, ref, hash)))
		return OK;
	/* Full names such as refs/pull/7/head are not in the mirror: ask for that one. */
	if (!strncmp(ref, "refs/", 5)) {
		char *own = arena_printf(a, "refs/benchd/%s", ref + 5);

		if (fetch(g, arena_printf(a, "+%s:%s", ref, own), &err) == OK &&
			git_parse_rev(g, own, hash))
			return OK;
	}
	if (channel_must_stop(&g->job->ch))
		return job_stopped(g->job);
	return job_fail(
		g->job, FAULT_BUILD, "'%s' has no branch, tag or commit '%s'", g->url, ref);
}

static int resolve_hash(struct git *g, const char *wanted, char hash[41])
{
	struct error err;
	int r;

	if (git_parse_rev(g, wanted, hash))
		return OK;
	r = fetch_all(g);
	if (r < 0)
		return r;
	/* Not on any branch: some servers hand single commits out. */
	if (git_parse_rev(g, wanted, hash) ||
		(fetch(g, wanted, &err) == OK && git_parse_rev(g, wanted, hash)))
		return OK;
	if (channel_must_stop(&g->job->ch))
		return job_stopped(g->job);
	return job_fail(g->job, FAULT_BUILD,
		"'%s' has no commit %s; was it pushed, and is it still on a branch?", g->url,
		wanted);
}

static int tell_resolved(struct git *g, size_t arm, const char *hash)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const struct spec_arm *spec = &g->job->spec->arms[arm];
	json_t *m = channel_message(&g->job->ch, "resolved");
	struct error err;
	int r;

	json_set_str(m, "arm", spec->name);
	json_set_str(m, "ref", spec->ref);
	json_set_str(m, "hash", hash);
	json_set_opt(m, "branch", git_branch_of(g, spec, hash));
	/* Every commit is asked for with the same format; a branch with its first parents. */
	r = GIT(g, &out, &err, git_dir(g), "log", "--first-parent", spec->ref ? "-n101" : "-n1",
		GITLOG_FORMAT, "--end-of-options", hash);
	if (r < 0) {
		json_decref(m);
		return r == E_GONE ? job_stopped(g->job)
				   : job_fail(g->job, FAULT_RUNNER, "git log: %s", err.text);
	}
	gitlog_read(buf_str(&out), out.len, m);
	channel_send(&g->job->ch, m);
	return OK;
}

static int find_commit(struct git *g, size_t arm, char hash[41])
{
	const struct spec_arm *spec = &g->job->spec->arms[arm];

	return spec->hash ? resolve_hash(g, spec->hash, hash) : resolve_ref(g, spec->ref, hash);
}

/* Where the other arm left this one: hash becomes that commit. */
static int take_merge_base(struct git *g, size_t arm, char hash[41])
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	char other[41];
	struct error err;
	int r = find_commit(g, !arm, other);

	if (r < 0)
		return r;
	r = GIT(g, &out, &err, git_dir(g), "merge-base", hash, other);
	if (r == E_GONE)
		return job_stopped(g->job);
	if (r == OK && out.len >= 40 && out.data[40] == '\n') {
		snprintf(hash, 41, "%.40s", out.data);
		return OK;
	}
	return job_fail(g->job, FAULT_BUILD, "%s and %s in '%s' have no common ancestor", hash,
		other, g->url);
}

int git_resolve(struct git *g, size_t arm, char hash[41])
{
	int r = find_commit(g, arm, hash);

	if (r == OK && g->job->spec->arms[arm].is_merge_base)
		r = take_merge_base(g, arm, hash);
	return r < 0 ? r : tell_resolved(g, arm, hash);
}

static bool matches_any(char **globs, const char *path)
{
	for (; globs && *globs; globs++)
		if (glob_match(*globs, path))
			return true;
	return false;
}

static bool counts(const struct spec *s, const char *path)
{
	return (!s->paths || matches_any(s->paths, path)) &&
	       !matches_any(s->paths_ignore, path);
}

int git_check_paths(struct git *g, const char *base, const char *head)
{
	const struct spec *s = g->job->spec;
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;
	int r;

	if (!s->paths && !s->paths_ignore)
		return OK;
	r = GIT(g, &out, &err, git_dir(g), "diff", "--name-only", "-z", "--no-renames",
		"--no-ext-diff", "--end-of-options", base, head);
	if (r == E_GONE)
		return job_stopped(g->job);
	if (r < 0)
		return job_fail(g->job, FAULT_RUNNER, "git diff: %s", err.text);
	/* A list that was cut: something in it will count. */
	if (out.len >= GIT_OUTPUT / 2)
		return OK;
	for (size_t at = 0; at < out.len; at += strlen(out.data + at) + 1)
		if (counts(s, out.data + at))
			return OK;
	return job_skip(g->job, "no file that counts differs between base and head");
}

int git_checkout(struct git *g, const char *hash, const char *path)
{
	struct error err;
	int r = GIT(g, NULL, &err, git_dir(g), "worktree", "prune");

	if (r == OK)
		r = GIT(g, NULL, &err, git_dir(g), "worktree", "add", "--quiet", "--detach",
			"--force", "--end-of-options", path, hash);
	if (r == E_GONE)
		return job_stopped(g->job);
	return r < 0 ? job_fail(g->job, FAULT_RUNNER, "cannot check %s out: %s", hash, err.text)
		     : OK;
}
