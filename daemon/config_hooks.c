/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hooks, their answers and the webhooks of benchd.yaml. */
#include <string.h>
#include "daemon/config.h"

/* Where relative names of secrets begin. */
static const char *folder_of(struct config *c)
{
	const char *slash = c->file ? strrchr(c->file, '/') : NULL;

	if (!slash)
		return ".";
	return slash == c->file ? "/"
				: arena_strndup(c->arena, c->file, (size_t)(slash - c->file));
}

int config_read_hooks(struct config *c, json_t *o, struct error *err)
{
	const char *folder = folder_of(c);
	json_t *hooks = json_object_get(o, "hooks");
	int r;

	arena_own_json(c->arena, json_incref(o));
	r = hooks_read(hooks, folder, c->workloads, c->arena, &c->hooks, err);
	if (r == OK)
		r = notify_read(hooks, json_object_get(o, "webhooks"),
			json_object_get(o, "outgoing"), folder, c->arena, &c->notify, err);
	c->notify.public_url = c->public_url;
	return r;
}
