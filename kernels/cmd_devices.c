/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel devices: what kernels can run on here. */
#include <stdio.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "kernels/cli.h"
#include "kernels/code.h"
#ifdef KERNELS_VULKAN
#include "kernels/gpu/gpu.h"
#endif
#include "kernels/host.h"
#include "kernels/vk.h"

static json_t *cpu_json(void)
{
	const struct host *h = host_get();
	json_t *o = json_object(), *isas = json_array();

	for (int i = ISA_BASE; i < N_ISAS; i++)
		if (isa_is_supported((enum isa)i))
			json_array_append_new(isas, json_string(isa_name((enum isa)i)));
	json_set_str(o, "kind", "cpu");
	json_set_str(o, "name", h->cpu);
	json_set_int(o, "cpus", h->n_cpus);
	json_object_set_new(o, "isas", isas);
	json_set_int(o, "l1d_bytes", h->l1d_bytes);
	json_set_int(o, "l2_bytes", h->l2_bytes);
	json_set_int(o, "llc_bytes", h->llc_bytes);
	json_set_int(o, "memory_available_bytes", host_memory_available());
	return o;
}

static void list_gpus(json_t *array, char *why, size_t why_size)
{
#ifdef KERNELS_VULKAN
	vk_devices(array, why, why_size);
#else
	(void)array;
	snprintf(why, why_size, "this build has no Vulkan backend");
#endif
}

bool devices_have_gpu(void)
{
	_cleanup_(json_decref)
	json_t *array = json_array(), *g = NULL;
	char why[256];
	size_t i;

	list_gpus(array, why, sizeof(why));
	json_array_foreach (array, i, g)
		if (!json_get_bool(g, "software", false))
			return true;
	return false;
}

int devices_validate(const char *device, struct error *err)
{
#ifdef KERNELS_VULKAN
	struct gpu_options o = { .device = device, .is_validated = true };
	struct gpu *g = NULL;
	int r = gpu_open(&o, &g, err);

	gpu_close(g);
	return r;
#else
	(void)device;
	return error_set(err, E_UNAVAILABLE, "this build has no Vulkan backend");
#endif
}

static void print_cpu(void)
{
	const struct host *h = host_get();

	printf("cpu     %s, %d CPUs, %s\n", h->cpu, h->n_cpus, isa_name(isa_best()));
	printf("        caches L1d %lld KiB, L2 %lld KiB, last level %lld MiB; %lld MiB of "
	       "memory "
	       "free\n",
		(long long)(h->l1d_bytes / KiB), (long long)(h->l2_bytes / KiB),
		(long long)(h->llc_bytes / MiB), (long long)(host_memory_available() / MiB));
}

static void print_gpu(const json_t *g)
{
	bool software = json_get_bool(g, "software", false);

	printf("vulkan  %s%s\n", json_get_str(g, "name", "?"),
		software ? " (software: proves that a kernel is right, not how fast it is)"
			 : "");
	printf("        uuid %s, %s, driver %s %s\n", json_get_str(g, "uuid", "?"),
		json_get_str(g, "kind", "?"), json_get_str(g, "driver", "?"),
		json_get_str(g, "driver_info", ""));
}

int cmd_devices(const struct cli *c)
{
	_cleanup_(json_decref)
	json_t *gpus = json_array();
	char why[512] = "";
	size_t i;
	json_t *g;

	list_gpus(gpus, why, sizeof(why));
	if (c->json) {
		_cleanup_(json_decref)
		json_t *o = json_object();
		_cleanup_(free)
		char *text = NULL;

		json_object_set_new(o, "cpu", cpu_json());
		json_object_set(o, "vulkan", gpus);
		json_set_opt(o, "why_no_vulkan", json_array_size(gpus) ? NULL : why);
		text = json_text(o);
		puts(text);
		return 0;
	}
	print_cpu();
	json_array_foreach (gpus, i, g)
		print_gpu(g);
	if (json_array_size(gpus) == 0)
		printf("vulkan  none: %s\n", why);
	return 0;
}

/* What the worker asks at its start, on SIGHUP and after a crash or loss. A driver that does
 * not come back is ended by the alarm (main.c). */
int cmd_probe(const struct cli *c)
{
	enum { PROBE_S = 10 };
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;
	json_t *gpus = json_array();
	char why[512] = "";

	(void)c;
	alarm(PROBE_S);
	list_gpus(gpus, why, sizeof(why));
	json_object_set_new(o, "vulkan", gpus);
	json_set_opt(o, "why_no_vulkan", json_array_size(gpus) ? NULL : why);
	text = json_dumps(o, JSON_COMPACT);
	puts(text);
	return 0;
}
