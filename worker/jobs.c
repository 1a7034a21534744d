/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/jobs_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "base/log.h"
#include "worker/runner.h"

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

struct jobs_slot *jobs_find(struct jobs *js, const char *id)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && !strcmp(js->slots[i].id, id))
			return &js->slots[i];
	return NULL;
}

void jobs_count(struct jobs *js)
{
	int32_t n = 0;

	for (size_t i = 0; i < JOBS_MAX; i++)
		n += js->slots[i].pid && !js->slots[i].is_done;
	js->host->shared->n_jobs = n;
}

void jobs_tell(struct jobs *js, const char *id, int64_t attempt, const char *lines, size_t n)
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
	jobs_tell(js, id, attempt, line.data, line.len);
	snprintf(js->last_status, sizeof(js->last_status), "%s", status);
}

void jobs_send_failed(struct jobs *js, const char *id, int64_t attempt, const char *reason)
{
	send_done(js, id, attempt, "failed", "runner", reason);
}

/* --- jobs that wait for their turn --- */

const char *jobs_id_of(const json_t *message)
{
	return json_get_str(message, "job", "");
}

static bool is_exclusive(const json_t *message)
{
	const json_t *spec = json_object_get(message, "spec");

	return strcmp(json_get_str(spec, "slot", "exclusive"), "shared") != 0;
}

bool jobs_are_measuring(const struct jobs *js)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && js->slots[i].is_exclusive && !js->slots[i].is_done)
			return true;
	return false;
}

/* A probe would disturb what runs beside it. */
static bool is_taken(const struct jobs *js)
{
	return probe_is_due(&js->probe) || jobs_are_measuring(js);
}

size_t jobs_find_waiting(const struct jobs *js, const char *id)
{
	size_t i;
	json_t *m;

	json_array_foreach (js->waiting, i, m)
		if (!strcmp(jobs_id_of(m), id))
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
	const char *id = jobs_id_of(message);
	size_t i = jobs_find_waiting(js, id), e = 0;
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

void jobs_recall_waiting(struct jobs *js)
{
	json_t *m;
	size_t i;

	json_array_foreach (js->waiting, i, m)
		send_done(js, jobs_id_of(m), json_get_int(m, "attempt", 0), "recalled", NULL,
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

void jobs_tell_runner(const struct jobs_slot *s, const char *reason)
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
	struct jobs_slot *s = jobs_find(js, id);
	size_t i = jobs_find_waiting(js, id);
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
	jobs_tell_runner(s, "shutdown");
	return true;
}

static void launch(struct jobs *js, json_t *message)
{
	const char *id = jobs_id_of(message);
	int64_t attempt = json_get_int(message, "attempt", 0);
	struct jobs_slot *s = find_free(js);

	if (!s) {
		jobs_send_failed(js, id, attempt, "the worker already runs 64 jobs");
		return;
	}
	*s = (struct jobs_slot){ .attempt = attempt, .is_exclusive = is_exclusive(message) };
	strcpy(s->id, id);
	jobs_count(js);
	js->host->shared->n_jobs++;
	if (start_runner(js, s, message) < 0) {
		char reason[128];

		snprintf(reason, sizeof(reason), "cannot start a process for the job: %s",
			strerror(errno));
		s->pid = 0;
		jobs_send_failed(js, id, attempt, reason);
		jobs_count(js);
	}
}

void jobs_start_waiting(struct jobs *js)
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
	const char *id = jobs_id_of(message);
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
		jobs_send_failed(js, id, attempt, "64 jobs already wait for the worker");
}

void jobs_cancel(struct jobs *js, const json_t *message)
{
	const char *reason = json_get_str(message, "reason", "canceled");
	struct jobs_slot *s = jobs_find(js, jobs_id_of(message));

	if (cancel_waiting(js, message, reason) || !strcmp(reason, "recalled"))
		return; /* one that has begun is not called back */
	/* Already over: its `done` is on the way. */
	if (s && json_get_int(message, "attempt", s->attempt) >= s->attempt)
		jobs_tell_runner(s, reason);
}

void jobs_end_for_disk(struct jobs *js)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid && !js->slots[i].is_done)
			jobs_tell_runner(&js->slots[i], "disk_full");
}

void jobs_shut_down(struct jobs *js)
{
	json_array_clear(js->waiting);
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (js->slots[i].pid) {
			js->slots[i].is_fenced = true;
			jobs_tell_runner(&js->slots[i], "shutdown");
		}
}
