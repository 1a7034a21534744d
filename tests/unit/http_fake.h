/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store in memory with the symbols the server's machinery uses, and switches to make it fail:
 * the tests of http/ need no database. */
#ifndef TESTS_UNIT_HTTP_FAKE_H
#define TESTS_UNIT_HTTP_FAKE_H

#include "daemon/http/http.h"
#include "daemon/store/store.h"

enum { FAKE_MAX = 100000 };

struct fake_store {
	_Atomic int commits, rows, begun;
	_Atomic int fail_commit; /* code of the next commits, 0: none */
	_Atomic int busy;	 /* begin says E_UNAVAILABLE */
	_Atomic int slow_ms;	 /* a commit takes this long */
	_Atomic int readers;	 /* open handles */
	_Atomic int checkpoints, in_transaction;
};
extern struct fake_store fake;

void fake_reset(void);
/* Inside a writer: one more row, gone if the savepoint is rolled back. */
void fake_add_row(void);
/* Scopes for the token "good" + digit; see http_fake.c. */

#endif
