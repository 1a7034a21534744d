/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"

static const char *name = "benchd";
static enum log_level most = LOG_NOTICE;
static int under_systemd;

void log_init(const char *program, enum log_level level)
{
	name = program;
	most = level;
	under_systemd = getenv("JOURNAL_STREAM") != NULL;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	static const char *const words[] = { "", "", "", "error", "warning", "notice", "info",
		"debug" };
	char text[2048], stamp[TIME_TEXT];
	va_list ap;

	if (level > most)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (under_systemd)
		fprintf(stderr, "<%d>%s\n", level, text);
	else
		fprintf(stderr, "%s %s %s: %s\n", time_format(clock_realtime_ns(), stamp), name,
			words[level], text);
}
