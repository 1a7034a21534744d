/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker of its own unit has said of its jobs and the daemon has not stored yet, so that
 * a daemon that was away hears it again, once. Every line gets a number, counted from 1 in each
 * attempt of a job; the daemon's `stored` names the last one that is on disk. Worker process
 * only. */
#ifndef WORKER_KEPT_H
#define WORKER_KEPT_H

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"

enum { KEPT_MOST = 8 * 1024 * 1024 }; /* bytes of a job; its runner waits beyond */

struct kept_job {
	struct kept_job *next;
	char id[UUID_TEXT];
	int64_t attempt, n; /* n: of the last line */
	bool has_done;	    /* nothing follows */
	struct buf lines;
};

struct kept {
	struct kept_job *first;
};

/* Number whole lines (JSON objects) and keep them. Returns them as they are to be sent, *n
 * bytes, valid until the next call. */
const char *kept_add(
	struct kept *k, const char *id, int64_t attempt, const char *text, size_t *n);
/* Bytes that wait for the daemon. */
size_t kept_bytes(const struct kept *k, const char *id, int64_t attempt);
/* All up to number n is on disk. A job whose `done` is, is forgotten. */
void kept_release(struct kept *k, const char *id, int64_t attempt, int64_t n);
/* What is left of one attempt; NULL when nothing is kept of it. *ret_n bytes. */
const char *kept_find(const struct kept *k, const char *id, int64_t attempt, size_t *ret_n);
/* Nobody wants to hear of the attempts before this one any more. */
void kept_forget(struct kept *k, const char *id, int64_t before);
void kept_done(struct kept *k);

#endif
