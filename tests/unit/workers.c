/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's end of the worker link over a real unix socket, with a worker that this test
 * plays; and what becomes of an embedded worker that is not there or dies. */
#include "tests/lib/unit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/secret.h"
#include "daemon/workers/workers.h"

static char folder[64], path[80];
static uv_loop_t loop;
static struct workers *ws;
static struct workers_config conf;
static struct error err;
static int64_t now_ns;
static struct worker *here; /* said hello and is not gone */
static int n_messages, n_heartbeats, n_gone, n_troubles;
static char last_type[40], why[200], trouble[200];

static int64_t tell_time(void *arg)
{
	return now_ns;
}

static const struct clock clock_here = { tell_time, tell_time, NULL };

static void on_hello(void *arg, struct worker *w)
{
	here = w;
}

static void on_message(void *arg, struct worker *w, const char *type, json_t *m)
{
	n_messages++;
	snprintf(last_type, sizeof(last_type), "%s", type);
}

static void on_heartbeat(void *arg, struct worker *w, json_t *m)
{
	n_heartbeats++;
}

static void on_gone(void *arg, struct worker *w, const char *reason)
{
	n_gone++;
	here = NULL;
	snprintf(why, sizeof(why), "%s", reason);
}

static void on_trouble(void *arg, const char *text)
{
	n_troubles++;
	snprintf(trouble, sizeof(trouble), "%s", text);
}

static void prepare(void)
{
	strcpy(folder, "/tmp/benchd-workers-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/worker.sock", folder);
	uv_loop_init(&loop);
	now_ns = NS_PER_S;
	conf = (struct workers_config){ .loop = &loop,
		.clock = &clock_here,
		.testbed = "host",
		.socket_path = path,
		.socket_fd = -1,
		.state_dir = folder,
		.heartbeat_ns = 2 * NS_PER_MS,
		.on_hello = on_hello,
		.on_message = on_message,
		.on_heartbeat = on_heartbeat,
		.on_gone = on_gone,
		.on_trouble = on_trouble };
}

static void on_stopped(void *arg)
{
	*(bool *)arg = true;
}

static void end(void)
{
	bool is_over = false;

	workers_stop(ws, on_stopped, &is_over);
	while (!is_over)
		uv_run(&loop, UV_RUN_ONCE);
	uv_run(&loop, UV_RUN_NOWAIT);
	workers_free(ws);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ck_assert_int_eq(dir_remove(folder, &err), OK);
}

/* Events come until a count is reached; a timer of the link fires every 2 ms, so this ends. */
static void until(const int *count, int n)
{
	for (int i = 0; *count < n && i < 20000; i++)
		uv_run(&loop, UV_RUN_ONCE);
	ck_assert_int_ge(*count, n);
}

/* --- a worker --- */

static int dial(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* A hello whose environment id is the hash of its identity, or is not. */
static void say_hello(int fd, bool is_right)
{
	static const char identity[] = "{\"cpu\":\"model\"}";
	char hash[65], text[400];

	sha256_hex(identity, strlen(identity), hash);
	if (!is_right)
		hash[0] = hash[0] == 'a' ? 'b' : 'a';
	snprintf(text, sizeof(text),
		"{\"type\":\"hello\",\"protocol\":1,\"pid\":7,\"host\":\"h\",\"slots\":"
		"{\"exclusive\":1,\"shared\":3,\"ahead\":9},\"environment\":{\"id\":\"%s\","
		"\"identity\":%s}}\n",
		hash, identity);
	say(fd, text);
}

static json_t *hear(int fd)
{
	char text[1000];
	ssize_t n = read(fd, text, sizeof(text));
	json_t *o = NULL;

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(json_parse(text, (size_t)n, &o, &err), OK);
	return o;
}

static int connected(void)
{
	int fd = dial();

	say_hello(fd, true);
	for (int i = 0; !here && i < 20000; i++)
		uv_run(&loop, UV_RUN_ONCE);
	ck_assert_ptr_nonnull(here);
	return fd;
}

static void start(void)
{
	prepare();
	ck_assert_msg(workers_start(&conf, &ws, &err) == OK, "%s", err.text);
}

/* --- tests --- */

START_TEST(a_worker_that_says_hello_is_welcomed)
{
	json_t *m, *live;
	struct stat s;
	int fd;

	start();
	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert_int_eq(s.st_mode & 0777, 0660);
	fd = connected();
	m = hear(fd);
	ck_assert_str_eq(json_get_str(m, "type", ""), "welcome");
	ck_assert_str_eq(json_get_str(m, "testbed", ""), "host");
	json_decref(m);
	ck_assert_int_eq(worker_shared_slots(here), 3);
	ck_assert_int_eq(worker_ahead_slots(here), 9);
	ck_assert(!worker_is_embedded(here));
	ck_assert_str_eq(worker_environment_identity(here), "{\"cpu\":\"model\"}");
	worker_set_busy(here, "some-job", true);
	live = workers_live(ws);
	ck_assert_uint_eq(json_array_size(live), 1);
	ck_assert_int_eq(json_get_int(json_array_get(live, 0), "pid", 0), 7);
	ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(live, 0), "busy")), 1);
	json_decref(live);
	worker_set_busy(here, "some-job", false);
	close(fd);
	until(&n_gone, 1);
	ck_assert_str_eq(why, "the worker closed its link");
	end();
}
END_TEST

START_TEST(messages_and_heartbeats_are_told_apart)
{
	int fd;

	start();
	fd = connected();
	say(fd, "{\"type\":\"heartbeat\",\"state\":{\"load\":1}}\n{\"type\":\"pha");
	until(&n_heartbeats, 1);
	ck_assert_int_eq(n_messages, 0);
	say(fd, "se\",\"job\":\"x\"}\n{\"type\":\"nobody knows\"}\n");
	until(&n_messages, 2);
	ck_assert_str_eq(last_type, "nobody knows"); /* the pipeline drops it */
	close(fd);
	end();
}
END_TEST

static const char *refusal(void (*what)(int fd))
{
	int fd = dial();

	n_gone = 0;
	why[0] = 0;
	what(fd);
	for (int i = 0; i < 20000; i++) {
		char c;
		ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

		if (n == 0)
			break; /* it was hung up on */
		uv_run(&loop, UV_RUN_ONCE);
	}
	close(fd);
	return why;
}

static void talk_first(int fd)
{
	say(fd, "{\"type\":\"heartbeat\"}\n");
}

static void lie(int fd)
{
	say_hello(fd, false);
}

static void be_from_the_future(int fd)
{
	say(fd, "{\"type\":\"hello\",\"protocol\":2}\n");
}

static void send_garbage(int fd)
{
	say_hello(fd, true);
	say(fd, "GET / HTTP/1.1\r\n\r\n");
}

static void say_it_twice(int fd)
{
	say_hello(fd, true);
	say_hello(fd, true);
}

START_TEST(who_does_not_speak_the_protocol_is_hung_up_on)
{
	start();
	/* Of those the pipeline never hears: they have not said hello. */
	ck_assert_str_eq(refusal(talk_first), "");
	ck_assert_str_eq(refusal(lie), "");
	ck_assert_str_eq(refusal(be_from_the_future), "");
	ck_assert_int_eq(n_gone, 0);
	ck_assert_str_eq(refusal(send_garbage), "the worker sent something that is no message");
	ck_assert_ptr_nonnull(strstr(refusal(say_it_twice), "speaks another protocol"));
	end();
}
END_TEST

START_TEST(a_silent_worker_is_given_up)
{
	int fd;

	start();
	fd = connected();
	now_ns += 5 * NS_PER_MS; /* less than three heartbeats */
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_ONCE);
	ck_assert_ptr_nonnull(here);
	now_ns += 2 * NS_PER_MS;
	until(&n_gone, 1);
	ck_assert_str_eq(why, "the worker sent no sign of life");
	close(fd);
	end();
}
END_TEST

START_TEST(a_worker_that_does_not_read_is_dropped)
{
	int fd;

	start();
	fd = connected();
	for (int i = 0; here && n_gone == 0 && i < 100; i++) {
		json_t *m = json_object();
		char *much = xcalloc(1, 256 * KiB);

		memset(much, 'x', 256 * KiB - 1);
		json_set_str(m, "type", much);
		free(much);
		worker_send(here, m);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	until(&n_gone, 1);
	ck_assert_str_eq(why, "the worker does not read what it is sent");
	close(fd);
	end();
}
END_TEST

START_TEST(a_socket_that_was_left_is_replaced_and_another_file_is_not)
{
	prepare();
	ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	ck_assert_int_eq(workers_start(&conf, &ws, &err), E_IO);
	ck_assert_msg(strstr(err.text, "cannot listen on '/tmp/benchd-workers-") != NULL, "%s",
		err.text);
	end();
	prepare();
	ck_assert_msg(workers_start(&conf, &ws, &err) == OK, "%s", err.text);
	end();
}
END_TEST

START_TEST(a_worker_program_that_is_not_there_is_named)
{
	prepare();
	conf.socket_path = NULL;
	conf.is_embedded = true;
	conf.program = "/nowhere/benchd-worker";
	ck_assert_int_eq(workers_start(&conf, &ws, &err), E_NOT_FOUND);
	ck_assert_str_eq(err.text,
		"no worker program '/nowhere/benchd-worker'; set worker.program in benchd.yaml "
		"or BENCHD_WORKER, or start with --no-worker");
	end();
}
END_TEST

START_TEST(an_embedded_worker_that_dies_is_started_again)
{
	char program[100];
	FILE *f;

	prepare();
	snprintf(program, sizeof(program), "%s/dies", folder);
	f = fopen(program, "w");
	fputs("#!/bin/sh\nexit 3\n", f);
	fchmod(fileno(f), 0700);
	fclose(f);
	conf.socket_path = NULL;
	conf.is_embedded = true;
	conf.program = program;
	ck_assert_msg(workers_start(&conf, &ws, &err) == OK, "%s", err.text);
	until(&n_troubles, 2); /* the second time after a pause of 100 ms */
	ck_assert_str_eq(trouble, "the worker exited with status 3");
	ck_assert_int_eq(n_gone, 0);
	end();
}
END_TEST

static void *sleep_on(void *arg)
{
	(void)pthread_barrier_wait(arg);
	(void)pthread_barrier_wait(arg);
	return NULL;
}

static void keep_off(const void *owner, json_t *cpus)
{
	aside_keep_off(owner, cpus);
	json_decref(cpus);
}

START_TEST(all_threads_keep_off_cpus_that_are_measured_on)
{
	int owners[2], last = -1;
	cpu_set_t all, now;
	pthread_barrier_t b;
	pthread_t other;

	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE; i++)
		last = CPU_ISSET(i, &all) ? i : last;
	pthread_barrier_init(&b, NULL, 2);
	pthread_create(&other, NULL, sleep_on, &b);
	pthread_barrier_wait(&b);
	keep_off(&owners[0], json_integer(1)); /* not a list: nothing */
	keep_off(&owners[0], json_pack("[i]", last));
	pthread_getaffinity_np(other, sizeof(now), &now);
	ck_assert_int_eq(CPU_COUNT(&now), MAX(CPU_COUNT(&all) - 1, 1));
	ck_assert(CPU_COUNT(&all) == 1 || !CPU_ISSET(last, &now));
	sched_getaffinity(0, sizeof(now), &now);
	ck_assert(CPU_COUNT(&all) == 1 || !CPU_ISSET(last, &now));
	/* Two owners; never off all of them. */
	keep_off(&owners[1], json_pack("[iiiii]", 0, 1, 2, 3, -7));
	sched_getaffinity(0, sizeof(now), &now);
	ck_assert_int_gt(CPU_COUNT(&now), 0);
	aside_return(&owners[1]);
	sched_getaffinity(0, sizeof(now), &now);
	ck_assert(CPU_COUNT(&all) == 1 || !CPU_ISSET(last, &now));
	aside_return(&owners[0]);
	aside_return(&owners[0]);
	pthread_getaffinity_np(other, sizeof(now), &now);
	ck_assert(CPU_EQUAL(&now, &all));
	pthread_barrier_wait(&b);
	pthread_join(other, NULL);
	pthread_barrier_destroy(&b);
}
END_TEST

SUITE("workers", a_worker_that_says_hello_is_welcomed, messages_and_heartbeats_are_told_apart,
	who_does_not_speak_the_protocol_is_hung_up_on, a_silent_worker_is_given_up,
	a_worker_that_does_not_read_is_dropped,
	a_socket_that_was_left_is_replaced_and_another_file_is_not,
	a_worker_program_that_is_not_there_is_named,
	an_embedded_worker_that_dies_is_started_again,
	all_threads_keep_off_cpus_that_are_measured_on)
