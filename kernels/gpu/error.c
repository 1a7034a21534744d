/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/gpu/vk.h"

#include <stdio.h>

#define RESULTS(X)                                                                             \
	X(VK_SUCCESS)                                                                          \
	X(VK_NOT_READY)                                                                        \
	X(VK_TIMEOUT)                                                                          \
	X(VK_INCOMPLETE)                                                                       \
	X(VK_ERROR_OUT_OF_HOST_MEMORY)                                                         \
	X(VK_ERROR_OUT_OF_DEVICE_MEMORY)                                                       \
	X(VK_ERROR_INITIALIZATION_FAILED)                                                      \
	X(VK_ERROR_DEVICE_LOST)                                                                \
	X(VK_ERROR_MEMORY_MAP_FAILED)                                                          \
	X(VK_ERROR_LAYER_NOT_PRESENT)                                                          \
	X(VK_ERROR_EXTENSION_NOT_PRESENT)                                                      \
	X(VK_ERROR_FEATURE_NOT_PRESENT)                                                        \
	X(VK_ERROR_INCOMPATIBLE_DRIVER)                                                        \
	X(VK_ERROR_TOO_MANY_OBJECTS)                                                           \
	X(VK_ERROR_FRAGMENTED_POOL)                                                            \
	X(VK_ERROR_UNKNOWN)                                                                    \
	X(VK_ERROR_OUT_OF_POOL_MEMORY)                                                         \
	X(VK_ERROR_INVALID_EXTERNAL_HANDLE)                                                    \
	X(VK_ERROR_VALIDATION_FAILED_EXT)

const char *vk_result_name(VkResult r)
{
	static _Thread_local char other[24];

	switch (r) {
#define X(id)                                                                                  \
	case id:                                                                               \
		return #id;
		RESULTS(X)
#undef X
	default:
		snprintf(other, sizeof(other), "VkResult %d", (int)r);
		return other;
	}
}

int vk_error(VkResult r, const char *call, struct error *err)
{
	switch (r) {
	case VK_SUCCESS:
		return OK;
	case VK_ERROR_OUT_OF_HOST_MEMORY:
	case VK_ERROR_OUT_OF_DEVICE_MEMORY:
	case VK_ERROR_OUT_OF_POOL_MEMORY:
	case VK_ERROR_INITIALIZATION_FAILED:
	case VK_ERROR_INCOMPATIBLE_DRIVER:
		return error_set(err, E_UNAVAILABLE, "%s: %s", call, vk_result_name(r));
	case VK_ERROR_LAYER_NOT_PRESENT:
	case VK_ERROR_EXTENSION_NOT_PRESENT:
	case VK_ERROR_FEATURE_NOT_PRESENT:
		return error_set(err, E_NOT_IMPLEMENTED, "%s: %s", call, vk_result_name(r));
	case VK_ERROR_DEVICE_LOST:
		return error_set(
			err, E_GONE, "%s: the device was lost (VK_ERROR_DEVICE_LOST)", call);
	default:
		return error_set(err, E_INTERNAL, "%s: %s", call, vk_result_name(r));
	}
}

int gpu_check(struct gpu *g, VkResult r, const char *call, struct error *err)
{
	if (r == VK_ERROR_DEVICE_LOST)
		g->is_lost = true;
	return vk_error(r, call, err);
}

int gpu_usable(const struct gpu *g, struct error *err)
{
	if (g->is_lost)
		return error_set(err, E_GONE,
			"the device '%s' was lost earlier in this process", g->p.info.name);
	if (g->is_stopped)
		return error_set(err, E_DEADLINE,
			"the device '%s' still runs a dispatch that was given up",
			g->p.info.name);
	return OK;
}

int gpu_exit_status(int code)
{
	switch (code) {
	case OK:
		return 0;
	case E_BAD_REQUEST:
	case E_UNPROCESSABLE:
	case E_NOT_FOUND:
		return 64;
	case E_UNAVAILABLE:
	case E_NOT_IMPLEMENTED:
		return 69;
	case E_DEADLINE:
		return 75;
	case E_GONE:
		return 76;
	default:
		return 70;
	}
}
