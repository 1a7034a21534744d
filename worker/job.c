/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/job.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "base/clock.h"
#include "base/fs.h"
#include "worker/cpus.h"
#include "worker/disk.h"
#include "worker/supervise.h"
#include "worker/utf8.h"

const char *const job_status_names[] = { "succeeded", "failed", "timed_out", "canceled",
	"skipped" };
const char *const job_fault_names[] = { "", "program", "build", "no_result", "runner", "kernel",
	"unavailable", "device" };
const char job_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int set_end(struct job *j, enum job_status status, enum job_fault fault, const char *fmt,
	va_list ap)
{
	if (j->status == JOB_SUCCEEDED) {
		j->status = status;
		j->fault = fault;
		vsnprintf(j->reason, sizeof(j->reason), fmt, ap);
		utf8_trim(j->reason);
	}
	return E_UNPROCESSABLE;
}

int job_fail(struct job *j, enum job_fault fault, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set_end(j, JOB_FAILED, fault, fmt, ap);
	va_end(ap);
	return r;
}

int job_refuse(struct job *j, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	j->is_refused = true;
	r = set_end(j, JOB_FAILED, FAULT_RUNNER, fmt, ap);
	va_end(ap);
	return r;
}

int job_time_out(struct job *j, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set_end(j, JOB_TIMED_OUT, FAULT_NONE, fmt, ap);
	va_end(ap);
	return r;
}

int job_skip(struct job *j, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set_end(j, JOB_SKIPPED, FAULT_NONE, fmt, ap);
	va_end(ap);
	return r;
}

static int job_cancel(struct job *j, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set_end(j, JOB_CANCELED, FAULT_NONE, fmt, ap);
	va_end(ap);
	return r;
}

/* Its own doing, if there was room when it began. */
static int end_for_disk(struct job *j)
{
	bool is_own = disk_was_filled(j->host->state, j->free_at_start_bytes);

	return job_fail(j, is_own ? FAULT_PROGRAM : FAULT_RUNNER,
		is_own ? "the job filled the disk of '%s' and was ended; let it write less, or "
			 "give benchd-worker --state on a larger disk"
		       : "the disk of '%s' is nearly full; make room",
		j->host->state);
}

int job_stopped(struct job *j)
{
	char limit[TIME_TEXT];

	switch (j->ch.stop) {
	case STOP_TIMED_OUT:
		if (j->ch.deadline_hit)
			return job_time_out(j,
				"the job was not finished after %s; raise limits.job_time or "
				"measure less",
				duration_format((double)j->spec->limits.job_time_ns, limit));
		return job_time_out(j,
			"the server ended the job after its limits.job_time of %s; raise it or "
			"measure less",
			duration_format((double)j->spec->limits.job_time_ns, limit));
	case STOP_DISK:
		return end_for_disk(j);
	case STOP_SUPERSEDED:
		return job_cancel(j, "a newer job took the place of this one");
	case STOP_SHUTDOWN:
	case STOP_LOST:
		return job_fail(j, FAULT_RUNNER, "the worker was shut down during the job");
	default:
		return job_cancel(j, "the job was canceled");
	}
}

void job_note(struct job *j, const char *fmt, ...)
{
	enum { MAX_NOTES = 20 };
	char text[512];
	va_list ap;
	size_t i;
	json_t *v;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	utf8_trim(text);
	json_array_foreach (j->notes, i, v)
		if (!strcmp(json_string_value(v), text))
			return;
	channel_note(&j->ch, "%s", text);
	if (json_array_size(j->notes) < MAX_NOTES)
		json_array_append_new(j->notes, json_string(text));
}

void job_phase(struct job *j, const char *phase, const char *detail)
{
	if (j->phase && !strcmp(j->phase, phase) && !detail)
		return;
	j->phase = phase;
	channel_phase(&j->ch, phase, detail);
}

void job_progress(void *arg)
{
	struct job *j = arg;
	json_t *m;

	j->n_total = MAX(j->n_total, j->n_done);
	if (j->n_total == 1 || j->n_told == j->n_done)
		return;
	j->n_told = j->n_done;
	m = channel_message(&j->ch, "progress");
	json_set_int(m, "done", j->n_done);
	json_set_int(m, "total", j->n_total);
	json_set_opt(m, "cell", j->last_cell);
	channel_queue(&j->ch, m);
}

static void add_cpus(const cpu_set_t *set, json_t *o)
{
	json_t *list = json_array();

	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, set))
			json_array_append_new(list, json_integer(i));
	json_object_set_new(o, "cpus", list);
}

void job_phase_measure(struct job *j)
{
	cpu_set_t theirs, ours;
	json_t *m;

	if (j->phase && !strcmp(j->phase, "measure"))
		return;
	j->phase = "measure";
	m = channel_message(&j->ch, "phase");
	json_set_str(m, "phase", j->phase);
	if (j->lock_fd >= 0 && j->spec->protocol.processes >= JOB_MANY &&
		job_share_cpus(j, &theirs, &ours))
		add_cpus(&theirs, m);
	channel_send(&j->ch, m);
}

bool job_share_cpus(const struct job *j, cpu_set_t *theirs, cpu_set_t *ours)
{
	*theirs = *job_cpus(j);
	if (cpus_subtract(&j->host->allowed, theirs, ours))
		return true;
	cpus_halve(&j->host->allowed, ours, theirs);
	return !CPU_EQUAL(ours, theirs);
}

const cpu_set_t *job_cpus(const struct job *j)
{
	return CPU_COUNT(&j->cpus) ? &j->cpus : &j->host->allowed;
}

static bool is_named(const char *entry, const char *other)
{
	size_t n = strcspn(entry, "=") + 1;

	return !strncmp(entry, other, n);
}

static void set_entry(char **env, size_t *n, char *entry)
{
	for (size_t i = 0; i < *n; i++)
		if (is_named(entry, env[i])) {
			env[i] = entry;
			return;
		}
	env[(*n)++] = entry;
}

/* Where the graphics driver is found: not the user's choice but the host's. */
static const char *const passed_through[] = { "VK_ICD_FILENAMES", "VK_DRIVER_FILES",
	"VK_ADD_DRIVER_FILES" };

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* For tests: the file that BENCHD_FAULTS names in the worker's own environment holds the fault
 * (kernels/gpu/fault.c) of the processes that start while it is there. */
static size_t add_fault(struct arena *a, char **env, size_t n)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	const char *path = getenv("BENCHD_FAULTS");
	struct error err;

	if (path && file_read(path, 256, &b, &err) == OK && b.len)
		env[n++] = arena_printf(a, "BENCHD_KERNEL_FAULT=%.*s",
			(int)strcspn(buf_str(&b), "\n"), buf_str(&b));
	return n;
}

char **job_environment(struct job *j, struct arena *a, const char *const *extra)
{
	size_t n_own = count(j->spec->environment), n_extra = count((char *const *)extra);
	char **env = ARENA_ARRAY(a, char *, n_own + n_extra + 16);
	size_t n = 0;

	env[n++] = arena_printf(a, "PATH=%s", job_path);
	env[n++] = (char *)"LANG=C.UTF-8";
	env[n++] = (char *)"TZ=UTC";
	env[n++] = arena_printf(a, "HOME=%s", j->scratch);
	env[n++] = arena_printf(a, "TMPDIR=%s", j->scratch);
	for (size_t i = 0; i < ARRAY_SIZE(passed_through); i++)
		if (getenv(passed_through[i]))
			env[n++] = arena_printf(
				a, "%s=%s", passed_through[i], getenv(passed_through[i]));
	for (size_t i = 0; i < n_own; i++)
		set_entry(env, &n, j->spec->environment[i]);
	n = add_fault(a, env, n);
	/* By these a process that got away is found again. */
	env[n++] = arena_printf(a, "BENCHD_JOB=%s", j->ch.job);
	env[n++] = arena_printf(a, "BENCHD_STATE=%s", j->host->state);
	if (j->host->owner)
		env[n++] = arena_printf(a, "BENCHD_OWNER=%s", j->host->owner);
	for (size_t i = 0; i < n_extra; i++)
		env[n++] = (char *)extra[i];
	return env;
}

static int tell_tool_end(
	struct job *j, const struct supervised *s, char **argv, struct error *err)
{
	struct buf last = { 0 };
	int r = E_UNPROCESSABLE;

	capture_error_line(&s->out, 200, &last);
	if (channel_must_stop(&j->ch) && s->termination == T_KILLED)
		r = error_set(err, E_GONE, "'%s' was ended with the job", argv[0]);
	else if (s->termination == T_FAILED_START)
		error_set(err, r, "%s", s->failure);
	else if (s->termination == T_TIMEOUT)
		r = error_set(err, E_DEADLINE, "'%s' ran out of time", argv[0]);
	else if (s->signal)
		error_set(err, r, "'%s' was ended by signal %d (%s)%s%s", argv[0], s->signal,
			strsignal(s->signal), last.len ? ": " : "", buf_str(&last));
	else
		error_set(err, r, "'%s' exited with %d%s%s", argv[0], s->exit,
			last.len ? ": " : "", buf_str(&last));
	buf_done(&last);
	return r;
}

int job_run_tool(struct job *j, char **argv, const char *directory, const char *stream,
	int64_t time_ns, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	_cleanup_(free)
	char *exe = launch_find(argv[0], job_path, directory);
	struct supervised s;
	struct launch l;
	int r;

	if (!exe)
		return error_errno(err, E_UNPROCESSABLE,
			"cannot start '%s' (looked in %s, with PATH %s)", argv[0], directory,
			job_path);
	sandbox_plan(j, &l);
	l.exe = exe;
	l.argv = argv;
	l.envp = job_environment(j, a, NULL);
	l.directory = directory;
	l.merges_output = true;
	l.cpus = j->host->allowed; /* all of them, whatever the runner keeps to */
	r = supervise(&j->ch, &l, time_ns, (size_t)j->spec->limits.output_bytes, stream, NULL,
		&s, err);
	if (r == OK && (s.termination != T_EXIT || s.exit != 0))
		r = tell_tool_end(j, &s, argv, err);
	if (r == OK && s.strays)
		channel_note(&j->ch, "'%s' left %d processes behind; they were ended", argv[0],
			s.strays);
	supervised_done(&s);
	return r;
}
