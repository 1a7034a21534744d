/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "worker/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/sd.h"
#include "worker/disk.h"
#include "worker/fingerprint.h"
#include "worker/jobs.h"
#include "worker/link.h"

enum { MAX_BACKOFF_S = 5, EXIT_TIMED_OUT = 3, EXIT_CANCELED = 4 };

struct loop {
	const struct loop_options *o;
	struct link link;
	struct jobs jobs;
	int64_t heartbeat_ns, next_beat_ns;
	int64_t backoff_ns, next_try_ns;
	bool is_ending; /* shutdown: wait for the runners, then leave */
	int status;
};

static void send_hello(struct loop *l)
{
	const struct host *h = l->o->host;
	json_t *m = json_object(), *slots = json_object(), *env = json_object(), *now;
	char id[65];
	char name[256] = "";

	(void)gethostname(name, sizeof(name) - 1);
	json_set_str(m, "type", "hello");
	json_set_int(m, "protocol", 1);
	json_set_str(m, "version", PACKAGE_VERSION);
	json_set_int(m, "pid", getpid());
	json_set_str(m, "host", name);
	json_set_int(slots, "exclusive", 1);
	json_set_int(slots, "shared", l->o->shared_slots);
	json_set_int(slots, "ahead", JOBS_MAX);
	json_object_set_new(m, "slots", slots);
	now = fingerprint_changed(h, id);
	l->o->host->has_changed |= now != NULL;
	json_set_str(env, "id", id);
	json_object_set(env, "identity", now ? now : h->identity);
	json_decref(now);
	json_object_set_new(env, "state", host_state(h, false));
	json_object_set_new(m, "environment", env);
	json_object_set(m, "devices", h->devices);
	program_look_for_kernel(&l->o->host->kernel);
	program_tell(&h->kernel, m);
	if (jobs_offer(&l->jobs))
		json_object_set_new(m, "jobs", jobs_list(&l->jobs));
	link_send(&l->link, m);
	jobs_tell_devices(&l->jobs);
}

/* The settings of a host may change while its worker runs. */
static void add_environment(struct loop *l, json_t *m)
{
	struct host *h = l->o->host;
	char id[65];
	json_t *now = fingerprint_changed(h, id), *o;

	h->has_changed |= now != NULL;
	if (!h->has_changed)
		return;
	o = json_object();
	json_set_str(o, "id", id);
	json_object_set(o, "identity", now ? now : h->identity);
	json_object_set_new(m, "environment", o);
	json_decref(now);
}

static void send_heartbeat(struct loop *l)
{
	json_t *m;

	if (l->o->job)
		return;
	m = json_object();
	json_set_str(m, "type", "heartbeat");
	json_object_set_new(m, "jobs", jobs_list(&l->jobs));
	json_object_set_new(m, "state", host_state(l->o->host, true));
	add_environment(l, m);
	program_look_for_kernel(&l->o->host->kernel);
	program_tell(&l->o->host->kernel, m);
	link_send(&l->link, m);
}

static void end_all(struct loop *l)
{
	l->is_ending = true;
	jobs_shut_down(&l->jobs);
}

static void take_message(struct loop *l, json_t *m)
{
	const char *type = json_get_str(m, "type", "");

	if (!strcmp(type, "job")) {
		jobs_resume(&l->jobs, NULL); /* a daemon that does not know of it */
		if (!l->is_ending)
			jobs_start(&l->jobs, m);
	} else if (!strcmp(type, "resume")) {
		jobs_resume(&l->jobs, m);
	} else if (!strcmp(type, "stored")) {
		jobs_stored(&l->jobs, m);
	} else if (!strcmp(type, "cancel")) {
		jobs_cancel(&l->jobs, m);
	} else if (!strcmp(type, "shutdown")) {
		end_all(l);
	} else if (!strcmp(type, "welcome")) {
		int64_t ns = json_get_int(m, "heartbeat_ns", 0);

		if (ns >= NS_PER_MS)
			l->heartbeat_ns = ns;
		l->next_beat_ns = clock_monotonic_ns() + l->heartbeat_ns;
	} else {
		log_info("a message of unknown type '%.40s' was dropped", type);
	}
}

static void read_link(struct loop *l)
{
	struct error err = { 0 };
	json_t *m;

	link_read(&l->link);
	for (;;) {
		m = link_next(&l->link, &err);
		if (!m && err.code == OK)
			return;
		if (!m)
			log_warning("a line of the link was dropped: %s", err.text);
		else
			take_message(l, m);
		json_decref(m);
	}
}

static void connected(struct loop *l, int fd)
{
	link_init(&l->link, fd, false);
	l->backoff_ns = 0;
	l->next_beat_ns = clock_monotonic_ns() + l->heartbeat_ns;
	send_hello(l);
}

static void try_connect(struct loop *l)
{
	struct error err;
	int fd;

	if (link_connect(l->o->socket, &fd, &err) == OK) {
		log_notice("connected to '%s'", l->o->socket);
		connected(l, fd);
		return;
	}
	if (!l->backoff_ns)
		log_warning("%s; trying again", err.text);
	l->backoff_ns = l->backoff_ns ? MIN(2 * l->backoff_ns, MAX_BACKOFF_S * NS_PER_S)
				      : NS_PER_S / 10;
	l->next_try_ns = clock_monotonic_ns() + l->backoff_ns;
}

/* A worker of its own unit goes on: the daemon that comes back says what of it still counts.
 * Any other ends with its daemon. */
static void link_lost(struct loop *l)
{
	size_t n = jobs_running(&l->jobs);

	log_warning("the link to benchd is gone%s", n && l->jobs.keeps ? "; jobs go on" : "");
	link_done(&l->link);
	link_init(&l->link, -1, false);
	if (l->jobs.keeps)
		jobs_hold(&l->jobs);
	else
		jobs_shut_down(&l->jobs);
	l->next_try_ns = clock_monotonic_ns() + NS_PER_S / 10;
	if (!l->o->socket) {
		l->is_ending = true;
		l->status = l->o->job ? 1 : 0;
	}
}

static void cancel_the_job(struct loop *l)
{
	json_t *m = json_object();

	json_set_str(m, "job", json_get_str(l->o->job, "job", ""));
	jobs_cancel(&l->jobs, m);
	json_decref(m);
}

static void read_signal(struct loop *l)
{
	struct signalfd_siginfo si;

	if (read(l->o->signal_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (l->o->job)
		cancel_the_job(l);
	else if (si.ssi_signo == SIGHUP)
		probe_want(&l->jobs.probe);
	else
		end_all(l);
}

static int64_t next_wake(const struct loop *l)
{
	int64_t until = INT64_MAX;

	if (l->link.fd >= 0 && !l->o->job)
		until = l->next_beat_ns;
	if (l->link.fd < 0 && l->o->socket && !l->is_ending)
		until = MIN(until, l->next_try_ns);
	until = MIN(until, probe_wake_ns(&l->jobs.probe));
	if (sd_watchdog_ns())
		until = MIN(until, clock_monotonic_ns() + sd_watchdog_ns() / 2);
	return until;
}

static void run_timers(struct loop *l)
{
	int64_t now = clock_monotonic_ns();

	if (sd_watchdog_ns())
		sd_notify("WATCHDOG=1");
	if (l->link.fd >= 0 && now >= l->next_beat_ns) {
		send_heartbeat(l);
		if (jobs_running(&l->jobs) && disk_is_short(l->o->host->state))
			jobs_end_for_disk(&l->jobs);
		jobs_watch_devices(&l->jobs);
		l->next_beat_ns = now + l->heartbeat_ns;
	}
	if (l->link.fd < 0 && l->o->socket && !l->is_ending && now >= l->next_try_ns)
		try_connect(l);
}

static void wait_and_handle(struct loop *l)
{
	struct pollfd fds[JOBS_FDS + 2];
	int64_t wake = next_wake(l), left = wake - clock_monotonic_ns();
	struct timespec ts = { left / NS_PER_S, left % NS_PER_S };
	bool has_link = l->link.fd >= 0 && !l->link.is_file;
	size_t n;

	if (left < 0)
		ts = (struct timespec){ 0 };
	fds[0] = (struct pollfd){ .fd = l->o->signal_fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = has_link ? l->link.fd : -1,
		.events = (short)(POLLIN | (l->link.out.len ? POLLOUT : 0)) };
	n = jobs_poll_fds(&l->jobs, fds + 2);
	if (ppoll(fds, n + 2, wake == INT64_MAX ? NULL : &ts, NULL) < 0)
		return;
	if (fds[0].revents)
		read_signal(l);
	jobs_handle(&l->jobs, fds + 2, n);
	if (fds[1].revents & POLLOUT)
		link_write(&l->link);
	if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
		read_link(l);
	if (l->link.is_broken)
		link_lost(l);
}

static bool is_over(const struct loop *l)
{
	size_t n_waiting = json_array_size(l->jobs.waiting);

	if (l->o->job || l->is_ending)
		return jobs_running(&l->jobs) + n_waiting == 0 &&
		       (l->is_ending || !l->link.out.len);
	return false;
}

/* Only then one-job mode needs to know what devices there are. */
static bool job_names_device(const json_t *job)
{
	const json_t *cell, *word;
	size_t i, k;

	json_array_foreach (json_object_get(json_object_get(job, "spec"), "cells"), i, cell)
		json_array_foreach (json_object_get(cell, "argv"), k, word)
			if (json_is_string(word) && strstr(json_string_value(word), "vulkan"))
				return true;
	return false;
}

static int one_job_status(const struct loop *l)
{
	const char *s = l->jobs.last_status;

	if (!strcmp(s, "succeeded"))
		return 0;
	if (!strcmp(s, "timed_out"))
		return EXIT_TIMED_OUT;
	return strcmp(s, "canceled") ? 1 : EXIT_CANCELED;
}

static void begin(struct loop *l)
{
	const struct loop_options *o = l->o;

	if (o->job) {
		link_init(&l->link, o->output_fd, true);
		send_hello(l);
		jobs_start(&l->jobs, o->job);
	} else if (o->link_fd >= 0) {
		connected(l, o->link_fd);
	} else {
		link_init(&l->link, -1, false);
		try_connect(l);
	}
	sd_notify("READY=1");
}

int loop_run(const struct loop_options *o)
{
	struct loop l = { .o = o, .heartbeat_ns = 5 * NS_PER_S };

	jobs_init(&l.jobs, o->host, &l.link, o->signal_fd, o->socket != NULL);
	o->host->probe = &l.jobs.probe;
	if (!o->job || job_names_device(o->job))
		probe_want(&l.jobs.probe);
	begin(&l);
	jobs_handle(&l.jobs, NULL, 0); /* the probe */
	while (!is_over(&l)) {
		wait_and_handle(&l);
		run_timers(&l);
	}
	sd_notify("STOPPING=1");
	if (o->job)
		l.status = l.status ? l.status : one_job_status(&l);
	link_done(&l.link);
	jobs_done(&l.jobs);
	return l.status;
}
