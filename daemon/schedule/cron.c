/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/schedule/cron.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/cleanup.h"

enum { DAY_S = 86400, MAX_DAYS = 30 * 366, MAX_TEXT = 256 };

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
	"aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat",
	NULL };

struct field {
	const char *name;
	int min, max;
	const char *const *words;
	int first_word; /* value of words[0] */
};
static const struct field fields[5] = {
	{ "minute", 0, 59, NULL, 0 },
	{ "hour", 0, 23, NULL, 0 },
	{ "day of the month", 1, 31, NULL, 0 },
	{ "month", 1, 12, month_names, 1 },
	{ "day of the week", 0, 7, weekday_names, 0 },
};

static int bad(const struct field *f, const char *part, struct error *err)
{
	return error_set_field(err, E_UNPROCESSABLE, "/cron",
		"'%.40s' is no %s: a number from %d to %d, a range a-b, a list a,b or a step "
		"*/n",
		part, f->name, f->min, f->max);
}

static bool read_value(const struct field *f, const char **p, int *ret)
{
	char *end;

	for (int i = 0; f->words && f->words[i]; i++)
		if (!strncasecmp(*p, f->words[i], 3) && !isalpha((unsigned char)(*p)[3])) {
			*ret = i + f->first_word;
			*p += 3;
			return true;
		}
	if (!isdigit((unsigned char)**p))
		return false;
	*ret = (int)strtol(*p, &end, 10);
	*p = end;
	return *ret >= f->min && *ret <= f->max;
}

static bool read_part(const struct field *f, const char *p, uint64_t *bits)
{
	int from = f->min, to = f->max, step = 1;
	bool has_range = true;

	if (*p == '*') {
		p++;
		to = f->max == 7 ? 6 : f->max;
	} else {
		if (!read_value(f, &p, &from))
			return false;
		to = from;
		has_range = *p == '-';
		if (has_range) {
			p++;
			if (!read_value(f, &p, &to) || to < from)
				return false;
		}
	}
	if (*p == '/') {
		char *end;

		if (!isdigit((unsigned char)p[1]))
			return false;
		step = (int)strtol(p + 1, &end, 10);
		p = end;
		if (step < 1 || step > f->max)
			return false;
		if (!has_range)
			to = f->max == 7 ? 6 : f->max; /* "5/15": from 5 on */
	}
	for (int i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;
	return !*p;
}

static int read_field(const struct field *f, char *text, uint64_t *ret, struct error *err)
{
	char *save = NULL;

	*ret = 0;
	if (!*text || text[strlen(text) - 1] == ',')
		return bad(f, text, err);
	for (char *part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save))
		if (!read_part(f, part, ret))
			return bad(f, part, err);
	return OK;
}

static const char *expand_macro(const char *text)
{
	static const char *const macros[][2] = { { "@hourly", "0 * * * *" },
		{ "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" },
		{ "@weekly", "0 0 * * 0" }, { "@monthly", "0 0 1 * *" },
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" } };

	for (size_t i = 0; i < ARRAY_SIZE(macros); i++)
		if (!strcasecmp(text, macros[i][0]))
			return macros[i][1];
	return text;
}

static int split(const char *text, char copy[MAX_TEXT], char *words[5], struct error *err)
{
	char *save = NULL;
	int n = 0;

	if (strlen(text) >= MAX_TEXT)
		return error_set_field(err, E_UNPROCESSABLE, "/cron",
			"the expression is longer than %d characters", MAX_TEXT - 1);
	strcpy(copy, text);
	for (char *w = strtok_r(copy, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (n < 5)
			words[n] = w;
		n++;
	}
	if (n != 5)
		return error_set_field(err, E_UNPROCESSABLE, "/cron",
			"'%.80s' has %d fields; write minute hour day month weekday", text, n);
	return OK;
}

static bool ever_fires(const struct cron *c)
{
	static const int longest[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (!c->any_weekday)
		return true;
	for (int m = 1; m <= 12; m++)
		for (int d = 1; d <= longest[m - 1]; d++)
			if ((c->months >> m & 1) && (c->days >> d & 1))
				return true;
	return false;
}

int cron_parse(const char *text, struct cron *ret, struct error *err)
{
	char copy[MAX_TEXT], *words[5];
	struct cron c = { 0 };
	uint64_t *targets[5] = { &c.minutes, &c.hours, &c.days, &c.months, &c.weekdays };
	int r = split(expand_macro(text), copy, words, err);

	if (r < 0)
		return r;
	c.is_wildcard = *words[0] == '*' || *words[1] == '*';
	c.any_day = *words[2] == '*';
	c.any_weekday = *words[4] == '*';
	for (int i = 0; i < 5; i++) {
		r = read_field(&fields[i], words[i], targets[i], err);
		if (r < 0)
			return r;
	}
	if (c.weekdays >> 7 & 1)
		c.weekdays |= 1;
	if (!ever_fires(&c))
		return error_set_field(err, E_UNPROCESSABLE, "/cron",
			"'%.80s' never fires: no such day exists in those months", text);
	*ret = c;
	return OK;
}

static bool day_matches(const struct cron *c, int64_t day)
{
	int64_t year;
	int month, dom;
	bool by_day, by_weekday;

	civil_from_days(day, &year, &month, &dom);
	if (!(c->months >> month & 1))
		return false;
	by_day = c->days >> dom & 1;
	by_weekday = c->weekdays >> ((day + 4) % 7) & 1;
	/* Both restricted: either will do. A '*' with a step restricts, but counts as '*' here,
	 * as in cron(8). */
	return c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The same on a day without a clock change near it: what comes first locally comes first. */
static int64_t first_of_plain_day(
	const struct cron *c, int32_t offset, int64_t day, int64_t after)
{
	int64_t start = day * DAY_S - offset;

	for (int h = after > start ? (int)((after - start) / 3600) : 0; h < 24; h++) {
		if (!(c->hours >> h & 1))
			continue;
		for (int m = 0; m < 60; m++) {
			int64_t t = start + h * 3600 + m * 60;

			if ((c->minutes >> m & 1) && t > after)
				return t;
		}
	}
	return 0;
}

/* The earliest firing of a local day that lies behind after, 0 if none. */
static int64_t first_of_day(
	const struct cron *c, const struct tz *z, int64_t day, int64_t after)
{
	int32_t offset = tz_offset(z, (day - 1) * DAY_S);
	int64_t best = 0;

	if (tz_offset(z, (day + 2) * DAY_S) == offset && tz_offset(z, day * DAY_S) == offset)
		return first_of_plain_day(c, offset, day, after);
	for (int h = 0; h < 24; h++) {
		if (!(c->hours >> h & 1))
			continue;
		for (int m = 0; m < 60; m++) {
			struct tz_instants at;

			if (!(c->minutes >> m & 1))
				continue;
			at = tz_from_local(z, day * DAY_S + h * 3600 + m * 60);
			if (at.n == 0 && !c->is_wildcard)
				at = (struct tz_instants){ .n = 1, .at = { at.gap_end } };
			if (at.n == 2 && !c->is_wildcard)
				at.n = 1;
			for (int i = 0; i < at.n; i++)
				if (at.at[i] > after && (!best || at.at[i] < best))
					best = at.at[i];
		}
	}
	return best;
}

static int64_t floor_day(int64_t t)
{
	return t >= 0 ? t / DAY_S : -((-t + DAY_S - 1) / DAY_S);
}

int64_t cron_next(const struct cron *c, const struct tz *z, int64_t after)
{
	int64_t day = floor_day(after + tz_offset(z, after)) - 1;

	for (int i = 0; i < MAX_DAYS; i++, day++) {
		int64_t t, later;

		if (!day_matches(c, day))
			continue;
		t = first_of_day(c, z, day, after);
		if (!t)
			continue;
		/* A clock change at midnight can put the first firing of the next day before
		 * the repeated last hour of this one. */
		later = day_matches(c, day + 1) ? first_of_day(c, z, day + 1, after) : 0;
		return later && later < t ? later : t;
	}
	return 0;
}

int64_t cron_previous(const struct cron *c, const struct tz *z, int64_t since, int64_t at)
{
	int64_t low = since, high = at, last = 0;

	/* Step back by growing windows from the end, so that a long outage costs little. */
	for (int64_t window = 3600; high > since; window *= 4) {
		low = MAX(since, at - window);
		for (int64_t t = cron_next(c, z, low); t && t <= at; t = cron_next(c, z, t))
			last = t;
		if (last || low == since)
			break;
		high = low;
	}
	return last;
}
