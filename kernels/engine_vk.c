/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine of the vulkan backend: device timestamps around K recorded iterations, host time
 * from submission to fence beside them (kernels/vk_timer.h). */
#include "kernels/engine.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "kernels/gpu/gpu.h"
#include "kernels/gpu/tele.h"
#include "kernels/vk.h"
#include "kernels/vk_ceiling.h"
#include "kernels/vk_plan.h"
#include "kernels/vk_timer.h"
#include "kernels/vk_tune.h"

struct vk_run {
	const struct params *p;
	struct params tuned; /* p with the knobs that are used */
	bool is_stored;	     /* they are the winner of a tuning */
	const struct vk_kernel *kernel;
	void *state;
	struct gpu *g;
	void *vk; /* the family's */
	struct vk_timer timer;
	int lock_fd; /* of the device; -1 = none */
	struct gpu_tele *tele;
};

/* --- stopping ----------------------------------------------------------------------------- */

/* With work in flight the driver's destructors must not run. */
static void leave_at_once(int status, void *arg)
{
	fflush(NULL);
	_exit(status);
}

static int watch(int r)
{
	static bool is_watched;

	if ((r == E_GONE || r == E_DEADLINE) && !is_watched) {
		is_watched = true;
		on_exit(leave_at_once, NULL);
	}
	return r;
}

/* --- opening ------------------------------------------------------------------------------ */

static int open_device(struct vk_run *v, struct error *err)
{
	_cleanup_(free)
	char *dir = vk_cache_dir();
	struct gpu_options o = {
		.device = v->p->device,
		.cache_dir = dir,
		.is_validated = v->p->validate,
		.stop = &engine_stop,
	};

	int r = gpu_open(&o, &v->g, err);

	return r == OK ? gpu_lock(gpu_get_info(v->g), &v->lock_fd, err) : r;
}

static int find_kernel(struct vk_run *v, struct error *err)
{
	v->kernel = vk_find(v->p->kernel);
	if (!v->kernel)
		return error_set_field(err, E_NOT_IMPLEMENTED, "backend",
			"'%s' has no Vulkan backend", v->p->kernel->id);
	if (!(v->kernel->dtypes & DT_BIT(v->p->dtype)))
		return error_set_field(err, E_NOT_IMPLEMENTED, "dtype",
			"the Vulkan backend of '%s' does not do %s", v->p->kernel->id,
			dtype_name(v->p->dtype));
	return OK;
}

static int find_variant(const struct vk_run *v, const char **ret, struct error *err)
{
	const char *const *all = v->kernel->variants, *wanted = v->p->variant;

	*ret = all ? all[0] : "";
	if (!wanted)
		return OK;
	for (; all && *all; all++)
		if (!strcmp(*all, wanted)) {
			*ret = *all;
			return OK;
		}
	return error_set_field(err, E_UNPROCESSABLE, "variant",
		"the Vulkan backend of '%s' has no variant '%.40s'%s%s", v->p->kernel->id,
		wanted, v->kernel->variants ? "; the first is " : "",
		v->kernel->variants ? v->kernel->variants[0] : "");
}

static int check_device(const struct vk_run *v, struct error *err)
{
	const struct gpu_info *i = gpu_get_info(v->g);
	uint32_t missing = v->kernel->needs(&v->tuned) & ~i->features;

	if (missing)
		return error_set(err, E_NOT_IMPLEMENTED, "'%s' lacks %s, which '%s' needs",
			i->name, gpu_feature_name(missing & -missing), v->p->kernel->id);
	return gpu_loops_check(v->g, (uint64_t)v->kernel->max_loop_iters(&v->tuned), err);
}

static void vk_close(void *run)
{
	struct vk_run *v = run;

	if (!v)
		return;
	gpu_tele_stop(v->tele);
	vk_timer_done(&v->timer);
	if (v->kernel)
		v->kernel->free(v->vk);
	gpu_close(v->g);
	closep(&v->lock_fd);
	free(v);
}
DEFINE_CLEANUP(struct vk_run *, vk_close)

static int set_up(struct vk_run *v, const char *variant, struct error *err)
{
	int r;

	v->tuned = *v->p;
	v->tuned.variant = v->kernel->variants ? variant : NULL;
	v->is_stored = vk_tune_load(gpu_get_info(v->g), v->kernel, &v->tuned);
	r = check_device(v, err);
	if (r < 0)
		return r;
	return v->kernel->setup(v->g, &v->tuned, variant, v->state, &v->vk, err);
}

static int vk_open(const struct params *p, void *state, void **ret, struct error *err)
{
	_cleanup_(vk_close)
	struct vk_run *v = xcalloc(1, sizeof(*v));
	const char *variant = "";
	int r;

	v->p = p;
	v->state = state;
	v->lock_fd = -1;
	r = find_kernel(v, err);
	if (r == OK)
		r = find_variant(v, &variant, err);
	if (r == OK)
		r = open_device(v, err);
	if (r == OK)
		r = set_up(v, variant, err);
	if (r == OK)
		r = vk_timer_init(&v->timer, v->g, v->kernel, v->vk, p->is_cold, err);
	if (r != OK)
		return watch(r);
	v->tele = gpu_tele_start(gpu_get_info(v->g));
	*ret = TAKE(v);
	return OK;
}

static void vk_sampling(void *run, bool begins)
{
	gpu_tele_mark(((struct vk_run *)run)->tele, begins);
}

/* --- running ------------------------------------------------------------------------------ */

static int vk_time(
	void *run, int64_t iterations, double *ret_ns, double *ret_host_ns, struct error *err)
{
	struct vk_run *v = run;

	return watch(vk_timer_run(&v->timer, iterations, ret_ns, ret_host_ns, err));
}

static int vk_poison(void *run, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	struct vk_run *v = run;
	int r;

	if (v->p->kernel->poison)
		v->p->kernel->poison(v->state);
	r = gpu_cmd_new(v->g, 0, &c, err);
	if (r < 0)
		return watch(r);
	gpu_cmd_barrier(c);
	v->kernel->poison(v->vk, c);
	gpu_cmd_barrier(c);
	r = gpu_cmd_end(c, err);
	if (r == OK)
		r = gpu_cmd_run(c, NULL, NULL, err);
	return watch(r);
}

static int vk_fetch(void *run, struct error *err)
{
	struct vk_run *v = run;
	int r = v->kernel->fetch(v->vk, v->state, err);

	if (r == OK && v->p->validate && gpu_count_messages(v->g))
		return error_set(err, E_CONFLICT,
			"the validation layer reported %u messages; the first: %.300s",
			gpu_count_messages(v->g), gpu_first_message(v->g));
	return watch(r);
}

static int vk_ceilings(void *run, double footprint_bytes, bool is_again,
	double *ret_bytes_per_s, double *ret_flops_per_s, struct error *err)
{
	struct vk_run *v = run;
	double cold = v->p->is_cold ? 3. * 256 * MiB : 0; /* what no cache holds */
	int r;

	(void)is_again; /* nothing is kept */
	r = vk_ceiling_bandwidth(v->g, MAX(footprint_bytes, cold), ret_bytes_per_s, err);

	if (r == OK)
		r = vk_ceiling_flops(v->g, v->p->dtype, ret_flops_per_s, err);
	return watch(r);
}

/* --- facts -------------------------------------------------------------------------------- */

static json_t *setup_json(const struct vk_run *v)
{
	const struct gpu_setup *s = gpu_get_setup(v->g);
	json_t *o = json_object();
	int hit = -1;
	double compile_s = vk_plan_compile_s(v->vk, &hit);

	json_set_real(o, "library", s->library_s);
	json_set_real(o, "instance", s->instance_s);
	json_set_real(o, "device", s->device_s);
	json_set_real(o, "compile", compile_s);
	json_set_real(o, "first_dispatch", v->timer.first_dispatch_s);
	if (hit >= 0)
		json_set_bool(o, "cache_hit", hit);
	return o;
}

static void vk_describe(void *run, json_t *o)
{
	struct vk_run *v = run;
	const struct gpu_info *i = gpu_get_info(v->g);
	json_t *stats = vk_plan_stats(v->vk), *tele = gpu_tele_format(v->tele);

	_cleanup_(json_decref)
	json_t *info = gpu_info_json(i);

	json_object_update(o, info);
	json_object_set_new(o, "setup_s", setup_json(v));
	json_set_str(o, "time_source",
		vk_timer_is_host(&v->timer) ? "host clock" : "device timestamps");
	if (v->kernel->knobs) {
		json_object_set_new(o, "tuning", vk_tune_json(v->kernel, &v->tuned));
		json_set_bool(o, "is_tuned", v->is_stored);
	}
	if (v->timer.is_short)
		json_set_bool(o, "short_iterations", true);
	if (stats)
		json_object_set_new(o, "compiler", stats);
	if (tele)
		json_object_set_new(o, "telemetry", tele);
	if (v->p->validate)
		json_set_int(o, "validation_messages", gpu_count_messages(v->g));
}

const struct engine engine_vulkan = {
	.name = "vulkan",
	.target_ns = 10 * NS_PER_MS,
	.open = vk_open,
	.poison = vk_poison,
	.time = vk_time,
	.fetch = vk_fetch,
	.sampling = vk_sampling,
	.ceilings = vk_ceilings,
	.describe = vk_describe,
	.close = vk_close,
};
