/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vulkan devices as JSON. */
#include "daemon/render/internal.h"

static json_t *event_json(const struct device_event *e)
{
	json_t *o = json_object();

	json_set_time(o, "time", e->at_ns);
	json_set_str(o, "kind", e->kind);
	json_set_str(o, "job", e->job);
	json_set_str(o, "by", *e->actor ? e->actor : NULL);
	json_set_str(o, "text", e->text);
	return o;
}

void render_device_state(const struct device *d, json_t *o)
{
	json_set_str(o, "state", device_state_name(d->state));
	json_set_time(o, "since", d->since_ns);
	json_set_str(o, "reason", d->reason);
	json_set_int(o, "losses", d->n_losses);
	json_set_time(o, "cleared", d->cleared_ns);
	json_set_str(o, "cleared_by", *d->cleared_by ? d->cleared_by : NULL);
}

json_t *render_device(const struct device *d, const struct device_event *events, size_t n)
{
	json_t *o = json_object(), *list = json_array();

	json_set_str(o, "testbed", d->testbed);
	json_set_str(o, "uuid", d->uuid);
	json_set_int(o, "driver_id", d->driver_id);
	json_set_str(o, "name", d->name);
	json_set_str(o, "driver", d->driver);
	json_set_bool(o, "software", d->is_software);
	json_set_bool(o, "present", d->is_present);
	json_set_time(o, "seen", d->seen_ns);
	render_device_state(d, o);
	json_object_set_new(o, "info", stored_json(d->info_json));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, event_json(&events[i]));
	json_object_set_new(o, "history", list);
	return o;
}
