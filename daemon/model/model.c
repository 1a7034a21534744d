/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/model/model.h"

#include <string.h>

#define NAME_ITEM(id, name) name,
#define DEFINE_NAMED_ENUM(E, LIST)                                                             \
	const char *const E##_names[] = { LIST(NAME_ITEM) NULL };                              \
	const char *E##_name(enum E v)                                                         \
	{                                                                                      \
		return (unsigned)v < E##_count ? E##_names[v] : "?";                           \
	}                                                                                      \
	int E##_parse(const char *name)                                                        \
	{                                                                                      \
		for (int i = 0; i < E##_count; i++)                                            \
			if (!strcmp(E##_names[i], name))                                       \
				return i;                                                      \
		return -1;                                                                     \
	}
DEFINE_NAMED_ENUM(job_state, JOB_STATES)
DEFINE_NAMED_ENUM(job_fault, JOB_FAULTS)
DEFINE_NAMED_ENUM(outcome, OUTCOMES)
DEFINE_NAMED_ENUM(gate_outcome, GATE_OUTCOMES)
DEFINE_NAMED_ENUM(noise, NOISES)
DEFINE_NAMED_ENUM(workload_kind, WORKLOAD_KINDS)
DEFINE_NAMED_ENUM(priority, PRIORITIES)
DEFINE_NAMED_ENUM(alert_state, ALERT_STATES)
DEFINE_NAMED_ENUM(better, BETTERS)
DEFINE_NAMED_ENUM(arm, ARMS)
DEFINE_NAMED_ENUM(misfire, MISFIRES)
DEFINE_NAMED_ENUM(overlap, OVERLAPS)
DEFINE_NAMED_ENUM(firing_state, FIRING_STATES)
DEFINE_NAMED_ENUM(device_state, DEVICE_STATES)

bool job_state_is_final(enum job_state s)
{
	return s >= JOB_SUCCEEDED;
}
