/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/vk_plan.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ARRAYS = 32, MAX_KERNELS = 16, MAX_STEPS = 512 };
enum step_kind { DISPATCH, COPY, FILL };
enum role { INPUT, OUTPUT, SCRATCH };

struct array {
	struct gpu_buf *buf;
	enum role role;
	void *host;
	uint64_t bytes;
	uint32_t poison;
};

struct step {
	enum step_kind kind;
	int kernel;
	struct vk_bufs bufs;
	unsigned char push[GPU_MAX_PUSH];
	uint32_t push_bytes, word;
	uint64_t bytes;
	struct gpu_groups groups;
};

struct vk_plan {
	struct gpu *g;
	struct array array[MAX_ARRAYS];
	struct gpu_kernel *kernel[MAX_KERNELS];
	uint32_t n_bufs[MAX_KERNELS]; /* that each kernel binds */
	struct step step[MAX_STEPS];
	int n_arrays, n_kernels, n_steps;
	enum gpu_where where;
	uint32_t subgroup_size; /* 0: what the driver takes */
	void *memory;		/* of vk_plan_convert */
	void (*convert)(void *state, const void *memory);
	struct error first;
};

struct vk_plan *vk_plan_new(struct gpu *g, const struct params *p)
{
	struct vk_plan *v = xcalloc(1, sizeof(*v));

	(void)p;
	v->g = g;
	return v;
}

void vk_plan_free(void *plan)
{
	struct vk_plan *v = plan;

	if (!v)
		return;
	for (int i = 0; i < v->n_arrays; i++)
		gpu_buf_free(v->array[i].buf);
	for (int i = 0; i < v->n_kernels; i++)
		gpu_kernel_free(v->kernel[i]);
	free(v->memory);
	free(v);
}

const struct gpu_info *vk_plan_info(const struct vk_plan *v)
{
	return gpu_get_info(v->g);
}

void vk_plan_fail(struct vk_plan *v, const struct error *e)
{
	if (v->first.code == OK)
		v->first = *e;
}

static bool has_failed(const struct vk_plan *v)
{
	return v->first.code != OK;
}

/* Room in one of the fixed tables; too little is our own mistake. */
static bool has_room(struct vk_plan *v, int n, int most, const char *what)
{
	if (n >= most)
		error_set(&v->first, E_INTERNAL, "a plan of more than %d %s", most, what);
	return n < most;
}

/* --- arrays ------------------------------------------------------------------------------ */

static int add_array(
	struct vk_plan *v, enum role role, void *host, uint64_t bytes, uint32_t poison)
{
	struct array *a = &v->array[v->n_arrays];
	int r;

	if (has_failed(v) || !has_room(v, v->n_arrays, MAX_ARRAYS, "arrays"))
		return 0;
	*a = (struct array){ .role = role, .host = host, .bytes = bytes, .poison = poison };
	r = gpu_buf_new(v->g, bytes, v->where, &a->buf, &v->first);
	if (r < 0)
		return 0;
	v->n_arrays++;
	if (role == INPUT)
		r = gpu_buf_write(a->buf, 0, host, bytes, &v->first);
	return r == OK ? v->n_arrays - 1 : 0;
}

void vk_plan_place(struct vk_plan *v, enum gpu_where where)
{
	v->where = where;
}

int vk_plan_input(struct vk_plan *v, const void *host, uint64_t bytes)
{
	return add_array(v, INPUT, (void *)host, bytes, 0);
}

int vk_plan_output(struct vk_plan *v, void *host, uint64_t bytes, uint32_t poison)
{
	return add_array(v, OUTPUT, host, bytes, poison);
}

int vk_plan_scratch(struct vk_plan *v, uint64_t bytes)
{
	return add_array(v, SCRATCH, NULL, bytes, GPU_POISON);
}

void *vk_plan_convert(
	struct vk_plan *v, uint64_t bytes, void (*f)(void *state, const void *memory))
{
	free(v->memory);
	v->memory = xcalloc(1, bytes);
	v->convert = f;
	return v->memory;
}

/* --- kernels and steps -------------------------------------------------------------------- */

int vk_plan_kernel(struct vk_plan *v, const char *module, const uint32_t *spec, size_t n_spec)
{
	if (has_failed(v) || !has_room(v, v->n_kernels, MAX_KERNELS, "shaders"))
		return 0;
	if (gpu_kernel_new(v->g, module, spec, n_spec, v->subgroup_size,
		    &v->kernel[v->n_kernels], &v->first) < 0)
		return 0;
	v->n_bufs[v->n_kernels] = gpu_module_find(module)->n_bufs;
	return v->n_kernels++;
}

void vk_plan_subgroups(struct vk_plan *v, uint32_t size)
{
	v->subgroup_size = size;
}

void vk_plan_shared(struct vk_plan *v, uint64_t bytes)
{
	const struct gpu_info *i = gpu_get_info(v->g);

	if (!has_failed(v) && bytes > i->shared_bytes)
		error_set(&v->first, E_NOT_IMPLEMENTED,
			"a workgroup would need %llu bytes of shared memory; '%s' has %u",
			(unsigned long long)bytes, i->name, i->shared_bytes);
}

static struct step *add_step(struct vk_plan *v, enum step_kind kind)
{
	if (has_failed(v) || !has_room(v, v->n_steps, MAX_STEPS, "steps"))
		return NULL;
	v->step[v->n_steps].kind = kind;
	return &v->step[v->n_steps++];
}

void vk_plan_step(struct vk_plan *v, int kernel, struct vk_bufs bufs, const void *push,
	uint32_t push_bytes, struct gpu_groups groups)
{
	struct step *s = add_step(v, DISPATCH);

	if (!s)
		return;
	if (push_bytes > GPU_MAX_PUSH || (uint32_t)bufs.n != v->n_bufs[kernel]) {
		error_set(&v->first, E_INTERNAL,
			"a step with %d buffers and %u bytes of push constants", bufs.n,
			push_bytes);
		return;
	}
	s->kernel = kernel;
	s->bufs = bufs;
	s->push_bytes = push_bytes;
	s->groups = groups;
	memcpy(s->push, push, push_bytes);
}

void vk_plan_copy(struct vk_plan *v, int to, int from, uint64_t bytes)
{
	struct step *s = add_step(v, COPY);

	if (!s)
		return;
	s->bufs = VK_BUFS(to, from);
	s->bytes = bytes;
}

void vk_plan_fill(struct vk_plan *v, int buf, uint32_t word)
{
	struct step *s = add_step(v, FILL);

	if (!s)
		return;
	s->bufs = VK_BUFS(buf);
	s->word = word;
}

struct gpu_groups vk_plan_fold(struct vk_plan *v, uint64_t n, uint32_t group)
{
	struct gpu_groups groups = { 1, 1, 1 };

	if (!has_failed(v))
		(void)!gpu_groups_fold(gpu_get_info(v->g), n, group, &groups, &v->first);
	return groups;
}

/* Record the steps once, so that what a device cannot do is refused at setup. */
static int try_recording(struct vk_plan *v, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	int r = gpu_cmd_new(v->g, 0, &c, err);

	if (r < 0)
		return r;
	vk_plan_record(v, c);
	return gpu_cmd_end(c, err);
}

int vk_plan_finish(struct vk_plan *v, void **ret, struct error *err)
{
	int r = v->first.code;

	if (r != OK)
		*err = v->first;
	else
		r = try_recording(v, err);
	if (r != OK) {
		vk_plan_free(v);
		return r;
	}
	*ret = v;
	return OK;
}

double vk_plan_compile_s(const void *plan, int *ret_cache_hit)
{
	const struct vk_plan *v = plan;
	double sum = 0;

	*ret_cache_hit = -1;
	for (int i = 0; i < v->n_kernels; i++) {
		sum += gpu_kernel_compile_s(v->kernel[i]);
		*ret_cache_hit = gpu_kernel_cache_hit(v->kernel[i]);
	}
	return sum;
}

json_t *vk_plan_stats(const void *plan)
{
	const struct vk_plan *v = plan;
	json_t *all = NULL;

	for (int i = 0; i < v->n_kernels; i++) {
		json_t *one = gpu_kernel_stats(v->kernel[i]);

		if (!one)
			continue;
		all = all ? all : json_array();
		json_array_append_new(all, one);
	}
	return all;
}

/* --- hooks -------------------------------------------------------------------------------- */

void vk_plan_poison(void *plan, struct gpu_cmd *cmd)
{
	struct vk_plan *v = plan;

	for (int i = 0; i < v->n_arrays; i++) {
		struct array *a = &v->array[i];

		if (a->role != INPUT)
			gpu_cmd_fill(cmd, a->buf, 0, gpu_buf_bytes(a->buf), a->poison);
	}
}

static void record_step(struct vk_plan *v, const struct step *s, struct gpu_cmd *cmd)
{
	struct gpu_bind binds[GPU_MAX_BUFS] = { 0 };

	switch (s->kind) {
	case COPY:
		gpu_cmd_copy(cmd, v->array[s->bufs.buf[0]].buf, 0, v->array[s->bufs.buf[1]].buf,
			0, s->bytes);
		break;
	case FILL:
		gpu_cmd_fill(cmd, v->array[s->bufs.buf[0]].buf, 0,
			gpu_buf_bytes(v->array[s->bufs.buf[0]].buf), s->word);
		break;
	case DISPATCH:
		for (int i = 0; i < s->bufs.n; i++)
			binds[i].buf = v->array[s->bufs.buf[i]].buf;
		gpu_cmd_dispatch(
			cmd, v->kernel[s->kernel], binds, s->push, s->push_bytes, s->groups);
		break;
	}
}

void vk_plan_record(void *plan, struct gpu_cmd *cmd)
{
	struct vk_plan *v = plan;

	for (int i = 0; i < v->n_steps; i++) {
		if (i > 0)
			gpu_cmd_barrier(cmd);
		record_step(v, &v->step[i], cmd);
	}
}

int vk_plan_fetch(void *plan, void *state, struct error *err)
{
	struct vk_plan *v = plan;
	int r = OK;

	for (int i = 0; r == OK && i < v->n_arrays; i++)
		if (v->array[i].role == OUTPUT)
			r = gpu_buf_read(
				v->array[i].buf, 0, v->array[i].host, v->array[i].bytes, err);
	if (r == OK && v->convert)
		v->convert(state, v->memory);
	return r;
}

/* --- small help --------------------------------------------------------------------------- */

const struct vk_knob vk_group_knob[] = {
	{ "group", { VK_GROUP, 64, 128, 512, 1024 } },
	{ NULL, { 0 } },
};

const char *vk_module(const char *family, enum dtype d)
{
	static _Thread_local char name[64];

	snprintf(name, sizeof(name), "%s_%s", family, dtype_name(d));
	return name;
}

uint32_t vk_needs_real(const struct params *p)
{
	return p->dtype == DT_F64 ? GPU_F64 : 0;
}

int64_t vk_no_loops(const struct params *p)
{
	(void)p;
	return 1;
}
