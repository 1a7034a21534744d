/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What forges sent and what they are told, as JSON. */
#include "daemon/render/internal.h"

#include <string.h>

json_t *render_delivery(const struct delivery *d)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", d->uuid);
	json_set_str(o, "hook", d->hook);
	json_set_str(o, "id", d->forge_id);
	json_set_str(o, "event", d->event);
	json_set_str(o, "state", d->state);
	json_set_str(o, "reason", d->reason);
	json_set_time(o, "received", d->received_ns);
	json_set_time(o, "processed", d->processed_ns);
	json_set_int(o, "size", (int64_t)d->n_body);
	return o;
}

json_t *render_outgoing(const struct outgoing *m)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", m->uuid);
	json_set_str(o, "kind", m->kind);
	json_set_str(o, "target", m->target);
	json_set_str(o, "event", m->event);
	json_set_str(o, "state", m->state);
	json_set_str(o, "reason", m->reason);
	json_set_int(o, "attempts", m->n_attempts);
	json_set_time(o, "created", m->created_ns);
	json_set_time(o, "due", !strcmp(m->state, "waiting") ? m->due_ns : 0);
	json_set_time(o, "done", m->done_ns);
	return o;
}

json_t *render_attempt(const struct outgoing_attempt *at)
{
	json_t *o = json_object();

	json_set_int(o, "number", at->number);
	json_set_time(o, "started", at->started_ns);
	json_set_time(o, "ended", at->ended_ns);
	json_set_int(o, "status", at->status);
	json_set_str(o, "outcome", at->outcome);
	return o;
}
