/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who gets in at the start: the first key, and sockets that systemd passed in. */
#include "tests/lib/store.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/sd.h"
#include "base/secret.h"
#include "daemon/first_token.h"
#include "daemon/sockets.h"

/* --- the first key --- */

static void begin(void)
{
	make_folder();
	ok(store_open(db_path, &db, &err));
}

static void end(void)
{
	store_close(db);
	remove_folder();
}

static const char *key_file(struct buf *b)
{
	ok(file_read(arena_printf(mem, "%s/admin.token", folder), KiB, b, &err));
	return buf_str(b);
}

static int64_t n_keys(void)
{
	int64_t n;

	ok(store_token_count(db, &n, &err));
	return n;
}

START_TEST(the_first_key_is_in_a_file_of_its_owner_and_has_every_scope)
{
	uint8_t digest[SHA256_BYTES];
	struct buf b = { 0 };
	const char *key;
	struct token t;
	struct stat st;

	begin();
	ok(first_token_make(db, folder, &err));
	key = key_file(&b);
	ck_assert_uint_eq(strlen(key), strlen("bencher_user_") + 30);
	ck_assert_int_eq(stat(arena_printf(mem, "%s/admin.token", folder), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	sha256(key, strlen(key), digest);
	ok(store_token_find(db, mem, digest, &t, &err));
	ck_assert_uint_eq(t.scopes, 1u << S_ADMIN);
	ck_assert_str_eq(t.last_four, key + strlen(key) - 4);
	buf_done(&b);
	end();
}
END_TEST

START_TEST(there_is_one_first_key)
{
	struct buf one = { 0 }, other = { 0 };

	begin();
	ok(first_token_make(db, folder, &err));
	key_file(&one);
	ok(first_token_make(db, folder, &err));
	ck_assert_str_eq(key_file(&other), buf_str(&one));
	ck_assert_int_eq(n_keys(), 1);
	buf_done(&one);
	buf_done(&other);
	end();
}
END_TEST

START_TEST(a_key_that_nobody_could_read_is_not_stored)
{
	begin();
	ck_assert_int_lt(first_token_make(db, "/proc/no such folder", &err), 0);
	ck_assert_msg(strstr(err.text, "/proc/no such folder") != NULL, "%s", err.text);
	ck_assert_int_eq(n_keys(), 0);
	end();
}
END_TEST

/* --- sockets --- */

enum { FIRST_FD = 3, FAILED = 100 };

static int listening(const struct sockaddr *a, socklen_t n)
{
	int fd = socket(a->sa_family, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, a, n), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fcntl(fd, F_DUPFD, 50); /* well above those that are passed in */
}

static int on_v4(uint32_t address)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };

	return listening((void *)&a, sizeof(a));
}

static int on_v6(struct in6_addr address)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = address };

	return listening((void *)&a, sizeof(a));
}

static int on_path(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", folder, name);
	return listening((void *)&a, sizeof(a));
}

/* A process to which systemd passed n descriptors; its exit status is what `what` returns. */
static int passed(
	const int *fds, int n, const struct config *c, int (*what)(const struct sockets *s))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct sockets s;
		char text[16];

		for (int i = 0; i < n; i++)
			dup2(fds[i], FIRST_FD + i);
		snprintf(text, sizeof(text), "%d", (int)getpid());
		setenv("LISTEN_PID", text, 1);
		snprintf(text, sizeof(text), "%d", n);
		setenv("LISTEN_FDS", text, 1);
		sd_init();
		_exit(sockets_take(c, &s, &err) == OK ? what(&s) : FAILED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int is_remote(const struct sockets *s)
{
	return s->has_remote;
}

static int what_is_there(const struct sockets *s)
{
	return (int)s->n_listen + (s->worker_fd >= 0 ? 10 : 0);
}

START_TEST(what_other_hosts_can_reach_is_known)
{
	struct config c = { 0 };
	int fd;

	fd = on_v4(INADDR_LOOPBACK);
	ck_assert_int_eq(passed(&fd, 1, &c, is_remote), false);
	fd = on_v4(INADDR_LOOPBACK + 5);
	ck_assert_int_eq(passed(&fd, 1, &c, is_remote), false);
	fd = on_v4(INADDR_ANY);
	ck_assert_int_eq(passed(&fd, 1, &c, is_remote), true);
	if (access("/proc/net/if_inet6", F_OK) < 0)
		return;
	fd = on_v6(in6addr_any);
	ck_assert_int_eq(passed(&fd, 1, &c, is_remote), true);
}
END_TEST

START_TEST(workers_have_the_socket_of_their_name)
{
	struct listen_addr usual = { .fd = -1 };
	struct config c = { .listen = &usual, .n_listen = 1 };
	int fds[3];

	make_folder();
	fds[0] = on_path("worker.sock");
	fds[1] = on_path("web.sock");
	fds[2] = on_path("not-worker.sock");
	ck_assert_int_eq(passed(fds, 1, &c, what_is_there), 11); /* and the default address */
	ck_assert_int_eq(passed(fds, 3, &c, what_is_there), 12); /* which is not asked for */
	c.is_listen_given = true;
	ck_assert_int_eq(passed(fds, 3, &c, what_is_there), 13);
	ck_assert_int_eq(passed(fds + 1, 2, &c, is_remote), false);
	remove_folder();
}
END_TEST

START_TEST(what_is_no_listening_socket_is_refused)
{
	struct config c = { 0 };
	int fd = open("/dev/null", O_RDONLY), quiet = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(passed(&fd, 1, &c, what_is_there), FAILED);
	ck_assert_int_eq(passed(&quiet, 1, &c, what_is_there), FAILED);
}
END_TEST

START_TEST(more_sockets_than_there_is_room_for_are_refused)
{
	struct config c = { 0 };
	int fds[SOCKETS_MAX + 1];

	for (int i = 0; i <= SOCKETS_MAX; i++)
		fds[i] = on_v4(INADDR_LOOPBACK);
	ck_assert_int_eq(passed(fds, SOCKETS_MAX, &c, what_is_there), SOCKETS_MAX);
	ck_assert_int_eq(passed(fds, SOCKETS_MAX + 1, &c, what_is_there), FAILED);
}
END_TEST

SUITE("door", the_first_key_is_in_a_file_of_its_owner_and_has_every_scope,
	there_is_one_first_key, a_key_that_nobody_could_read_is_not_stored,
	what_other_hosts_can_reach_is_known, workers_have_the_socket_of_their_name,
	what_is_no_listening_socket_is_refused, more_sockets_than_there_is_room_for_are_refused)
