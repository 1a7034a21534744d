/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slots of a schedule: when they are, and when with jitter they are due. */
#include "daemon/schedule/schedule.h"

#include <string.h>
#include "base/clock.h"
#include "base/secret.h"
#include "base/tz.h"

enum { COUNT_MAX = 10000 };

struct rule {
	struct cron cron;
	struct tz *zone;
	const struct schedule *s;
};

static void rule_donep(struct rule *r)
{
	tz_free(r->zone);
}

static int rule_load(const struct schedule *s, struct rule *ret, struct error *err)
{
	int r;

	ret->s = s;
	r = cron_parse(s->cron, &ret->cron, err);
	return r == OK ? tz_load(s->time_zone, &ret->zone, err) : r;
}

static int64_t next_after(const struct rule *r, int64_t at_ns)
{
	return cron_next(&r->cron, r->zone, at_ns / NS_PER_S) * NS_PER_S;
}

/* The delay of a slot: the same after every restart, spread over schedules and slots, and never
 * so long that the next slot comes first. */
static int64_t jitter(const struct rule *r, int64_t slot_ns)
{
	int64_t next = next_after(r, slot_ns), most = r->s->jitter_ns;
	uint8_t digest[SHA256_BYTES];
	uint64_t n;
	char text[96];
	int len;

	if (most <= 0)
		return 0;
	if (next && next - slot_ns < most)
		most = next - slot_ns;
	len = snprintf(text, sizeof(text), "%.40s %lld", r->s->uuid ? r->s->uuid : "",
		(long long)slot_ns);
	sha256(text, (size_t)len, digest);
	memcpy(&n, digest, sizeof(n));
	return (int64_t)(n % (uint64_t)most);
}

static struct slot slot_at(const struct rule *r, int64_t at_ns)
{
	return (struct slot){ .at_ns = at_ns, .due_ns = at_ns ? at_ns + jitter(r, at_ns) : 0 };
}

int schedule_slots(const struct schedule *s, int64_t after_ns, struct slot *ret, size_t n,
	size_t *ret_n, struct error *err)
{
	_cleanup_(rule_done)
	struct rule rule = { 0 };
	int r = rule_load(s, &rule, err);

	*ret_n = 0;
	for (int64_t at = after_ns; r == OK && *ret_n < n;) {
		at = next_after(&rule, at);
		if (!at)
			break;
		ret[(*ret_n)++] = slot_at(&rule, at);
	}
	return r;
}

int schedule_plan(struct schedule *s, struct error *err)
{
	struct slot first = { 0 };
	size_t n;
	int r = schedule_slots(s, s->seen_ns, &first, 1, &n, err);

	if (r == OK) {
		s->slot_ns = first.at_ns;
		s->due_ns = first.due_ns;
	}
	return r;
}

const char *schedule_local(
	const struct schedule *s, int64_t at_ns, struct arena *a, struct error *err)
{
	_cleanup_(tz_free)
	struct tz *zone = NULL;
	int64_t local, year, day;
	int month, dom, offset;

	if (tz_load(s->time_zone, &zone, err) < 0)
		return NULL;
	offset = tz_offset(zone, at_ns / NS_PER_S);
	local = at_ns / NS_PER_S + offset;
	day = local / 86400;
	civil_from_days(day, &year, &month, &dom);
	return arena_printf(a, "%04lld-%02d-%02d %02d:%02d %c%02d:%02d", (long long)year, month,
		dom, (int)(local % 86400 / 3600), (int)(local % 3600 / 60),
		offset < 0 ? '-' : '+', abs(offset) / 3600, abs(offset) % 3600 / 60);
}

static int64_t count_slots(const struct rule *r, int64_t after_ns, int64_t before_ns)
{
	int64_t n = 0;

	for (int64_t at = next_after(r, after_ns); at && at < before_ns && n < COUNT_MAX;
		at = next_after(r, at))
		n++;
	return n;
}

int schedule_arrears(
	const struct schedule *s, int64_t now_ns, struct arrears *ret, struct error *err)
{
	_cleanup_(rule_done)
	struct rule rule = { 0 };
	int64_t since = s->seen_ns / NS_PER_S, at;
	int r = rule_load(s, &rule, err);

	*ret = (struct arrears){ 0 };
	if (r < 0)
		return r;
	at = cron_previous(&rule.cron, rule.zone, since, now_ns / NS_PER_S);
	if (at && slot_at(&rule, at * NS_PER_S).due_ns > now_ns)
		at = cron_previous(&rule.cron, rule.zone, since, at - 1);
	if (at)
		ret->newest = slot_at(&rule, at * NS_PER_S);
	ret->n_before = at ? count_slots(&rule, s->seen_ns, at * NS_PER_S) : 0;
	return OK;
}
