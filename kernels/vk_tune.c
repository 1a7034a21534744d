/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/vk_tune.h"

#include <string.h>
#include "base/fs.h"
#include "base/json.h"

enum { FILE_MAX = 256 * 1024 };

char *vk_cache_dir(void)
{
	const char *dir = getenv("BENCHD_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (dir && dir[0])
		return xasprintf("%s/gpu", dir);
	if (xdg && xdg[0] == '/')
		return xasprintf("%s/benchd/gpu", xdg);
	if (home && home[0] == '/')
		return xasprintf("%s/.cache/benchd/gpu", home);
	return NULL;
}

/* --- values ------------------------------------------------------------------------------- */

static int n_values(const struct vk_knob *k)
{
	int n = 0;

	while (n < VK_KNOB_VALUES && k->values[n])
		n++;
	return n;
}

uint32_t vk_knob(const struct params *p, int i)
{
	const struct vk_kernel *k = vk_find(p->kernel);

	return p->knob[i] ? p->knob[i] : k->knobs[i].values[0];
}

int vk_tune_count(const struct vk_kernel *k)
{
	int n = 1;

	for (int i = 0; k->knobs && i < VK_KNOBS && k->knobs[i].name; i++)
		n *= n_values(&k->knobs[i]);
	return n;
}

void vk_tune_choose(const struct vk_kernel *k, int c, struct params *p)
{
	for (int i = 0; k->knobs && i < VK_KNOBS && k->knobs[i].name; i++) {
		int n = n_values(&k->knobs[i]);

		p->knob[i] = k->knobs[i].values[c % n];
		c /= n;
	}
}

json_t *vk_tune_json(const struct vk_kernel *k, const struct params *p)
{
	json_t *o = json_object();

	for (int i = 0; k->knobs && i < VK_KNOBS && k->knobs[i].name; i++)
		json_set_int(o, k->knobs[i].name, vk_knob(p, i));
	return o;
}

static bool is_value(const struct vk_knob *k, int64_t v)
{
	for (int i = 0; i < n_values(k); i++)
		if (k->values[i] == v)
			return true;
	return false;
}

/* --- the file ----------------------------------------------------------------------------- */

/* driver_info tells builds of one driver apart where its version does not. */
static char *path_of(const struct gpu_info *i)
{
	_cleanup_(free)
	char *dir = vk_cache_dir();
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *c = i->driver_info; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return dir ? xasprintf("%s/tune-%s-%u-%08x-%08x.json", dir, i->uuid, i->driver_id,
			     i->driver_version, hash)
		   : NULL;
}

static json_t *read_file(const char *path)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	json_t *j = NULL;

	if (file_read(path, FILE_MAX, &b, NULL) < 0 ||
		json_parse(buf_str(&b), b.len, &j, NULL) < 0)
		return NULL;
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static char *key_of(const struct vk_kernel *k, const struct params *p)
{
	const char *variant = p->variant ? p->variant : k->variants ? k->variants[0] : "";

	return xasprintf("%s %s %s", k->id, dtype_name(p->dtype), variant);
}

bool vk_tune_load(const struct gpu_info *i, const struct vk_kernel *k, struct params *p)
{
	_cleanup_(free)
	char *path = path_of(i), *key = key_of(k, p);
	_cleanup_(json_decref)
	json_t *all = path && k->knobs ? read_file(path) : NULL;
	const json_t *mine = json_object_get(all, key);

	for (int n = 0; mine && n < VK_KNOBS && k->knobs[n].name; n++) {
		int64_t v = json_get_int(mine, k->knobs[n].name, 0);

		if (p->knob[n] == 0 && is_value(&k->knobs[n], v))
			p->knob[n] = (uint32_t)v;
	}
	return mine != NULL;
}

int vk_tune_save(const struct gpu_info *i, const struct vk_kernel *k, const struct params *p,
	struct error *err)
{
	_cleanup_(free)
	char *path = path_of(i), *key = key_of(k, p), *dir = vk_cache_dir();
	_cleanup_(free)
	char *text = NULL;
	_cleanup_(json_decref)
	json_t *all = NULL;
	int r;

	if (!path)
		return error_set(err, E_UNAVAILABLE,
			"there is no folder for the winner: set BENCHD_CACHE_DIR");
	r = dir_make(dir, 0700, err);
	if (r < 0)
		return r;
	all = read_file(path);
	all = all ? all : json_object();
	json_object_set_new(all, key, vk_tune_json(k, p));
	text = json_canonical(all);
	return file_write(path, text, strlen(text), 0600, err);
}
