/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/gpu/vk.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/fs.h"

#define LIBRARY "libvulkan.so.1"
#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

void vk_environment_set(const char *cache_dir, bool is_cold)
{
	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	unsetenv("VK_INSTANCE_LAYERS");
	setenv("VK_LOADER_LAYERS_DISABLE", "~implicit~", 1);
	setenv("NODEVICE_SELECT", "1", 1); /* loaders before 1.3.234 lack the line above */
	if (is_cold) {
		setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
		setenv("__GL_SHADER_DISK_CACHE", "0", 1);
	} else if (cache_dir && dir_make(cache_dir, 0700, NULL) == OK) {
		setenv("MESA_SHADER_CACHE_DIR", cache_dir, 1);
		setenv("__GL_SHADER_DISK_CACHE_PATH", cache_dir, 1);
	}
}

static int load_globals(struct vk_loader *l, struct error *err)
{
	bool is_whole = true;

#define X(name)                                                                                \
	l->f.name = (PFN_vk##name)(void *)l->get(NULL, "vk" #name);                            \
	is_whole &= l->f.name != NULL;
	VK_GLOBALS(X)
#undef X
	if (!is_whole)
		return error_set(err, E_NOT_IMPLEMENTED,
			"the Vulkan loader '" LIBRARY "' is older than Vulkan 1.1");
	return OK;
}

static int load_library(struct vk_loader *l, struct error *err)
{
	uint32_t version = 0;
	int r;

	l->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!l->library)
		return error_set(err, E_UNAVAILABLE,
			"no Vulkan loader: %s (on Debian: apt install libvulkan1)", dlerror());
	l->get = (PFN_vkGetInstanceProcAddr)dlsym(l->library, "vkGetInstanceProcAddr");
	if (!l->get)
		return error_set(
			err, E_UNAVAILABLE, "'" LIBRARY "' lacks vkGetInstanceProcAddr");
	r = load_globals(l, err);
	if (r < 0)
		return r;
	r = vk_error(
		l->f.EnumerateInstanceVersion(&version), "vkEnumerateInstanceVersion", err);
	if (r == OK && version < VK_API_VERSION_1_2)
		return error_set(err, E_NOT_IMPLEMENTED,
			"the Vulkan loader speaks %u.%u; 1.2 is needed",
			VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));
	return r;
}

static int load_instance_functions(struct vk_loader *l, struct error *err)
{
	const char *missing = NULL;

#define X(name)                                                                                \
	l->f.name = (PFN_vk##name)(void *)l->get(l->instance, "vk" #name);                     \
	if (!l->f.name)                                                                        \
		missing = "vk" #name;
	VK_INSTANCE_FUNCTIONS(X)
#undef X
#define X(name) l->f.name = (PFN_vk##name)(void *)l->get(l->instance, "vk" #name);
	VK_INSTANCE_OPTIONAL(X)
#undef X
	if (missing)
		return error_set(err, E_NOT_IMPLEMENTED, "the Vulkan loader lacks %s", missing);
	return OK;
}

int vk_device_table_load(const struct vk_loader *l, VkDevice device, struct vk_device_table *t,
	struct error *err)
{
	const char *missing = NULL;

#define X(name)                                                                                \
	t->name = (PFN_vk##name)(void *)l->f.GetDeviceProcAddr(device, "vk" #name);            \
	if (!t->name)                                                                          \
		missing = "vk" #name;
	VK_DEVICE_FUNCTIONS(X)
#undef X
#define X(name) t->name = (PFN_vk##name)(void *)l->f.GetDeviceProcAddr(device, "vk" #name);
	VK_DEVICE_OPTIONAL(X)
#undef X
	if (missing)
		return error_set(err, E_NOT_IMPLEMENTED, "the driver lacks %s", missing);
	return OK;
}

/* --- messages ---------------------------------------------------------------------------- */

/* Messages of the validation layer are counted; the loader's first error explains why there is
 * no device. VK_EXT_debug_utils is the loader's own, so every loader of 1.1 or later has it. */

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(
	VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT type,
	const VkDebugUtilsMessengerCallbackDataEXT *data, void *arg)
{
	struct vk_loader *l = arg;
	const char *text = data->pMessage ? data->pMessage : "";

	if (type & VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT) {
		if (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT &&
			!l->complaint[0])
			snprintf(l->complaint, sizeof(l->complaint), "; the loader says: %s",
				text);
	} else if (l->n_messages++ == 0) {
		snprintf(l->first_message, sizeof(l->first_message), "%s", text);
	}
	return VK_FALSE;
}

static VkDebugUtilsMessengerCreateInfoEXT messenger_info(struct vk_loader *l)
{
	return (VkDebugUtilsMessengerCreateInfoEXT){
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
				   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
			       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
		.pfnUserCallback = on_message,
		.pUserData = l,
	};
}

static bool has_layer(const struct vk_loader *l, const char *name)
{
	uint32_t n = 0;
	_cleanup_(free)
	VkLayerProperties *layers = NULL;

	if (l->f.EnumerateInstanceLayerProperties(&n, NULL) != VK_SUCCESS || n == 0)
		return false;
	layers = xcalloc(n, sizeof(*layers));
	if (l->f.EnumerateInstanceLayerProperties(&n, layers) < 0)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(layers[i].layerName, name))
			return true;
	return false;
}

/* --- instance ---------------------------------------------------------------------------- */

static int create_instance(struct vk_loader *l, bool is_validated, struct error *err)
{
	static const char *const layer = VALIDATION_LAYER;
	static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
		VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME };
	static const VkValidationFeatureEnableEXT enables[] = {
		VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
	};
	VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(l);
	VkValidationFeaturesEXT features = {
		.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
		.pNext = &messenger,
		.enabledValidationFeatureCount = ARRAY_SIZE(enables),
		.pEnabledValidationFeatures = enables,
	};
	VkApplicationInfo app = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "benchd-kernel",
		.apiVersion = VK_API_VERSION_1_2,
	};
	VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pNext = is_validated ? (void *)&features : (void *)&messenger,
		.pApplicationInfo = &app,
		.enabledLayerCount = is_validated,
		.ppEnabledLayerNames = &layer,
		.enabledExtensionCount = is_validated ? 2 : 1,
		.ppEnabledExtensionNames = extensions,
	};
	VkResult r = l->f.CreateInstance(&info, NULL, &l->instance);

	if (r == VK_ERROR_INCOMPATIBLE_DRIVER)
		return error_set(err, E_UNAVAILABLE,
			"no Vulkan driver is installed (vkCreateInstance: %s); on Debian: "
			"apt install mesa-vulkan-drivers, or the vendor's driver%s",
			vk_result_name(r), l->complaint);
	return vk_error(r, "vkCreateInstance", err);
}

static int start_messenger(struct vk_loader *l, struct error *err)
{
	VkDebugUtilsMessengerCreateInfoEXT info = messenger_info(l);

	if (!l->f.CreateDebugUtilsMessengerEXT || !l->f.DestroyDebugUtilsMessengerEXT)
		return error_set(err, E_UNAVAILABLE, "the loader lacks VK_EXT_debug_utils");
	return vk_error(
		l->f.CreateDebugUtilsMessengerEXT(l->instance, &info, NULL, &l->messenger),
		"vkCreateDebugUtilsMessengerEXT", err);
}

static int open_all(struct vk_loader *l, bool is_validated, struct error *err)
{
	int64_t start = clock_monotonic_ns(), loaded;
	int r = load_library(l, err);

	loaded = clock_monotonic_ns();
	l->library_s = (double)(loaded - start) / NS_PER_S;
	if (r < 0)
		return r;
	if (is_validated && !has_layer(l, VALIDATION_LAYER))
		return error_set(err, E_UNAVAILABLE,
			"the validation layer is not installed (on Debian: apt install "
			"vulkan-validationlayers)");
	r = create_instance(l, is_validated, err);
	if (r == OK)
		r = load_instance_functions(l, err);
	if (r == OK)
		r = start_messenger(l, err);
	l->instance_s = (double)(clock_monotonic_ns() - loaded) / NS_PER_S;
	return r;
}

int vk_loader_open(struct vk_loader *l, bool is_validated, struct error *err)
{
	int r;

	memset(l, 0, sizeof(*l));
	r = open_all(l, is_validated, err);
	if (r < 0)
		vk_loader_close(l);
	return r;
}

void vk_loader_close(struct vk_loader *l)
{
	if (l->messenger)
		l->f.DestroyDebugUtilsMessengerEXT(l->instance, l->messenger, NULL);
	if (l->instance && l->f.DestroyInstance)
		l->f.DestroyInstance(l->instance, NULL);
	if (l->library)
		dlclose(l->library);
	l->messenger = VK_NULL_HANDLE;
	l->instance = VK_NULL_HANDLE;
	l->library = NULL;
}
