/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Load for `make bench-http`: keep-alive connections, one request in flight on each, one
 * thread.
 *
 *   http-load [--rate N] PORT PATH CONNECTIONS SECONDS [BODY-BYTES | @FILE]
 *
 * With BODY-BYTES it POSTs a JSON body of about that size, with @FILE the file. With --rate it
 * begins N requests a second, evenly, as long as a connection is free. Prints one line of JSON:
 * requests, errors (answers that are not 2xx, broken connections), requests a second, latencies
 * in microseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"

enum { EVENTS = 256, ANSWER_MAX = 64 * 1024 };

struct connection {
	int fd;
	size_t sent;
	int64_t started_ns;
	size_t n_in;
	char in[4096 + 1]; /* head of the answer, and its body if that is short */
	int64_t left;	   /* of the body, once the head is complete; -1 before */
	bool is_idle;	   /* waits for its turn, with --rate */
};

static struct {
	struct buf request;
	uint32_t *latencies_us;
	size_t n, cap;
	int64_t errors;
	bool is_warm;
	int64_t every_ns; /* between requests; 0: as fast as it goes */
	int64_t due_ns;	  /* the next one */
	struct connection *list;
	int n_connections;
} load;

static int open_connection(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		fprintf(stderr, "http-load: cannot connect to port %d: %s\n", port,
			strerror(errno));
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void make_body(const char *what, struct buf *json)
{
	struct error err = { 0 };

	if (*what == '@') {
		if (file_read(what + 1, ANSWER_MAX, json, &err) < 0) {
			fprintf(stderr, "http-load: %s\n", err.text);
			exit(1);
		}
		return;
	}
	buf_add_str(json, "{\"data\":\"");
	while (json->len + 2 < (size_t)atoi(what))
		buf_add_char(json, 'x');
	buf_add_str(json, "\"}");
}

static void make_request(const char *path, int port, const char *body)
{
	struct buf json = { 0 };

	if (body)
		make_body(body, &json);
	buf_printf(&load.request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
		body ? "POST" : "GET", path, port);
	if (body)
		buf_printf(&load.request,
			"Content-Type: application/json\r\nContent-Length: %zu\r\n", json.len);
	buf_printf(&load.request, "\r\n%s", buf_str(&json));
	buf_done(&json);
}

static void start_request(struct connection *c)
{
	c->started_ns = clock_monotonic_ns();
	c->n_in = 0;
	c->left = -1;
	if (send(c->fd, load.request.data, load.request.len, MSG_NOSIGNAL) !=
		(ssize_t)load.request.len)
		load.errors++; /* such a small request goes at once or not at all */
}

static void record(struct connection *c)
{
	int64_t us = (clock_monotonic_ns() - c->started_ns) / 1000;
	int status = 0;

	sscanf(c->in, "HTTP/1.1 %d", &status);
	if (status < 200 || status > 299)
		load.errors++;
	if (!load.is_warm)
		return;
	if (load.n == load.cap) {
		load.cap = load.cap ? load.cap * 2 : 1 << 20;
		load.latencies_us =
			xrealloc(load.latencies_us, load.cap * sizeof(*load.latencies_us));
	}
	load.latencies_us[load.n++] = (uint32_t)us;
}

/* True when the answer is complete. */
static bool take_bytes(struct connection *c, const char *data, size_t n)
{
	char *end, *length;
	size_t room = sizeof(c->in) - 1 - c->n_in;

	if (c->left >= 0) {
		c->left -= (int64_t)n;
		return c->left <= 0;
	}
	memcpy(c->in + c->n_in, data, MIN(n, room));
	c->n_in += MIN(n, room);
	c->in[c->n_in] = 0;
	end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return false;
	length = strcasestr(c->in, "\r\nContent-Length:");
	c->left = length && length < end ? atoll(length + 17) : 0;
	c->left -= c->in + c->n_in - (end + 4);
	if (n > room)
		c->left -= (int64_t)(n - room);
	return c->left <= 0;
}

static void on_readable(struct connection *c)
{
	static char data[ANSWER_MAX];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		fprintf(stderr, "http-load: the server closed a connection\n");
		exit(1);
	}
	if (!take_bytes(c, data, (size_t)n))
		return;
	record(c);
	if (load.every_ns)
		c->is_idle = true;
	else
		start_request(c);
}

/* What the pace says is due, on connections that are free. */
static void start_due(void)
{
	int64_t now_ns = clock_monotonic_ns();

	for (int i = 0; i < load.n_connections && load.due_ns <= now_ns; i++)
		if (load.list[i].is_idle) {
			load.list[i].is_idle = false;
			load.due_ns += load.every_ns;
			start_request(&load.list[i]);
		}
	/* No burst to catch up with what could not be begun. */
	if (load.due_ns < now_ns - NS_PER_S / 10)
		load.due_ns = now_ns;
}

static void run(int epoll, int64_t for_ns)
{
	int64_t until_ns = clock_monotonic_ns() + for_ns;
	struct epoll_event events[EVENTS];

	while (clock_monotonic_ns() < until_ns) {
		int n = epoll_wait(epoll, events, EVENTS, load.every_ns ? 1 : 100);

		for (int i = 0; i < n; i++)
			on_readable(events[i].data.ptr);
		if (load.every_ns)
			start_due();
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t quantile(double q)
{
	return load.n ? load.latencies_us[(size_t)(q * (double)(load.n - 1))] : 0;
}

int main(int argc, char **argv)
{
	int port, n, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct connection *list;
	double seconds;

	if (argc > 3 && !strcmp(argv[1], "--rate") && atoi(argv[2]) > 0) {
		load.every_ns = NS_PER_S / atoi(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc < 5) {
		fprintf(stderr, "usage: http-load [--rate N] PORT PATH CONNECTIONS SECONDS "
				"[BODY-BYTES | @FILE]\n");
		return 2;
	}
	port = atoi(argv[1]);
	n = atoi(argv[3]);
	seconds = atof(argv[4]);
	make_request(argv[2], port, argc > 5 ? argv[5] : NULL);
	load.list = list = xcalloc((size_t)n, sizeof(*list));
	load.n_connections = n;
	load.due_ns = clock_monotonic_ns();
	for (int i = 0; i < n; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = &list[i] };

		list[i].fd = open_connection(port);
		epoll_ctl(epoll, EPOLL_CTL_ADD, list[i].fd, &e);
		list[i].is_idle = load.every_ns > 0;
		if (!list[i].is_idle)
			start_request(&list[i]);
	}
	run(epoll, (int64_t)(seconds / 10 * NS_PER_S));
	load.is_warm = true;
	run(epoll, (int64_t)(seconds * NS_PER_S));
	qsort(load.latencies_us, load.n, sizeof(*load.latencies_us), compare);
	printf("{\"connections\":%d,\"requests\":%zu,\"errors\":%lld,\"per_second\":%.0f,"
	       "\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
		n, load.n, (long long)load.errors, (double)load.n / seconds, quantile(0.5),
		quantile(0.99), quantile(1));
	return load.errors ? 1 : 0;
}
