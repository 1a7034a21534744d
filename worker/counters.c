/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/counters.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

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
		.exclude_kernel = events[which].type == PERF_TYPE_HARDWARE,
		.exclude_hv = 1 };

	return (int)syscall(
		SYS_perf_event_open, &attr, pid, -1, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

void counters_probe(bool *ret_software, bool *ret_hardware)
{
	int sw = open_event(C_TASK_CLOCK, 0), hw = open_event(C_INSTRUCTIONS, 0);

	*ret_software = sw >= 0;
	*ret_hardware = hw >= 0;
	if (sw >= 0)
		close(sw);
	if (hw >= 0)
		close(hw);
}

void counters_open(struct counters *c, pid_t pid, bool software, bool hardware)
{
	*c = (struct counters){ .is_open = true };
	for (int i = 0; i < N_COUNTERS; i++) {
		bool wanted = events[i].type == PERF_TYPE_SOFTWARE ? software : hardware;

		c->fd[i] = wanted ? open_event((enum counter)i, pid) : -1;
	}
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

json_t *counters_json(const struct counters *c)
{
	json_t *o = json_object();

	for (int i = 0; i < N_COUNTERS; i++)
		if (c->has[i])
			json_set_int(o, events[i].name, c->value[i]);
	return o;
}
