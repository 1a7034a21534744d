/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vulkan devices and their history. */
#include "daemon/store/internal.h"

enum { EVENTS_KEPT = 100 };

#define COLUMNS                                                                                \
	"id, testbed, uuid, driver_id, name, driver, is_software, info_json, seen_ns,"         \
	" is_present, state, since_ns, reason, n_losses, cleared_ns, cleared_by"
enum {
	BASE = Q_DEVICE * STATEMENTS_MAX,
	SEE = BASE,
	MISS,
	SAVE,
	FIND,
	BY_UUID,
	LIST,
	EVENT_ADD,
	EVENT_LIST,
	EVENT_PRUNE,
	END
};
static const char *const sql[] = {
	[SEE - BASE] = "INSERT INTO device (testbed, uuid, driver_id, name, driver,"
		       " is_software, info_json, seen_ns, is_present, state, since_ns, reason,"
		       " n_losses, cleared_ns, cleared_by) VALUES ($1, $2, $3, $4, $5, $6, $7,"
		       " $8, 1, 'ok', 0, '', 0, 0, '') ON CONFLICT (testbed, uuid, driver_id)"
		       " DO UPDATE SET name = $4, driver = $5, is_software = $6,"
		       " info_json = $7, seen_ns = $8, is_present = 1",
	[MISS - BASE] = "UPDATE device SET is_present = 0 WHERE testbed = $1",
	[SAVE - BASE] = "UPDATE device SET state = $2, since_ns = $3, reason = $4,"
			" n_losses = $5, cleared_ns = $6, cleared_by = $7 WHERE id = $1",
	[FIND - BASE] = "SELECT " COLUMNS " FROM device WHERE testbed = $1 AND uuid = $2"
			" AND driver_id = $3",
	[BY_UUID - BASE] = "SELECT " COLUMNS " FROM device WHERE testbed = $1 AND uuid = $2"
			   " ORDER BY driver_id",
	[LIST - BASE] = "SELECT " COLUMNS " FROM device WHERE testbed = $1"
			" ORDER BY uuid, driver_id",
	[EVENT_ADD - BASE] = "INSERT INTO device_event (device_id, at_ns, kind, job, actor,"
			     " text) VALUES ($1, $2, $3, $4, $5, $6)",
	[EVENT_LIST - BASE] = "SELECT at_ns, kind, job, actor, text FROM device_event"
			      " WHERE device_id = $1 ORDER BY id DESC LIMIT $2",
	[EVENT_PRUNE - BASE] = "DELETE FROM device_event WHERE device_id = $1 AND id < (SELECT"
			       " id FROM device_event WHERE device_id = $1 ORDER BY id DESC"
			       " LIMIT 1 OFFSET $2)",
};
const struct statements device_statements = { sql, END - BASE };

static void read_device(struct query *q, struct arena *a, struct device *d)
{
	d->id = column_int(q);
	d->testbed = column_text(q, a);
	d->uuid = column_text(q, a);
	d->driver_id = column_int(q);
	d->name = column_text(q, a);
	d->driver = column_text(q, a);
	d->is_software = column_int(q) != 0;
	d->info_json = column_text(q, a);
	d->seen_ns = column_int(q);
	d->is_present = column_int(q) != 0;
	d->state = (enum device_state)column_enum(q, device_state_parse, DEVICE_OK);
	d->since_ns = column_int(q);
	d->reason = column_text(q, a);
	d->n_losses = column_int(q);
	d->cleared_ns = column_int(q);
	d->cleared_by = column_text(q, a);
}

static int read_devices(
	struct query *q, struct arena *a, struct device **ret, size_t *ret_n, struct error *err)
{
	struct list l = LIST_OF(a, struct device);
	int r;

	while ((r = query_step(q, err)) == QUERY_ROW)
		read_device(q, a, list_add(&l));
	*ret = l.items;
	*ret_n = l.n;
	return r;
}

int store_device_miss(struct store *s, const char *testbed, struct error *err)
{
	return db_run(s, MISS, err, ARGS(TEXT(testbed)));
}

int store_device_see(struct store *s, const struct device *d, struct error *err)
{
	return db_run(s, SEE, err,
		ARGS(TEXT(d->testbed), TEXT(d->uuid), INT(d->driver_id), TEXT(d->name),
			TEXT(d->driver), INT(d->is_software), TEXT(d->info_json),
			INT(d->seen_ns)));
}

int store_device_save(struct store *s, const struct device *d, struct error *err)
{
	return db_run(s, SAVE, err,
		ARGS(INT(d->id), TEXT(device_state_name(d->state)), INT(d->since_ns),
			TEXT(d->reason), INT(d->n_losses), INT(d->cleared_ns),
			TEXT(d->cleared_by)));
}

int store_device_find(struct store *s, struct arena *a, const char *testbed, const char *uuid,
	int64_t driver_id, struct device *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, FIND, ARGS(TEXT(testbed), TEXT(uuid), INT(driver_id)));
	int r = query_one(
		&q, err, "no worker of '%.64s' has told of a device '%.40s'", testbed, uuid);

	if (r == OK)
		read_device(&q, a, ret);
	return r;
}

int store_device_find_uuid(struct store *s, struct arena *a, const char *testbed,
	const char *uuid, struct device *ret, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, BY_UUID, ARGS(TEXT(testbed), TEXT(uuid)));
	struct device *all = NULL;
	size_t n = 0;
	int r = read_devices(&q, a, &all, &n, err);

	if (r < 0)
		return r;
	if (n == 0)
		return error_set(err, E_NOT_FOUND,
			"no worker of '%.64s' has told of a device '%.40s'", testbed, uuid);
	if (n > 1)
		return error_set(err, E_CONFLICT,
			"'%.40s' is there under %zu drivers; write the driver's id behind it: "
			"'%.40s.%lld'",
			uuid, n, uuid, (long long)all[0].driver_id);
	*ret = all[0];
	return OK;
}

int store_device_list(struct store *s, struct arena *a, const char *testbed,
	struct device **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, LIST, ARGS(TEXT(testbed)));

	return read_devices(&q, a, ret, ret_n, err);
}

int store_device_event_add(
	struct store *s, int64_t device_id, const struct device_event *e, struct error *err)
{
	int r = db_run(s, EVENT_ADD, err,
		ARGS(INT(device_id), INT(e->at_ns), TEXT(e->kind), TEXT(e->job), TEXT(e->actor),
			TEXT(e->text)));

	return r < 0 ? r
		     : db_run(s, EVENT_PRUNE, err, ARGS(INT(device_id), INT(EVENTS_KEPT - 1)));
}

int store_device_events(struct store *s, struct arena *a, int64_t device_id, int64_t limit,
	struct device_event **ret, size_t *ret_n, struct error *err)
{
	_cleanup_(query_done)
	struct query q = db_query(s, EVENT_LIST, ARGS(INT(device_id), INT(limit)));
	struct list l = LIST_OF(a, struct device_event);
	int r;

	while ((r = query_step(&q, err)) == QUERY_ROW) {
		struct device_event *e = list_add(&l);

		e->at_ns = column_int(&q);
		e->kind = column_text(&q, a);
		e->job = column_text(&q, a);
		e->actor = column_text(&q, a);
		e->text = column_text(&q, a);
	}
	*ret = l.items;
	*ret_n = l.n;
	return r;
}
