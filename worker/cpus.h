/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of processors as Linux writes them: "0-3,8". Any thread. */
#ifndef WORKER_CPUS_H
#define WORKER_CPUS_H

#include <sched.h>
#include "base/buf.h"
#include "base/error.h"

/* "" gives the empty set. Numbers below CPU_SETSIZE (1024), ranges rising. E_UNPROCESSABLE. */
int cpus_parse(const char *text, cpu_set_t *ret, struct error *err) must_check;
/* The shortest list; "" for the empty set. Appended to b. */
void cpus_format(const cpu_set_t *set, struct buf *b);
/* The processors this process may run on. */
void cpus_allowed(cpu_set_t *ret);
/* a without b; false when nothing is left. */
int cpus_subtract(const cpu_set_t *a, const cpu_set_t *b, cpu_set_t *ret);

/* The lower and the upper half of a; of one cpu, both are that one. */
void cpus_halve(const cpu_set_t *a, cpu_set_t *ret_lower, cpu_set_t *ret_upper);

/* The least real-time priority for this process, not for those it starts, if it may have that;
 * and back. One with a nice value or a policy of its own stays as it is: what it starts would
 * lose that. Async-signal-safe. */
void cpus_come_first(void);
void cpus_step_back(void);
/* Real-time tasks have no timer slack, which what they start would inherit: the slack from
 * before, in ns; 0: it is as it was. */
unsigned long cpus_timer_slack(void);

#endif
