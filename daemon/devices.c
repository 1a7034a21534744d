/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker's probe found, on its way to the store. */
#include "base/log.h"
#include "daemon/http/http.h"
#include "daemon/run.h"

struct told {
	struct pipeline *pl;
	json_t *vulkan;
};

static int told_write(struct store *st, void *arg, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct told *t = arg;
	const char *testbed = t->pl->c.rules(t->pl->c.arg)->testbed;

	return queue_devices_seen(st, a, testbed, t->vulkan, pipeline_now(t->pl), err);
}

static void on_written(void *arg, int code, const struct error *err)
{
	struct told *t = arg;
	struct pipeline *pl = t->pl;

	if (code < 0)
		log_warning("what the probe of devices found was not stored: %s", err->text);
	json_decref(t->vulkan);
	free(t);
	pipeline_settle(pl);
}

void devices_take(struct pipeline *pl, const json_t *message)
{
	struct told *t;
	struct error err;

	if (pl->is_stopping)
		return;
	t = xcalloc(1, sizeof(*t));
	t->pl = pl;
	t->vulkan = json_incref(json_object_get(message, "vulkan"));
	pl->n_pending++;
	if (writer_submit(server_writer(pl->server), told_write, on_written, t, &err) < 0)
		on_written(t, err.code, &err);
}
