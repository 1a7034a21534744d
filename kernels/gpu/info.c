/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a physical device says about itself. */
#include "kernels/gpu/vk.h"

#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/fs.h"

const char *const vk_extension_names[VKX_COUNT] = {
#define X(id, name) name,
	VK_EXTENSIONS(X)
#undef X
};

enum { MAX_DEVICES = 64 };

static bool has(const struct vk_physical *p, enum vk_extension x)
{
	return p->extensions >> x & 1;
}

static void read_extensions(const struct vk_loader *l, struct vk_physical *p)
{
	uint32_t n = 0;
	_cleanup_(free)
	VkExtensionProperties *all = NULL;

	if (l->f.EnumerateDeviceExtensionProperties(p->handle, NULL, &n, NULL) < 0 || n == 0)
		return;
	all = xcalloc(n, sizeof(*all));
	if (l->f.EnumerateDeviceExtensionProperties(p->handle, NULL, &n, all) < 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		for (int x = 0; x < VKX_COUNT; x++)
			if (!strcmp(all[i].extensionName, vk_extension_names[x]))
				p->extensions |= 1u << x;
}

static const char *kind_name(VkPhysicalDeviceType type)
{
	switch (type) {
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
		return "discrete";
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return "integrated";
	case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
		return "virtual";
	case VK_PHYSICAL_DEVICE_TYPE_CPU:
		return "cpu";
	default:
		return "other";
	}
}

static void copy_limits(const VkPhysicalDeviceLimits *from, struct gpu_info *to)
{
	to->max_group_invocations = from->maxComputeWorkGroupInvocations;
	memcpy(to->max_group_size, from->maxComputeWorkGroupSize, sizeof(to->max_group_size));
	memcpy(to->max_groups, from->maxComputeWorkGroupCount, sizeof(to->max_groups));
	to->shared_bytes = from->maxComputeSharedMemorySize;
	to->push_bytes = from->maxPushConstantsSize;
	to->max_buffers = from->maxPerStageDescriptorStorageBuffers;
	to->max_storage_range = from->maxStorageBufferRange;
	to->timestamp_ns = (double)from->timestampPeriod;
}

static void copy_properties(const VkPhysicalDeviceProperties *from, struct gpu_info *to)
{
	snprintf(to->name, sizeof(to->name), "%s", from->deviceName);
	snprintf(to->kind, sizeof(to->kind), "%s", kind_name(from->deviceType));
	to->is_software = from->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
	to->vendor_id = from->vendorID;
	to->device_id = from->deviceID;
	to->api_version = from->apiVersion;
	to->driver_version = from->driverVersion;
	copy_limits(&from->limits, to);
}

static void copy_uuid(const uint8_t from[VK_UUID_SIZE], char to[33])
{
	for (unsigned i = 0; i < VK_UUID_SIZE; i++)
		snprintf(to + 2 * i, 3, "%02x", from[i]);
}

/* A shader stage can use subgroup arithmetic when the device says so for compute. */
static uint32_t subgroup_features(const VkPhysicalDeviceSubgroupProperties *s)
{
	const VkSubgroupFeatureFlags need = VK_SUBGROUP_FEATURE_BASIC_BIT |
					    VK_SUBGROUP_FEATURE_ARITHMETIC_BIT |
					    VK_SUBGROUP_FEATURE_BALLOT_BIT;

	if (!(s->supportedStages & VK_SHADER_STAGE_COMPUTE_BIT))
		return 0;
	return (s->supportedOperations & need) == need ? GPU_SUBGROUP : 0;
}

/* NVIDIA's own driver and AMD's let workgroups progress independently; no API reports it. */
static uint32_t progress_feature(uint32_t driver_id)
{
	switch (driver_id) {
	case VK_DRIVER_ID_NVIDIA_PROPRIETARY:
	case VK_DRIVER_ID_AMD_PROPRIETARY:
	case VK_DRIVER_ID_AMD_OPEN_SOURCE:
	case VK_DRIVER_ID_MESA_RADV:
		return GPU_PROGRESS;
	default:
		return 0;
	}
}

static void read_properties(const struct vk_loader *l, struct vk_physical *p)
{
	VkPhysicalDevicePCIBusInfoPropertiesEXT pci = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT
	};
	VkPhysicalDeviceSubgroupSizeControlPropertiesEXT size = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES_EXT
	};
	VkPhysicalDeviceMaintenance3Properties m3 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES
	};
	VkPhysicalDeviceSubgroupProperties subgroup = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, .pNext = &m3
	};
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES, .pNext = &subgroup
	};
	VkPhysicalDeviceIDProperties id = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES, .pNext = &driver
	};
	VkPhysicalDeviceProperties2 top = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id
	};
	struct gpu_info *i = &p->info;

	if (has(p, VKX_SUBGROUP_SIZE)) {
		size.pNext = m3.pNext;
		m3.pNext = &size;
	}
	if (has(p, VKX_PCI_BUS_INFO)) {
		pci.pNext = m3.pNext;
		m3.pNext = &pci;
	}
	l->f.GetPhysicalDeviceProperties2(p->handle, &top);
	copy_properties(&top.properties, i);
	copy_uuid(id.deviceUUID, i->uuid);
	snprintf(i->driver, sizeof(i->driver), "%s", driver.driverName);
	snprintf(i->driver_info, sizeof(i->driver_info), "%s", driver.driverInfo);
	i->driver_id = driver.driverID;
	i->max_allocation = m3.maxMemoryAllocationSize;
	i->subgroup_size = subgroup.subgroupSize;
	i->subgroup_min = has(p, VKX_SUBGROUP_SIZE) ? size.minSubgroupSize : i->subgroup_size;
	i->subgroup_max = has(p, VKX_SUBGROUP_SIZE) ? size.maxSubgroupSize : i->subgroup_size;
	i->features |= subgroup_features(&subgroup) | progress_feature(i->driver_id);
	if (has(p, VKX_PCI_BUS_INFO))
		snprintf(i->pci, sizeof(i->pci), "%04x:%02x:%02x.%x", pci.pciDomain & 0xffff,
			pci.pciBus & 0xff, pci.pciDevice & 0xff, pci.pciFunction & 0xf);
}

/* lavapipe on an x86 CPU without F16C aborts the process when it meets f16. */
static bool f16_is_safe(const struct gpu_info *i)
{
#if defined(__x86_64__)
	return !i->is_software || __builtin_cpu_supports("f16c");
#else
	return true;
#endif
}

static void read_features(const struct vk_loader *l, struct vk_physical *p)
{
	VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable = {
		.sType =
			VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR
	};
	VkPhysicalDeviceCooperativeMatrixFeaturesNV coopmat = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV
	};
	VkPhysicalDeviceShaderAtomicFloatFeaturesEXT atomic = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_ATOMIC_FLOAT_FEATURES_EXT
	};
	VkPhysicalDeviceSubgroupSizeControlFeaturesEXT size = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT
	};
	VkPhysicalDeviceVulkan12Features v12 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
	};
	VkPhysicalDeviceVulkan11Features v11 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &v12
	};
	VkPhysicalDeviceFeatures2 top = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = &v11 };
	struct gpu_info *i = &p->info;

#define CHAIN(x, s)                                                                            \
	if (has(p, x)) {                                                                       \
		(s).pNext = v12.pNext;                                                         \
		v12.pNext = &(s);                                                              \
	}
	CHAIN(VKX_EXECUTABLE, executable)
	CHAIN(VKX_COOPMAT_NV, coopmat)
	CHAIN(VKX_ATOMIC_FLOAT, atomic)
	CHAIN(VKX_SUBGROUP_SIZE, size)
#undef CHAIN
	l->f.GetPhysicalDeviceFeatures2(p->handle, &top);
	p->has_size_control = size.subgroupSizeControl;
	p->has_executables = executable.pipelineExecutableInfo;
	i->features |= (top.features.shaderFloat64 ? GPU_F64 : 0) |
		       (top.features.shaderInt64 ? GPU_I64 : 0) |
		       (v12.shaderFloat16 && f16_is_safe(i) ? GPU_F16 : 0) |
		       (v11.storageBuffer16BitAccess ? GPU_16BIT_STORAGE : 0) |
		       (v12.shaderInt8 ? GPU_I8 : 0) |
		       (v12.storageBuffer8BitAccess ? GPU_8BIT_STORAGE : 0) |
		       (v12.bufferDeviceAddress ? GPU_ADDRESS : 0) |
		       (v12.shaderBufferInt64Atomics ? GPU_ATOMIC_I64 : 0) |
		       (atomic.shaderBufferFloat32AtomicAdd ? GPU_ATOMIC_F32 : 0) |
		       (coopmat.cooperativeMatrix ? GPU_COOPMAT : 0);
	if (!v12.hostQueryReset)
		snprintf(i->unusable, sizeof(i->unusable), "it lacks hostQueryReset");
}

static void read_queues(const struct vk_loader *l, struct vk_physical *p)
{
	uint32_t n = 0;
	_cleanup_(free)
	VkQueueFamilyProperties *q = NULL;

	l->f.GetPhysicalDeviceQueueFamilyProperties(p->handle, &n, NULL);
	q = xcalloc(MAX(n, 1u), sizeof(*q));
	l->f.GetPhysicalDeviceQueueFamilyProperties(p->handle, &n, q);
	for (uint32_t i = 0; i < n; i++)
		if (q[i].queueCount && q[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
			p->queue_family = i;
			p->info.timestamp_bits = q[i].timestampValidBits;
			return;
		}
	snprintf(p->info.unusable, sizeof(p->info.unusable), "it has no compute queue");
}

/* MemAvailable of /proc/meminfo in bytes; 0 when it cannot be read. */
static uint64_t memory_available(void)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	const char *line;

	if (file_read("/proc/meminfo", 64 * KiB, &b, NULL) < 0)
		return 0;
	line = strstr(buf_str(&b), "MemAvailable:");
	return line ? strtoull(line + strlen("MemAvailable:"), NULL, 10) * KiB : 0;
}

uint64_t vk_memory_budget(const struct vk_loader *l, const struct vk_physical *p)
{
	VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
	};
	VkPhysicalDeviceMemoryProperties2 m = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
		.pNext = has(p, VKX_MEMORY_BUDGET) ? &budget : NULL,
	};
	uint64_t heap = 0, left = 0, available = memory_available();

	l->f.GetPhysicalDeviceMemoryProperties2(p->handle, &m);
	for (uint32_t i = 0; i < m.memoryProperties.memoryHeapCount; i++) {
		const VkMemoryHeap *h = &m.memoryProperties.memoryHeaps[i];

		if (!(h->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) || h->size <= heap)
			continue;
		heap = h->size;
		left = budget.heapBudget[i];
	}
	if (p->info.is_software)
		return available ? MIN(heap, available / 4) : heap / 4;
	if (left > 256 * MiB)
		return left - 256 * MiB;
	return heap / 5 * 4;
}

static uint64_t largest_heap(const struct vk_loader *l, VkPhysicalDevice handle)
{
	VkPhysicalDeviceMemoryProperties2 m = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
	};
	uint64_t most = 0;

	l->f.GetPhysicalDeviceMemoryProperties2(handle, &m);
	for (uint32_t i = 0; i < m.memoryProperties.memoryHeapCount; i++)
		if (m.memoryProperties.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
			most = MAX(most, m.memoryProperties.memoryHeaps[i].size);
	return most;
}

void vk_physical_read(const struct vk_loader *l, VkPhysicalDevice handle, struct vk_physical *p)
{
	VkPhysicalDeviceProperties2 top = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
	};

	memset(p, 0, sizeof(*p));
	p->handle = handle;
	read_extensions(l, p);
	l->f.GetPhysicalDeviceProperties2(handle, &top);
	if (top.properties.apiVersion < VK_API_VERSION_1_2) {
		copy_properties(&top.properties, &p->info);
		snprintf(p->info.unusable, sizeof(p->info.unusable),
			"its driver speaks Vulkan %u.%u; 1.2 is needed",
			VK_API_VERSION_MAJOR(top.properties.apiVersion),
			VK_API_VERSION_MINOR(top.properties.apiVersion));
		return;
	}
	read_properties(l, p);
	read_features(l, p);
	read_queues(l, p);
	p->info.heap_bytes = largest_heap(l, handle);
	p->info.budget_bytes = vk_memory_budget(l, p);
	if (!has(p, VKX_PUSH_DESCRIPTOR))
		snprintf(p->info.unusable, sizeof(p->info.unusable),
			"its driver lacks VK_KHR_push_descriptor");
}

static int rank(const struct gpu_info *i)
{
	static const char *const order[] = { "discrete", "integrated", "virtual", "other" };

	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		if (!strcmp(i->kind, order[k]))
			return (int)k;
	return ARRAY_SIZE(order);
}

/* Insertion keeps the driver's order among equals. */
static void insert_best_first(struct vk_physical *list, size_t n, const struct vk_physical *p)
{
	while (n > 0 && rank(&list[n - 1].info) > rank(&p->info)) {
		list[n] = list[n - 1];
		n--;
	}
	list[n] = *p;
}

static int enumerate(const struct vk_loader *l, VkPhysicalDevice handles[MAX_DEVICES],
	uint32_t *ret_n, struct error *err)
{
	VkResult r;

	*ret_n = MAX_DEVICES;
	r = l->f.EnumeratePhysicalDevices(l->instance, ret_n, handles);
	if (r == VK_ERROR_INITIALIZATION_FAILED)
		return error_set(err, E_UNAVAILABLE,
			"a Vulkan driver is installed, but its hardware is absent or not "
			"accessible (vkEnumeratePhysicalDevices: %s)%s",
			vk_result_name(r), l->complaint);
	if (r == VK_INCOMPLETE)
		return OK;
	return vk_error(r, "vkEnumeratePhysicalDevices", err);
}

int vk_physical_list(const struct vk_loader *l, struct vk_physical *out, size_t cap,
	size_t *ret_n, struct error *err)
{
	VkPhysicalDevice handles[MAX_DEVICES];
	struct vk_physical p;
	uint32_t found = 0;
	size_t n = 0;
	int r = enumerate(l, handles, &found, err);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < found && n < cap; i++) {
		vk_physical_read(l, handles[i], &p);
		insert_best_first(out, n++, &p);
	}
	if (n == 0)
		return error_set(err, E_UNAVAILABLE, "Vulkan works but offers no device");
	*ret_n = n;
	return OK;
}
