/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vulkan devices: what workers found, what became of them, and which are not to be used. */
#include <ctype.h>
#include <string.h>
#include "base/clock.h"
#include "daemon/queue/internal.h"

enum {
	LOSSES_MOST = 2,
	DEVICES_MOST = 64,
	EVENTS_LOOK = 20,
	UUID_DIGITS = 32,
	INFO_MOST = 64 * KiB
};

/* --- history ------------------------------------------------------------------------------ */

static int note(struct store *st, const struct device *d, const char *kind, const char *job,
	const char *actor, const char *text, int64_t now_ns, struct error *err)
{
	const struct device_event e = {
		.at_ns = now_ns, .kind = kind, .job = job, .actor = actor, .text = text
	};

	return store_device_event_add(st, d->id, &e, err);
}

static int set_state(struct store *st, struct device *d, enum device_state state,
	const char *job, const char *reason, int64_t now_ns, struct error *err)
{
	d->state = state;
	d->since_ns = now_ns;
	d->reason = reason;
	return note(st, d, device_state_name(state), job, "", reason, now_ns, err);
}

static const char *second(struct arena *a, int64_t ns)
{
	char text[TIME_TEXT];

	return arena_printf(a, "%.19sZ", time_format(ns, text));
}

/* The sentence that names both losses, the last of which is told already. */
static int tell_losses(struct store *st, struct arena *a, const struct device *d,
	const char **ret, struct error *err)
{
	const char *job[LOSSES_MOST] = { "?", "?" }, *when[LOSSES_MOST] = { "?", "?" };
	struct device_event *e;
	size_t n, k = 0;
	int r = store_device_events(st, a, d->id, EVENTS_LOOK, &e, &n, err);

	for (size_t i = 0; r == OK && i < n && k < LOSSES_MOST; i++)
		if (!strcmp(e[i].kind, "lost")) {
			job[k] = e[i].job ? e[i].job : "?";
			when[k++] = second(a, e[i].at_ns);
		}
	*ret = arena_printf(a, "lost twice in a row: by job %s at %s and by job %s at %s",
		job[1], when[1], job[0], when[0]);
	return r;
}

/* --- what workers tell -------------------------------------------------------------------- */

static bool read_key(const json_t *o, const char **uuid, int64_t *driver_id)
{
	*uuid = json_get_str(o, "uuid", "");
	*driver_id = json_get_int(o, "driver_id", -1);
	return strlen(*uuid) == UUID_DIGITS &&
	       strspn(*uuid, "0123456789abcdef") == UUID_DIGITS && *driver_id >= 0;
}

static int recover(struct store *st, struct arena *a, const struct device *seen,
	const json_t *o, int64_t now_ns, struct error *err)
{
	struct device d;
	int r = store_device_find(st, a, seen->testbed, seen->uuid, seen->driver_id, &d, err);

	if (r < 0 || d.state != DEVICE_WEDGED || json_get_bool(o, "held", false) ||
		json_get_str(o, "unusable", NULL))
		return r;
	r = note(st, &d, "recovered", NULL, "",
		"nobody holds its lock any more and a probe found it usable", now_ns, err);
	d.state = DEVICE_OK;
	d.since_ns = 0;
	d.reason = "";
	return r < 0 ? r : store_device_save(st, &d, err);
}

static int see(struct store *st, struct arena *a, const char *testbed, const json_t *o,
	int64_t now_ns, struct error *err)
{
	_cleanup_(free)
	char *text = json_dumps(o, JSON_COMPACT);
	struct device d = { .testbed = testbed,
		.name = json_get_str(o, "name", "?"),
		.driver = json_get_str(o, "driver", ""),
		.is_software = json_get_bool(o, "software", false),
		.info_json = text,
		.seen_ns = now_ns };
	int r;

	if (!text || strlen(text) > INFO_MOST || !read_key(o, &d.uuid, &d.driver_id))
		return OK;
	r = store_device_see(st, &d, err);
	return r < 0 ? r : recover(st, a, &d, o, now_ns, err);
}

int queue_devices_seen(struct store *st, struct arena *a, const char *testbed,
	const json_t *vulkan, int64_t now_ns, struct error *err)
{
	int r = store_device_miss(st, testbed, err);
	const json_t *o;
	size_t i;

	json_array_foreach (vulkan, i, o) {
		if (r < 0 || i >= DEVICES_MOST)
			break;
		r = see(st, a, testbed, o, now_ns, err);
	}
	return r;
}

static int note_loss(struct store *st, struct arena *a, struct device *d, const char *job,
	int64_t now_ns, struct error *err)
{
	const char *reason;
	int r = note(st, d, "lost", job, "", "", now_ns, err);

	d->n_losses++;
	if (r < 0 || d->n_losses < LOSSES_MOST || d->state == DEVICE_QUARANTINED)
		return r;
	r = tell_losses(st, a, d, &reason, err);
	return r < 0 ? r : set_state(st, d, DEVICE_QUARANTINED, job, reason, now_ns, err);
}

static int ended(struct store *st, struct arena *a, const struct job *j, const char *testbed,
	const json_t *o, int64_t now_ns, struct error *err)
{
	const char *how = json_get_str(o, "ended", ""), *uuid;
	struct device d;
	int64_t driver_id;
	int r;

	if (!read_key(o, &uuid, &driver_id))
		return OK;
	r = store_device_find(st, a, testbed, uuid, driver_id, &d, err);
	if (r < 0)
		return r == E_NOT_FOUND ? OK : r;
	if (json_get_int(o, "succeeded", 0) > 0)
		d.n_losses = 0;
	if (!strcmp(how, "lost"))
		r = note_loss(st, a, &d, j->uuid, now_ns, err);
	else if (!strcmp(how, "crashed"))
		r = note(st, &d, how, j->uuid, "", "", now_ns, err);
	else if (!strcmp(how, "wedged") && d.state == DEVICE_OK)
		r = set_state(st, &d, DEVICE_WEDGED, j->uuid,
			arena_printf(a, "a process of job %s did not die of SIGKILL", j->uuid),
			now_ns, err);
	return r < 0 ? r : store_device_save(st, &d, err);
}

int queue_devices_ended(struct store *st, struct arena *a, const struct job *j,
	const char *testbed, const json_t *devices, int64_t now_ns, struct error *err)
{
	const json_t *o;
	size_t i;
	int r = OK;

	json_array_foreach (devices, i, o) {
		if (r < 0 || i >= DEVICES_MOST)
			break;
		r = ended(st, a, j, testbed, o, now_ns, err);
	}
	return r;
}

/* --- what jobs may use -------------------------------------------------------------------- */

static bool names_vulkan(const json_t *spec)
{
	const json_t *cell, *word;
	size_t i, k;

	json_array_foreach (json_object_get(spec, "cells"), i, cell)
		json_array_foreach (json_object_get(cell, "argv"), k, word)
			if (json_is_string(word) && strstr(json_string_value(word), "vulkan"))
				return true;
	return false;
}

static json_t *refusal(struct arena *a, const struct device *d)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", d->uuid);
	json_set_int(o, "driver_id", d->driver_id);
	json_set_str(o, "reason",
		arena_printf(a,
			"the device '%.100s' (%s, driver %.40s) is %s since %s: %s; %sclear it "
			"with `benchctl devices clear %s`",
			d->name, d->uuid, d->driver, device_state_name(d->state),
			second(a, d->since_ns), d->reason,
			d->state == DEVICE_WEDGED
				? "that ends when the process is gone and a probe finds the "
				  "device, or "
				: "when it is known to be sound, ",
			d->uuid));
	return o;
}

int queue_devices_refuse(
	struct store *st, struct arena *a, const char *testbed, json_t *spec, struct error *err)
{
	struct device *list;
	json_t *refused;
	size_t n;
	int r;

	if (!names_vulkan(spec))
		return OK;
	r = store_device_list(st, a, testbed, &list, &n, err);
	if (r < 0)
		return r;
	refused = json_array();
	for (size_t i = 0; i < n; i++)
		if (list[i].state != DEVICE_OK)
			json_array_append_new(refused, refusal(a, &list[i]));
	json_object_set_new(spec, "refused_devices", refused);
	return OK;
}

/* --- operators ---------------------------------------------------------------------------- */

int queue_device_find(struct store *st, struct arena *a, const char *testbed, const char *name,
	struct device *ret, struct error *err)
{
	const char *dot = strchr(name, '.');
	char uuid[UUID_DIGITS + 1] = "";
	size_t n = 0;
	char *end;
	long long driver;

	for (const char *c = name; *c && c != dot; c++) {
		if (*c == '-')
			continue;
		if (n == UUID_DIGITS || !isxdigit((unsigned char)*c))
			return error_set(err, E_NOT_FOUND,
				"'%.80s' is no UUID of a device: 32 hexadecimal digits, and "
				"behind a dot the driver's id where several have it",
				name);
		uuid[n++] = (char)tolower((unsigned char)*c);
	}
	if (!dot)
		return store_device_find_uuid(st, a, testbed, uuid, ret, err);
	driver = strtoll(dot + 1, &end, 10);
	if (end == dot + 1 || *end)
		return error_set(err, E_NOT_FOUND, "'%.40s' is no id of a driver", dot + 1);
	return store_device_find(st, a, testbed, uuid, driver, ret, err);
}

int queue_device_clear(struct store *st, struct arena *a, const char *testbed, const char *name,
	const char *by, const char *text, int64_t now_ns, struct device *ret, struct error *err)
{
	struct device d;
	int r = queue_device_find(st, a, testbed, name, &d, err);

	if (r < 0)
		return r;
	if (d.state == DEVICE_OK)
		return error_set(err, E_CONFLICT,
			"the device '%.100s' (%s) is in order: there is nothing to clear",
			d.name, d.uuid);
	d.state = DEVICE_OK;
	d.since_ns = 0;
	d.reason = "";
	d.n_losses = 0;
	d.cleared_ns = now_ns;
	d.cleared_by = by;
	r = note(st, &d, "cleared", NULL, by, text, now_ns, err);
	if (r == OK)
		r = store_device_save(st, &d, err);
	*ret = d;
	return r;
}
