/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time zones from the system's database (TZif files, RFC 9636), without libc's process-wide TZ:
 * several zones can be used at once and from any thread. Loaded zones are constant. */
#ifndef BASE_TZ_H
#define BASE_TZ_H

#include <stdbool.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "base/error.h"

struct tz;

/* name such as "Europe/Berlin" or "UTC"; E_BAD_REQUEST names a zone that is unknown here. The
 * folder is /usr/share/zoneinfo, or $TZDIR. "UTC" works without any file. */
int tz_load(const char *name, struct tz **ret, struct error *err) must_check;
void tz_free(struct tz *z);
DEFINE_CLEANUP(struct tz *, tz_free)

/* Seconds east of UTC at an instant (seconds since 1970). */
int32_t tz_offset(const struct tz *z, int64_t t);

/* A local time as seconds since 1970-01-01T00:00 on the zone's own clocks. */
struct tz_instants {
	int n;		 /* 0: the local time was skipped; 1; 2: it came twice */
	int64_t at[2];	 /* ascending */
	int64_t gap_end; /* n = 0: the instant at which the clocks had jumped past it */
};
struct tz_instants tz_from_local(const struct tz *z, int64_t local);

/* Civil calendar, proleptic Gregorian (Howard Hinnant's days_from_civil, public domain idea).
 */
int64_t days_from_civil(int64_t year, int month, int day);
void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);

#endif
