/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vulkan devices of the testbed, and letting one out of quarantine. */
#include "daemon/http/handlers.h"

#include <string.h>

enum { HISTORY_MOST = 100, HISTORY_BRIEF = 5 };

static const char *testbed_of(struct request *rq)
{
	const struct app *app = request_app(rq);

	return app->testbed ? app->testbed : "";
}

static int device_json(struct request *rq, struct store *st, const struct device *d,
	int64_t limit, json_t **ret, struct error *err)
{
	struct device_event *events;
	size_t n;
	int r = store_device_events(st, request_arena(rq), d->id, limit, &events, &n, err);

	if (r == OK)
		*ret = render_device(d, events, n);
	return r;
}

int devices_document(struct request *rq, struct store *st, json_t **ret, struct error *err)
{
	_cleanup_(json_decref)
	json_t *doc = json_array();
	struct device *list;
	size_t n = 0;
	int r = store_device_list(st, request_arena(rq), testbed_of(rq), &list, &n, err);

	for (size_t i = 0; r == OK && i < n; i++) {
		json_t *o;

		r = device_json(rq, st, &list[i], HISTORY_BRIEF, &o, err);
		if (r == OK)
			json_array_append_new(doc, o);
	}
	if (r == OK)
		*ret = TAKE(doc);
	return r;
}

int get_devices(struct request *rq, struct store *st, struct error *err)
{
	json_t *doc = NULL;
	int r = devices_document(rq, st, &doc, err);

	return r < 0 ? r : answer(rq, 200, DOC_DEVICES, doc, err);
}

int get_device(struct request *rq, struct store *st, struct error *err)
{
	struct device d;
	json_t *doc = NULL;
	int r = queue_device_find(
		st, request_arena(rq), testbed_of(rq), request_param(rq, "device"), &d, err);

	if (r == OK)
		r = device_json(rq, st, &d, HISTORY_MOST, &doc, err);
	return r < 0 ? r : answer_json(rq, 200, doc);
}

struct clearance {
	const char *note;
};

static int read_note(struct request *rq, const char **ret, struct error *err)
{
	static const struct json_field fields[] = {
		{ "note", JF_STRING, offsetof(struct clearance, note), false, 0, 1000, NULL },
	};
	struct clearance c = { .note = "" };
	json_t *o;
	int r = OK;

	*ret = "";
	if (request_body(rq)->len == 0)
		return OK;
	r = read_object(rq, &o, err);
	if (r == OK)
		r = json_read(o, "", fields, ARRAY_SIZE(fields), &c, JSON_REFUSE_UNKNOWN, err);
	*ret = c.note;
	return r;
}

int clear_device(struct request *rq, struct store *st, struct error *err)
{
	const char *note = "";
	struct device d;
	json_t *doc = NULL;
	int r = read_note(rq, &note, err);

	if (r == OK)
		r = queue_device_clear(st, request_arena(rq), testbed_of(rq),
			request_param(rq, "device"), request_principal(rq)->name, note,
			clock_wall(request_clock(rq)), &d, err);
	if (r == OK)
		r = device_json(rq, st, &d, HISTORY_MOST, &doc, err);
	if (r < 0)
		return r;
	request_wake(rq, WAKE_QUEUE);
	return answer_json(rq, 200, doc);
}

/* What the store knows of a device that a worker told of. */
static void add_state(const struct device *list, size_t n, json_t *told)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].uuid, json_get_str(told, "uuid", "")) &&
			list[i].driver_id == json_get_int(told, "driver_id", -1))
			render_device_state(&list[i], told);
}

int add_device_states(struct request *rq, struct store *st, json_t *workers, struct error *err)
{
	struct device *list;
	json_t *w, *d;
	size_t n, i, k;
	int r = store_device_list(st, request_arena(rq), testbed_of(rq), &list, &n, err);

	if (r < 0)
		return r;
	json_array_foreach (workers, i, w)
		json_array_foreach (json_object_get(w, "vulkan"), k, d)
			add_state(list, n, d);
	return OK;
}
