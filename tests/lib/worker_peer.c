/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's end of the worker link, driven by a script: worker_peer WORKER [ARG...]
 * Starts the worker with a socketpair as BENCHD_LINK_FD and obeys the lines on stdin:
 *   send JSON          a message to the worker
 *   await TYPE [N]     until N (1) messages of this type came since the last await
 *   jobs N SPECFILE    N jobs of this spec one after another; prints "jobs N in X ms"
 *   kill WHO           SIGKILL to the worker, its runner, or both
 *   sleep MS           wait so long
 *   file PATH          until there is such a file
 *   close              close the link
 *   exit               wait for the worker to end; prints "exit STATUS"
 * Every message received is printed on stdout as it is. Fails after 60 s without progress. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/ndjson.h"
#include "base/secret.h"

enum { PATIENCE_MS = 60000 };

static struct {
	int fd;
	pid_t pid;
	struct ndjson in;
} peer;

static __attribute__((noreturn)) void give_up(const char *what, const char *detail)
{
	printf("peer: %s %s\n", what, detail);
	exit(1);
}

/* Next message; NULL when the worker closed the link. */
static json_t *receive(void)
{
	struct error err;
	char chunk[65536];
	json_t *j;

	for (;;) {
		struct pollfd p = { .fd = peer.fd, .events = POLLIN };
		ssize_t n;

		if (ndjson_next(&peer.in, &j, &err) < 0)
			give_up("broken line:", err.text);
		if (j)
			return j;
		if (poll(&p, 1, PATIENCE_MS) == 0)
			give_up("no message for", "60 s");
		n = read(peer.fd, chunk, sizeof(chunk));
		if (n <= 0)
			return NULL;
		ndjson_feed(&peer.in, chunk, (size_t)n);
	}
}

static void print_message(const json_t *j)
{
	char *text = json_text(j);

	puts(text);
	fflush(stdout);
	free(text);
}

static void await(const char *type, int n)
{
	while (n > 0) {
		json_t *j = receive();

		if (!j)
			give_up("the link ended before", type);
		print_message(j);
		n -= !strcmp(json_get_str(j, "type", ""), type);
		json_decref(j);
	}
}

static void send_line(const char *text)
{
	struct error err;

	if (write_all(peer.fd, text, strlen(text), &err) < 0 ||
		write_all(peer.fd, "\n", 1, &err) < 0)
		give_up("cannot send:", err.text);
}

static void run_jobs(int n, const char *path)
{
	struct buf spec = { 0 };
	struct error err;
	int64_t start;

	if (file_read(path, 1 << 20, &spec, &err) < 0)
		give_up("spec:", err.text);
	spec.data[strcspn(spec.data, "\n")] = 0;
	start = clock_monotonic_ns();
	for (int i = 0; i < n; i++) {
		char uuid[UUID_TEXT];
		char *line =
			xasprintf("{\"type\":\"job\",\"job\":\"%s\",\"attempt\":1,\"spec\":%s}",
				uuid_new(uuid), spec.data);
		json_t *j;

		send_line(line);
		free(line);
		do {
			j = receive();
			if (!j)
				give_up("the link ended during", "jobs");
			if (!strcmp(json_get_str(j, "type", ""), "done"))
				break;
			json_decref(j);
		} while (1);
		if (strcmp(json_get_str(j, "status", ""), "succeeded"))
			print_message(j);
		json_decref(j);
	}
	printf("jobs %d in %.1f ms\n", n, (double)(clock_monotonic_ns() - start) / 1e6);
	buf_done(&spec);
}

/* The worker's first child. */
static pid_t find_runner(void)
{
	char path[64];
	struct buf b = { 0 };
	struct error err;
	pid_t pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)peer.pid, (int)peer.pid);
	if (file_read(path, 65536, &b, &err) == OK)
		pid = atoi(buf_str(&b));
	buf_done(&b);
	if (!pid)
		give_up("the worker has no", "runner");
	return pid;
}

static void kill_who(const char *who)
{
	pid_t runner = strcmp(who, "worker") ? find_runner() : 0;

	if (strcmp(who, "runner"))
		kill(peer.pid, SIGKILL);
	if (runner)
		kill(runner, SIGKILL);
}

static void finish(void)
{
	int status;
	json_t *j;

	while ((j = receive())) {
		print_message(j);
		json_decref(j);
	}
	waitpid(peer.pid, &status, 0);
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("exit signal %d\n", WTERMSIG(status));
}

static void await_file(const char *path)
{
	for (int i = 0; access(path, F_OK) < 0; i++) {
		if (i == PATIENCE_MS / 10)
			give_up("there is no file", path);
		poll(NULL, 0, 10);
	}
}

static void obey(char *line)
{
	char word[64] = "", path[4096] = "";
	int n = 1;

	if (!strncmp(line, "send ", 5))
		send_line(line + 5);
	else if (sscanf(line, "await %63s %d", word, &n) >= 1)
		await(word, n);
	else if (sscanf(line, "jobs %d %4095s", &n, path) == 2)
		run_jobs(n, path);
	else if (sscanf(line, "kill %63s", word) == 1)
		kill_who(word);
	else if (sscanf(line, "file %4095s", path) == 1)
		await_file(path);
	else if (sscanf(line, "sleep %d", &n) == 1)
		poll(NULL, 0, n);
	else if (!strcmp(line, "close"))
		shutdown(peer.fd, SHUT_RDWR);
	else if (!strcmp(line, "exit"))
		finish();
	else if (*line)
		give_up("unknown line:", line);
}

static void start(char **argv)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		give_up("socketpair:", strerror(errno));
	fflush(stdout);
	peer.pid = fork();
	if (peer.pid == 0) {
		char text[16];

		close(pair[0]);
		snprintf(text, sizeof(text), "%d", pair[1]);
		setenv("BENCHD_LINK_FD", text, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	close(pair[1]);
	peer.fd = pair[0];
	ndjson_init(&peer.in, 8 * 1024 * 1024);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (argc < 2)
		give_up("usage:", "worker_peer WORKER [ARG...] < SCRIPT");
	signal(SIGPIPE, SIG_IGN);
	start(argv + 1);
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		obey(line);
	}
	free(line);
	return 0;
}
