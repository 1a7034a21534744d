/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logging to stderr, with systemd's <N> level prefixes when under it. Only main, pipeline, the
 * worker's loop and http/server.c log; each failure once. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_ERROR = 3,
	LOG_WARNING = 4,
	LOG_NOTICE = 5,
	LOG_INFORMATION = 6,
	LOG_DEBUGGING = 7
};

void log_init(const char *program, enum log_level most);
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFORMATION, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUGGING, __VA_ARGS__)

#endif
