#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent reference for daemon/schedule/cron.c: walks ten years minute by minute with
Python's zoneinfo and prints, for each zone and expression, how often it fires and the SHA-256 of
the firing times (decimal seconds, one a line). Rewrites tests/golden/cron.txt:
    python3 tests/tools/cron_reference.py > tests/golden/cron.txt
A second opinion, croniter 1.3.5, gives the same times in UTC but for "*/10" days, where it leaves
out 1 March; in zones with clock changes it is an hour off on the days of a change and lets other
hours fire, or fire twice.
"""
import datetime
import hashlib
from zoneinfo import ZoneInfo

START, END = 1735689600, 2051222400  # 2025-01-01 .. 2035-01-01
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"]
EXPRESSIONS = ["30 2 * * *", "*/15 * * * *", "15 1,2,3 * * sun", "0 3 13 * fri", "0 0 29 feb *",
               "*/7 0-4 * mar,apr,oct,nov 0", "0 0 */10 * *", "5/20 */6 1-7 * 1-5"]
MONTHS = {m: i + 1 for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
DAYS = {d: i for i, d in enumerate("sun mon tue wed thu fri sat".split())}
MINUTE = datetime.timedelta(minutes=1)


def values(field, low, high, names):
    found = set()
    for part in field.split(","):
        part, _, step = part.partition("/")
        number = lambda text: names[text] if text in names else int(text)
        if part == "*":
            first, last = low, high
        elif "-" in part:
            first, last = map(number, part.split("-"))
        else:
            first = number(part)
            last = high if step else first
        found |= set(range(first, last + 1, int(step or 1)))
    return found


class Expression:
    def __init__(self, text):
        minute, hour, day, month, weekday = text.split()
        self.minutes, self.hours = values(minute, 0, 59, {}), values(hour, 0, 23, {})
        self.days, self.months = values(day, 1, 31, {}), values(month, 1, 12, MONTHS)
        self.weekdays = {d % 7 for d in values(weekday, 0, 6, DAYS)}
        self.follows_clock = minute[0] == "*" or hour[0] == "*"
        self.both_days = day[0] == "*" or weekday[0] == "*"
        self.out, self.seen = [], set()

    def matches(self, local):
        if local.minute not in self.minutes or local.hour not in self.hours:
            return False
        if local.month not in self.months:
            return False
        a, b = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return a and b if self.both_days else a or b


def walk(zone):
    expressions = {text: Expression(text) for text in EXPRESSIONS}
    tz, before = ZoneInfo(zone), None
    for t in range(START - 86400, END, 60):
        local = datetime.datetime.fromtimestamp(t, tz).replace(tzinfo=None)
        skipped = []
        if before is not None:
            missing = before + MINUTE
            while missing < local:
                skipped.append(missing)
                missing += MINUTE
        for e in expressions.values():
            fires = any(e.matches(s) for s in skipped) and not e.follows_clock
            if e.matches(local):
                fires |= e.follows_clock or local not in e.seen
                if not e.follows_clock:
                    e.seen.add(local)
            if fires and t > START:
                e.out.append(t)
        before = local
    for text, e in expressions.items():
        digest = hashlib.sha256("".join("%d\n" % t for t in e.out).encode()).hexdigest()
        print("%s|%s|%d|%s" % (zone, text, len(e.out), digest), flush=True)


if __name__ == "__main__":
    for name in ZONES:
        walk(name)
