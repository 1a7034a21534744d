/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results of `benchctl run`: what a command prints, stdin, or files. */
#include "client/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/text.h"

extern char **environ;
enum { MAX_OUTPUT = 32 * 1024 * 1024, MAX_ITERATIONS = 10000 };

/* What is not UTF-8 cannot stand in JSON. */
static json_t *text_json(const char *s, size_t n)
{
	_cleanup_(free)
	char *copy = NULL;

	if (utf8_is_valid(s, n))
		return json_stringn(s, n);
	copy = xstrndup(s, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	return json_stringn(copy, n);
}

static int read_fd(int fd, bool echo, struct buf *out, struct error *err)
{
	char part[65536];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, E_IO, "cannot read the results");
		if (out->len + (size_t)n > MAX_OUTPUT)
			return error_set(err, E_TOO_LARGE, "the results are larger than %d MiB",
				MAX_OUTPUT >> 20);
		buf_add(out, part, (size_t)n);
		if (echo)
			fwrite(part, 1, (size_t)n, stderr);
	}
	return OK;
}

static int spawn(const char *const *argv, int out_fd, pid_t *ret, struct error *err)
{
	posix_spawn_file_actions_t actions;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
	/* posix_spawn takes the strings as they are and changes none. */
	r = posix_spawnp(ret, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r == 0)
		return OK;
	errno = r;
	return error_errno(err, E_IO, "cannot run '%s'", argv[0]);
}

/* Run argv once; its stdout into out. Exit code. */
static int run_once(struct run *r, const char *const *argv, struct buf *out, double *ret_s)
{
	int64_t start = clock_monotonic_ns();
	struct error err = { 0 };
	int pipe_fd[2], status, code;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0) {
		error_errno(&err, E_IO, "cannot make a pipe");
		return complain(r->c, &err);
	}
	code = spawn(argv, pipe_fd[1], &pid, &err);
	close(pipe_fd[1]);
	if (code < 0) {
		close(pipe_fd[0]);
		complain(r->c, &err);
		return EXIT_BENCHMARK;
	}
	code = read_fd(pipe_fd[0], !r->c->quiet, out, &err);
	close(pipe_fd[0]);
	if (code < 0)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_s = (double)(clock_monotonic_ns() - start) / (double)NS_PER_S;
	if (code < 0)
		return complain(r->c, &err);
	if (status == 0 || r->allow_failure)
		return EXIT_OK;
	fprintf(stderr, "benchctl: '%s' %s %d; nothing is uploaded (--allow-failure does)\n",
		argv[0], WIFSIGNALED(status) ? "was ended by signal" : "ended with exit code",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return EXIT_BENCHMARK;
}

static void set_value(json_t *bmf, const char *name, const char *measure, double v)
{
	json_t *o = json_object_get(bmf, name);

	if (!o) {
		o = json_object();
		json_object_set_new(bmf, name, o);
	}
	json_object_set_new(o, measure, json_pack("{sf}", "value", v));
}

static const char *joined(struct run *r, const char *const *argv)
{
	const char *text = argv[0];

	for (size_t i = 1; argv[i]; i++)
		text = arena_printf(r->c->arena, "%s %s", text, argv[i]);
	return text;
}

/* Sizes of files, and the time of the command, as Bencher Metric Format. */
static int add_sizes(struct run *r, const char *const *argv, double seconds)
{
	_cleanup_(json_decref)
	json_t *bmf = json_object();
	_cleanup_(free)
	char *text = NULL;

	if (r->build_time)
		set_value(bmf, joined(r, argv), "build-time", seconds);
	for (size_t i = 0; i < r->file_sizes.n; i++) {
		const char *path = r->file_sizes.items[i], *slash = strrchr(path, '/');
		struct error err = { 0 };
		struct stat st;

		if (stat(path, &st) < 0) {
			error_errno(&err, E_IO, "cannot measure '%s'", path);
			return complain(r->c, &err);
		}
		set_value(bmf, slash ? slash + 1 : path, "file-size", (double)st.st_size);
	}
	text = json_text(bmf);
	json_array_append_new(r->results, json_string(text));
	return EXIT_OK;
}

static int add_files(struct run *r)
{
	for (size_t i = 0; i < r->files.n; i++) {
		_cleanup_(buf_done)
		struct buf b = { 0 };
		struct error err = { 0 };

		if (file_read(r->files.items[i], MAX_OUTPUT, &b, &err) < 0)
			return complain(r->c, &err);
		json_array_append_new(r->results, text_json(buf_str(&b), b.len));
	}
	return EXIT_OK;
}

/* One iteration: the command if there is one, then what it is measured by. */
static int iterate(struct run *r, const char *const *argv)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	double seconds = 0;
	int code = argv ? run_once(r, argv, &out, &seconds) : EXIT_OK;

	if (code == EXIT_OK && (r->build_time || r->file_sizes.n))
		return add_sizes(r, argv, seconds);
	if (code == EXIT_OK && r->files.n)
		return add_files(r);
	if (code == EXIT_OK)
		json_array_append_new(r->results, text_json(buf_str(&out), out.len));
	return code;
}

static int read_stdin(struct run *r)
{
	_cleanup_(buf_done)
	struct buf out = { 0 };
	struct error err = { 0 };

	if (isatty(STDIN_FILENO))
		return usage_error(r->self,
			"give a command behind --, --file FILE, or results on standard input");
	if (read_fd(STDIN_FILENO, false, &out, &err) < 0)
		return complain(r->c, &err);
	json_array_append_new(r->results, text_json(buf_str(&out), out.len));
	return EXIT_OK;
}

int run_collect(struct run *r, const char *const *argv)
{
	int64_t start = clock_realtime_ns(), n = 1;
	struct error err = { 0 };
	int code = EXIT_OK;

	r->results = arena_own_json(r->c->arena, json_array());
	if (r->iter)
		n = run_number(r, "iter", r->iter, 1, MAX_ITERATIONS, &code);
	if (code == EXIT_OK && !argv && !r->files.n && !r->file_sizes.n)
		code = read_stdin(r);
	else
		for (int64_t i = 0; code == EXIT_OK && i < n; i++)
			code = iterate(r, argv);
	r->start_ns = start;
	r->end_ns = clock_realtime_ns();
	if (code != EXIT_OK || !r->backdate)
		return code;
	if (strspn(r->backdate, "0123456789") == strlen(r->backdate))
		r->start_ns = NS_PER_S *
			      run_number(r, "backdate", r->backdate, 0, 9000000000LL, &code);
	else if (time_parse(r->backdate, &r->start_ns, &err) < 0)
		code = usage_error(r->self, "--backdate: %s", err.text);
	r->end_ns += r->start_ns - start;
	return code;
}
