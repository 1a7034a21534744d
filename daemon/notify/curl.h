/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libcurl, opened when the first message leaves: with the libraries behind it, it is a third of
 * the daemon's memory, and most daemons send nothing. Not for other folders. Any thread. */
#ifndef DAEMON_NOTIFY_CURL_H
#define DAEMON_NOTIFY_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include "base/error.h"

/* What is used of it. The types are the header's: a wrong one is a compiler's error. */
#define CURL_CALLS(X)                                                                          \
	X(easy_init)                                                                           \
	X(easy_cleanup)                                                                        \
	X(easy_reset)                                                                          \
	X(easy_setopt)                                                                         \
	X(easy_getinfo)                                                                        \
	X(easy_perform)                                                                        \
	X(easy_strerror)                                                                       \
	X(slist_append)                                                                        \
	X(slist_free_all)                                                                      \
	X(global_init)

struct curl_calls {
#define X(name) __typeof__(&curl_##name) name;
	CURL_CALLS(X)
#undef X
};

/* Opened once and never closed. E_UNAVAILABLE says what is missing and stays so. */
int curl_load(const struct curl_calls **ret, struct error *err) must_check;

#endif
