/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/jobs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "worker/cgroup.h"
#include "worker/runner.h"
#include "worker/sweep.h"

static const char probe_again[] = "\"probe_again\":true";
static const char done_line[] = "{\"type\":\"done\"";

void jobs_init(
	struct jobs *js, const struct host *host, struct link *link, int signal_fd, bool keeps)
{
	*js = (struct jobs){ .host = host,
		.link = link,
		.signal_fd = signal_fd,
		.keeps = keeps,
		.waiting = json_array(),
		.probe = { .pidfd = -1, .fd = -1 } };
}

void jobs_done(struct jobs *js)
{
	json_decref(js->waiting);
	js->waiting = NULL;
	probe_close(&js->probe);
	json_decref(TAKE(js->probe.devices));
	buf_done(&js->probe.out);
	kept_done(&js->kept);
}

size_t jobs_running(const struct jobs *js)
{
	size_t n = 0;

	for (size_t i = 0; i < JOBS_MAX; i++)
		n += js->slots[i].pid != 0;
	return n;
}

static struct jobs_slot *find_free(struct jobs *js)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (!js->slots[i].pid)
			return &js->slots[i];
	return NULL;
}

static struct jobs_slot *find_job(struct jobs *js, const char *id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && !strcmp(js->slots[i].id, id))
			return &js->slots[i];
	return NULL;
}

static bool has_runner(const struct jobs *js, const char *id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && !strcmp(js->slots[i].id, id))
			return true;
	return false;
}

/* A runner that has said `done` has ended everything of its job, and only has to exit. */
static void set_n_jobs(struct jobs *js)
{
	int32_t n = 0;

	for (size_t i = 0; i < JOBS_MAX; i++)
		n += js->slots[i].pid && !js->slots[i].is_done;
	js->host->shared->n_jobs = n;
}

/* Whole lines about one job. */
static void tell(struct jobs *js, const char *id, int64_t attempt, const char *lines, size_t n)
{
	if (js->keeps)
		lines = kept_add(&js->kept, id, attempt, lines, &n);
	if (!js->is_held)
		link_send_text(js->link, lines, n);
}

static void send_done(struct jobs *js, const char *id, int64_t attempt, const char *status,
	const char *fault, const char *reason)
{
	_cleanup_(json_decref)
	json_t *m = json_object();
	_cleanup_(buf_done)
	struct buf line = { 0 };

	json_set_str(m, "type", "done");
	json_set_str(m, "job", id);
	json_set_int(m, "attempt", attempt);
	json_set_str(m, "status", status);
	json_set_opt(m, "fault", fault);
	json_set_str(m, "reason", reason);
	json_object_set_new(m, "cells", json_array());
	ndjson_format(&line, m);
	tell(js, id, attempt, line.data, line.len);
	snprintf(js->last_status, sizeof(js->last_status), "%s", status);
}

static void send_failed(struct jobs *js, const char *id, int64_t attempt, const char *reason)
{
	send_done(js, id, attempt, "failed", "runner", reason);
}

/* --- jobs that wait for their turn --- */

static const char *id_of(const json_t *message)
{
	return json_get_str(message, "job", "");
}

static bool is_exclusive(const json_t *message)
{
	const json_t *spec = json_object_get(message, "spec");

	return strcmp(json_get_str(spec, "slot", "exclusive"), "shared") != 0;
}

static bool is_measuring(const struct jobs *js)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && js->slots[i].is_exclusive && !js->slots[i].is_done)
			return true;
	return false;
}

/* A probe would disturb what runs beside it. */
static bool is_taken(const struct jobs *js)
{
	return probe_is_due(&js->probe) || is_measuring(js);
}

/* Its place among those that wait; their number when it is not there. */
static size_t find_waiting(const struct jobs *js, const char *id)
{
	size_t i;
	json_t *m;

	json_array_foreach (js->waiting, i, m)
		if (!strcmp(id_of(m), id))
			break;
	return i;
}

/* One that has not begun is answered for at once. False: no such job waits. */
static bool cancel_waiting(struct jobs *js, const json_t *message, const char *reason)
{
	static const struct {
		const char *reason, *status, *text;
	} ends[] = {
		{ "recalled", "recalled", "the job had not begun" },
		{ "timed_out", "timed_out", "the server ended the job: its time is over" },
		{ "superseded", "canceled", "a newer job took the place of this one" },
		{ NULL, "canceled", "the job was canceled" },
	};
	const char *id = id_of(message);
	size_t i = find_waiting(js, id), e = 0;
	int64_t attempt = json_get_int(json_array_get(js->waiting, i), "attempt", 0);

	if (i == json_array_size(js->waiting) ||
		json_get_int(message, "attempt", attempt) < attempt)
		return false;
	while (ends[e].reason && strcmp(ends[e].reason, reason) != 0)
		e++;
	send_done(js, id, attempt, ends[e].status, NULL, ends[e].text);
	json_array_remove(js->waiting, i);
	return true;
}

/* A device is in trouble: the daemon, which knows what that means, gives these out again. */
static void recall_waiting(struct jobs *js)
{
	json_t *m;
	size_t i;

	json_array_foreach (js->waiting, i, m)
		send_done(js, id_of(m), json_get_int(m, "attempt", 0), "recalled", NULL,
			"the job had not begun");
	json_array_clear(js->waiting);
}

/* A runner must not hold what belongs to the worker or to other runners: an open socket would
 * keep their peers from seeing the end. */
static void close_inherited(struct jobs *js)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid) {
			close(js->slots[i].fd);
			close(js->slots[i].pidfd);
		}
	probe_close(&js->probe);
	if (js->link->fd >= 0 && !js->link->is_file)
		close(js->link->fd);
	if (js->signal_fd >= 0)
		close(js->signal_fd);
}

static int start_runner(struct jobs *js, struct jobs_slot *s, json_t *message)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		close_inherited(js);
		runner_main(js->host, (int)(s - js->slots), pair[1], message);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -1;
	}
	s->pid = pid;
	s->fd = pair[0];
	s->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return 0;
}

static void tell_runner(const struct jobs_slot *s, const char *reason)
{
	char line[128];
	int n = snprintf(
		line, sizeof(line), "{\"type\":\"cancel\",\"reason\":\"%.40s\"}\n", reason);

	(void)!send(s->fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A second message for a job we have: an old or equal attempt is stale, a newer one means that
 * the daemon gave ours up. */
static bool make_way(struct jobs *js, const char *id, int64_t attempt)
{
	struct jobs_slot *s = find_job(js, id);
	size_t i = find_waiting(js, id);
	int64_t waits = json_get_int(json_array_get(js->waiting, i), "attempt", -1);

	if (waits >= 0 && waits < attempt)
		json_array_remove(js->waiting, i);
	if (!s && waits < attempt)
		return true;
	if (!s)
		return false;
	if (attempt <= s->attempt) {
		log_notice("job %s: attempt %lld is not newer than the one that runs; dropped",
			id, (long long)attempt);
		return false;
	}
	s->is_fenced = true;
	tell_runner(s, "shutdown");
	return true;
}

static void launch(struct jobs *js, json_t *message)
{
	const char *id = id_of(message);
	int64_t attempt = json_get_int(message, "attempt", 0);
	struct jobs_slot *s = find_free(js);

	if (!s) {
		send_failed(js, id, attempt, "the worker already runs 64 jobs");
		return;
	}
	*s = (struct jobs_slot){ .attempt = attempt, .is_exclusive = is_exclusive(message) };
	strcpy(s->id, id);
	set_n_jobs(js);
	js->host->shared->n_jobs++;
	if (start_runner(js, s, message) < 0) {
		char reason[128];

		snprintf(reason, sizeof(reason), "cannot start a process for the job: %s",
			strerror(errno));
		s->pid = 0;
		send_failed(js, id, attempt, reason);
		set_n_jobs(js);
	}
}

static void start_waiting(struct jobs *js)
{
	while (json_array_size(js->waiting) && !is_taken(js)) {
		json_t *m = json_incref(json_array_get(js->waiting, 0));

		json_array_remove(js->waiting, 0);
		launch(js, m);
		json_decref(m);
	}
}

void jobs_start(struct jobs *js, json_t *message)
{
	const char *id = id_of(message);
	int64_t attempt = json_get_int(message, "attempt", 0);

	if (!uuid_is_valid(id) || attempt < 1) {
		log_warning("a job message without a valid 'job' and 'attempt' was dropped");
		return;
	}
	if (!make_way(js, id, attempt))
		return;
	kept_forget(&js->kept, id, attempt);
	if (!is_exclusive(message) || (!is_taken(js) && !json_array_size(js->waiting)))
		launch(js, message);
	else if (json_array_size(js->waiting) < JOBS_MAX)
		json_array_append(js->waiting, message);
	else
		send_failed(js, id, attempt, "64 jobs already wait for the worker");
}

void jobs_cancel(struct jobs *js, const json_t *message)
{
	const char *reason = json_get_str(message, "reason", "canceled");
	struct jobs_slot *s = find_job(js, id_of(message));

	if (cancel_waiting(js, message, reason) || !strcmp(reason, "recalled"))
		return; /* one that has begun is not called back */
	/* Already over: its `done` is on the way. */
	if (s && json_get_int(message, "attempt", s->attempt) >= s->attempt)
		tell_runner(s, reason);
}

void jobs_end_for_disk(struct jobs *js)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && !js->slots[i].is_done)
			tell_runner(&js->slots[i], "disk_full");
}

void jobs_shut_down(struct jobs *js)
{
	json_array_clear(js->waiting);
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid) {
			js->slots[i].is_fenced = true;
			tell_runner(&js->slots[i], "shutdown");
		}
}

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
	set_n_jobs(js);
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
		tell(js, s->id, s->attempt, s->in.data, n);
	if (n)
		buf_consume(&s->in, n);
	/* Behind the `done` that tells why. */
	if (js->recalls)
		recall_waiting(js);
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
	send_failed(js, s->id, s->attempt, reason);
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
	if (!find_job(js, dead->id))
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
	set_n_jobs(js);
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
	if (!is_measuring(js))
		probe_start(&js->probe, js->host);
	start_waiting(js);
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

static void add_job(json_t *list, const char *id, int64_t attempt)
{
	json_t *o = json_object();

	json_set_str(o, "job", id);
	json_set_int(o, "attempt", attempt);
	json_array_append_new(list, o);
}

json_t *jobs_list(const struct jobs *js)
{
	json_t *list = json_array(), *m;
	size_t i;

	for (i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid)
			add_job(list, js->slots[i].id, js->slots[i].attempt);
	json_array_foreach (js->waiting, i, m)
		add_job(list, id_of(m), json_get_int(m, "attempt", 0));
	for (const struct kept_job *k = js->kept.first; k; k = k->next)
		if (k->has_done && !has_runner(js, k->id))
			add_job(list, k->id, k->attempt);
	return list;
}

/* --- a daemon that was away --- */

void jobs_hold(struct jobs *js)
{
	js->is_held = true;
}

bool jobs_offer(struct jobs *js)
{
	_cleanup_(json_decref)
	json_t *list = jobs_list(js);

	js->is_held = json_array_size(list) > 0;
	return js->is_held;
}

static const json_t *find_resumed(const json_t *message, const char *id, int64_t attempt)
{
	const json_t *list = json_object_get(message, "jobs"), *j;
	size_t i;

	json_array_foreach (list, i, j)
		if (json_get_int(j, "attempt", -1) == attempt && !strcmp(id_of(j), id))
			return j;
	return NULL;
}

static void end_unwanted(struct jobs *js, const char *id, int64_t attempt)
{
	struct jobs_slot *s = find_job(js, id);
	size_t i = find_waiting(js, id);

	log_notice(
		"job %s: the daemon does not go on with attempt %lld", id, (long long)attempt);
	json_array_remove(js->waiting, i);
	kept_forget(&js->kept, id, attempt + 1);
	if (!s || s->attempt != attempt)
		return;
	s->is_fenced = true;
	tell_runner(s, "shutdown");
}

static void send_again(struct jobs *js, const json_t *resumed)
{
	const char *id = id_of(resumed);
	int64_t attempt = json_get_int(resumed, "attempt", -1);
	const char *text;
	size_t n;

	kept_release(&js->kept, id, attempt, json_get_int(resumed, "n", 0));
	text = kept_find(&js->kept, id, attempt, &n);
	if (n)
		link_send_text(js->link, text, n);
	log_notice("job %s: attempt %lld goes on; %zu bytes were sent again", id,
		(long long)attempt, n);
}

void jobs_resume(struct jobs *js, const json_t *message)
{
	_cleanup_(json_decref)
	json_t *list = jobs_list(js);
	const json_t *j;
	size_t i;

	if (!js->is_held)
		return;
	js->is_held = false;
	json_array_foreach (list, i, j) {
		int64_t attempt = json_get_int(j, "attempt", 0);
		const json_t *resumed = find_resumed(message, id_of(j), attempt);

		if (resumed)
			send_again(js, resumed);
		else
			end_unwanted(js, id_of(j), attempt);
	}
}

void jobs_stored(struct jobs *js, const json_t *message)
{
	kept_release(&js->kept, id_of(message), json_get_int(message, "attempt", 0),
		json_get_int(message, "n", 0));
}
