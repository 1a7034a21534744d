/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's threads step aside while a job measures. */
#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "daemon/workers/internal.h"

enum { MOST = 64 };

static struct stay {
	const void *owner; /* NULL: free */
	cpu_set_t cpus;
} stays[MOST];
static cpu_set_t allowed; /* as we were started; empty: not looked at yet */
static bool is_aside;

static void look(void)
{
	if (!CPU_COUNT(&allowed))
		(void)sched_getaffinity(0, sizeof(allowed), &allowed);
}

void aside_leave_in_child(void)
{
	if (is_aside)
		(void)sched_setaffinity(0, sizeof(allowed), &allowed);
}

/* A thread that starts meanwhile begins where the one that starts it is. */
static void move_all(const cpu_set_t *cpus)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		pid_t tid = (pid_t)atoi(e->d_name);

		if (tid > 0)
			(void)sched_setaffinity(tid, sizeof(*cpus), cpus);
	}
	if (d)
		closedir(d);
}

static void settle(void)
{
	cpu_set_t left = allowed, common;

	for (size_t i = 0; i < MOST; i++)
		if (stays[i].owner) {
			CPU_AND(&common, &left, &stays[i].cpus);
			CPU_XOR(&left, &left, &common);
		}
	if (!CPU_COUNT(&left))
		left = allowed;
	if (!is_aside && CPU_EQUAL(&left, &allowed))
		return;
	is_aside = !CPU_EQUAL(&left, &allowed);
	move_all(&left);
}

static struct stay *find(const void *owner)
{
	for (size_t i = 0; i < MOST; i++)
		if (stays[i].owner == owner)
			return &stays[i];
	return NULL;
}

void aside_keep_off(const void *owner, const json_t *cpus)
{
	struct stay *s = find(owner);
	const json_t *v;
	size_t i;

	if (!s)
		s = find(NULL);
	if (!s || !json_array_size(cpus))
		return;
	look();
	*s = (struct stay){ .owner = owner };
	json_array_foreach (cpus, i, v) {
		json_int_t n = json_integer_value(v);

		if (json_is_integer(v) && n >= 0 && n < CPU_SETSIZE)
			CPU_SET((size_t)n, &s->cpus);
	}
	settle();
}

void aside_return(const void *owner)
{
	struct stay *s = find(owner);

	if (!s)
		return;
	*s = (struct stay){ 0 };
	settle();
}
