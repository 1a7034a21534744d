/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/kernel_exit.h"

#include <string.h>
#include "worker/device.h"

enum { EXIT_STOPPED = 75 };

static const struct {
	int status;
	enum job_fault fault;
	const char *meaning;
} rows[] = {
	{ 64, FAULT_KERNEL, "cannot do what it was asked for" },
	{ 65, FAULT_PROGRAM, "computed a wrong answer" },
	{ 69, FAULT_UNAVAILABLE, "cannot run here" },
	{ 70, FAULT_KERNEL, "failed" },
	{ EXIT_STOPPED, FAULT_NONE, "was stopped" },
	{ 76, FAULT_DEVICE, "lost the device" },
};

static int fail_by_signal(struct job *j, const struct turn *t, const struct supervised *s)
{
	const struct job_device *d = device_of(j, t);

	return job_fail(j, d ? FAULT_DEVICE : FAULT_KERNEL,
		"'benchd-kernel' was ended by signal %d (%s)%s%s", s->signal,
		strsignal(s->signal), d ? " on " : "",
		d ? json_get_str(d->info, "name", "a device") : "");
}

static int fail_by_row(struct job *j, const struct turn *t, size_t row, const char *why)
{
	const struct job_device *d = rows[row].fault == FAULT_DEVICE ? device_of(j, t) : NULL;

	if (rows[row].status == EXIT_STOPPED)
		return job_time_out(j, "'benchd-kernel' was stopped: %s", why);
	return job_fail(j, rows[row].fault, "'benchd-kernel' %s%s%s: %s", rows[row].meaning,
		d ? " " : "", d ? json_get_str(d->info, "name", "") : "", why);
}

int kernel_exit_check(struct job *j, const struct turn *t, const struct record *rec)
{
	const struct supervised *s = &rec->process;
	_cleanup_(buf_done)
	struct buf last = { 0 };

	if (strcmp(t->cell->argv[t->arm][0], "benchd-kernel") != 0)
		return 0;
	if ((s->termination == T_SIGNAL || s->termination == T_KILLED) && s->signal)
		return fail_by_signal(j, t, s);
	for (size_t i = 0; s->termination == T_EXIT && i < ARRAY_SIZE(rows); i++) {
		if (rows[i].status != s->exit || j->spec->exit_codes[s->exit])
			continue;
		capture_last_line(&s->err, 200, &last);
		return fail_by_row(
			j, t, i, rec->result.error ? rec->result.error : buf_str(&last));
	}
	return 0;
}
