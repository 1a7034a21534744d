/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `process` message of docs/worker-protocol.md. */
#ifndef WORKER_RECORD_H
#define WORKER_RECORD_H

#include "worker/counters.h"
#include "worker/measured.h"
#include "worker/result.h"

struct record {
	int64_t seq, padding;
	const char *exe;
	struct supervised process;
	struct result result;
	char protocol_error[512]; /* "" none */
	const char *error;	  /* why the job failed with it; NULL: it did not */
	const struct noise_snapshot *before, *after;
	struct counters counters;
	bool is_counting; /* under cachegrind: `counted` is its only result */
	int64_t counted;  /* instructions */
};

/* Is the peak memory that of the program, or of the worker that started it? */
bool memory_is_hidden(const struct account *a);
/* The whole message; channel_send takes it. */
json_t *record_message(const struct job *j, const struct turn *t, const struct record *r,
	const struct noise *n);

#endif
