/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/cachegrind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "worker/flight.h"
#include "worker/record.h"

enum { SLOWER = 60, MAX_COUNTS = 4096, TAIL = 4096, MAX_ADDED = 5 };

/* One counted run. */
struct count {
	struct job *job;
	struct arena *arena;
	const struct turn *turn;
	const char *valgrind, *folder; /* folder: a file a process that ran */
	struct record record;
	struct noise noise;
};

/* --- what it wrote --- */

/* The last bytes of a file that foreign code may have made; false when it is no plain file. */
static bool read_tail(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, out, size - 1, MAX(st.st_size - (off_t)size + 1, (off_t)0));
	close(fd);
	out[MAX(n, 0)] = 0;
	return n > 0;
}

/* "summary: 920504" is the last line of a file of counts; -1: there is none. */
static int64_t read_summary(const char *path)
{
	char text[TAIL];
	const char *at;
	long long n = -1;

	at = read_tail(path, text, sizeof(text)) ? strstr(text, "\nsummary: ") : NULL;
	return at && sscanf(at + 10, "%lld", &n) == 1 ? n : -1;
}

/* Of the program and everything it started; -1: nothing, or something that cannot be read. The
 * files are removed. */
static int64_t take_counts(const char *folder)
{
	DIR *d = opendir(folder);
	int64_t sum = 0, n_files = 0;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(free)
		char *path = xasprintf("%s/%s", folder, e->d_name);
		int64_t n;

		if (*e->d_name == '.')
			continue;
		n = n_files < MAX_COUNTS ? read_summary(path) : -1;
		sum = n < 0 || sum < 0 ? -1 : sum + n;
		n_files++;
		(void)unlink(path);
	}
	if (d)
		closedir(d);
	return n_files ? sum : -1;
}

/* --- a run --- */

static char **wrapped(struct count *c, char *const *argv, const char *exe)
{
	static const char *const options[] = { "--tool=cachegrind", "--cache-sim=no",
		"--trace-children=yes", "--vgdb=no", "-q" };
	char **out;
	size_t n = 0, k = 0;

	while (argv[n])
		n++;
	out = ARENA_ARRAY(c->arena, char *, n + ARRAY_SIZE(options) + MAX_ADDED);
	out[k++] = (char *)"valgrind";
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		out[k++] = (char *)options[i];
	out[k++] = arena_printf(c->arena, "--cachegrind-out-file=%s/%%p", c->folder);
	out[k++] = (char *)"--";
	out[k++] = (char *)exe;
	for (size_t i = 1; i < n; i++)
		out[k++] = argv[i];
	return out;
}

static int start(struct count *c, struct error *err)
{
	struct job *j = c->job;
	const struct turn *t = c->turn;
	const struct spec_limits *limits = &j->spec->limits;
	char **argv = t->cell->argv[t->arm];
	const char *directory = j->directory[t->arm];
	_cleanup_(free)
	char *exe = flight_program(argv[0], directory);
	struct launch l;

	if (!exe)
		return error_errno(err, E_NOT_FOUND, "cannot start '%s'", argv[0]);
	c->record.exe = arena_strdup(c->arena, exe);
	sandbox_plan(j, &l);
	l.exe = c->valgrind;
	l.argv = wrapped(c, argv, c->record.exe);
	/* No padding: a count must not depend on chance. */
	l.envp = flight_environment(j, c->arena, t, 0);
	l.directory = directory;
	l.cpus = *job_cpus(j);
	l.input = j->spec->input;
	l.wants_result = true;
	return supervise(&j->ch, &l, SLOWER * limits->time_ns, (size_t)limits->output_bytes,
		NULL, NULL, &c->record.process, err);
}

static const char *said(struct count *c)
{
	struct buf b = { 0 };
	const char *text;

	capture_last_line(&c->record.process.err, 160, &b);
	text = b.len ? arena_printf(c->arena, "; it said: %s", buf_str(&b)) : "";
	buf_done(&b);
	return text;
}

/* NULL when it ended as the program ends by itself. */
static const char *what_went_wrong(struct count *c)
{
	const struct supervised *s = &c->record.process;

	if (s->termination == T_TIMEOUT)
		return arena_printf(c->arena, "it ran out of %d times limits.time", SLOWER);
	if (s->termination == T_FAILED_START)
		return arena_strdup(c->arena, s->failure);
	if (s->signal)
		return arena_printf(c->arena, "it was ended by signal %d (%s)%s", s->signal,
			strsignal(s->signal), said(c));
	if (s->termination != T_EXIT || !c->job->spec->exit_codes[s->exit & 255])
		return arena_printf(c->arena, "it exited with %d%s", s->exit, said(c));
	return NULL;
}

/* 1: counted; 0: it cannot be, which has been noted. */
static int count_once(struct count *c)
{
	const char *name = c->turn->cell->benchmark, *wrong;
	struct job *j = c->job;
	struct error err;

	if (start(c, &err) < 0) {
		job_note(j, "instructions of '%.80s' are not counted: %.200s", name, err.text);
		return 0;
	}
	if (channel_must_stop(&j->ch))
		return job_stopped(j);
	wrong = what_went_wrong(c);
	c->record.counted = take_counts(c->folder);
	if (!wrong && c->record.counted < 0)
		wrong = "it left no count";
	if (wrong) {
		job_note(j, "instructions of '%.80s' are not counted: under valgrind %.300s",
			name, wrong);
		return 0;
	}
	c->record.seq = ++j->seq;
	channel_send(&j->ch, record_message(j, c->turn, &c->record, &c->noise));
	return 1;
}

static int run_turn(struct cell_run *r, size_t arm, int64_t block, const char *valgrind)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct job *j = r->job;
	struct turn t = { .cell = r->cell,
		.arm = arm,
		.arm_name = j->spec->arms[arm].name,
		.index = r->next_index[arm]++,
		.block = block,
		.order = (int64_t)arm,
		.iterations = MAX(j->spec->protocol.iterations, (int64_t)1) };
	struct count c = { .job = j,
		.arena = a,
		.turn = &t,
		.valgrind = valgrind,
		.folder = arena_printf(a, "%s/counts", j->scratch),
		.record = { .is_counting = true, .result = { .steady = true } } };
	int e = measured_prepare(j, &t);

	if (e < 0)
		return e;
	e = count_once(&c);
	supervised_done(&c.record.process);
	if (e <= 0)
		return e;
	return measured_conclude(j, &t) < 0 ? E_GONE : 1;
}

static bool make_folder(struct job *j)
{
	_cleanup_(free)
	char *path = xasprintf("%s/counts", j->scratch);

	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		job_note(j, "instructions are not counted: cannot make '%s': %s", path,
			strerror(errno));
		return false;
	}
	if (j->host->job_uid != (uid_t)-1)
		(void)!chown(path, j->host->job_uid, j->host->job_gid);
	return true;
}

int cachegrind_count(struct cell_run *r)
{
	struct job *j = r->job;
	_cleanup_(free)
	char *valgrind = NULL;
	int e = 1;

	if (!j->spec->protocol.cachegrind || r->n_counted >= CACHEGRIND_RUNS)
		return OK;
	valgrind = launch_find("valgrind", job_path, j->scratch);
	if (!valgrind) {
		job_note(j, "instructions are not counted: valgrind is not installed on this "
			    "host; everything else was measured");
		return OK;
	}
	if (!make_folder(j))
		return OK;
	job_phase(j, "measure", "counting instructions");
	for (; e > 0 && r->n_counted < CACHEGRIND_RUNS; r->n_counted++) {
		int64_t block = r->next_block++;

		for (size_t arm = 0; e > 0 && arm < j->spec->n_arms; arm++)
			e = run_turn(r, arm, block, valgrind);
	}
	return MIN(e, 0);
}
