/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "worker/device.h"
#include "worker/host.h"
#include "worker/launch.h"
#include "worker/lock.h"
#include "worker/flight.h"
#include "worker/sweep.h"

enum { MAX_ANSWER = 1024 * 1024, AGAIN_S = 60 };

static void set_why(struct probe *p, const char *text)
{
	snprintf(p->why, sizeof(p->why), "%.300s", text);
}

/* The rights of jobs: what the probe may open is what they may. */
static __attribute__((noreturn)) void be_probe(const struct host *h, char *exe, int out)
{
	char *argv[] = { exe, (char *)"probe", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t parent = getppid();

	launch_clear_signals();
	(void)setsid();
	unsetenv("BENCHD_RESULT_FD");
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
		_exit(127);
	if (h->job_uid != (uid_t)-1 &&
		(setgroups(0, NULL) < 0 || setresgid(h->job_gid, h->job_gid, h->job_gid) < 0 ||
			setresuid(h->job_uid, h->job_uid, h->job_uid) < 0))
		_exit(127);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	execv(exe, argv);
	_exit(127);
}

/* An answer without devices. */
static void answer_nothing(struct probe *p, const char *why, bool is_failed)
{
	p->is_failed = is_failed;
	json_decref(p->devices);
	p->devices = json_array();
	p->at_ns = clock_realtime_ns();
	set_why(p, why);
}

static void launch(struct probe *p, const struct host *h, char *exe)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	p->pid = fork();
	if (p->pid == 0)
		be_probe(h, exe, fds[1]);
	close(fds[1]);
	if (p->pid < 0) {
		close(fds[0]);
		p->pid = 0;
		return;
	}
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	p->fd = fds[0];
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	p->kill_at_ns = clock_monotonic_ns() + PROBE_S * NS_PER_S;
	p->is_late = false;
	p->out.len = 0;
}

void probe_start(struct probe *p, const struct host *h)
{
	_cleanup_(free)
	char *exe = NULL;

	if (!p->is_wanted || p->pid)
		return;
	p->is_wanted = false;
	exe = flight_program("benchd-kernel", "/");
	if (exe)
		launch(p, h, exe);
	if (!p->pid)
		answer_nothing(p,
			exe ? "no process could be started for the probe"
			    : "benchd-kernel is not installed beside benchd-worker",
			exe != NULL);
}

size_t probe_poll_fds(const struct probe *p, struct pollfd *fds)
{
	if (!p->pid)
		return 0;
	fds[0] = (struct pollfd){ .fd = p->fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = p->pidfd, .events = POLLIN };
	return PROBE_FDS;
}

int64_t probe_wake_ns(const struct probe *p)
{
	return p->pid ? p->kill_at_ns : INT64_MAX;
}

static void drain(struct probe *p)
{
	char chunk[16 * 1024];
	ssize_t n;

	while (p->fd >= 0) {
		n = read(p->fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0 && p->out.len + (size_t)n <= MAX_ANSWER) {
			buf_add(&p->out, chunk, (size_t)n);
			continue;
		}
		close(p->fd);
		p->fd = -1;
	}
}

/* Held by none of ours, since none of ours runs: by a process that did not die, or by another
 * program. */
static bool is_held(const json_t *device)
{
	_cleanup_(free)
	char *path = device_lock_path(device);
	struct error err;
	int fd, holder;

	if (json_get_bool(device, "software", false))
		return false; /* its lock is that of the host */
	if (lock_try(path, &fd, &holder, &err) < 0 || fd < 0)
		return true;
	close(fd);
	return false;
}

static void take_answer(struct probe *p, int status)
{
	_cleanup_(json_decref)
	json_t *told = NULL;
	struct error err;
	char why[160];
	json_t *d;
	size_t i;

	if (WIFSIGNALED(status)) {
		snprintf(why, sizeof(why), "the probe %s",
			p->is_late ? "was not over after 10 s" : strsignal(WTERMSIG(status)));
		answer_nothing(p, why, true);
		return;
	}
	if (WEXITSTATUS(status) || json_parse(p->out.data, p->out.len, &told, &err) < 0) {
		snprintf(why, sizeof(why), "the probe exited with %d%s", WEXITSTATUS(status),
			WEXITSTATUS(status) == 75 ? ": it was not over after 10 s" : "");
		answer_nothing(p, why, true);
		return;
	}
	answer_nothing(p, json_get_str(told, "why_no_vulkan", ""), false);
	json_array_foreach (json_object_get(told, "vulkan"), i, d) {
		json_set_bool(d, "held", is_held(d));
		json_array_append(p->devices, d);
	}
}

bool probe_handle(struct probe *p)
{
	int status = 0;

	if (!p->pid)
		return false;
	drain(p);
	if (waitpid(p->pid, &status, WNOHANG) == 0) {
		if (clock_monotonic_ns() < p->kill_at_ns)
			return false;
		(void)kill(p->pid, SIGKILL);
		p->kill_at_ns = clock_monotonic_ns() + NS_PER_S;
		if (!p->is_late) {
			p->is_late = true;
			return false;
		}
		/* Not even that: a driver keeps it. It is reaped with the strays. */
		status = SIGKILL;
	}
	drain(p);
	probe_close(p);
	p->pid = 0;
	take_answer(p, status);
	return true;
}

void probe_watch(struct probe *p)
{
	json_t *d;
	size_t i;

	json_array_foreach (p->devices, i, d)
		if (json_get_bool(d, "held", false) && !is_held(d))
			probe_want(p);
	if (p->is_failed && clock_realtime_ns() - p->at_ns > AGAIN_S * NS_PER_S)
		probe_want(p);
}

json_t *probe_message(const struct probe *p)
{
	json_t *m = json_object();

	json_set_str(m, "type", "devices");
	json_set_int(m, "probed_ns", p->at_ns);
	json_object_set_new(m, "vulkan", json_deep_copy(p->devices));
	json_set_opt(m, "why_no_vulkan", *p->why ? p->why : NULL);
	return m;
}

void probe_close(struct probe *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->fd = p->pidfd = -1;
}
