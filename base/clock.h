/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time. Durations come from CLOCK_MONOTONIC, dates from CLOCK_REALTIME, both int64 nanoseconds.
 * Code that waits or stamps takes a struct clock, so that tests never sleep. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include "base/error.h"

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

struct clock {
	int64_t (*monotonic_ns)(void *arg); /* since some fixed point, never goes back */
	int64_t (*realtime_ns)(void *arg);  /* since 1970-01-01T00:00:00Z */
	void *arg;
};

extern const struct clock system_clock;

int64_t clock_monotonic_ns(void);
int64_t clock_realtime_ns(void);
static inline int64_t clock_wall(const struct clock *c)
{
	return c->realtime_ns(c->arg);
}
static inline int64_t clock_mono(const struct clock *c)
{
	return c->monotonic_ns(c->arg);
}

enum { TIME_TEXT = 40 };
/* RFC 3339 in UTC with as many fractional digits as needed: "2026-11-21T09:05:00.25Z". */
const char *time_format(int64_t ns, char out[TIME_TEXT]);
/* RFC 3339 with any offset, 1 to 9 fractional digits; years 1970 to 2261. E_BAD_REQUEST. */
int time_parse(const char *text, int64_t *ret_ns, struct error *err) must_check;
/* "60", "60s", "1.5s", "250ms", "5m", "2h" -> nanoseconds; a bare number is seconds. */
int duration_parse(const char *text, int64_t *ret_ns, struct error *err) must_check;
/* For people: "412 ns", "1.27 ms", "3.4 s", "2 m 5 s". */
const char *duration_format(double ns, char out[TIME_TEXT]);

#endif
