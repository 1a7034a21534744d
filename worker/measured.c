/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/measured.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include "base/clock.h"
#include "base/fs.h"
#include "stats/quantile.h"
#include "worker/cpus.h"
#include "worker/flight.h"
#include "worker/kernel_exit.h"
#include "worker/pagecache.h"
#include "worker/result.h"
#include "worker/supervise.h"
#include "worker/utf8.h"

enum {
	BRIEF_OUTPUT = 1024, /* bytes */
	BRIEF_RESULT = 4096,
	SAME_LOOK_NS = 500 * 1000,
	SHORT_NS = 10 * 1000 * 1000,
	LATEST = 8,
	LOOK_OUT_NS = 200 * 1000,
	WAKE_UP_NS = 50 * 1000,
	ADAPTER_OUTPUT = 1024 * 1024
};

static int run_hooks(
	struct job *j, const struct spec_steps *steps, const char *name, size_t arm)
{
	struct error err;

	for (size_t i = 0; i < steps->n; i++) {
		int r = job_run_tool(j, steps->argv[i], j->directory[arm], "worker",
			j->spec->limits.time_ns, &err);

		if (r == E_GONE)
			return job_stopped(j);
		if (r < 0)
			return job_fail(j, FAULT_PROGRAM, "%s step %zu failed: %s", name, i + 1,
				err.text);
	}
	return OK;
}

int measured_prepare(struct job *j, const struct turn *t)
{
	const struct spec_steps *own = &t->cell->prepare;
	struct error err;
	int r = run_hooks(j, own->n ? own : &j->spec->prepare, "prepare", t->arm);

	/* Behind the hook, which may have read what the program will. */
	if (r == OK && j->spec->cache == CACHE_COLD && pagecache_drop(&err) < 0)
		r = job_fail(j, FAULT_PROGRAM, "%s", err.text);
	return r;
}

int measured_conclude(struct job *j, const struct turn *t)
{
	const struct spec_steps *own = &t->cell->conclude;

	return run_hooks(j, own->n ? own : &j->spec->conclude, "conclude", t->arm);
}

static void take_before(void *arg, pid_t pid)
{
	struct flight *f = arg;
	const struct host *h = f->job->host;

	/* The child of a zygote has done that itself. */
	if (pid && f->launch.counters && !f->record.counters.is_open)
		counters_open(&f->record.counters, pid);
	/* The one before is told of while this one is at its exec, if there is another cpu. */
	if (CPU_COUNT(&h->allowed) < 2)
		channel_pay(&f->job->ch);
	/* Nothing but ourselves has run since: one look is the end of the one and the begin of
	 * the other. */
	f->before = f->job->looked;
	f->is_fresh = clock_monotonic_ns() - f->before.taken_ns > SAME_LOOK_NS;
	if (f->is_fresh)
		noise_snapshot_take(h, &f->before);
}

static void look(void *arg)
{
	struct flight *f = arg;

	if (!f->has_looked)
		noise_snapshot_next(f->job->host, f->is_fresh ? NULL : &f->before, &f->after);
	f->has_looked = true;
}

static void take_after(void *arg, pid_t pid)
{
	struct flight *f = arg;

	(void)pid;
	look(f);
	f->job->looked = f->after;
	counters_close(&f->record.counters);
}

static int not_found(struct flight *f, int error)
{
	struct supervised *s = &f->record.process;
	const struct job *j = f->job;
	const char *name = f->turn.cell->argv[f->turn.arm][0];

	*s = (struct supervised){ .exit = -1,
		.termination = T_FAILED_START,
		.failed_step = STEP_EXEC,
		.failed_errno = error };
	if (!strcmp(name, "benchd-kernel"))
		snprintf(s->failure, sizeof(s->failure),
			"cannot start '%.80s': %s; it is looked for beside benchd-worker, in "
			"../bin from there and in %s",
			name, strerror(error), BENCHD_BINDIR);
	else if (strpbrk(name, " |<>&;$*"))
		snprintf(s->failure, sizeof(s->failure),
			"cannot start '%.80s': %s; no shell reads the command: give the "
			"program "
			"and its arguments one by one, or sh, -c and the line",
			name, strerror(error));
	else if (error == EACCES)
		snprintf(s->failure, sizeof(s->failure),
			"cannot start '%.80s': it is no program that the worker may execute; "
			"set its mode (chmod +x) or name the interpreter first",
			name);
	else if (j->spec->directory)
		snprintf(s->failure, sizeof(s->failure),
			"cannot start '%.60s': %s; it is looked for in %s and from '%.60s'",
			name, strerror(error), job_path, j->spec->directory);
	else
		snprintf(s->failure, sizeof(s->failure),
			"cannot start '%.80s': %s; commands run in a fresh folder, so give an "
			"absolute path, a name in %s or a path inside the checkout",
			name, strerror(error), job_path);
	return OK;
}

static const struct launch *foresee(void *arg)
{
	return flight_foresee(arg);
}

/* It went between our look and its exec. */
static bool has_vanished(const struct flight *f)
{
	const struct supervised *s = &f->record.process;
	const struct turn *t = &f->turn;
	_cleanup_(free)
	char *exe = NULL;

	if (s->termination != T_FAILED_START || s->failed_step != STEP_EXEC)
		return false;
	exe = flight_program(t->cell->argv[t->arm][0], f->job->directory[t->arm]);
	return !exe;
}

/* Woken up for some 0.1 ms a process, the runner is not to wait there for others: the daemon,
 * that stores what it tells. Not from the first one on: then the daemon is about to leave the
 * cpus of this job, and should be able to. */
static void come_first(struct job *j)
{
	if (!j->comes_first)
		cpus_come_first();
	j->comes_first = true;
}

/* Where the latest ones ended within a short time, this one probably will: to look out for that
 * is for a cpu that has nothing else to do. */
static void foresee_end(struct flight *f)
{
	const struct turn *t = &f->turn;
	int64_t least = INT64_MAX, most = 0;

	if (!f->job->looks_out || !f->launch.zygote || t->n_past < LATEST)
		return;
	come_first(f->job);
	for (size_t i = 0; i < LATEST; i++) {
		least = MIN(least, t->past[i]->wall_ns);
		most = MAX(most, t->past[i]->wall_ns);
	}
	if (most > SHORT_NS || most - least > LOOK_OUT_NS || least <= WAKE_UP_NS)
		return;
	f->launch.ends_from_ns = least - WAKE_UP_NS;
	f->launch.ends_until_ns = least + LOOK_OUT_NS;
}

static int fly(struct flight *f, struct error *err)
{
	const struct supervise_hooks hooks = { take_before, look, take_after, foresee, f };
	const struct spec_limits *limits = &f->job->spec->limits;
	size_t cap = f->turn.cell->adapter ? 2 * ADAPTER_OUTPUT : (size_t)limits->output_bytes;
	int r;

	if (!f->launch.exe)
		return not_found(f, f->error);
	foresee_end(f);
	r = supervise(&f->job->ch, &f->launch, limits->time_ns, cap, NULL, &hooks,
		&f->record.process, err);
	if (r == OK && has_vanished(f))
		r = not_found(f, errno);
	return r;
}

/* The value that the stop rule works on: the primary measure, else the first one reported, else
 * the wall time. */
static void fill_value(
	struct arena *a, const struct record *rec, const char *primary, struct measured *m)
{
	const struct result_series *s = result_find(&rec->result, primary);

	for (size_t i = 0; i < rec->result.n_series && !s; i++)
		if (rec->result.series[i].samples.n)
			s = &rec->result.series[i];
	m->is_timed_outside = !s && rec->process.termination != T_FAILED_START;
	if (s) {
		m->value = sample_centre(a, s->samples.v, s->samples.n);
		m->higher_is_better = s->better && !strcmp(s->better, "higher");
	} else if (m->is_timed_outside) {
		m->value = (double)rec->process.account.wall_ns;
	}
}

static void send_output(struct job *j, const struct turn *t, const struct record *rec)
{
	const struct capture *both[] = { &rec->process.out, &rec->process.err };
	static const char *const names[] = { "stdout", "stderr" };

	for (size_t i = t->cell->adapter ? 1 : 0; i < ARRAY_SIZE(both); i++) {
		struct buf text = { 0 };

		if (!both[i]->total)
			continue;
		capture_text(both[i], &text);
		channel_log_soon(&j->ch, names[i], buf_str(&text), text.len);
		buf_done(&text);
	}
}

static const char *said_last(const struct record *rec, struct buf *b)
{
	buf_add_str(b, "; it said: ");
	capture_last_line(&rec->process.err, 200, b);
	if (!strcmp(buf_str(b), "; it said: "))
		capture_last_line(&rec->process.out, 200, b);
	return strcmp(buf_str(b), "; it said: ") ? buf_str(b) : "";
}

static int fail_by_limit(struct job *j, const struct turn *t, const struct record *rec)
{
	const struct supervised *s = &rec->process;
	const char *name = t->cell->argv[t->arm][0];
	char text[TIME_TEXT];

	switch (s->termination) {
	case T_TIMEOUT:
		return job_time_out(j,
			"'%s' did not end within %s; raise limits.time or give it less work",
			name, duration_format((double)j->spec->limits.time_ns, text));
	case T_OUTPUT_LIMIT:
		if (s->result_flooded)
			return job_fail(j, FAULT_PROGRAM,
				"'%s' wrote more than 16 MiB of results; report fewer samples",
				name);
		return job_fail(j, FAULT_PROGRAM,
			"'%s' wrote a file larger than limits.file_size (%lld bytes)", name,
			(long long)j->spec->limits.file_size_bytes);
	case T_OOM:
		return job_fail(j, FAULT_PROGRAM,
			"'%s' used more memory than limits.memory (%lld bytes)", name,
			(long long)j->spec->limits.memory_bytes);
	case T_FAILED_START:
		if (s->failed_step == STEP_INPUT)
			return job_fail(j, FAULT_PROGRAM,
				"cannot start '%s': its standard input '%s' cannot be opened: "
				"%s",
				name, j->spec->input, strerror(s->failed_errno));
		if (s->failed_step == STEP_DIRECTORY && j->spec->directory)
			return job_fail(j, FAULT_PROGRAM,
				"cannot start '%s': its folder '%s' cannot be entered: %s",
				name, j->spec->directory, strerror(s->failed_errno));
		/* fall through */
	default:
		/* Not even begun: whatever ended it, the program did not. */
		return job_fail(j, s->failed_step == STEP_PARENT ? FAULT_RUNNER : FAULT_PROGRAM,
			"%s", s->failure);
	}
}

/* Does its end count as success? */
static int check_end(struct job *j, const struct turn *t, const struct record *rec)
{
	const struct supervised *s = &rec->process;
	const char *name = t->cell->argv[t->arm][0];
	struct buf last = { 0 };
	int r = OK;

	if (s->is_wedged)
		r = job_fail(j, device_of(j, t) ? FAULT_DEVICE : FAULT_RUNNER,
			"'%s' or a process it started did not die of SIGKILL within %d s", name,
			WEDGED_S);
	else if (channel_must_stop(&j->ch) && s->termination == T_KILLED)
		r = job_stopped(j);
	else if (s->termination == T_TIMEOUT || s->termination == T_OUTPUT_LIMIT ||
		 s->termination == T_OOM || s->termination == T_FAILED_START)
		r = fail_by_limit(j, t, rec);
	else if ((r = kernel_exit_check(j, t, rec)) < 0)
		;
	else if (rec->result.error)
		r = job_fail(j, FAULT_PROGRAM, "'%s' reported an error: %s", name,
			rec->result.error);
	else if (s->signal && !j->spec->exit_codes[(128 + s->signal) & 255])
		r = job_fail(j, FAULT_PROGRAM, "'%s' was ended by signal %d (%s)%s", name,
			s->signal, strsignal(s->signal), said_last(rec, &last));
	else if (!s->signal && s->exit == 128 + SIGXFSZ && !j->spec->exit_codes[s->exit])
		r = job_fail(j, FAULT_PROGRAM,
			"a process of '%s' wrote a file larger than limits.file_size (%lld "
			"bytes)",
			name, (long long)j->spec->limits.file_size_bytes);
	else if (!s->signal && !j->spec->exit_codes[s->exit & 255])
		r = job_fail(j, FAULT_PROGRAM,
			"'%s' exited with %d, which is not in exit_codes%s", name, s->exit,
			said_last(rec, &last));
	buf_done(&last);
	return r;
}

/* It ended well; did it bring what it promised? */
static int check_results(struct job *j, const struct turn *t, const struct record *rec)
{
	const char *name = t->cell->argv[t->arm][0];
	const struct result *res = &rec->result;

	if (*rec->protocol_error)
		return job_fail(j, FAULT_PROGRAM, "'%s': %s", name, rec->protocol_error);
	if (res->verify_failed)
		return job_fail(j, FAULT_PROGRAM,
			"'%s' computed a wrong answer: its verification failed", name);
	if (result_has_samples(res) && j->spec->kind == KIND_KERNEL && !res->verify)
		return job_fail(j, FAULT_PROGRAM,
			"'%s' reported times but no proof of its answer: a kernel must send a "
			"verify line",
			name);
	if (result_has_samples(res) || t->is_calibrating || res->calibrated)
		return OK;
	if (res->said_hello || j->spec->kind == KIND_KERNEL)
		return job_fail(j, FAULT_NO_RESULT,
			"'%s' ended well but reported no sample on BENCHD_RESULT_FD", name);
	if (t->cell->adapter && !rec->process.out.total)
		return job_fail(j, FAULT_NO_RESULT,
			"'%s' ended well but printed nothing for the adapter '%s' to read",
			name, t->cell->adapter);
	return OK;
}

static void read_results(struct arena *a, struct record *rec)
{
	struct error err;
	struct buf *b = &rec->process.result;

	if (result_read(a, buf_str(b), b->len, &rec->result, &err) < 0)
		snprintf(rec->protocol_error, sizeof(rec->protocol_error), "%.400s", err.text);
}

static void fill_measured(struct job *j, struct arena *a, const struct turn *t,
	struct flight *f, struct measured *m)
{
	struct record *rec = &f->record;

	m->calibrated = rec->result.calibrated;
	m->steady = rec->result.steady;
	m->wall_ns = rec->process.account.wall_ns;
	fill_value(a, rec, t->cell->primary, m);
	if (rec->process.termination != T_FAILED_START) {
		noise_collect(j->host, &f->before, &f->after, &rec->process.account, &m->noise);
		noise_judge_one(t->past, t->n_past, &m->noise);
	}
	rec->before = &f->before;
	rec->after = &f->after;
	if (m->is_timed_outside && memory_is_hidden(&rec->process.account))
		job_note(j,
			"peak memory of '%.80s' is not told where it is below what the worker "
			"itself had when it started it",
			t->cell->benchmark);
}

/* A calibrating run leaves no record, unless it is also the run that failed. */
static bool leaves_record(const struct flight *f, const struct measured *m, bool ended_well)
{
	const struct turn *t = &f->turn;

	return !ended_well || !(t->is_calibrating || (m->calibrated && !t->iterations));
}

/* Of one that is not short the next is hardly disturbed, and its loss would cost more. */
static void send_record(struct job *j, const struct flight *f)
{
	bool is_short = f->record.process.account.wall_ns < SHORT_NS;
	json_t *m = record_message(j, &f->turn, &f->record, &f->noise);

	(is_short ? channel_send_soon : channel_send)(&j->ch, m);
}

/* Tell the daemon of a process, and forget it. */
static void tell(void *arg)
{
	struct flight *f = arg;
	struct job *j = f->job;
	int64_t since_ns = clock_monotonic_ns();

	send_output(j, &f->turn, &f->record);
	j->n_done += f->record.seq && !f->record.error;
	j->last_cell = f->turn.cell->id;
	if (f->record.seq)
		send_record(j, f);
	supervised_done(&f->record.process);
	flight_free(f);
	j->telling_ns += clock_monotonic_ns() - since_ns;
}

/* Told of in some 30 us: that may wait until the next process is at its exec. */
static bool is_brief(const struct supervised *s)
{
	return s->out.total + s->err.total <= BRIEF_OUTPUT && s->result.len <= BRIEF_RESULT;
}

static int land(struct job *j, struct flight *f, struct measured *m)
{
	int r;

	read_results(f->arena, &f->record);
	device_note(j, &f->turn, &f->record.process);
	fill_measured(j, f->arena, &f->turn, f, m);
	r = check_end(j, &f->turn, &f->record);
	if (r == OK)
		r = check_results(j, &f->turn, &f->record);
	if (r < 0)
		f->record.error = j->reason;
	f->noise = m->noise;
	if (leaves_record(f, m, r == OK))
		f->record.seq = m->seq = ++j->seq;
	channel_owe(&j->ch, tell, f);
	if (!is_brief(&f->record.process))
		channel_pay(&j->ch);
	return r;
}

int measured_run(struct job *j, const struct turn *t, struct measured *m)
{
	struct flight *f;
	struct error err;
	int r;

	*m = (struct measured){ .value = NAN };
	r = measured_prepare(j, t);
	if (r < 0)
		return r;
	f = flight_new(j, t);
	if (fly(f, &err) < 0) {
		supervised_done(&f->record.process);
		flight_free(f);
		return job_fail(j, FAULT_RUNNER, "%s", err.text);
	}
	r = land(j, f, m);
	if (r == OK)
		r = measured_conclude(j, t);
	return r;
}
