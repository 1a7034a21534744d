/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which job next: the slot first, then the row. */
#include <string.h>
#include "daemon/queue/internal.h"

/* The job at the head of the queue, whatever slot it wants. */
static int peek(struct store *st, struct arena *a, struct job *ret, struct error *err)
{
	const struct job_filter f = {
		.states = 1u << JOB_QUEUED,
		.queue_order = true,
		.limit = 1,
	};
	struct job *jobs;
	size_t n;
	int r;

	r = store_job_list(st, a, &f, &jobs, &n, err);
	if (r < 0)
		return r;
	if (n == 0)
		return error_set(err, E_NOT_FOUND, "no job is waiting");
	*ret = jobs[0];
	return OK;
}

int queue_claim(struct store *st, struct arena *a, const struct slots *free, int64_t worker_id,
	int64_t now_ns, int64_t lease_ns, struct job *ret, struct error *err)
{
	struct job next = { 0 };
	bool is_exclusive, may_start;
	int r;

	r = peek(st, a, &next, err);
	if (r < 0)
		return r;
	is_exclusive = !strcmp(next.slot, "exclusive");
	may_start = is_exclusive ? (free->has_exclusive || free->n_ahead > 0) &&
					   !free->has_running_shared
				 : free->has_exclusive && free->n_shared > 0;
	if (!may_start)
		return error_set(err, E_NOT_FOUND, "job %s waits for the host", next.uuid);
	r = store_job_claim(st, a, next.slot, worker_id, now_ns, now_ns + lease_ns, ret, err);
	return r < 0 ? r : queue_note_state(st, ret, now_ns, err);
}
