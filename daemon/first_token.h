/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first key of a daemon that wants tokens and has none. */
#ifndef DAEMON_FIRST_TOKEN_H
#define DAEMON_FIRST_TOKEN_H

#include "daemon/store/store.h"

/* Where no token is there: make one with scope admin and write its key, once, to
 * STATE/admin.token (mode 0600). Before the server starts. */
int first_token_make(struct store *st, const char *state_dir, struct error *err) must_check;

#endif
