/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/http_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char get_health[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

START_TEST(a_connection_serves_many_requests)
{
	struct answer a = { 0 };
	char value[256];
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	for (int i = 0; i < 5; i++) {
		client_send(fd, get_health, strlen(get_health));
		client_read(fd, &a);
		ck_assert_int_eq(a.status, 200);
		ck_assert_str_eq(buf_str(&a.body), "{\"ok\":true}\n");
		ck_assert_ptr_nonnull(answer_header(&a, "X-Request-Id", value));
		ck_assert_int_eq((int)strlen(value), 36);
		ck_assert_str_eq(answer_header(&a, "X-Content-Type-Options", value), "nosniff");
	}
	client_printf(fd, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 404);
	ck_assert(strstr(a.body.data, "there is nothing at '/nowhere'"));
	client_printf(fd, "GET /items/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 200);
	close(fd);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_write_is_answered_after_its_commit)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fetch(&r, "POST", "/rows", NULL, "{\"a\":1}", &a);
	ck_assert_int_eq(a.status, 201);
	ck_assert_int_eq(fake.rows, 1);
	ck_assert_int_eq(fake.commits, 1);
	ck_assert_int_eq(r.wakes, WAKE_QUEUE);
	answer_done(&a);
	rig_stop(&r);
	ck_assert_int_ge(fake.checkpoints, 1);
}
END_TEST

START_TEST(a_failing_write_rolls_back_only_itself)
{
	struct answer a = { 0 };
	int fds[20];
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	for (int i = 0; i < 20; i++) {
		const char *body = i % 4 == 1 ? "{\"fail\":true}" : "{\"fail\":null}";

		fds[i] = client_connect(&r);
		client_printf(fds[i],
			"POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			"application/json\r\nContent-Length: 13\r\n\r\n%s",
			body);
	}
	for (int i = 0; i < 20; i++) {
		client_read(fds[i], &a);
		ck_assert_int_eq(a.status, i % 4 == 1 ? 422 : 201);
		if (i % 4 == 1)
			ck_assert(strstr(a.body.data, "\"pointer\":\"/fail\""));
		close(fds[i]);
	}
	ck_assert_int_eq(fake.rows, 15);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

/* --- group commit --- */

static const char row[] = "POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			  "application/json\r\nContent-Length: 2\r\n\r\n{}";

START_TEST(writes_that_wait_together_share_a_commit)
{
	enum { N = 100 };
	struct answer a = { 0 };
	int fds[N];
	struct rig r;

	rig_init(&r);
	fake.slow_ms = 20;
	rig_start(&r);
	for (int i = 0; i < N; i++) {
		fds[i] = client_connect(&r);
		client_send(fds[i], row, strlen(row));
	}
	for (int i = 0; i < N; i++) {
		client_read(fds[i], &a);
		ck_assert_int_eq(a.status, 201);
		close(fds[i]);
	}
	ck_assert_int_eq(fake.rows, N);
	ck_assert_int_le(fake.commits, N / 4);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_failed_commit_is_told_to_everyone)
{
	struct answer a = { 0 };
	char value[256];
	int fds[8];
	struct rig r;

	rig_init(&r);
	fake.fail_commit = E_STORAGE_FULL;
	rig_start(&r);
	for (int i = 0; i < 8; i++) {
		fds[i] = client_connect(&r);
		client_send(fds[i], row, strlen(row));
	}
	for (int i = 0; i < 8; i++) {
		client_read(fds[i], &a);
		ck_assert_int_eq(a.status, 507);
		ck_assert(strstr(buf_str(&a.body), "the disk is full"));
		ck_assert(strstr(buf_str(&a.body), "\"error_code\":\"storage_full\""));
		close(fds[i]);
	}
	ck_assert_int_eq(fake.rows, 0);
	ck_assert_int_eq(r.wake_calls, 0);
	fake.fail_commit = 0;
	fetch(&r, "POST", "/rows", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 201);
	ck_assert_ptr_nonnull(answer_header(&a, "X-Request-Id", value));
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_full_writer_queue_answers_503)
{
	struct answer a = { 0 };
	char value[256];
	struct server_stats stats = { 0 };
	int fds[4], n_refused = 0;
	struct rig r;

	rig_init(&r);
	r.config.limits.max_queued = 2;
	rig_start(&r);
	fds[0] = client_connect(&r);
	client_printf(fds[0], "POST /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	gate_wait_entered(1);
	for (int i = 1; i < 3; i++) {
		fds[i] = client_connect(&r);
		client_send(fds[i], row, strlen(row));
	}
	while (stats.writer_queue != 2) /* the two above may still be on their way */
		rig_stats(&r, &stats);
	fetch(&r, "POST", "/rows", NULL, "{}", &a);
	n_refused = a.status == 503;
	ck_assert_int_eq(n_refused, 1);
	ck_assert_str_eq(answer_header(&a, "Retry-After", value), "1");
	ck_assert(strstr(buf_str(&a.body), "too much work is waiting"));
	gate_open();
	for (int i = 0; i < 3; i++) {
		client_read(fds[i], &a);
		ck_assert_int_eq(a.status, (i ? 201 : 200));
		close(fds[i]);
	}
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_locked_database_ends_in_503_and_nothing_written)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	r.config.limits.write_ns = NS_PER_S;
	fake.busy = 1;
	rig_start(&r);
	fetch(&r, "POST", "/rows", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 503);
	ck_assert(strstr(buf_str(&a.body), "had no turn in time"));
	fake.busy = 0;
	fetch(&r, "POST", "/rows", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 201);
	ck_assert_int_eq(fake.rows, 1);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(work_that_takes_too_long_is_answered_504)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	r.config.limits.read_ns = NS_PER_S;
	rig_start(&r);
	fetch(&r, "GET", "/gate", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 504);
	ck_assert(strstr(buf_str(&a.body), "not answered in time"));
	gate_open(); /* the handler comes home to a connection that is gone */
	fetch(&r, "GET", "/items/a", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 200);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_silent_handler_is_an_internal_error)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fetch(&r, "GET", "/silent", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 500);
	ck_assert(strstr(buf_str(&a.body), "gave no answer"));
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

/* --- many connections at once --- */

/* libmicrohttpd's own epoll thread stalls when exactly 128 connections are ready: ours must
 * not.
 */
static void barrier(struct rig *r, int n, const char *text, const char *half_text)
{
	int *fds = xcalloc((size_t)n, sizeof(*fds)), n_slow = 0;
	struct answer a = { 0 };

	for (int i = 0; i < n; i++)
		fds[i] = client_connect(r);
	for (int round = 0; round < 5; round++) {
		int64_t start = clock_monotonic_ns();

		for (int i = 0; i < n; i++) {
			const char *t = i % 2 ? half_text : text;

			client_send(fds[i], t, strlen(t));
		}
		for (int i = 0; i < n; i++) {
			client_read(fds[i], &a);
			ck_assert_int_ge(a.status, 200);
			ck_assert_int_lt(a.status, 300);
		}
		n_slow += clock_monotonic_ns() - start > 2500 * NS_PER_MS;
	}
	ck_assert_msg(n_slow < 4, "%d connections stalled", n); /* a busy machine stops, too */
	for (int i = 0; i < n; i++)
		close(fds[i]);
	answer_done(&a);
	free(fds);
}

START_TEST(a_barrier_of_connections_does_not_stall)
{
	static const int sizes[] = { 127, 128, 129, 256 };
	static const char get_item[] = "GET /items/a HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		barrier(&r, sizes[i], get_health, get_health);
		barrier(&r, sizes[i], get_health, get_item);
		barrier(&r, sizes[i], row, get_item);
	}
	rig_stop(&r);
}
END_TEST

/* --- deadlines --- */

/* From start, which was before there was anything to wait for; -1: not in a minute. */
static int64_t time_to_close(int fd, int64_t start, const char *drip)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char c[512];

	while (clock_monotonic_ns() - start < 60 * NS_PER_S) {
		if (drip)
			client_send(fd, drip, 1);
		if (poll(&p, 1, 20) > 0 && recv(fd, c, sizeof(c), 0) <= 0)
			return clock_monotonic_ns() - start;
	}
	return -1;
}

START_TEST(a_dripping_head_is_cut_off)
{
	struct server_stats stats;
	struct answer a = { 0 };
	struct rig r;
	int64_t start;
	int fd;

	rig_init(&r);
	r.config.limits.head_ns = 500 * NS_PER_MS;
	rig_start(&r);
	start = clock_monotonic_ns();
	fd = client_connect(&r);
	client_printf(fd, "GET /healthz HTTP/1.1\r\nX-Slow: ");
	ck_assert_int_ge(time_to_close(fd, start, "a"), 450 * NS_PER_MS);
	close(fd);
	start = clock_monotonic_ns();
	fd = client_connect(&r); /* says nothing at all */
	ck_assert_int_ge(time_to_close(fd, start, NULL), 450 * NS_PER_MS);
	close(fd);
	fd = client_connect(&r); /* drips its second head */
	client_send(fd, get_health, strlen(get_health));
	start = clock_monotonic_ns();
	client_read(fd, &a);
	client_printf(fd, "GET /healthz HTTP/1.1\r\nX-Slow: ");
	ck_assert_int_ge(time_to_close(fd, start, "a"), 450 * NS_PER_MS);
	close(fd);
	rig_stats(&r, &stats);
	ck_assert_int_eq(stats.deadline_closes, 3);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_dripping_body_and_an_idle_connection_are_cut_off)
{
	struct answer a = { 0 };
	struct rig r;
	int64_t start;
	int fd;

	rig_init(&r);
	r.config.limits.body_grace_ns = 500 * NS_PER_MS;
	r.config.limits.idle_ns = 500 * NS_PER_MS;
	rig_start(&r);
	start = clock_monotonic_ns();
	fd = client_connect(&r);
	client_printf(fd,
		"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
	ck_assert_int_ge(time_to_close(fd, start, "a"), 450 * NS_PER_MS);
	close(fd);
	fd = client_connect(&r);
	client_send(fd, get_health, strlen(get_health));
	start = clock_monotonic_ns();
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_int_ge(time_to_close(fd, start, NULL), 450 * NS_PER_MS);
	close(fd);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_cut_off)
{
	struct server_stats stats = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	r.config.limits.send_ns = 100 * NS_PER_MS;
	r.config.limits.send_rate = 1000 * MiB;
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /big?n=20000000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	for (int i = 0; i < 2000 && !stats.deadline_closes; i++) {
		poll(NULL, 0, 10);
		rig_stats(&r, &stats);
	}
	ck_assert_int_eq(stats.deadline_closes, 1);
	close(fd);
	rig_stop(&r);
}
END_TEST

/* --- waiting --- */

START_TEST(a_parked_request_is_woken_by_its_key)
{
	struct server_stats stats = { 0 };
	struct answer a = { 0 };
	char value[256];
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /wait HTTP/1.1\r\nHost: a\r\nPrefer: wait=60\r\n\r\n");
	while (!stats.parked)
		rig_stats(&r, &stats);
	rig_notify(&r, "another");
	rig_notify(&r, "level"); /* nothing has changed: parks again */
	for (stats.parked = 0; !stats.parked;)
		rig_stats(&r, &stats);
	fetch(&r, "POST", "/level", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 204);
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(buf_str(&a.body), "reached\n");
	ck_assert_str_eq(answer_header(&a, "Preference-Applied", value), "wait=60");
	close(fd);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_parked_request_ends_at_its_deadline)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fetch(&r, "GET", "/wait?wait=100ms", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(buf_str(&a.body), "deadline\n");
	fetch(&r, "GET", "/wait", NULL, NULL, &a); /* 0 s */
	ck_assert_str_eq(buf_str(&a.body), "deadline\n");
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(too_many_parked_requests_are_turned_away)
{
	struct server_stats stats = { 0 };
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	r.config.limits.max_parked = 1;
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /wait?wait=60 HTTP/1.1\r\nHost: a\r\n\r\n");
	while (!stats.parked)
		rig_stats(&r, &stats);
	fetch(&r, "GET", "/wait?wait=60", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 503);
	ck_assert(strstr(buf_str(&a.body), "too many requests are waiting"));
	close(fd);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

/* Many rounds of "park while it is being notified": a lost one would wait for 60 s. */
START_TEST(no_notification_is_lost_while_parking)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	for (int i = 1; i <= 200; i++) {
		int fd = client_connect(&r), fd2 = client_connect(&r);

		client_printf(fd, "GET /wait?level=%d&wait=60 HTTP/1.1\r\nHost: a\r\n\r\n", i);
		client_printf(fd2, "POST /level HTTP/1.1\r\nHost: a\r\n\r\n");
		client_read(fd, &a);
		ck_assert_str_eq(buf_str(&a.body), "reached\n");
		client_read(fd2, &a);
		close(fd);
		close(fd2);
	}
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_notification_before_the_parking_still_wakes)
{
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /slow-wait HTTP/1.1\r\nHost: a\r\n\r\n");
	gate_wait_entered(1);
	fetch(&r, "POST", "/level", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 204);
	gate_open();
	client_read(fd, &a);
	ck_assert_str_eq(buf_str(&a.body), "reached\n");
	close(fd);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

/* --- event streams --- */

static void read_until(int fd, struct buf *out, const char *text)
{
	for (int i = 0; i < 6000 && !strstr(buf_str(out), text); i++)
		client_read_all(fd, out, 10, NULL);
	ck_assert_msg(strstr(buf_str(out), text) != NULL, "no '%s' in: %s", text, buf_str(out));
}

START_TEST(events_are_streamed_and_replayed)
{
	struct answer a = { 0 };
	struct buf out = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	r.config.limits.heartbeat_ns = 50 * NS_PER_MS;
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	read_until(fd, &out, "retry: 3000\n\n");
	ck_assert(strstr(out.data, "Content-Type: text/event-stream"));
	ck_assert(strstr(out.data, "X-Accel-Buffering: no"));
	ck_assert(strstr(out.data, "Cache-Control: no-store"));
	for (int i = 1; i <= 3; i++) {
		char text[64];

		fetch(&r, "POST", "/level", NULL, NULL, &a);
		snprintf(text, sizeof(text), "id: %d\nevent: level\n", i);
		read_until(fd, &out, text);
	}
	read_until(fd, &out, ": ping\n\n");
	ck_assert_int_eq(count_text(out.data, "event: level"), 3);
	close(fd);
	buf_clear(&out);
	fd = client_connect(&r);
	client_printf(fd, "GET /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 1\r\n\r\n");
	read_until(fd, &out, "id: 3\n");
	ck_assert_int_eq(count_text(out.data, "event: level"), 2);
	close(fd);
	buf_done(&out);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_stream_ends_when_there_is_nothing_more)
{
	struct answer a = { 0 };
	struct buf out = { 0 };
	bool is_closed = false;
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < 100; i++)
		fetch(&r, "POST", "/level", NULL, NULL, &a);
	client_read_all(fd, &out, 10000, &is_closed);
	ck_assert(is_closed);
	ck_assert_int_eq(count_text(out.data, "event: level"), 100);
	ck_assert(strstr(out.data, "\r\n0\r\n\r\n"));
	close(fd);
	buf_done(&out);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_client_that_has_gone_frees_its_stream)
{
	struct server_stats stats = { 0 };
	struct answer a = { 0 };
	struct rig r;
	int fd;

	rig_init(&r);
	r.config.limits.heartbeat_ns = 20 * NS_PER_MS;
	r.config.limits.max_streams = 1;
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	while (!stats.streams)
		rig_stats(&r, &stats);
	fetch(&r, "GET", "/events", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 503);
	close(fd);
	for (int i = 0; i < 1000 && stats.streams; i++) {
		poll(NULL, 0, 10);
		rig_stats(&r, &stats);
	}
	ck_assert_int_eq(stats.streams, 0);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

/* --- shutdown --- */

START_TEST(shutdown_answers_what_is_parked_and_ends_streams)
{
	struct server_stats stats = { 0 };
	struct answer a = { 0 };
	struct buf out = { 0 };
	bool is_closed = false;
	struct rig r;
	int fds[4];

	rig_init(&r);
	rig_start(&r);
	for (int i = 0; i < 4; i++)
		fds[i] = client_connect(&r);
	client_printf(fds[0], "GET /wait?wait=60 HTTP/1.1\r\nHost: a\r\n\r\n");
	client_printf(fds[1], "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	client_printf(fds[2], "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	client_printf(fds[3], "GET /half HTTP/1.1\r\n");
	gate_wait_entered(1);
	while (!stats.parked || !stats.streams)
		rig_stats(&r, &stats);
	rig_begin_stop(&r);
	gate_open();
	client_read(fds[0], &a);
	ck_assert_int_eq(a.status, 503);
	ck_assert(strstr(buf_str(&a.body), "shutting down"));
	client_read_all(fds[1], &out, 10000, &is_closed);
	ck_assert(is_closed);
	client_read(fds[2], &a);
	ck_assert_int_eq(a.status, 200);
	client_read(fds[3], &a);
	ck_assert_int_eq(a.status, 0);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	buf_done(&out);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(shutdown_does_not_wait_for_ever)
{
	struct answer a = { 0 };
	struct rig r;
	int fds[2];

	rig_init(&r);
	r.config.limits.drain_ns = 100 * NS_PER_MS;
	rig_start(&r);
	fds[0] = client_connect(&r);
	client_printf(fds[0], "POST /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	gate_wait_entered(1);
	fds[1] = client_connect(&r);
	client_send(fds[1], row, strlen(row));
	for (struct server_stats s = { 0 }; !s.writer_queue;)
		rig_stats(&r, &s);
	rig_begin_stop(&r);
	client_read(fds[0], &a);
	ck_assert_int_eq(a.status, 504);
	client_read(fds[1], &a);
	ck_assert_int_eq(a.status, 503);
	gate_open();
	close(fds[0]);
	close(fds[1]);
	answer_done(&a);
	rig_stop(&r);
	ck_assert_int_eq(fake.rows, 0);
}
END_TEST

START_TEST(a_port_in_use_is_named)
{
	struct listen_addr taken;
	struct server_config c;
	struct server *s = NULL;
	struct error err = { 0 };
	uv_loop_t loop;
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	uv_loop_init(&loop);
	taken = (struct listen_addr){ .host = "127.0.0.1", .port = r.port, .fd = -1 };
	c = r.config;
	c.loop = &loop;
	c.listen = &taken;
	ck_assert_int_eq(server_start(&c, &s, &err), E_IO);
	ck_assert(strstr(err.text, "cannot listen on '127.0.0.1' port"));
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	rig_stop(&r);
}
END_TEST

/* --- more doors --- */

START_TEST(a_unix_socket_is_served_beside_tcp)
{
	char path[] = "/tmp/benchd-unit-XXXXXX", file[64];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct answer a = { 0 };
	struct rig r;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/http.sock", path);
	rig_init(&r);
	r.listen[1] = (struct listen_addr){ .unix_path = file, .fd = -1 };
	r.config.n_listen = 2;
	rig_start(&r);
	strcpy(addr.sun_path, file);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	client_printf(fd, "GET /who HTTP/1.1\r\nHost: whatever\r\n\r\n");
	client_read(fd, &a);
	ck_assert_int_eq(a.status, 200);
	close(fd);
	fetch(&r, "GET", "/healthz", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 200);
	answer_done(&a);
	rig_stop(&r);
	ck_assert_int_ne(access(file, F_OK), 0);
	rmdir(path);
}
END_TEST

START_TEST(a_passed_in_socket_is_served)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	r.listen[0].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(r.listen[0].fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(r.listen[0].fd, 10), 0);
	rig_start(&r);
	fetch(&r, "GET", "/healthz", NULL, NULL, &a);
	ck_assert_int_eq(a.status, 200);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(head_has_the_headers_and_no_body)
{
	struct buf out = { 0 };
	bool is_closed;
	struct rig r;
	int fd;

	rig_init(&r);
	rig_start(&r);
	fd = client_connect(&r);
	client_printf(fd, "HEAD /big?n=77 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	client_read_all(fd, &out, 5000, &is_closed);
	ck_assert(is_closed);
	ck_assert(strstr(out.data, "Content-Length: 77\r\n"));
	ck_assert(!strcmp(out.data + out.len - 4, "\r\n\r\n"));
	ck_assert_int_eq(count_text(out.data, "\r\n\r\n"), 1);
	close(fd);
	buf_done(&out);
	rig_stop(&r);
}
END_TEST

START_TEST(metrics_count_by_route)
{
	struct answer a = { 0 };
	struct buf out = { 0 };
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fetch(&r, "GET", "/items/a", NULL, NULL, &a);
	fetch(&r, "GET", "/items/b", NULL, NULL, &a);
	fetch(&r, "GET", "/nowhere", NULL, NULL, &a);
	fetch(&r, "POST", "/rows", NULL, "{}", &a);
	server_format_metrics(r.server, &out); /* any thread */
	ck_assert(strstr(out.data, "benchd_http_requests_total{method=\"GET\",route=\"/items/"
				   "{name}\",status=\"2xx\"} 2\n"));
	ck_assert(strstr(out.data, "route=\"(none)\",status=\"4xx\"} 1\n"));
	ck_assert(strstr(out.data, "le=\"+Inf\"} 2\n"));
	ck_assert(strstr(out.data, "benchd_writer_commits_total 1\n"));
	buf_done(&out);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_reader_may_hand_on_to_the_writer_and_back)
{
	struct answer a = { 0 };
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	fetch(&r, "POST", "/three", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 201);
	ck_assert_str_eq(buf_str(&a.body), "-t-");
	ck_assert_int_eq(fake.rows, 1);
	fetch(&r, "POST", "/three?early", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 422);
	fetch(&r, "POST", "/three?late", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 409);
	ck_assert(strstr(buf_str(&a.body), "not like this"));
	ck_assert_int_eq(fake.rows, 1);
	fake.fail_commit = E_STORAGE_FULL;
	fetch(&r, "POST", "/three", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 507);
	ck_assert_int_eq(fake.rows, 1);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

START_TEST(a_full_queue_stops_what_a_reader_hands_on)
{
	struct server_stats stats = { 0 };
	struct answer a = { 0 };
	struct rig r;
	int gate, waiting;

	rig_init(&r);
	r.config.limits.max_queued = 1;
	rig_start(&r);
	gate = client_connect(&r);
	client_printf(gate, "POST /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	gate_wait_entered(1);
	waiting = client_connect(&r);
	client_send(waiting, row, strlen(row));
	while (stats.writer_queue != 1)
		rig_stats(&r, &stats);
	fetch(&r, "POST", "/three", NULL, "{}", &a);
	ck_assert_int_eq(a.status, 503);
	gate_open();
	client_read(gate, &a);
	client_read(waiting, &a);
	ck_assert_int_eq(a.status, 201);
	ck_assert_int_eq(fake.rows, 1);
	close(gate);
	close(waiting);
	answer_done(&a);
	rig_stop(&r);
}
END_TEST

SUITE("http-server", a_connection_serves_many_requests, a_write_is_answered_after_its_commit,
	a_failing_write_rolls_back_only_itself, writes_that_wait_together_share_a_commit,
	a_failed_commit_is_told_to_everyone, a_full_writer_queue_answers_503,
	a_locked_database_ends_in_503_and_nothing_written,
	work_that_takes_too_long_is_answered_504, a_silent_handler_is_an_internal_error,
	a_barrier_of_connections_does_not_stall, a_dripping_head_is_cut_off,
	a_dripping_body_and_an_idle_connection_are_cut_off,
	a_client_that_does_not_read_is_cut_off, a_parked_request_is_woken_by_its_key,
	a_parked_request_ends_at_its_deadline, too_many_parked_requests_are_turned_away,
	no_notification_is_lost_while_parking, a_notification_before_the_parking_still_wakes,
	events_are_streamed_and_replayed, a_stream_ends_when_there_is_nothing_more,
	a_client_that_has_gone_frees_its_stream,
	shutdown_answers_what_is_parked_and_ends_streams, shutdown_does_not_wait_for_ever,
	a_port_in_use_is_named, a_unix_socket_is_served_beside_tcp,
	a_passed_in_socket_is_served, head_has_the_headers_and_no_body, metrics_count_by_route,
	a_reader_may_hand_on_to_the_writer_and_back, a_full_queue_stops_what_a_reader_hands_on)
