/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/counters.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "worker/supervise.h"

static const struct {
	const char *name;
	uint32_t type;
	uint64_t config;
} events[N_COUNTERS] = {
#define X(id, name, type, config) { name, type, config },
	COUNTERS(X)
#undef X
};

static int open_event(enum counter which, pid_t pid)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		.type = events[which].type,
		.config = events[which].config,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.disabled = 1,
		.inherit = 1,
		.enable_on_exec = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1 };

	return (int)syscall(
		SYS_perf_event_open, &attr, pid, -1, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

bool counters_probe(void)
{
	int fd = open_event(C_INSTRUCTIONS, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void counters_open(struct counters *c, pid_t pid)
{
	*c = (struct counters){ .is_open = true };
	for (int i = 0; i < N_COUNTERS; i++)
		c->fd[i] = open_event((enum counter)i, pid);
}

void counters_close(struct counters *c)
{
	for (int i = 0; c->is_open && i < N_COUNTERS; i++) {
		uint64_t v[3]; /* value, time enabled, time running */

		if (c->fd[i] < 0)
			continue;
		if (read(c->fd[i], v, sizeof(v)) == (ssize_t)sizeof(v) && v[1] == v[2] &&
			v[1]) {
			c->value[i] = (int64_t)v[0];
			c->has[i] = true;
		}
		close(c->fd[i]);
	}
	c->is_open = false;
}

json_t *counters_json(const struct counters *c, const struct account *a)
{
	json_t *o = json_object();

	json_set_int(o, "task-clock-ns", (a->user_us + a->sys_us) * 1000);
	json_set_int(o, "context-switches", a->nvcsw + a->nivcsw);
	if (a->migrations >= 0)
		json_set_int(o, "cpu-migrations", a->migrations);
	json_set_int(o, "page-faults", a->minflt + a->majflt);
	for (int i = 0; i < N_COUNTERS; i++)
		if (c->has[i])
			json_set_int(o, events[i].name, c->value[i]);
	return o;
}
