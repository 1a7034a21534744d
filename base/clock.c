/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(void *arg)
{
	(void)arg;
	return clock_monotonic_ns();
}

static int64_t system_wall(void *arg)
{
	(void)arg;
	return clock_realtime_ns();
}

const struct clock system_clock = { system_mono, system_wall, NULL };

const char *time_format(int64_t ns, char out[TIME_TEXT])
{
	int64_t frac = ns % NS_PER_S;
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;
	size_t n;

	if (frac < 0) {
		frac += NS_PER_S;
		s--;
	}
	gmtime_r(&s, &tm);
	n = strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	if (frac) {
		n += (size_t)snprintf(out + n, TIME_TEXT - n, ".%09lld", (long long)frac);
		while (out[n - 1] == '0')
			n--;
	}
	snprintf(out + n, TIME_TEXT - n, "Z");
	return out;
}

static int digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return -1;
		v = v * 10 + ((*p)[i] - '0');
	}
	*p += n;
	*ret = v;
	return 0;
}

static int literal(const char **p, char c)
{
	if (**p != c)
		return -1;
	(*p)++;
	return 0;
}

static int64_t fraction(const char **p)
{
	int64_t v = 0, scale = NS_PER_S / 10;

	if (**p != '.')
		return 0;
	(*p)++;
	if (!isdigit((unsigned char)**p))
		return -1;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v += (**p - '0') * scale;
		scale /= 10;
	}
	return v;
}

static int offset_seconds(const char **p, int *ret)
{
	int sign = **p == '-' ? -1 : 1, h, m;

	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		*ret = 0;
		return 0;
	}
	if (**p != '+' && **p != '-')
		return -1;
	(*p)++;
	if (digits(p, 2, &h) || literal(p, ':') || digits(p, 2, &m) || h > 23 || m > 59)
		return -1;
	*ret = sign * (h * 3600 + m * 60);
	return 0;
}

int time_parse(const char *text, int64_t *ret_ns, struct error *err)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct tm tm = { 0 };
	const char *p = text;
	int offset = 0, days;
	int64_t frac = -1;

	if (digits(&p, 4, &tm.tm_year) || literal(&p, '-') || digits(&p, 2, &tm.tm_mon) ||
		literal(&p, '-') || digits(&p, 2, &tm.tm_mday))
		goto bad;
	if (*p != 'T' && *p != 't' && *p != ' ')
		goto bad;
	p++;
	if (digits(&p, 2, &tm.tm_hour) || literal(&p, ':') || digits(&p, 2, &tm.tm_min) ||
		literal(&p, ':') || digits(&p, 2, &tm.tm_sec))
		goto bad;
	frac = fraction(&p);
	if (frac < 0 || offset_seconds(&p, &offset) || *p)
		goto bad;
	if (tm.tm_year < 1970 || tm.tm_year > 2261 || tm.tm_mon < 1 || tm.tm_mon > 12)
		goto bad;
	days = month_days[tm.tm_mon - 1];
	if (tm.tm_mon == 2 &&
		(tm.tm_year % 4 == 0 && (tm.tm_year % 100 || tm.tm_year % 400 == 0)))
		days++;
	if (tm.tm_mday < 1 || tm.tm_mday > days || tm.tm_hour > 23 || tm.tm_min > 59 ||
		tm.tm_sec > 60)
		goto bad;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_ns = ((int64_t)timegm(&tm) - offset) * NS_PER_S + frac;
	return OK;
bad:
	return error_set(err, E_BAD_REQUEST,
		"'%.60s' is not a time; write RFC 3339 such as 2026-11-21T09:05:00Z", text);
}

int duration_parse(const char *text, int64_t *ret_ns, struct error *err)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "", 1e9 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
		{ "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 } };
	char *end;
	double v = strtod(text, &end);

	if (end != text && isfinite(v) && v >= 0)
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (!strcmp(end, units[i].unit) && v * units[i].ns < 9e18) {
				*ret_ns = (int64_t)llround(v * units[i].ns);
				return OK;
			}
	return error_set(err, E_BAD_REQUEST,
		"'%.60s' is not a duration; write a number and ns, us, ms, s, m, h or d", text);
}

const char *duration_format(double ns, char out[TIME_TEXT])
{
	double a = fabs(ns);

	if (!isfinite(ns))
		snprintf(out, TIME_TEXT, "-");
	else if (a < 1e3)
		snprintf(out, TIME_TEXT, "%.3g ns", ns);
	else if (a < 1e6)
		snprintf(out, TIME_TEXT, "%.4g us", ns / 1e3);
	else if (a < 1e9)
		snprintf(out, TIME_TEXT, "%.4g ms", ns / 1e6);
	else if (a < 120e9)
		snprintf(out, TIME_TEXT, "%.4g s", ns / 1e9);
	else if (a < 7200e9)
		snprintf(out, TIME_TEXT, "%d m %d s", (int)(ns / 60e9),
			(int)(fmod(a, 60e9) / 1e9));
	else
		snprintf(out, TIME_TEXT, "%d h %d m", (int)(ns / 3600e9),
			(int)(fmod(a, 3600e9) / 60e9));
	return out;
}
