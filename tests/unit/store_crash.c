/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is acknowledged survives: a writer killed at random moments, a disk that takes no more.
 */
#include "tests/lib/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/rng.h"

enum { KILLS = 50 };

/* Adds jobs in batches of 1 to 20, one commit each; writes the id of the newest to fd once they
 * are committed. Every few batches a checkpoint. Runs until it is killed. */
static void write_until_killed(int fd)
{
	struct rng rng;
	struct job j = { 0 };

	rng_init(&rng, (uint64_t)getpid());
	ok(store_open(db_path, &db, &err));
	for (;;) {
		int n = 1 + (int)rng_below(&rng, 20);

		ok(store_begin(db, &err));
		for (int i = 0; i < n; i++)
			j = add_job(1, "killed", PRIORITY_MANUAL);
		ok(store_commit(db, &err));
		ck_assert_int_eq(write(fd, &j.id, sizeof(j.id)), sizeof(j.id));
		if (rng_below(&rng, 8) == 0)
			ok(store_checkpoint(db, rng_below(&rng, 2), &err));
	}
}

/* check's assertions tell the test's process where they are, in a file that this one shares.
 * One that is killed in the middle of that leaves half a message there: this process has
 * nothing to tell but its end, and what it writes to fd. */
static void tell_nothing_but(int fd)
{
	int null = open("/dev/null", O_RDWR);

	for (int other = 3; other < 1024; other++)
		if (other != fd && other != null && fcntl(other, F_GETFD) >= 0)
			(void)dup2(null, other);
}

/* Kills the writer some work after it acknowledged n_acks commits, anywhere in its next ones.
 * The newest acknowledged id. */
static int64_t run_and_kill(int n_acks, struct rng *rng)
{
	int64_t id, last = 0;
	volatile uint64_t work = rng_below(rng, 2000000);
	int fds[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(fds[0]);
		tell_nothing_but(fds[1]);
		write_until_killed(fds[1]);
		_exit(1);
	}
	close(fds[1]);
	while (n_acks-- > 0)
		ck_assert_int_eq(read(fds[0], &last, sizeof(last)), sizeof(last));
	while (work)
		work--;
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(fds[0], &id, sizeof(id)) == sizeof(id))
		last = id;
	close(fds[0]);
	return last;
}

START_TEST(nothing_acknowledged_is_lost_when_the_writer_is_killed)
{
	struct rng rng;

	rng_init(&rng, 20261121);
	start();
	a_project("p");
	ok(store_commit(db, &err));
	store_close(db);
	for (int i = 0; i < KILLS; i++) {
		int64_t last = run_and_kill(1 + (int)rng_below(&rng, 15), &rng);
		int64_t newest, n;

		ok(store_open(db_path, &db, &err));
		ok(db_pragma_int(db, "SELECT max(id) FROM job", &newest, &err));
		ok(db_pragma_int(db, "SELECT count(*) FROM job", &n, &err));
		ck_assert_int_ge(newest, last);
		/* ids are given without gaps: no row between is missing, none is double */
		ck_assert_int_eq(n, newest);
		if (i % 10 == 9)
			ok(store_check(db, &err));
		store_close(db);
	}
	ok(store_open(db_path, &db, &err));
	ok(store_begin(db, &err));
	finish();
}
END_TEST

/* A child whose files may not grow: every write beyond fails, as on a full disk. */
static void write_with_limit(void)
{
	struct rlimit limit = { 900 * 1024, 900 * 1024 };
	struct project p;
	int r = OK, stored = 0;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ok(store_open(db_path, &db, &err));
	for (int i = 0; r == OK && i < 5000; i++) {
		r = store_begin(db, &err);
		for (int k = 0; r == OK && k < 10; k++) {
			struct job j = { .project_id = 1,
				.name = "full",
				.kind = "command",
				.slot = "exclusive",
				.state = JOB_QUEUED,
				.definition_json = "{}" };

			r = store_job_add(db, mem, &j, &err);
		}
		if (r == OK)
			r = store_commit(db, &err);
		else
			store_rollback(db);
		stored += r == OK;
	}
	ck_assert_msg(r == E_STORAGE_FULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, "is full: make room") != NULL, "%s", err.text);
	ck_assert_int_gt(stored, 0);
	/* reads go on */
	ok(store_project_find(db, mem, "p", &p, &err));
	_exit(stored % 200);
}

START_TEST(a_full_disk_is_said_and_loses_nothing)
{
	int64_t n;
	int status;
	pid_t pid;

	start();
	a_project("p");
	ok(store_commit(db, &err));
	store_close(db);
	pid = fork();
	if (pid == 0) {
		write_with_limit();
		_exit(255);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 255);
	ok(store_open(db_path, &db, &err));
	ok(db_pragma_int(db, "SELECT count(*) FROM job", &n, &err));
	ck_assert_int_eq(n / 10 % 200, WEXITSTATUS(status));
	ck_assert_int_eq(n % 10, 0);
	ok(store_begin(db, &err));
	finish();
}
END_TEST

SUITE("store_crash", nothing_acknowledged_is_lost_when_the_writer_is_killed,
	a_full_disk_is_said_and_loses_nothing)
