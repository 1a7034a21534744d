/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running git itself: which URLs it may see, in what environment, and what it said. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "worker/git_internal.h"
#include "worker/supervise.h"

enum { N_ARGS = 24, MAX_URL = 4096 };

bool git_is_local(const char *url)
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
	if (git_is_local(url) || !strncmp(url, "https://", 8) || !strncmp(url, "http://", 7) ||
		(!strncmp(url, "ssh://", 6) && url[6] != '-'))
		return NULL;
	/* user@host:path */
	if (!strstr(url, "://") && strchr(url, '@') && strchr(url, ':') &&
		isalnum((unsigned char)*url) && strchr(url, '@')[1] != '-')
		return NULL;
	return "only http, https, ssh, absolute paths and file:/// are taken";
}

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
	if (git_is_local(g->url))
		env[n++] = (char *)"GIT_ALLOW_PROTOCOL=file";
	return env;
}

int git_run(struct git *g, struct buf *out, struct error *err, const char *const *args)
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
	l.cpus = g->job->host->allowed;
	l.cgroup = g->job->cgroup.fd >= 0 ? &g->job->cgroup : NULL;
	l.uid = g->job->host->job_uid;
	l.gid = g->job->host->job_gid;
	r = supervise(&g->job->ch, &l, g->job->spec->limits.build_time_ns, GIT_OUTPUT, NULL,
		NULL, &s, err);
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
