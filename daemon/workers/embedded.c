/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker that benchd starts itself: found, started, started again, ended. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/fs.h"
#include "daemon/workers/internal.h"

#define BACKOFF_FIRST_NS (100 * NS_PER_MS)
#define BACKOFF_MOST_NS (30 * NS_PER_S)
#define BACKOFF_FORGET_NS (60 * NS_PER_S) /* a life so long starts the back-off anew */
enum { KILL_AFTER_MS = 5000 };

static void spawn_or_retry(struct workers *ws);

static int find_program(struct workers *ws, struct error *err)
{
	const char *env = getenv("BENCHD_WORKER");
	char *candidates[] = { xstrdup(ws->c.program ? ws->c.program : ""),
		xstrdup(env ? env : ""), xasprintf("%s/benchd-worker", program_dir()),
		xstrdup(BENCHD_SBINDIR "/benchd-worker") };
	size_t from = ws->c.program ? 0 : env && *env ? 1 : 2;

	/* A program that was named must be there; only unnamed ones are searched for. */
	for (size_t i = from; i < (from < 2 ? from + 1 : ARRAY_SIZE(candidates)); i++)
		if (!ws->program && access(candidates[i], X_OK) == 0)
			ws->program = xstrdup(candidates[i]);
	if (!ws->program)
		error_set(err, E_NOT_FOUND,
			"no worker program '%s'; set worker.program in benchd.yaml or "
			"BENCHD_WORKER, or start with --no-worker",
			candidates[from]);
	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		free(candidates[i]);
	return ws->program ? OK : E_NOT_FOUND;
}

/* Between fork and exec: only async-signal-safe calls. */
static void become_worker(int fd, char *const argv[], char *const envp[])
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < 32; s++)
		sigaction(s, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	aside_leave_in_child();
	if (dup2(fd, 3) < 0)
		_exit(127);
	fcntl(3, F_SETFD, 0);
	close_range(4, ~0U, 0);
	execve(argv[0], argv, envp);
	_exit(127);
}

/* Our own environment, but for what we set and what systemd told only us. */
static char **make_env(struct workers *ws, size_t *ret_own)
{
	static const char *const dropped[] = { "BENCHD_OWNER=", "BENCHD_LINK_FD=",
		"NOTIFY_SOCKET=", "LISTEN_", "WATCHDOG_", "STATE_DIRECTORY=" };
	size_t n = 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	env = xcalloc(n + 3, sizeof(*env));
	env[k++] = xasprintf("BENCHD_OWNER=%s", ws->owner);
	env[k++] = xstrdup("BENCHD_LINK_FD=3");
	*ret_own = k;
	for (size_t i = 0; i < n; i++) {
		bool drop = false;

		for (size_t d = 0; d < ARRAY_SIZE(dropped); d++)
			drop |= !strncmp(environ[i], dropped[d], strlen(dropped[d]));
		if (!drop)
			env[k++] = environ[i];
	}
	return env;
}

static int spawn(struct workers *ws, struct error *err)
{
	_cleanup_(free)
	char *state = xasprintf("%s/worker", ws->c.state_dir);
	char *argv[] = { ws->program, "--state", state, NULL };
	size_t n_own;
	char **env;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_errno(err, E_IO, "cannot make the worker's link");
	env = make_env(ws, &n_own);
	pid = fork();
	if (pid == 0)
		become_worker(fds[1], argv, env);
	for (size_t i = 0; i < n_own; i++)
		free(env[i]);
	free(env);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return error_errno(err, E_IO, "cannot start '%s'", ws->program);
	}
	ws->pid = pid;
	ws->spawned_ns = clock_mono(ws->c.clock);
	ws->is_useful = false;
	return link_open(ws, fds[0], true, err);
}

static void on_respawn(uv_timer_t *t)
{
	spawn_or_retry(t->data);
}

static void retry_later(struct workers *ws)
{
	if (ws->is_useful || clock_mono(ws->c.clock) - ws->spawned_ns > BACKOFF_FORGET_NS)
		ws->backoff_ns = 0;
	ws->backoff_ns =
		ws->backoff_ns ? MIN(2 * ws->backoff_ns, BACKOFF_MOST_NS) : BACKOFF_FIRST_NS;
	uv_timer_start(&ws->respawn, on_respawn, (uint64_t)(ws->backoff_ns / NS_PER_MS), 0);
}

static void spawn_or_retry(struct workers *ws)
{
	struct error err;

	if (ws->is_stopping || ws->pid)
		return;
	if (spawn(ws, &err) < 0) {
		ws->c.on_trouble(ws->c.arg, err.text);
		retry_later(ws);
	}
}

static void on_kill_timer(uv_timer_t *t)
{
	struct workers *ws = t->data;

	if (ws->pid)
		kill(ws->pid, SIGKILL);
}

static void describe_end(int status, char *out, size_t n)
{
	if (WIFSIGNALED(status))
		snprintf(out, n, "the worker was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(out, n, "the worker exited with status %d", WEXITSTATUS(status));
}

static void on_worker_end(struct workers *ws, int status)
{
	char text[120];
	int n;

	ws->pid = 0;
	uv_timer_stop(&ws->kill_timer);
	describe_end(status, text, sizeof(text));
	for (struct worker *w = ws->links; w; w = w->next)
		if (w->is_embedded)
			worker_drop(w, text);
	n = sweep_leftovers(ws->owner);
	if (ws->is_stopping) {
		embedded_stop(ws);
		return;
	}
	ws->c.on_trouble(ws->c.arg, text);
	if (n)
		ws->c.on_trouble(ws->c.arg, "ended what it had left running");
	retry_later(ws);
}

/* As a subreaper benchd also gets the orphans of its worker. */
static void on_child(uv_signal_t *s, int signum)
{
	struct workers *ws = s->data;
	int status, worker_status = 0;
	bool is_worker = false;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == ws->pid) {
			is_worker = true;
			worker_status = status;
		}
	if (is_worker)
		on_worker_end(ws, worker_status);
}

int embedded_start(struct workers *ws, struct error *err)
{
	int r;

	r = find_program(ws, err);
	if (r < 0)
		return r;
	sweep_adopt();
	sweep_leftovers(ws->owner);
	uv_timer_init(ws->c.loop, &ws->respawn);
	uv_timer_init(ws->c.loop, &ws->kill_timer);
	uv_signal_init(ws->c.loop, &ws->child);
	ws->respawn.data = ws->kill_timer.data = ws->child.data = ws;
	for (int i = 0; i < 3; i++)
		handle_opened(ws);
	uv_signal_start(&ws->child, on_child, SIGCHLD);
	return spawn(ws, err);
}

static void on_closed(uv_handle_t *h)
{
	handle_closed(h->data);
}

/* First call: ask it to end. When it has: close what watched it. */
void workers_probe(struct workers *ws)
{
	/* Before it says hello the signal would end it. */
	for (const struct worker *w = ws->links; w; w = w->next)
		if (w->is_embedded && w->has_said_hello && !w->is_closing && ws->pid)
			kill(ws->pid, SIGHUP);
}

void embedded_stop(struct workers *ws)
{
	if (ws->pid) {
		kill(ws->pid, SIGTERM);
		uv_timer_stop(&ws->respawn);
		uv_timer_start(&ws->kill_timer, on_kill_timer, KILL_AFTER_MS, 0);
		return;
	}
	uv_close((uv_handle_t *)&ws->respawn, on_closed);
	uv_close((uv_handle_t *)&ws->kill_timer, on_closed);
	uv_close((uv_handle_t *)&ws->child, on_closed);
}
