/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/http_rig.h"

#include <strings.h>

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

SUITE("http-server", a_connection_serves_many_requests, a_write_is_answered_after_its_commit,
	a_failing_write_rolls_back_only_itself)
