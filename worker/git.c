/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/git.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"
#include "base/text.h"
#include "worker/cache.h"
#include "worker/gitlog.h"
#include "worker/supervise.h"

enum { OUTPUT = 4 * 1024 * 1024, N_ARGS = 24, MAX_URL = 4096 };

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

static bool is_local(const char *url)
{
	return *url == '/' || !strncmp(url, "file:///", 8);
}

const char *git_url_problem(const char *url)
{
	size_t n = strlen(url);

	if (!n || n > MAX_URL)
		return "it must be 1 to 4096 bytes long";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
			return "it must not contain blanks or control characters";
	if (is_local(url) || !strncmp(url, "https://", 8) || !strncmp(url, "http://", 7) ||
		(!strncmp(url, "ssh://", 6) && url[6] != '-'))
		return NULL;
	/* user@host:path */
	if (!strstr(url, "://") && strchr(url, '@') && strchr(url, ':') &&
		isalnum((unsigned char)*url) && strchr(url, '@')[1] != '-')
		return NULL;
	return "only http, https, ssh, absolute paths and file:/// are taken";
}

/* --- running git ------------------------------------------------------------------------- */

static const char *const passed_through[] = { "HOME", "SSH_AUTH_SOCK", "http_proxy",
	"https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR" };

static char **make_environment(struct git *g, struct arena *a)
{
	char **env = ARENA_ARRAY(a, char *, ARRAY_SIZE(passed_through) + 12);
	const char *owner = g->job->host->owner;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(passed_through); i++)
		if (getenv(passed_through[i]))
			env[n++] = arena_printf(
				a, "%s=%s", passed_through[i], getenv(passed_through[i]));
	env[n++] = arena_printf(a, "PATH=%s", job_path);
	env[n++] = (char *)"LC_ALL=C.UTF-8";
	env[n++] = (char *)"GIT_CONFIG_NOSYSTEM=1";
	env[n++] = arena_printf(a, "GIT_CONFIG_GLOBAL=%s/gitconfig", g->job->host->state);
	env[n++] = (char *)"GIT_TERMINAL_PROMPT=0";
	env[n++] = (char *)"GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=20";
	env[n++] = arena_printf(a, "BENCHD_JOB=%s", g->job->ch.job);
	env[n++] = arena_printf(a, "BENCHD_STATE=%s", g->job->host->state);
	if (owner)
		env[n++] = arena_printf(a, "BENCHD_OWNER=%s", owner);
	/* The workload named a path of this host itself. */
	if (is_local(g->url))
		env[n++] = (char *)"GIT_ALLOW_PROTOCOL=file";
	return env;
}

/* Run git with these arguments; what it printed goes to out. E_GONE: the job has to stop. */
static int run_git(struct git *g, struct buf *out, struct error *err, const char *const *args)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	_cleanup_(free)
	char *exe = launch_find("git", job_path, "/");
	char *argv[N_ARGS + 4] = { (char *)"git" };
	struct supervised s;
	struct launch l;
	struct buf last = { 0 };
	int r, n = 1;

	if (!exe)
		return error_set(err, E_NOT_FOUND, "git is not installed on this host");
	while (*args && n < N_ARGS)
		argv[n++] = (char *)*args++;
	launch_init(&l);
	l.exe = exe;
	l.argv = argv;
	l.envp = make_environment(g, a);
	l.directory = "/";
	l.cgroup = g->job->cgroup.fd >= 0 ? &g->job->cgroup : NULL;
	l.uid = g->job->host->job_uid;
	l.gid = g->job->host->job_gid;
	r = supervise(&g->job->ch, &l, g->job->spec->limits.build_time_ns, OUTPUT, NULL, NULL,
		&s, err);
	if (r == OK && out)
		capture_text(&s.out, out);
	capture_error_line(&s.err, 300, &last);
	if (r == OK && channel_must_stop(&g->job->ch))
		r = error_set(err, E_GONE, "git was ended with the job");
	else if (r == OK && s.termination == T_TIMEOUT)
		r = error_set(err, E_DEADLINE, "git did not end within limits.build_time");
	else if (r == OK && (s.termination != T_EXIT || s.exit))
		r = error_set(err, E_UNPROCESSABLE, "%s",
			last.len ? buf_str(&last) : "git failed without a word");
	buf_done(&last);
	supervised_done(&s);
	return r;
}

#define GIT(g, out, err, ...)                                                                  \
	run_git((g), (out), (err), (const char *const[]){ __VA_ARGS__, NULL })

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

static char *git_dir(struct git *g)
{
	return arena_printf(g->job->arena, "--git-dir=%s", g->mirror);
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

/* Does this name a commit in the mirror? */
static bool parse_rev(struct git *g, const char *rev, char hash[41])
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	char *commit = arena_printf(g->job->arena, "%s^{commit}", rev);
	struct error err;

	if (GIT(g, &out, &err, git_dir(g), "rev-parse", "--verify", "--quiet",
		    "--end-of-options", commit) < 0)
		return false;
	snprintf(hash, 41, "%.40s", buf_str(&out));
	return git_hash_is_valid(hash);
}

static bool is_abbreviation(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n >= 7 && n <= 40 && !s[n];
}

/* HEAD of the repository is the branch that it offers when nobody names one:
 * "ref: refs/heads/NAME<tab>HEAD". */
static int ask_default_branch(struct git *g, struct error *err)
{
	static const char before[] = "ref: refs/heads/";
	_cleanup_(buf_done)
	struct buf out = { 0 };
	const char *line, *end;
	int r = GIT(g, &out, err, "ls-remote", "--symref", "--end-of-options", g->url, "HEAD");

	if (r < 0)
		return r;
	line = strstr(buf_str(&out), before);
	end = line ? strchr(line, '\t') : NULL;
	if (!end)
		return OK;
	line += sizeof(before) - 1;
	g->default_branch = arena_strndup(g->job->arena, line, (size_t)(end - line));
	return OK;
}

static int find_default_branch(struct git *g)
{
	struct error err;
	int r = ask_default_branch(g, &err);

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
	if (parse_rev(g, arena_printf(a, "refs/heads/%s", ref), hash) ||
		parse_rev(g, arena_printf(a, "refs/tags/%s", ref), hash) ||
		(is_abbreviation(ref) && parse_rev(g, ref, hash)))
		return OK;
	/* Full names such as refs/pull/7/head are not in the mirror: ask for that one. */
	if (!strncmp(ref, "refs/", 5)) {
		char *own = arena_printf(a, "refs/benchd/%s", ref + 5);

		if (fetch(g, arena_printf(a, "+%s:%s", ref, own), &err) == OK &&
			parse_rev(g, own, hash))
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

	if (parse_rev(g, wanted, hash))
		return OK;
	r = fetch_all(g);
	if (r < 0)
		return r;
	/* Not on any branch: some servers hand single commits out. */
	if (parse_rev(g, wanted, hash) ||
		(fetch(g, wanted, &err) == OK && parse_rev(g, wanted, hash)))
		return OK;
	if (channel_must_stop(&g->job->ch))
		return job_stopped(g->job);
	return job_fail(g->job, FAULT_BUILD,
		"'%s' has no commit %s; was it pushed, and is it still on a branch?", g->url,
		wanted);
}

/* --- which branch a commit belongs to ---------------------------------------------------- */

struct holders { /* branches that have a commit */
	const char *main, *only, *tip, *usual;
	size_t n, n_tips;
};

static void add_holder(struct git *g, struct holders *h, const char *hash, const char *line)
{
	const char *name = line + 41;

	if (strlen(line) < 42)
		return;
	h->only = name;
	h->n++;
	if (!strcmp(name, "main"))
		h->main = name;
	if (g->default_branch && !strcmp(name, g->default_branch))
		h->usual = name;
	if (!strncmp(line, hash, 40)) {
		h->tip = name;
		h->n_tips++;
	}
}

static int list_holders(struct git *g, const char *hash, struct holders *ret)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err;
	char *line, *rest;
	int r = GIT(g, &out, &err, git_dir(g), "for-each-ref", "--contains", hash,
		"--format=%(objectname) %(refname:lstrip=2)", "refs/heads");

	*ret = (struct holders){ 0 };
	if (r < 0)
		return r;
	rest = arena_strdup(g->job->arena, buf_str(&out));
	while ((line = strsep(&rest, "\n")))
		add_holder(g, ret, hash, line);
	return OK;
}

/* The branch of a commit that was named by its hash: main when that has it, else the only one
 * that has it, else the repository's default, else the one whose newest commit it is. NULL
 * when that does not decide. */
static const char *branch_of_commit(struct git *g, const char *hash)
{
	struct holders h;
	struct error err;

	if (list_holders(g, hash, &h) < 0 || !h.n)
		return NULL;
	if (h.main || h.n == 1)
		return h.main ? h.main : h.only;
	if (!g->default_branch && ask_default_branch(g, &err) == OK &&
		list_holders(g, hash, &h) < 0)
		return NULL;
	return h.usual ? h.usual : h.n_tips == 1 ? h.tip : NULL;
}

/* Under which branch results belong when the job names none; NULL: as it was filed. */
static const char *branch_of(struct git *g, const struct spec_arm *spec, const char *hash)
{
	char tip[41];

	if (spec->ref && !strcmp(spec->ref, "HEAD"))
		return g->default_branch;
	if (!spec->finds_branch)
		return NULL;
	if (spec->hash || is_abbreviation(spec->ref))
		return branch_of_commit(g, hash);
	return parse_rev(g, arena_printf(g->job->arena, "refs/heads/%s", spec->ref), tip)
		       ? spec->ref
		       : NULL;
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
	json_set_opt(m, "branch", branch_of(g, spec, hash));
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
	if (out.len >= OUTPUT / 2)
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
