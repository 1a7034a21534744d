/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the gpu folder: the tables of Vulkan functions and the structs behind gpu.h.
 *
 * The tables are X-macro lists, filled by loader.c: global functions through
 * vkGetInstanceProcAddr(NULL), device functions through vkGetDeviceProcAddr, so that no
 * trampoline stands in between. Required functions that are absent refuse the device; optional
 * ones stay NULL and switch their feature off. */
#ifndef KERNELS_GPU_VK_H
#define KERNELS_GPU_VK_H

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>
#include "kernels/gpu/gpu.h"

#define VK_GLOBALS(X)                                                                          \
	X(CreateInstance)                                                                      \
	X(EnumerateInstanceExtensionProperties)                                                \
	X(EnumerateInstanceLayerProperties)                                                    \
	X(EnumerateInstanceVersion)

#define VK_INSTANCE_FUNCTIONS(X)                                                               \
	X(CreateDevice)                                                                        \
	X(DestroyInstance)                                                                     \
	X(EnumerateDeviceExtensionProperties)                                                  \
	X(EnumeratePhysicalDevices)                                                            \
	X(GetDeviceProcAddr)                                                                   \
	X(GetPhysicalDeviceFeatures2)                                                          \
	X(GetPhysicalDeviceMemoryProperties2)                                                  \
	X(GetPhysicalDeviceProperties2)                                                        \
	X(GetPhysicalDeviceQueueFamilyProperties)

#define VK_INSTANCE_OPTIONAL(X)                                                                \
	X(CreateDebugUtilsMessengerEXT)                                                        \
	X(DestroyDebugUtilsMessengerEXT)

#define VK_DEVICE_FUNCTIONS(X)                                                                 \
	X(AllocateCommandBuffers)                                                              \
	X(AllocateMemory)                                                                      \
	X(BeginCommandBuffer)                                                                  \
	X(BindBufferMemory)                                                                    \
	X(CmdBindPipeline)                                                                     \
	X(CmdCopyBuffer)                                                                       \
	X(CmdDispatch)                                                                         \
	X(CmdFillBuffer)                                                                       \
	X(CmdPipelineBarrier)                                                                  \
	X(CmdPushConstants)                                                                    \
	X(CmdPushDescriptorSetKHR)                                                             \
	X(CmdWriteTimestamp)                                                                   \
	X(CreateBuffer)                                                                        \
	X(CreateCommandPool)                                                                   \
	X(CreateComputePipelines)                                                              \
	X(CreateDescriptorSetLayout)                                                           \
	X(CreateFence)                                                                         \
	X(CreatePipelineCache)                                                                 \
	X(CreatePipelineLayout)                                                                \
	X(CreateQueryPool)                                                                     \
	X(CreateShaderModule)                                                                  \
	X(DestroyBuffer)                                                                       \
	X(DestroyCommandPool)                                                                  \
	X(DestroyDescriptorSetLayout)                                                          \
	X(DestroyDevice)                                                                       \
	X(DestroyFence)                                                                        \
	X(DestroyPipeline)                                                                     \
	X(DestroyPipelineCache)                                                                \
	X(DestroyPipelineLayout)                                                               \
	X(DestroyQueryPool)                                                                    \
	X(DestroyShaderModule)                                                                 \
	X(DeviceWaitIdle)                                                                      \
	X(EndCommandBuffer)                                                                    \
	X(FreeCommandBuffers)                                                                  \
	X(FreeMemory)                                                                          \
	X(GetBufferMemoryRequirements)                                                         \
	X(GetDeviceQueue)                                                                      \
	X(GetPipelineCacheData)                                                                \
	X(GetQueryPoolResults)                                                                 \
	X(MapMemory)                                                                           \
	X(QueueSubmit)                                                                         \
	X(ResetFences)                                                                         \
	X(ResetQueryPool)                                                                      \
	X(WaitForFences)

#define VK_DEVICE_OPTIONAL(X)                                                                  \
	X(GetBufferDeviceAddress)                                                              \
	X(GetPipelineExecutablePropertiesKHR)                                                  \
	X(GetPipelineExecutableStatisticsKHR)

#define VK_POINTER(name) PFN_vk##name name;

struct vk_instance_table {
	VK_GLOBALS(VK_POINTER)
	VK_INSTANCE_FUNCTIONS(VK_POINTER)
	VK_INSTANCE_OPTIONAL(VK_POINTER)
};

struct vk_device_table {
	VK_DEVICE_FUNCTIONS(VK_POINTER)
	VK_DEVICE_OPTIONAL(VK_POINTER)
};

/* --- loader.c ---------------------------------------------------------------------------- */
struct vk_loader {
	void *library;
	PFN_vkGetInstanceProcAddr get;
	struct vk_instance_table f;
	VkInstance instance;
	VkDebugUtilsMessengerEXT messenger;
	unsigned n_messages;
	char first_message[512];
	char complaint[256]; /* first error of the loader itself, or "" */
	double library_s, instance_s;
};

/* Make shell and worker runs alike before the loader starts: no display, no implicit layers,
 * caches of the driver in cache_dir (NULL: off when is_cold, else left alone). */
void vk_environment_set(const char *cache_dir, bool is_cold);
/* dlopen, version check, instance. l must not move afterwards: the messenger points at it. */
int vk_loader_open(struct vk_loader *l, bool is_validated, struct error *err) must_check;
void vk_loader_close(struct vk_loader *l);
int vk_device_table_load(const struct vk_loader *l, VkDevice device, struct vk_device_table *t,
	struct error *err) must_check;

/* --- error.c ----------------------------------------------------------------------------- */
const char *vk_result_name(VkResult r);
/* OK for VK_SUCCESS; else the code of gpu.h with "CALL: RESULT". */
int vk_error(VkResult r, const char *call, struct error *err) must_check;
/* The same, remembering a lost device in g. */
int gpu_check(struct gpu *g, VkResult r, const char *call, struct error *err) must_check;
/* OK, or E_GONE after a loss, E_DEADLINE after a stop. */
int gpu_usable(const struct gpu *g, struct error *err) must_check;

/* --- info.c ------------------------------------------------------------------------------ */
/* Extensions a device offers and we use when they are there. */
#define VK_EXTENSIONS(X)                                                                       \
	X(PUSH_DESCRIPTOR, "VK_KHR_push_descriptor")                                           \
	X(MEMORY_BUDGET, "VK_EXT_memory_budget")                                               \
	X(PCI_BUS_INFO, "VK_EXT_pci_bus_info")                                                 \
	X(SUBGROUP_SIZE, "VK_EXT_subgroup_size_control")                                       \
	X(FEEDBACK, "VK_EXT_pipeline_creation_feedback")                                       \
	X(ATOMIC_FLOAT, "VK_EXT_shader_atomic_float")                                          \
	X(COOPMAT_NV, "VK_NV_cooperative_matrix")                                              \
	X(EXECUTABLE, "VK_KHR_pipeline_executable_properties")                                 \
	X(PORTABILITY, "VK_KHR_portability_subset")

enum vk_extension {
#define X(id, name) VKX_##id,
	VK_EXTENSIONS(X)
#undef X
		VKX_COUNT
};
extern const char *const vk_extension_names[VKX_COUNT];

struct vk_physical {
	VkPhysicalDevice handle;
	struct gpu_info info;
	uint32_t extensions; /* bits 1 << enum vk_extension */
	uint32_t queue_family;
	bool has_size_control, has_executables; /* features behind the extensions */
};

void vk_physical_read(
	const struct vk_loader *l, VkPhysicalDevice handle, struct vk_physical *ret);
/* All devices of the instance, best first; at most cap. None is E_UNAVAILABLE. */
int vk_physical_list(const struct vk_loader *l, struct vk_physical *out, size_t cap,
	size_t *ret_n, struct error *err) must_check;
/* What may be allocated: heapBudget - 256 MiB, else 80 % of the heap; software devices
 * min(heap, MemAvailable / 4). */
uint64_t vk_memory_budget(const struct vk_loader *l, const struct vk_physical *p);

/* --- open.c ------------------------------------------------------------------------------ */
struct gpu {
	struct vk_loader *loader;
	bool owns_loader;
	struct vk_device_table f;
	struct vk_physical p;
	struct gpu_setup setup;
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool;
	VkPipelineCache cache;
	char *cache_path;	   /* NULL: not kept */
	size_t cache_loaded_bytes; /* that came from disk */
	VkPhysicalDeviceMemoryProperties memory;
	uint64_t memory_limit, memory_used;
	int64_t run_timeout_ns;
	const volatile int *stop;
	struct gpu_buf *upload, *readback; /* staging, made when first needed */
	bool is_lost, is_stopped;
};
/* Open one device of an instance that outlives it. */
int gpu_open_physical(struct vk_loader *l, const struct vk_physical *p,
	const struct gpu_options *o, struct gpu **ret, struct error *err) must_check;
/* Run one loop of 70000 turns and see how many were made; fills info->max_loop_turns. */
int gpu_loops_measure(struct gpu *g, struct error *err) must_check;

/* --- fault.c ----------------------------------------------------------------------------- */
/* Install what BENCHD_KERNEL_FAULT asks for. E_BAD_REQUEST when that is none of the faults. */
int gpu_fault_arm(struct gpu *g, struct error *err) must_check;

/* --- cache.c ----------------------------------------------------------------------------- */
/* Make g->cache, filled from disk where a matching file is there; anything else is ignored. */
int gpu_cache_open(struct gpu *g, const char *dir, struct error *err) must_check;
void gpu_cache_save(struct gpu *g); /* best effort */

/* --- buffer.c, kernel.c ------------------------------------------------------------------ */
struct gpu_buf {
	struct gpu *g;
	VkBuffer handle;
	VkDeviceMemory memory;
	uint64_t bytes, allocated;
	uint64_t address;
	void *map;
};

struct gpu_kernel {
	struct gpu *g;
	const struct gpu_module *module;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	double compile_s;
	int cache_hit;
};

/* --- cmd.c ------------------------------------------------------------------------------- */
/* Nanoseconds between two timestamps of a counter with that many valid bits; it wraps. */
double gpu_ticks_ns(uint64_t from, uint64_t to, uint32_t bits, double period_ns);

#endif
