/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/channel.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "worker/utf8.h"

enum { MAX_LINE = 64 * 1024, MAX_QUEUED = 8 * 1024 * 1024, LOG_PIECE = 64 * 1024 };
enum { MUCH = 128 * 1024 }; /* of what may wait for company */

void channel_init(struct channel *c, int fd, const char *job, int64_t attempt)
{
	*c = (struct channel){ .fd = fd,
		.job = job,
		.attempt = attempt,
		.deadline_ns = INT64_MAX,
		.due_ns = INT64_MAX };
	ndjson_init(&c->in, MAX_LINE);
}

void channel_done(struct channel *c)
{
	buf_done(&c->out);
	ndjson_done(&c->in);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

json_t *channel_message(const struct channel *c, const char *type)
{
	json_t *o = json_object();

	json_set_str(o, "type", type);
	json_set_str(o, "job", c->job);
	json_set_int(o, "attempt", c->attempt);
	return o;
}

static void worsen(struct channel *c, enum stop_cause cause)
{
	c->stop = MAX(c->stop, cause);
}

static void write_some(struct channel *c)
{
	size_t sent = 0;

	if (c->newest)
		c->newest(c->newest_arg);
	c->n_soon = 0;
	c->due_ns = INT64_MAX;
	c->written_ns = clock_monotonic_ns();
	while (sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + sent, c->out.len - sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			worsen(c, STOP_LOST);
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	buf_consume(&c->out, sent);
	if (c->stop == STOP_LOST)
		buf_clear(&c->out);
}

void channel_owe(struct channel *c, void (*pay)(void *arg), void *arg)
{
	channel_pay(c);
	c->owed = pay;
	c->owed_arg = arg;
}

void channel_pay(struct channel *c)
{
	void (*pay)(void *arg) = c->owed;

	c->owed = NULL;
	if (pay)
		pay(c->owed_arg);
}

void channel_queue(struct channel *c, json_t *message)
{
	channel_pay(c);
	ndjson_format(&c->out, message);
	json_decref(message);
	if (c->due_ns == INT64_MAX)
		c->due_ns = c->written_ns + CHANNEL_PATIENCE_NS;
}

static bool is_due(const struct channel *c)
{
	return c->n_soon + 1 >= CHANNEL_TOGETHER || c->out.len > MUCH ||
	       clock_monotonic_ns() >= c->written_ns + CHANNEL_PATIENCE_NS;
}

static void write_all_but_some(struct channel *c)
{
	write_some(c);
	while (c->out.len > MAX_QUEUED && !channel_in_a_hurry(c))
		channel_poll(c, NULL, 0, INT64_MAX);
}

void channel_send_soon(struct channel *c, json_t *message)
{
	bool goes = is_due(c);

	channel_queue(c, message);
	c->n_soon++;
	if (goes)
		write_all_but_some(c);
}

void channel_send(struct channel *c, json_t *message)
{
	channel_queue(c, message);
	write_all_but_some(c);
}

void channel_flush(struct channel *c)
{
	channel_pay(c);
	while (c->out.len && c->stop != STOP_LOST) {
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };

		(void)poll(&p, 1, 1000);
		write_some(c);
	}
}

static enum stop_cause cause_of(const char *reason)
{
	if (!strcmp(reason, "timed_out"))
		return STOP_TIMED_OUT;
	if (!strcmp(reason, "superseded"))
		return STOP_SUPERSEDED;
	if (!strcmp(reason, "disk_full"))
		return STOP_DISK;
	if (!strcmp(reason, "shutdown"))
		return STOP_SHUTDOWN;
	return STOP_CANCELED;
}

static void take_message(struct channel *c, const json_t *j)
{
	if (!strcmp(json_get_str(j, "type", ""), "cancel"))
		worsen(c, cause_of(json_get_str(j, "reason", "canceled")));
}

static void read_some(struct channel *c)
{
	char chunk[4096];
	struct error err;
	json_t *j;
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		worsen(c, STOP_LOST);
	if (n <= 0)
		return;
	ndjson_feed(&c->in, chunk, (size_t)n);
	for (;;) {
		int r = ndjson_next(&c->in, &j, &err);

		if (r == OK && !j)
			return;
		if (r == OK)
			take_message(c, j);
		json_decref(j);
	}
}

/* Something is left that the socket did not take. */
static bool is_stuck(const struct channel *c)
{
	return c->out.len && c->due_ns == INT64_MAX;
}

static void check_due(struct channel *c)
{
	if (c->due_ns != INT64_MAX && clock_monotonic_ns() >= c->due_ns)
		write_some(c);
}

static void check_deadline(struct channel *c)
{
	if (c->deadline_ns == INT64_MAX || clock_monotonic_ns() < c->deadline_ns)
		return;
	c->deadline_ns = INT64_MAX;
	if (c->stop == STOP_NONE)
		c->deadline_hit = true;
	worsen(c, STOP_TIMED_OUT);
}

static int poll_once(struct pollfd *all, size_t n, int64_t until_ns)
{
	int64_t left = until_ns == INT64_MAX ? INT64_MAX : until_ns - clock_monotonic_ns();
	struct timespec ts = { .tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S };
	int r;

	if (left < 0)
		ts = (struct timespec){ 0 };
	r = ppoll(all, n, left == INT64_MAX ? NULL : &ts, NULL);
	if (r < 0)
		for (size_t i = 0; i < n; i++)
			all[i].revents = 0;
	return r;
}

void channel_poll(struct channel *c, struct pollfd *fds, size_t n, int64_t until_ns)
{
	struct pollfd all[CHANNEL_MAX_FDS + 1];
	enum stop_cause before = c->stop;

	channel_pay(c);
	for (;;) {
		bool is_ready = false;

		for (size_t i = 0; i < n; i++)
			all[i] = fds[i];
		all[n] = (struct pollfd){ .fd = c->stop == STOP_LOST ? -1 : c->fd,
			.events = (short)(POLLIN | (is_stuck(c) ? POLLOUT : 0)) };
		(void)poll_once(all, n + 1, MIN(MIN(until_ns, c->due_ns), c->deadline_ns));
		for (size_t i = 0; i < n; i++) {
			fds[i].revents = all[i].revents;
			is_ready |= fds[i].revents != 0;
		}
		if (all[n].revents & POLLOUT)
			write_some(c);
		if (all[n].revents & (POLLIN | POLLHUP | POLLERR))
			read_some(c);
		check_due(c);
		check_deadline(c);
		if (is_ready || c->stop > before || all[n].revents & POLLOUT ||
			clock_monotonic_ns() >= until_ns)
			return;
	}
}

bool channel_sleep(struct channel *c, int64_t ns)
{
	int64_t until = clock_monotonic_ns() + ns;

	while (!channel_must_stop(c) && clock_monotonic_ns() < until)
		channel_poll(c, NULL, 0, until);
	return channel_must_stop(c);
}

void channel_phase(struct channel *c, const char *phase, const char *detail)
{
	json_t *m = channel_message(c, "phase");

	json_set_str(m, "phase", phase);
	json_set_opt(m, "detail", detail);
	channel_send(c, m);
}

static void log_by(void (*send)(struct channel *c, json_t *message), struct channel *c,
	const char *stream, const char *data, size_t n)
{
	struct buf text = { 0 };

	for (size_t at = 0; at < n;) {
		size_t piece = utf8_clean(data + at, MIN(n - at, (size_t)LOG_PIECE / 3), &text);
		json_t *m = channel_message(c, "log");

		json_set_str(m, "stream", stream);
		json_object_set_new(m, "data", json_stringn_nocheck(buf_str(&text), text.len));
		send(c, m);
		buf_clear(&text);
		at += piece;
	}
	buf_done(&text);
}

void channel_log(struct channel *c, const char *stream, const char *data, size_t n)
{
	log_by(channel_send, c, stream, data, n);
}

void channel_log_soon(struct channel *c, const char *stream, const char *data, size_t n)
{
	log_by(channel_send_soon, c, stream, data, n);
}

void channel_note(struct channel *c, const char *fmt, ...)
{
	struct buf text = { 0 };
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_printf(&text, "%s\n", line);
	channel_log(c, "worker", buf_str(&text), text.len);
	buf_done(&text);
}
