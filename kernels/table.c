/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All kernels, one row each; a new kernel is a new file and a row here. */
#include "kernels/kernels.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include "base/cleanup.h"
#include "base/json.h"
#include "kernels/code.h"
#include "kernels/peer.h"
#include "kernels/vk.h"

/* clang-format off */
#define KERNELS(X) \
	X(stream_copy) \
	X(stream_scale) \
	X(stream_add) \
	X(stream_triad) \
	X(stream_dot) \
	X(regrid_nearest) \
	X(regrid_bilinear) \
	X(regrid_conservative) \
	X(phys_ice_adjust) \
	X(gemm) \
	X(reduce_sum) \
	X(reduce_min) \
	X(reduce_argmax) \
	X(stencil2d_5pt) \
	X(stencil3d_7pt) \
	X(stencil3d_27pt) \
	X(phys_rain_ice) \
	X(phys_satad) \
	X(transpose) \
	X(scan_incl) \
	X(scan_excl) \
	X(histogram_256) \
	X(histogram_4096) \
	X(sort_radix) \
	X(nbody) \
	X(spmv_csr) \
	X(fft_c2c) \
	X(fma_peak) \
	X(transfer_h2d) \
	X(transfer_d2h) \
	X(transfer_d2d) \
	X(dispatch_void) \
	X(dispatch_latency)
/* clang-format on */

#define X(name) extern const struct kernel kernel_##name;
KERNELS(X)
#undef X

const struct kernel *const kernel_table[] = {
#define X(name) &kernel_##name,
	KERNELS(X)
#undef X
		NULL,
};

static bool has_name(const struct kernel *k, const char *name)
{
	if (strcasecmp(k->id, name) == 0)
		return true;
	for (const char *const *a = k->aliases; a && *a; a++)
		if (strcasecmp(*a, name) == 0)
			return true;
	return false;
}

/* A name behind that of the suite it is known from; NULL for others. Rodinia's nn searches
 * points, it does not regrid. */
static const char *without_suite(const char *name)
{
	static const char *const suites[] = { "babelstream.", "clpeak.", "hecbench.",
		"parboil.", "rodinia.", "shoc.", "uvkcompute.", "vkpeak." };

	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		size_t n = strlen(suites[i]);

		if (strncasecmp(name, suites[i], n) == 0 && strcasecmp(name + n, "nn") != 0)
			return name + n;
	}
	return NULL;
}

const struct kernel *kernel_find(const char *name)
{
	const char *rest = without_suite(name);

	for (size_t i = 0; kernel_table[i]; i++)
		if (has_name(kernel_table[i], name) ||
			(rest && has_name(kernel_table[i], rest)))
			return kernel_table[i];
	return NULL;
}

const char *kernel_nearest(const char *name)
{
	const char *names[512];
	size_t n = 0;

	for (size_t i = 0; kernel_table[i]; i++) {
		assert(n + 32 < ARRAY_SIZE(names));
		names[n++] = kernel_table[i]->id;
		for (const char *const *a = kernel_table[i]->aliases; a && *a; a++)
			names[n++] = *a;
	}
	names[n] = NULL;
	return nearest_name(name, names);
}

const char *dtype_name(enum dtype d)
{
#define X(id, name, bytes) [id] = name,
	static const char *const names[] = { DTYPES(X) };
#undef X

	return names[d];
}

int64_t dtype_bytes(enum dtype d)
{
#define X(id, name, bytes) [id] = bytes,
	static const int64_t bytes[] = { DTYPES(X) };
#undef X

	return bytes[d];
}

const char *backend_name(enum backend b)
{
#define X(id, name) [id] = name,
	static const char *const names[] = { BACKENDS(X) };
#undef X

	return names[b];
}

bool backend_has(const struct kernel *k, enum backend b)
{
	if (b == BACKEND_VULKAN)
		return vk_find(k) != NULL;
	return !backend_is_peer(b) || peer_find(k, b);
}

int64_t params_option(const struct params *p, const char *name)
{
	const struct kernel_option *o = p->kernel->options;

	for (size_t i = 0; o && o[i].name; i++)
		if (strcmp(o[i].name, name) == 0)
			return p->option[i];
	assert(!"the kernel has this option");
	return 0;
}

void params_init(struct params *p, const struct kernel *k)
{
	*p = (struct params){ .kernel = k,
		.dtype = k->default_dtype,
		.backend = BACKEND_SIMD,
		.isa = isa_best(),
		.threads = 1,
		.seed = 42 };
	memcpy(p->dim, k->sizes[1].dim, sizeof(p->dim));
	for (size_t i = 0; k->options && k->options[i].name; i++)
		p->option[i] = k->options[i].otherwise;
}

int64_t params_elements(const struct params *p)
{
	int64_t n = 1;

	for (int i = 0; i < p->kernel->n_dims; i++)
		n *= p->dim[i];
	return n;
}
