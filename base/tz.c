/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/tz.h"

#include <ctype.h>
#include <string.h>
#include "base/buf.h"
#include "base/fs.h"

/* One change of a POSIX TZ rule: Jn, n or Mm.w.d, at a second of the day. */
struct rule {
	char kind; /* 'J', '0', 'M' */
	int month, week, day;
	int64_t at_s;
};

struct tz {
	size_t n;
	int64_t *at;	 /* transition instants, ascending */
	int32_t *offset; /* offset from at[i] on */
	int32_t before;	 /* offset before the first transition */
	bool has_rule, has_dst;
	int32_t std_offset,
		dst_offset; /* of the footer, for instants behind the last transition */
	struct rule start, end;
};

int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void civil_from_days(int64_t z, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

static int64_t be(const unsigned char *p, int n)
{
	uint64_t v = p[0] & 0x80 ? ~UINT64_C(0) : 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

/* --- the footer: a POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3" --- */

static bool skip_name(const char **p)
{
	const char *s = *p;

	if (*s == '<') {
		s = strchr(s, '>');
		if (!s)
			return false;
		*p = s + 1;
		return true;
	}
	while (isalpha((unsigned char)*s))
		s++;
	if (s - *p < 3)
		return false;
	*p = s;
	return true;
}

static bool read_hms(const char **p, int64_t *ret)
{
	int64_t sign = 1, part[3] = { 0 };

	if (**p == '-' || **p == '+')
		sign = *(*p)++ == '-' ? -1 : 1;
	for (int i = 0; i < 3; i++) {
		char *end;

		if (!isdigit((unsigned char)**p))
			return false;
		part[i] = strtol(*p, &end, 10);
		*p = end;
		if (**p != ':')
			break;
		(*p)++;
	}
	*ret = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool read_rule(const char **p, struct rule *r)
{
	int n = 0;

	r->at_s = 7200;
	if (*(*p)++ != ',')
		return false;
	if (**p == 'M') {
		if (sscanf(*p, "M%d.%d.%d%n", &r->month, &r->week, &r->day, &n) != 3)
			return false;
		r->kind = 'M';
	} else {
		r->kind = **p == 'J' ? 'J' : '0';
		if (sscanf(*p + (r->kind == 'J'), "%d%n", &r->day, &n) != 1)
			return false;
		n += r->kind == 'J';
	}
	*p += n;
	if (**p == '/') {
		(*p)++;
		return read_hms(p, &r->at_s);
	}
	return true;
}

static bool read_footer(struct tz *z, const char *p)
{
	int64_t offset;

	if (!skip_name(&p) || !read_hms(&p, &offset))
		return false;
	z->std_offset = (int32_t)-offset;
	z->has_rule = true;
	if (!*p)
		return true;
	if (!skip_name(&p))
		return false;
	z->dst_offset = z->std_offset + 3600;
	if (*p != ',') {
		if (!read_hms(&p, &offset))
			return false;
		z->dst_offset = (int32_t)-offset;
	}
	z->has_dst = read_rule(&p, &z->start) && read_rule(&p, &z->end) && !*p;
	return z->has_dst;
}

static bool is_leap(int64_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Local second at which the rule applies in a year. */
static int64_t rule_local(const struct rule *r, int64_t year)
{
	int64_t day = days_from_civil(year, 1, 1), first, weekday, last;

	if (r->kind == 'J')
		day += r->day - 1 + (is_leap(year) && r->day >= 60);
	else if (r->kind == '0')
		day += r->day;
	else {
		first = days_from_civil(year, r->month, 1);
		last = r->month == 12 ? days_from_civil(year + 1, 1, 1)
				      : days_from_civil(year, r->month + 1, 1);
		weekday = (first + 4) % 7; /* 1970-01-01 was a Thursday */
		day = first + (r->day - weekday + 7) % 7 + 7 * (r->week - 1);
		while (day >= last)
			day -= 7;
	}
	return day * 86400 + r->at_s;
}

static int32_t rule_offset(const struct tz *z, int64_t t)
{
	int64_t year, start, end;
	int month, day;

	if (!z->has_dst)
		return z->std_offset;
	civil_from_days((t + z->std_offset) / 86400, &year, &month, &day);
	start = rule_local(&z->start, year) - z->std_offset;
	end = rule_local(&z->end, year) - z->dst_offset;
	if (start < end)
		return t >= start && t < end ? z->dst_offset : z->std_offset;
	return t >= end && t < start ? z->std_offset : z->dst_offset;
}

/* --- TZif --- */

struct header {
	size_t isut, isstd, leap, times, types, chars;
};

static bool read_header(const unsigned char *p, size_t n, struct header *h)
{
	if (n < 44 || memcmp(p, "TZif", 4))
		return false;
	h->isut = (size_t)be(p + 20, 4);
	h->isstd = (size_t)be(p + 24, 4);
	h->leap = (size_t)be(p + 28, 4);
	h->times = (size_t)be(p + 32, 4);
	h->types = (size_t)be(p + 36, 4);
	h->chars = (size_t)be(p + 40, 4);
	return h->times < 10000 && h->types > 0 && h->types < 256 && h->leap < 1000 &&
	       h->chars < 10000 && h->isut < 1000 && h->isstd < 1000;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->times * time_size + h->times + h->types * 6 + h->chars +
	       h->leap * (time_size + 4) + h->isstd + h->isut;
}

static bool read_body(struct tz *z, const unsigned char *p, const struct header *h)
{
	const unsigned char *index = p + h->times * 8, *types = index + h->times;

	z->n = h->times;
	z->at = xcalloc(z->n + 1, sizeof(*z->at));
	z->offset = xcalloc(z->n + 1, sizeof(*z->offset));
	z->before = (int32_t)be(types, 4);
	for (size_t i = 0; i < z->n; i++) {
		if (index[i] >= h->types)
			return false;
		z->at[i] = be(p + 8 * i, 8);
		z->offset[i] = (int32_t)be(types + 6 * index[i], 4);
	}
	return true;
}

/* Version 2 and later: the first block (32-bit times) is stepped over. */
static bool read_file(struct tz *z, const char *data, size_t n)
{
	const unsigned char *p = (const unsigned char *)data;
	struct header h;
	size_t skip, size;
	const char *footer, *end;
	_cleanup_(free)
	char *text = NULL;

	if (!read_header(p, n, &h) || p[4] < '2')
		return false;
	skip = 44 + body_size(&h, 4);
	if (n < skip || !read_header(p + skip, n - skip, &h))
		return false;
	size = 44 + body_size(&h, 8);
	if (n < skip + size + 2 || !read_body(z, p + skip + 44, &h))
		return false;
	footer = data + skip + size;
	end = memchr(footer + 1, '\n', n - skip - size - 1);
	if (*footer != '\n' || !end)
		return false;
	text = xstrndup(footer + 1, (size_t)(end - footer - 1));
	return !*text || read_footer(z, text);
}

static bool name_is_valid(const char *name)
{
	if (!isalpha((unsigned char)*name) || strlen(name) > 64 || strstr(name, ".."))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("/_+-", *name))
			return false;
	return true;
}

int tz_load(const char *name, struct tz **ret, struct error *err)
{
	_cleanup_(tz_free)
	struct tz *z = xcalloc(1, sizeof(*z));
	const char *dir = getenv("TZDIR");
	_cleanup_(buf_done)
	struct buf b = { 0 };
	_cleanup_(free)
	char *path = NULL;

	if (!name_is_valid(name))
		return error_set(err, E_BAD_REQUEST,
			"'%.64s' is not a time zone; write one such as Europe/Berlin or UTC",
			name);
	if (strcmp(name, "UTC")) {
		path = xasprintf("%s/%s", dir ? dir : "/usr/share/zoneinfo", name);
		if (file_read(path, MiB, &b, NULL) < 0 || !read_file(z, buf_str(&b), b.len))
			return error_set(err, E_BAD_REQUEST,
				"the time zone '%.64s' is not known on this host (package "
				"tzdata)",
				name);
	}
	*ret = TAKE(z);
	return OK;
}

void tz_free(struct tz *z)
{
	if (!z)
		return;
	free(z->at);
	free(z->offset);
	free(z);
}

int32_t tz_offset(const struct tz *z, int64_t t)
{
	size_t lo = 0, hi = z->n;

	if (z->n == 0 || t < z->at[0])
		return z->n == 0 && z->has_rule ? rule_offset(z, t) : z->before;
	if (z->has_rule && t >= z->at[z->n - 1])
		return rule_offset(z, t);
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (z->at[mid] <= t)
			lo = mid;
		else
			hi = mid;
	}
	return z->offset[lo];
}

/* The instant in (lo, hi] at which the offset is no longer that of lo; they differ. */
static int64_t find_transition(const struct tz *z, int64_t lo, int64_t hi)
{
	int32_t before = tz_offset(z, lo);

	while (hi - lo > 1) {
		int64_t mid = lo + (hi - lo) / 2;

		if (tz_offset(z, mid) == before)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

/* Offsets lie within a day of UTC, and no zone changes twice within two days, so the offsets a
 * day before and after are the only candidates. */
struct tz_instants tz_from_local(const struct tz *z, int64_t local)
{
	int32_t first = tz_offset(z, local - 86400), second = tz_offset(z, local + 86400);
	struct tz_instants r = { 0 };
	int64_t t = local - MAX(first, second);

	if (tz_offset(z, t) == MAX(first, second))
		r.at[r.n++] = t;
	t = local - MIN(first, second);
	if (first != second && tz_offset(z, t) == MIN(first, second))
		r.at[r.n++] = t;
	if (r.n == 0)
		r.gap_end = find_transition(z, local - 86400, local + 86400);
	return r;
}
