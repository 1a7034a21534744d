/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runners say, and their ends. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "worker/cgroup.h"
#include "worker/jobs_internal.h"
#include "worker/sweep.h"

static const char probe_again[] = "\"probe_again\":true";
static const char done_line[] = "{\"type\":\"done\"";

size_t jobs_poll_fds(const struct jobs *js, struct pollfd *fds)
{
	bool is_full = js->link->out.len > LINK_MAX_QUEUED;
	size_t n = 0;

	for (size_t i = 0; i < JOBS_MAX; i++) {
		const struct jobs_slot *s = &js->slots[i];
		bool waits = is_full || kept_bytes(&js->kept, s->id, s->attempt) > KEPT_MOST;

		if (!s->pid)
			continue;
		/* A stream at its end is ready for ever; what follows is the exit. */
		fds[n++] = (struct pollfd){ .fd = waits || s->is_ended ? -1 : s->fd,
			.events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = s->pidfd, .events = POLLIN };
	}
	return n + probe_poll_fds(&js->probe, fds + n);
}

/* {"type":"done","job":...,"status":"failed",...}: only one-job mode wants to know. */
static void note_done(struct jobs *js, struct jobs_slot *s, const char *line, size_t n)
{
	struct error err;
	json_t *j = NULL;

	s->is_done = true;
	jobs_count(js);
	/* In a text the quotes would be escaped. */
	if (memmem(line, n, probe_again, sizeof(probe_again) - 1)) {
		probe_want(&js->probe);
		js->recalls = true;
	}
	if (js->link->is_file && json_parse(line, n, &j, &err) == OK)
		snprintf(js->last_status, sizeof(js->last_status), "%.15s",
			json_get_str(j, "status", ""));
	json_decref(j);
}

static void forward(struct jobs *js, struct jobs_slot *s)
{
	char *last = s->in.len ? memrchr(s->in.data, '\n', s->in.len) : NULL;
	size_t n = last ? (size_t)(last - s->in.data) + 1 : 0;

	for (size_t at = 0; at < n;) {
		const char *line = s->in.data + at;
		size_t len = (size_t)((char *)memchr(line, '\n', n - at) - line);

		if (!strncmp(line, done_line, sizeof(done_line) - 1))
			note_done(js, s, line, len);
		at += len + 1;
	}
	if (n && !s->is_fenced)
		jobs_tell(js, s->id, s->attempt, s->in.data, n);
	if (n)
		buf_consume(&s->in, n);
	/* Behind the `done` that tells why. */
	if (js->recalls)
		jobs_recall_waiting(js);
	js->recalls = false;
}

/* False at the end of the stream. */
static bool take(struct jobs *js, struct jobs_slot *s)
{
	ssize_t n;

	buf_reserve(&s->in, 64 * 1024);
	n = recv(s->fd, s->in.data + s->in.len, 64 * 1024, MSG_DONTWAIT);
	s->is_ended = n == 0;
	if (n > 0) {
		s->in.len += (size_t)n;
		forward(js, s);
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

static void speak_for(struct jobs *js, struct jobs_slot *s, int status)
{
	char reason[160];

	if (s->is_done || s->is_fenced)
		return;
	if (WIFSIGNALED(status))
		snprintf(reason, sizeof(reason),
			"the runner of the job was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(reason, sizeof(reason), "the runner of the job exited with %d",
			WEXITSTATUS(status));
	log_error("job %s: %s", s->id, reason);
	jobs_send_failed(js, s->id, s->attempt, reason);
}

static void sweep_after(struct jobs *js, const struct jobs_slot *dead, size_t slot)
{
	struct cgroup group;
	_cleanup_(free)
	char *mark = xasprintf("BENCHD_JOB=%s", dead->id);
	_cleanup_(free)
	char *scratch = xasprintf(
		"%s/jobs/%s.%03lld", js->host->state, dead->id, (long long)dead->attempt);
	pid_t spare[JOBS_MAX + 1];
	size_t n = 0;
	struct error err;

	if (js->probe.pid)
		spare[n++] = js->probe.pid;

	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid)
			spare[n++] = js->slots[i].pid;
	cgroup_open(js->host, (int)slot, 0, &group);
	(void)cgroup_kill(&group);
	group.is_spent = true; /* by the dead runner, perhaps */
	cgroup_close(&group);
	(void)sweep_descendants(spare, n, 10 * NS_PER_S, NULL);
	if (!jobs_find(js, dead->id))
		(void)sweep_marked(mark);
	(void)!dir_remove(scratch, &err);
}

static void end_runner(struct jobs *js, struct jobs_slot *s)
{
	struct jobs_slot dead;
	int status = 0;

	while (take(js, s))
		;
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	dead = *s;
	close(s->fd);
	close(s->pidfd);
	*s = (struct jobs_slot){ 0 };
	jobs_count(js);
	/* One that ended in good order has swept and told everything itself. */
	if (!dead.is_done || status != 0)
		sweep_after(js, &dead, (size_t)(s - js->slots));
	speak_for(js, &dead, status);
	buf_done(&dead.in);
}

static void handle_fd(struct jobs *js, struct jobs_slot *s, const struct pollfd *p)
{
	if (!p->revents || !s->pid)
		return;
	if (p->fd == s->pidfd)
		end_runner(js, s);
	else if (p->fd == s->fd)
		(void)take(js, s);
}

void jobs_handle(struct jobs *js, const struct pollfd *fds, size_t n)
{
	size_t at = 0;

	/* The same order as in jobs_poll_fds; slots can only have become free since. */
	for (size_t i = 0; i < JOBS_MAX && at + 1 < n; i++) {
		struct jobs_slot *s = &js->slots[i];

		if (!s->pid || (fds[at].fd != s->fd && fds[at + 1].fd != s->pidfd))
			continue;
		handle_fd(js, s, &fds[at]);
		handle_fd(js, s, &fds[at + 1]);
		at += 2;
	}
	if (probe_handle(&js->probe))
		jobs_tell_devices(js);
	if (!jobs_are_measuring(js))
		probe_start(&js->probe, js->host);
	jobs_start_waiting(js);
}

void jobs_tell_devices(struct jobs *js)
{
	if (js->probe.at_ns && !js->link->is_file && js->link->fd >= 0)
		link_send(js->link, probe_message(&js->probe));
}

void jobs_watch_devices(struct jobs *js)
{
	if (jobs_running(js) == 0 && !probe_is_due(&js->probe))
		probe_watch(&js->probe);
	if (jobs_running(js) == 0)
		probe_start(&js->probe, js->host);
}
