/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Five-field cron expressions in a time zone. Pure, any thread.
 *
 * minute hour day-of-month month day-of-week; lists, ranges, steps, names of months and days
 * (jan, mon), 7 = Sunday; @hourly @daily @midnight @weekly @monthly @yearly @annually. When
 * both days are restricted, either matches (POSIX crontab). Where the clocks change, as
 * Debian's cron(8): an expression whose minute and hour do not begin with '*' fires once a day
 * of its own: skipped times fire when the clocks have jumped, repeated ones only the first
 * time; the others follow the wall clock, so that every-15-minutes goes on evenly. */
#ifndef DAEMON_SCHEDULE_CRON_H
#define DAEMON_SCHEDULE_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/tz.h"

struct cron {
	uint64_t minutes, hours, days, months, weekdays; /* bit n: value n matches */
	bool any_day, any_weekday;			 /* the field begins with '*' */
	bool is_wildcard; /* minute or hour begins with '*': follows the wall clock */
};

/* E_UNPROCESSABLE names the field and the part that is wrong, and expressions that never fire
 * (30 February). */
int cron_parse(const char *text, struct cron *ret, struct error *err) must_check;
/* First firing after an instant (both in seconds since 1970); always at a whole minute of the
 * local clock, or at a clock change. 0 when there is none within 30 years. */
int64_t cron_next(const struct cron *c, const struct tz *z, int64_t after);
/* The newest firing at or before an instant, looking back no further than since; 0: none. */
int64_t cron_previous(const struct cron *c, const struct tz *z, int64_t since, int64_t at);

#endif
