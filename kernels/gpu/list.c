/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The devices of this host, for people and for the worker's probe. */
#include "kernels/gpu/vk.h"

#include "base/json.h"

enum { MAX_DEVICES = 64 };

const char *gpu_feature_name(uint32_t feature)
{
	static const char *const names[] = {
#define X(id, name) name,
		GPU_FEATURES(X)
#undef X
	};

	for (int i = 0; i < GPU_N_FEATURES; i++)
		if (feature == 1u << i)
			return names[i];
	return "an unknown feature";
}

/* A device that fails here is listed with the reason, not left out. */
static void test_device(struct vk_loader *l, struct vk_physical *p)
{
	struct gpu_options options = { .run_timeout_ns = 10000000000 };
	_cleanup_(gpu_close)
	struct gpu *g = NULL;
	struct error err = { 0 };

	if (p->info.unusable[0])
		return;
	if (gpu_open_physical(l, p, &options, &g, &err) == OK &&
		gpu_loops_measure(g, &err) == OK)
		p->info = g->p.info;
	else
		snprintf(p->info.unusable, sizeof(p->info.unusable), "%.150s", err.text);
}

static int list(struct vk_loader *l, struct gpu_info *out, size_t cap, bool is_tested,
	size_t *ret_n, struct error *err)
{
	_cleanup_(free)
	struct vk_physical *all = xcalloc(MAX_DEVICES, sizeof(*all));
	int r = vk_physical_list(l, all, MIN(cap, (size_t)MAX_DEVICES), ret_n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < *ret_n; i++) {
		if (is_tested)
			test_device(l, &all[i]);
		out[i] = all[i].info;
	}
	return OK;
}

int gpu_list_devices(
	struct gpu_info *out, size_t cap, bool is_tested, size_t *ret_n, struct error *err)
{
	struct vk_loader l;
	int r;

	*ret_n = 0;
	vk_environment_set(NULL, false);
	r = vk_loader_open(&l, false, err);
	if (r < 0)
		return r;
	r = list(&l, out, cap, is_tested, ret_n, err);
	vk_loader_close(&l);
	return r;
}

static json_t *features_json(uint32_t features)
{
	json_t *a = json_array();

	for (int i = 0; i < GPU_N_FEATURES; i++)
		if (features >> i & 1)
			json_array_append_new(a, json_string(gpu_feature_name(1u << i)));
	return a;
}

static void set_version(json_t *o, const char *key, uint32_t v)
{
	char text[48];

	snprintf(text, sizeof(text), "%u.%u.%u", VK_API_VERSION_MAJOR(v),
		VK_API_VERSION_MINOR(v), VK_API_VERSION_PATCH(v));
	json_set_str(o, key, text);
}

static void set_limits(json_t *o, const struct gpu_info *i)
{
	json_set_int(o, "subgroup_size", i->subgroup_size);
	json_set_int(o, "subgroup_min", i->subgroup_min);
	json_set_int(o, "subgroup_max", i->subgroup_max);
	json_set_int(o, "max_group_invocations", i->max_group_invocations);
	json_object_set_new(o, "max_groups",
		json_pack("[I,I,I]", (json_int_t)i->max_groups[0], (json_int_t)i->max_groups[1],
			(json_int_t)i->max_groups[2]));
	json_set_int(o, "shared_bytes", i->shared_bytes);
	json_set_int(o, "push_bytes", i->push_bytes);
	json_set_int(o, "max_storage_range", (int64_t)i->max_storage_range);
	json_set_int(o, "max_allocation", (int64_t)i->max_allocation);
	json_set_int(o, "heap_bytes", (int64_t)i->heap_bytes);
	json_set_int(o, "budget_bytes", (int64_t)i->budget_bytes);
	json_set_int(o, "timestamp_bits", i->timestamp_bits);
	json_set_real(o, "timestamp_ns", i->timestamp_ns);
	if (i->has_loop_test)
		json_set_int(o, "max_loop_turns", i->max_loop_turns);
}

json_t *gpu_info_json(const struct gpu_info *i)
{
	json_t *o = json_object();

	json_set_str(o, "uuid", i->uuid);
	json_set_str(o, "name", i->name);
	json_set_str(o, "kind", i->kind);
	json_set_bool(o, "software", i->is_software);
	json_set_str(o, "driver", i->driver);
	json_set_str(o, "driver_info", i->driver_info);
	set_version(o, "driver_version", i->driver_version);
	set_version(o, "api", i->api_version);
	json_set_int(o, "vendor_id", i->vendor_id);
	json_set_int(o, "device_id", i->device_id);
	json_set_int(o, "driver_id", i->driver_id);
	json_set_opt(o, "pci", i->pci[0] ? i->pci : NULL);
	set_limits(o, i);
	json_object_set_new(o, "features", features_json(i->features));
	json_set_opt(o, "unusable", i->unusable[0] ? i->unusable : NULL);
	return o;
}
