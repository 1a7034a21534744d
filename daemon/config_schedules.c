/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schedules that benchd.yaml declares. */
#include <string.h>
#include "base/yaml.h"
#include "daemon/config.h"
#include "daemon/schedule/schedule.h"

enum { MAX_SCHEDULES = 1000 };

static int check_schedules(json_t *all, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	const char *name;
	json_t *o;

	if (json_object_size(all) > MAX_SCHEDULES)
		return error_set_field(err, E_UNPROCESSABLE, "/schedules",
			"more than %d schedules are declared", MAX_SCHEDULES);
	json_object_foreach (all, name, o) {
		struct schedule s = schedule_defaults();
		const char *project;
		char at[100];
		int r;

		snprintf(at, sizeof(at), "/schedules/%.64s", name);
		if (!json_is_object(o))
			return error_set_field(err, E_UNPROCESSABLE, at,
				"the schedule '%.64s' must be an object", name);
		s.name = name;
		r = schedule_read(o, at, a, &project, &s, err);
		if (r < 0)
			return error_prefix(err, "schedule '%.64s': ", name);
	}
	return OK;
}

int config_load_schedules(const struct config *c, json_t **ret, struct error *err)
{
	_cleanup_(yaml_lines_free)
	struct yaml_lines *lines = NULL;
	_cleanup_(json_decref)
	json_t *o = NULL;
	json_t *all;
	int r = OK;

	if (c->file)
		r = config_read_yaml(c->file, &o, &lines, err);
	if (r < 0)
		return r;
	all = json_object_get(o, "schedules");
	if (!all || json_is_null(all)) {
		*ret = json_object();
		return OK;
	}
	r = check_schedules(all, err);
	if (r < 0)
		return yaml_locate_error(c->file, lines, err);
	*ret = json_incref(all);
	return OK;
}
