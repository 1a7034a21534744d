/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine runs a kernel somewhere and times it: the CPU (kernels/engine_cpu.c) or a Vulkan
 * device (kernels/engine_vk.c). The driver (kernels/measure.h) knows only this table. One
 * engine run belongs to one thread.
 *
 * Order of calls: open, { poison, time, fetch, verify of the kernel }, time..., { the same },
 * close. */
#ifndef KERNELS_ENGINE_H
#define KERNELS_ENGINE_H

#include <jansson.h>
#include "kernels/kernels.h"

struct engine {
	const char *name;
	bool is_host; /* it computes where this program does: no second series, ceilings kept */
	int64_t target_ns; /* least length of a sample when K is calibrated */
	/* state is the kernel's own, made by kernel->setup and owned by the caller; it holds
	 * the inputs to upload and receives the outputs at fetch. E_UNAVAILABLE with the reason
	 * when this host cannot. */
	int (*open)(
		const struct params *p, void *state, void **ret, struct error *err) must_check;
	int (*poison)(void *run, struct error *err) must_check;
	/* Run `iterations` and give the time of all of them together, in ns: ret_ns as the
	 * device (CPU: the host) saw it, ret_host_ns from submission to completion as the host
	 * saw it (0 = that is no second series). E_GONE: the device is lost; E_DEADLINE:
	 * stopped by a signal. */
	int (*time)(void *run, int64_t iterations, double *ret_ns, double *ret_host_ns,
		struct error *err) must_check;
	int (*fetch)(void *run, struct error *err) must_check; /* outputs into the state */
	/* The timed samples begin here (true) or have ended (false); may be NULL. */
	void (*sampling)(void *run, bool begins);
	/* Highest rates of this engine, measured now and briefly: B/s at a working set of about
	 * footprint_bytes, and FLOP/s in this dtype. 0 = could not be measured. is_again: what
	 * this process measured before is not good enough. */
	int (*ceilings)(void *run, double footprint_bytes, bool is_again,
		double *ret_bytes_per_s, double *ret_flops_per_s, struct error *err) must_check;
	/* Facts for the result's metadata, added to object o. */
	void (*describe)(void *run, json_t *o);
	void (*close)(void *run); /* NULL is fine */
};

extern const struct engine engine_cpu;
/* Ceilings of this processor, for engines that run on it (struct engine: ceilings). */
int engine_cpu_ceilings(const struct params *p, double footprint_bytes, bool is_again,
	double *ret_bytes_per_s, double *ret_flops_per_s, struct error *err) must_check;
#ifdef KERNELS_VULKAN
extern const struct engine engine_vulkan; /* kernels/engine_vk.c */
#endif

/* Set by SIGTERM: engines give up between submissions (GPU) or iterations (CPU). */
extern volatile int engine_stop;

#endif
