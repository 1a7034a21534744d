/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic long passed;

void failpoint(const char *name)
{
	const char *wanted = getenv("BENCHD_FAILPOINT");
	size_t n = strlen(name);
	long nth;

	if (!wanted || strncmp(wanted, name, n) != 0 || (wanted[n] && wanted[n] != ':'))
		return;
	nth = wanted[n] ? strtol(wanted + n + 1, NULL, 10) : 1;
	if (atomic_fetch_add(&passed, 1) + 1 == nth)
		kill(getpid(), SIGKILL);
}
