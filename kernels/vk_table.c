/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Vulkan backends, one row each, and the devices of this host. */
#include <stdio.h>
#include <string.h>
#include "kernels/gpu/gpu.h"
#include "kernels/vk.h"

/* clang-format off */
#define VK_KERNELS(X) \
	X(stream_copy) X(stream_scale) X(stream_add) X(stream_triad) X(stream_dot) \
	X(regrid_nearest) X(regrid_bilinear) X(regrid_conservative) \
	X(fma_peak) \
	X(phys_ice_adjust) X(phys_rain_ice) X(phys_satad) \
	X(reduce_sum) X(reduce_min) X(reduce_argmax) \
	X(stencil2d_5pt) X(stencil3d_7pt) X(stencil3d_27pt) \
	X(gemm) X(transpose) X(scan_incl) X(scan_excl) X(histogram_256) X(histogram_4096) \
	X(sort_radix) X(nbody) X(spmv_csr) X(fft_c2c) \
	X(transfer_h2d) X(transfer_d2h) X(transfer_d2d) X(dispatch_void) X(dispatch_latency)
/* clang-format on */

#define X(name) extern const struct vk_kernel vk_##name;
VK_KERNELS(X)
#undef X

const struct vk_kernel *const vk_table[] = {
#define X(name) &vk_##name,
	VK_KERNELS(X)
#undef X
		NULL,
};

const struct vk_kernel *vk_find(const struct kernel *k)
{
	for (size_t i = 0; vk_table[i]; i++)
		if (!strcmp(vk_table[i]->id, k->id))
			return vk_table[i];
	return NULL;
}

void vk_devices(json_t *array, char *why, size_t why_size)
{
	enum { MOST = 16 };
	struct gpu_info info[MOST];
	struct error err = { 0 };
	size_t n = 0;

	if (gpu_list_devices(info, MOST, true, &n, &err) < 0)
		snprintf(why, why_size, "%s", err.text);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, gpu_info_json(&info[i]));
}
