/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/cpus.h"

#include <ctype.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "base/cleanup.h"

static int parse_number(const char **p, int *ret)
{
	int v = 0;

	if (!isdigit((unsigned char)**p))
		return -1;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v = v * 10 + (**p - '0');
		if (v >= CPU_SETSIZE)
			return -1;
	}
	*ret = v;
	return 0;
}

int cpus_parse(const char *text, cpu_set_t *ret, struct error *err)
{
	const char *p = text;
	cpu_set_t set;
	int first, last;

	CPU_ZERO(&set);
	while (*p) {
		if (parse_number(&p, &first) < 0)
			goto bad;
		last = first;
		if (*p == '-') {
			p++;
			if (parse_number(&p, &last) < 0 || last < first)
				goto bad;
		}
		for (int i = first; i <= last; i++)
			CPU_SET(i, &set);
		if (*p == ',' && p[1])
			p++;
		else if (*p)
			goto bad;
	}
	*ret = set;
	return OK;
bad:
	return error_set(err, E_UNPROCESSABLE,
		"'%.60s' is not a list of cpus; write such as 1 or 2-3,8 with numbers below %d",
		text, CPU_SETSIZE);
}

void cpus_format(const cpu_set_t *set, struct buf *b)
{
	const char *comma = "";

	for (int i = 0; i < CPU_SETSIZE; i++) {
		int last = i;

		if (!CPU_ISSET(i, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		if (last > i)
			buf_printf(b, "%s%d-%d", comma, i, last);
		else
			buf_printf(b, "%s%d", comma, i);
		comma = ",";
		i = last;
	}
}

void cpus_allowed(cpu_set_t *ret)
{
	CPU_ZERO(ret);
	if (sched_getaffinity(0, sizeof(*ret), ret) < 0)
		CPU_SET(0, ret);
}

int cpus_subtract(const cpu_set_t *a, const cpu_set_t *b, cpu_set_t *ret)
{
	cpu_set_t common;

	CPU_AND(&common, a, b);
	CPU_XOR(ret, a, &common);
	return CPU_COUNT(ret) > 0;
}

void cpus_halve(const cpu_set_t *a, cpu_set_t *ret_lower, cpu_set_t *ret_upper)
{
	int left = CPU_COUNT(a) / 2;

	*ret_lower = *ret_upper = *a;
	for (int i = 0; i < CPU_SETSIZE && left; i++)
		if (CPU_ISSET(i, a)) {
			CPU_CLR(i, ret_upper);
			left--;
		}
	if (!CPU_EQUAL(ret_upper, a))
		CPU_XOR(ret_lower, a, ret_upper);
}

static unsigned long slack_ns;

void cpus_come_first(void)
{
	const struct sched_param least = { .sched_priority = 1 };
	int slack = prctl(PR_GET_TIMERSLACK);

	if (getpriority(PRIO_PROCESS, 0) == 0 && sched_getscheduler(0) == SCHED_OTHER &&
		sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &least) == 0)
		slack_ns = (unsigned long)MAX(slack, 0);
}

/* To take the flag off needs more than the right to the priority; it changes nothing by itself.
 */
void cpus_step_back(void)
{
	const struct sched_param none = { 0 };

	if (sched_getscheduler(0) == (SCHED_RR | SCHED_RESET_ON_FORK))
		(void)sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

unsigned long cpus_timer_slack(void)
{
	return slack_ns;
}
