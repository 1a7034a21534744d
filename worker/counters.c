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
#define X(id, name, measure, type, config) { name, type, config },
	COUNTERS(X)
#undef X
};
const char *const counter_measures[N_COUNTERS] = {
#define X(id, name, measure, ...) measure,
	COUNTERS(X)
#undef X
};

/* leader: -1 for the one that leads itself: it alone is switched on, by the exec. */
static int open_event(enum counter which, pid_t pid, int leader)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		.type = events[which].type,
		.config = events[which].config,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.disabled = leader < 0,
		.inherit = 1,
		.enable_on_exec = leader < 0,
		.exclude_kernel = 1,
		.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, leader,
		(unsigned long)PERF_FLAG_FD_CLOEXEC);
}

bool counters_probe(void)
{
	int fd = open_event(C_INSTRUCTIONS, 0, -1);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void counters_open(struct counters *c, pid_t pid)
{
	*c = (struct counters){ .is_open = true, .is_asked = true };
	c->fd[0] = open_event((enum counter)0, pid, -1);
	for (int i = 1; i < N_COUNTERS; i++)
		c->fd[i] = c->fd[0] < 0 ? -1 : open_event((enum counter)i, pid, c->fd[0]);
}

void counters_take(struct counters *c, enum counter which, const uint64_t said[3])
{
	/* Never switched on: it was not there for this program. */
	if (!said[1])
		return;
	c->has[which] = said[1] == said[2];
	c->is_multiplexed |= said[1] != said[2];
	if (c->has[which])
		c->value[which] = (int64_t)said[0];
}

void counters_close(struct counters *c)
{
	for (int i = 0; c->is_open && i < N_COUNTERS; i++) {
		uint64_t v[3];

		if (c->fd[i] < 0)
			continue;
		if (read(c->fd[i], v, sizeof(v)) == (ssize_t)sizeof(v))
			counters_take(c, (enum counter)i, v);
		close(c->fd[i]);
	}
	c->is_open = false;
}

static const char *hardware(const struct counters *c)
{
	for (int i = 0; i < N_COUNTERS; i++)
		if (c->has[i])
			return "counted";
	return c->is_multiplexed ? "multiplexed" : "unavailable";
}

json_t *counters_json(const struct counters *c, const struct account *a)
{
	json_t *o = json_object();

	json_set_int(o, "task-clock-ns", (a->user_us + a->sys_us) * 1000);
	json_set_int(o, "context-switches", a->nvcsw + a->nivcsw);
	if (a->migrations >= 0)
		json_set_int(o, "cpu-migrations", a->migrations);
	json_set_int(o, "page-faults", a->minflt + a->majflt);
	if (c->is_asked)
		json_set_str(o, "hardware", hardware(c));
	for (int i = 0; i < N_COUNTERS; i++)
		if (c->has[i])
			json_set_int(o, events[i].name, c->value[i]);
	return o;
}
