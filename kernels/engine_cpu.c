/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine of the scalar, simd and threads backends: a clock around kernel->run. */
#include "kernels/engine.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "kernels/ceiling.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/placement.h"

volatile int engine_stop;

struct cpu_run {
	const struct params *p;
	void *state;
};

static int cpu_open(const struct params *p, void *state, void **ret, struct error *err)
{
	struct cpu_run *c;

	if (p->is_cold)
		return error_set_field(err, E_BAD_REQUEST, "cold",
			"--cold is for the vulkan backend; on the CPU choose --size dram");
	c = xcalloc(1, sizeof(*c));
	c->p = p;
	c->state = state;
	*ret = c;
	return OK;
}

static int cpu_poison(void *run, struct error *err)
{
	struct cpu_run *c = run;

	(void)err;
	c->p->kernel->poison(c->state);
	return OK;
}

static int cpu_time(
	void *run, int64_t iterations, double *ret_ns, double *ret_host_ns, struct error *err)
{
	struct cpu_run *c = run;
	int64_t start = clock_monotonic_ns();

	(void)err;
	c->p->kernel->run(c->state, iterations);
	*ret_ns = *ret_host_ns = (double)(clock_monotonic_ns() - start);
	return OK;
}

static int cpu_fetch(void *run, struct error *err)
{
	(void)run, (void)err;
	return OK;
}

int engine_cpu_ceilings(const struct params *p, double footprint_bytes, bool is_again,
	double *ret_bytes_per_s, double *ret_flops_per_s, struct error *err)
{
	int r;

	if (is_again)
		ceiling_doubt();
	r = ceiling_bandwidth(p->threads, footprint_bytes, ret_bytes_per_s, err);
	return r != OK ? r : ceiling_flops(p->threads, p->dtype, ret_flops_per_s, err);
}

static int cpu_ceilings(void *run, double footprint_bytes, bool is_again,
	double *ret_bytes_per_s, double *ret_flops_per_s, struct error *err)
{
	const struct cpu_run *c = run;

	return engine_cpu_ceilings(
		c->p, footprint_bytes, is_again, ret_bytes_per_s, ret_flops_per_s, err);
}

static void cpu_describe(void *run, json_t *o)
{
	const struct params *p = ((struct cpu_run *)run)->p;
	const struct host *h = host_get();

	json_set_str(o, "cpu", h->cpu);
	json_set_int(o, "cpus", h->n_cpus);
	json_set_str(o, "isa", isa_name(p->backend == BACKEND_SCALAR ? ISA_SCALAR : p->isa));
	json_set_bool(o, "software", false);
	placement_describe(o);
}

static void cpu_close(void *run)
{
	free(run);
}

const struct engine engine_cpu = {
	.name = "cpu",
	.is_host = true,
	.target_ns = 10 * NS_PER_MS,
	.open = cpu_open,
	.poison = cpu_poison,
	.time = cpu_time,
	.fetch = cpu_fetch,
	.ceilings = cpu_ceilings,
	.describe = cpu_describe,
	.close = cpu_close,
};
