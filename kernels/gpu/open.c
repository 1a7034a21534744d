/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing a device, opening and closing it. */
#include "kernels/gpu/vk.h"

#include <ctype.h>
#include <string.h>
#include "base/clock.h"

enum { MAX_DEVICES = 64, DEFAULT_TIMEOUT_S = 60 };

/* --- choice ------------------------------------------------------------------------------ */

/* Compare 32 hexadecimal digits, dashes anywhere in text. */
static bool uuid_equal(const char *text, const char uuid[33])
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (n >= 32 || tolower((unsigned char)*text) != uuid[n])
			return false;
		n++;
	}
	return n == 32;
}

static bool is_wanted(const struct gpu_info *i, const char *device)
{
	if (!device)
		return !i->is_software;
	if (!strcmp(device, "cpu"))
		return i->is_software;
	return uuid_equal(device, i->uuid);
}

static int refuse_choice(
	const struct vk_physical *list, size_t n, const char *device, struct error *err)
{
	if (device && !strcmp(device, "cpu"))
		return error_set(err, E_UNAVAILABLE,
			"Vulkan offers no software device (on Debian: apt install "
			"mesa-vulkan-drivers)");
	if (device)
		return error_set(err, E_UNAVAILABLE,
			"no Vulkan device has the UUID '%s'; the first of %zu is '%s' (%s)",
			device, n, list[0].info.uuid, list[0].info.name);
	return error_set(err, E_UNAVAILABLE,
		"Vulkan offers only the software device '%s'; ask for it with --device cpu",
		list[0].info.name);
}

static int choose(const struct vk_physical *list, size_t n, const char *device,
	const struct vk_physical **ret, struct error *err)
{
	const struct vk_physical *unusable = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(&list[i].info, device))
			continue;
		if (!list[i].info.unusable[0]) {
			*ret = &list[i];
			return OK;
		}
		unusable = &list[i];
	}
	if (unusable)
		return error_set(err, E_NOT_IMPLEMENTED, "'%s' cannot be used: %s",
			unusable->info.name, unusable->info.unusable);
	return refuse_choice(list, n, device, err);
}

/* --- device ------------------------------------------------------------------------------ */

struct features { /* the chain that vkCreateDevice gets */
	VkPhysicalDeviceFeatures2 top;
	VkPhysicalDeviceVulkan11Features v11;
	VkPhysicalDeviceVulkan12Features v12;
	VkPhysicalDeviceSubgroupSizeControlFeaturesEXT size;
	VkPhysicalDeviceShaderAtomicFloatFeaturesEXT atomic;
	VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable;
	VkPhysicalDeviceCooperativeMatrixFeaturesNV coopmat;
};

static void chain_optional(const struct vk_physical *p, struct features *f)
{
	if (p->has_size_control) {
		f->size.sType =
			VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT;
		f->size.subgroupSizeControl = VK_TRUE;
		f->size.pNext = f->v12.pNext;
		f->v12.pNext = &f->size;
	}
	if (p->info.features & GPU_ATOMIC_F32) {
		f->atomic.sType =
			VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_FEATURES_EXT;
		f->atomic.shaderBufferFloat32AtomicAdd = VK_TRUE;
		f->atomic.pNext = f->v12.pNext;
		f->v12.pNext = &f->atomic;
	}
	if (p->has_executables) {
		f->executable.sType =
			VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR;
		f->executable.pipelineExecutableInfo = VK_TRUE;
		f->executable.pNext = f->v12.pNext;
		f->v12.pNext = &f->executable;
	}
	if (p->info.features & GPU_COOPMAT) {
		f->coopmat.sType =
			VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV;
		f->coopmat.cooperativeMatrix = VK_TRUE;
		f->coopmat.pNext = f->v12.pNext;
		f->v12.pNext = &f->coopmat;
	}
}

/* Enable what the suite uses and the device has, nothing else. */
static void fill_features(const struct vk_physical *p, struct features *f)
{
	uint32_t has = p->info.features;

	memset(f, 0, sizeof(*f));
	f->top.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
	f->top.pNext = &f->v11;
	f->top.features.shaderFloat64 = !!(has & GPU_F64);
	f->top.features.shaderInt64 = !!(has & GPU_I64);
	f->v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
	f->v11.pNext = &f->v12;
	f->v11.storageBuffer16BitAccess = !!(has & GPU_16BIT_STORAGE);
	f->v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
	f->v12.hostQueryReset = VK_TRUE;
	f->v12.shaderFloat16 = !!(has & GPU_F16);
	f->v12.shaderInt8 = !!(has & GPU_I8);
	f->v12.storageBuffer8BitAccess = !!(has & GPU_8BIT_STORAGE);
	f->v12.bufferDeviceAddress = !!(has & GPU_ADDRESS);
	f->v12.shaderBufferInt64Atomics = !!(has & GPU_ATOMIC_I64);
	chain_optional(p, f);
}

/* Names of the extensions to enable: those that add a feature or a function, not those that
 * only add a property. */
static uint32_t fill_extensions(const struct vk_physical *p, const char *names[VKX_COUNT])
{
	uint32_t n = 0;

	for (int x = 0; x < VKX_COUNT; x++) {
		bool is_used = p->extensions >> x & 1;

		if (x == VKX_PCI_BUS_INFO || x == VKX_MEMORY_BUDGET)
			continue;
		if (x == VKX_SUBGROUP_SIZE)
			is_used = is_used && p->has_size_control;
		if (x == VKX_EXECUTABLE)
			is_used = is_used && p->has_executables;
		if (x == VKX_ATOMIC_FLOAT)
			is_used = is_used && p->info.features & GPU_ATOMIC_F32;
		if (x == VKX_COOPMAT_NV)
			is_used = is_used && p->info.features & GPU_COOPMAT;
		if (is_used)
			names[n++] = vk_extension_names[x];
	}
	return n;
}

static int create_device(struct gpu *g, struct error *err)
{
	static const float priority = 1;
	const char *names[VKX_COUNT];
	struct features features;
	VkDeviceQueueCreateInfo queue = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = g->p.queue_family,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = &features.top,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue,
		.enabledExtensionCount = fill_extensions(&g->p, names),
		.ppEnabledExtensionNames = names,
	};
	int r;

	fill_features(&g->p, &features);
	r = gpu_check(g, g->loader->f.CreateDevice(g->p.handle, &info, NULL, &g->device),
		"vkCreateDevice", err);
	if (r < 0)
		return r;
	r = vk_device_table_load(g->loader, g->device, &g->f, err);
	if (r == OK)
		g->f.GetDeviceQueue(g->device, g->p.queue_family, 0, &g->queue);
	return r;
}

static int create_pool(struct gpu *g, struct error *err)
{
	VkCommandPoolCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.queueFamilyIndex = g->p.queue_family,
	};

	return gpu_check(g, g->f.CreateCommandPool(g->device, &info, NULL, &g->pool),
		"vkCreateCommandPool", err);
}

static void read_memory_types(struct gpu *g)
{
	VkPhysicalDeviceMemoryProperties2 m = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
	};

	g->loader->f.GetPhysicalDeviceMemoryProperties2(g->p.handle, &m);
	g->memory = m.memoryProperties;
}

int gpu_open_physical(struct vk_loader *l, const struct vk_physical *p,
	const struct gpu_options *o, struct gpu **ret, struct error *err)
{
	_cleanup_(gpu_close)
	struct gpu *g = xcalloc(1, sizeof(*g));
	int64_t start = clock_monotonic_ns();
	int r;

	g->loader = l;
	g->p = *p;
	g->stop = o->stop;
	g->memory_limit = o->memory_limit ? o->memory_limit : vk_memory_budget(l, p);
	g->run_timeout_ns =
		o->run_timeout_ns ? o->run_timeout_ns : DEFAULT_TIMEOUT_S * NS_PER_S;
	r = create_device(g, err);
	if (r == OK)
		r = gpu_fault_arm(g, err);
	if (r == OK)
		r = create_pool(g, err);
	if (r == OK)
		r = gpu_cache_open(g, o->is_cold ? NULL : o->cache_dir, err);
	if (r < 0)
		return r;
	read_memory_types(g);
	g->setup.library_s = l->library_s;
	g->setup.instance_s = l->instance_s;
	g->setup.device_s = (double)(clock_monotonic_ns() - start) / NS_PER_S;
	*ret = TAKE(g);
	return OK;
}

static int open_chosen(
	struct vk_loader *l, const struct gpu_options *o, struct gpu **ret, struct error *err)
{
	_cleanup_(free)
	struct vk_physical *list = xcalloc(MAX_DEVICES, sizeof(*list));
	const struct vk_physical *chosen = NULL;
	size_t n = 0;
	int r = vk_physical_list(l, list, MAX_DEVICES, &n, err);

	if (r == OK)
		r = choose(list, n, o->device, &chosen, err);
	if (r < 0)
		return r;
	return gpu_open_physical(l, chosen, o, ret, err);
}

int gpu_open(const struct gpu_options *o, struct gpu **ret, struct error *err)
{
	struct vk_loader *l = xcalloc(1, sizeof(*l));
	_cleanup_(gpu_close)
	struct gpu *g = NULL;
	int r;

	vk_environment_set(o->cache_dir, o->is_cold);
	r = vk_loader_open(l, o->is_validated, err);
	if (r == OK)
		r = open_chosen(l, o, &g, err);
	if (r < 0) {
		vk_loader_close(l);
		free(l);
		return r;
	}
	g->owns_loader = true;
	if (g->p.info.is_software)
		r = gpu_loops_measure(g, err);
	if (r < 0)
		return r;
	*ret = TAKE(g);
	return OK;
}

/* --- end --------------------------------------------------------------------------------- */

static void destroy_device(struct gpu *g)
{
	gpu_buf_free(g->upload);
	gpu_buf_free(g->readback);
	if (g->cache) {
		gpu_cache_save(g);
		g->f.DestroyPipelineCache(g->device, g->cache, NULL);
	}
	if (g->pool)
		g->f.DestroyCommandPool(g->device, g->pool, NULL);
	if (g->f.DestroyDevice)
		g->f.DestroyDevice(g->device, NULL);
}

void gpu_close(struct gpu *g)
{
	if (!g)
		return;
	/* Destroying anything while work is in flight is invalid and would block; the handle
	 * and what it holds are left to the end of the process. */
	if (g->is_lost || g->is_stopped)
		return;
	if (g->device)
		destroy_device(g);
	if (g->owns_loader) {
		vk_loader_close(g->loader);
		free(g->loader);
	}
	free(g->cache_path);
	free(g);
}

const struct gpu_info *gpu_get_info(const struct gpu *g)
{
	return &g->p.info;
}

const struct gpu_setup *gpu_get_setup(const struct gpu *g)
{
	return &g->setup;
}

bool gpu_is_lost(const struct gpu *g)
{
	return g->is_lost;
}

unsigned gpu_count_messages(const struct gpu *g)
{
	return g->loader->n_messages;
}

const char *gpu_first_message(const struct gpu *g)
{
	return g->loader->first_message;
}
