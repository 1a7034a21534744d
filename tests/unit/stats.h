/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the unit tests of stats/ share: scratch that lives as long as the program (each test is
 * a process of its own), and a relative comparison that prints both numbers. */
#ifndef TESTS_UNIT_STATS_H
#define TESTS_UNIT_STATS_H

#include "tests/lib/unit.h"

#include <math.h>
#include <string.h>
#include "base/arena.h"
#include "stats/mw_tails.h"

static struct arena *arena;
static struct mw_tails *tails;

__attribute__((constructor)) static void open_scratch(void)
{
	arena = arena_new();
	tails = mw_tails_new();
}
__attribute__((destructor)) static void close_scratch(void)
{
	mw_tails_free(tails);
	arena_free(arena);
}

#define near(got, want, tolerance)                                                             \
	ck_assert_msg(fabs((double)(got) - (double)(want)) <=                                  \
			      (tolerance)*fmax(1e-300, fabs((double)(want))),                  \
		"%s = %.17g, expected %.17g", #got, (double)(got), (double)(want))
#define N(a) (sizeof(a) / sizeof((a)[0]))

#endif
