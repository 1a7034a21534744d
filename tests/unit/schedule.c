/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"
#include "base/tz.h"
#include "daemon/schedule/cron.h"

enum { START = 1735689600, END = 2051222400 }; /* 2025-01-01 .. 2035-01-01 */

static int64_t seconds(const char *text)
{
	struct error err;
	int64_t ns;

	ck_assert_int_eq(time_parse(text, &ns, &err), OK);
	return ns / NS_PER_S;
}

static struct tz *zone(const char *name)
{
	struct error err = { 0 };
	struct tz *z = NULL;

	ck_assert_msg(tz_load(name, &z, &err) == OK, "%s", err.text);
	return z;
}

static struct cron parse(const char *text)
{
	struct error err = { 0 };
	struct cron c;

	ck_assert_msg(cron_parse(text, &c, &err) == OK, "%s", err.text);
	return c;
}

START_TEST(skipped_and_repeated_times_fire_once)
{
	struct tz *z = zone("Europe/Berlin");
	struct cron c = parse("30 2 * * *");

	/* 29 March 2026: 02:30 does not exist; it fires at 03:00 local, when the clocks have
	 * jumped. */
	ck_assert_int_eq(cron_next(&c, z, seconds("2026-03-28T12:00:00Z")),
		seconds("2026-03-29T01:00:00Z"));
	/* 25 October 2026: 02:30 comes twice; only the first fires. */
	ck_assert_int_eq(cron_next(&c, z, seconds("2026-10-24T12:00:00Z")),
		seconds("2026-10-25T00:30:00Z"));
	ck_assert_int_eq(cron_next(&c, z, seconds("2026-10-25T00:30:00Z")),
		seconds("2026-10-26T01:30:00Z"));
	/* What follows the wall clock goes on through the repeated hour. */
	c = parse("*/30 * * * *");
	ck_assert_int_eq(cron_next(&c, z, seconds("2026-10-25T00:30:00Z")),
		seconds("2026-10-25T01:00:00Z"));
	tz_free(z);
}
END_TEST

START_TEST(ten_years_equal_an_independent_implementation)
{
	const char *top = getenv("top_srcdir");
	struct buf b = { 0 };
	struct error err = { 0 };
	char path[512], *save = NULL;
	int n = 0;

	snprintf(path, sizeof(path), "%s/tests/golden/cron.txt", top ? top : ".");
	ck_assert_msg(file_read(path, MiB, &b, &err) == OK, "%s", err.text);
	for (char *line = strtok_r(b.data, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		char name[64], text[64], want[SHA256_HEX], got[SHA256_HEX];
		struct buf times = { 0 };
		int count = 0, want_count;
		struct cron c;
		struct tz *z;

		ck_assert_int_eq(
			sscanf(line, "%63[^|]|%63[^|]|%d|%64s", name, text, &want_count, want),
			4);
		z = zone(name);
		c = parse(text);
		for (int64_t t = START; (t = cron_next(&c, z, t)) && t < END; count++)
			buf_printf(&times, "%lld\n", (long long)t);
		ck_assert_msg(
			count == want_count, "%s: %d instead of %d", line, count, want_count);
		ck_assert_str_eq(sha256_hex(buf_str(&times), times.len, got), want);
		buf_done(&times);
		tz_free(z);
		n++;
	}
	ck_assert_int_ge(n, 40);
	buf_done(&b);
}
END_TEST

START_TEST(the_newest_missed_firing_is_found)
{
	struct tz *z = zone("UTC");
	struct cron c = parse("0 3 * * *");

	ck_assert_int_eq(cron_previous(&c, z, seconds("2026-01-01T00:00:00Z"),
				 seconds("2026-11-21T02:59:59Z")),
		seconds("2026-11-20T03:00:00Z"));
	ck_assert_int_eq(cron_previous(&c, z, seconds("2026-11-20T03:00:00Z"),
				 seconds("2026-11-21T02:00:00Z")),
		0);
	tz_free(z);
}
END_TEST

START_TEST(wrong_expressions_name_the_field)
{
	static const char *const bad[][2] = { { "60 * * * *", "no minute" },
		{ "* 24 * * *", "no hour" }, { "* * 0 * *", "day of the month" },
		{ "* * * 13 *", "no month" }, { "* * * * 8", "day of the week" },
		{ "* * * *", "4 fields" }, { "*/0 * * * *", "no minute" },
		{ "5-1 * * * *", "no minute" }, { "1,,2 * * * *x", "day of the week" },
		{ "0 0 30 2 *", "never fires" }, { "a * * * *", "no minute" },
		{ "1, * * * *", "no minute" } };
	struct tz *z;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };
		struct cron c;

		ck_assert_msg(
			cron_parse(bad[i][0], &c, &err) == E_UNPROCESSABLE, "%s", bad[i][0]);
		ck_assert_msg(strstr(err.text, bad[i][1]), "%s", err.text);
	}
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "Mars/Olympus", "../../etc/passwd", "" };
		struct error err = { 0 };

		ck_assert_int_eq(tz_load(names[i], &z, &err), E_BAD_REQUEST);
		ck_assert(strstr(err.text, "time zone"));
	}
}
END_TEST

SUITE("schedule", skipped_and_repeated_times_fire_once,
	ten_years_equal_an_independent_implementation, the_newest_missed_firing_is_found,
	wrong_expressions_name_the_field)
