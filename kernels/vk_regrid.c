/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regrid.* on a Vulkan device: shaders/regrid.comp, and csr.comp for explicit links. */
#include "kernels/regrid.h"
#include "kernels/vk_plan.h"

enum { DIRECT_X = 64, DIRECT_Y = 4, WINDOW_MAX_BYTES = 24 * 1024 };

static const char *const direct_first[] = { "direct", "shared", NULL };
static const char *const shared_first[] = { "shared", "direct", NULL };

/* Source columns that VK_GROUP neighbouring targets take together, at most; 0 when there is no
 * such window (columns out of order). */
static int64_t window_of(const struct regrid_axis *a)
{
	int64_t most = 0;

	for (int64_t j = 0; j < a->n_dst; j += VK_GROUP) {
		int64_t last = MIN(j + VK_GROUP, a->n_dst) - 1;

		for (int64_t k = j; k < last; k++)
			if (a->first[k + 1] < a->first[k])
				return 0;
		most = MAX(most, (int64_t)a->first[last] + a->n_links - a->first[j]);
	}
	return most;
}

static void refuse(struct vk_plan *v, const char *field, const char *text)
{
	struct error e = { 0 };

	error_set_field(&e, E_NOT_IMPLEMENTED, field, "%s", text);
	vk_plan_fail(v, &e);
}

/* Weights of an axis, or any buffer where the method has none. */
static int weights(struct vk_plan *v, const struct regrid_axis *a, enum dtype d, int otherwise)
{
	if (!a->weight)
		return otherwise;
	return vk_plan_input(v, a->weight,
		(uint64_t)a->n_links * (uint64_t)a->n_dst * (uint64_t)dtype_bytes(d));
}

static void add_separable(
	struct vk_plan *v, struct regrid_state *s, const char *variant, int src, int dst)
{
	enum dtype d = s->p->dtype;
	bool has_weights = s->method != REGRID_NEAREST;
	bool is_shared = variant[0] == 's' && has_weights;
	uint32_t window = is_shared ? (uint32_t)window_of(&s->lon) : 0;
	uint32_t x = is_shared ? VK_GROUP : DIRECT_X, y = is_shared ? 1 : DIRECT_Y;
	int rows = vk_plan_input(v, s->lat.first, 4 * (uint64_t)s->th);
	int columns = vk_plan_input(v, s->lon.first, 4 * (uint64_t)s->tw);
	int row_weight = weights(v, &s->lat, d, rows);
	int column_weight = weights(v, &s->lon, d, columns), k;

	if (is_shared && (window == 0 || window * dtype_bytes(d) > WINDOW_MAX_BYTES))
		refuse(v, "variant",
			"a row's window does not fit into shared memory; use --variant direct");
	k = vk_plan_kernel(v, vk_module("regrid", d),
		VK_SPEC(x, y, 1, has_weights ? (uint32_t)s->lat.n_links : 0,
			has_weights ? (uint32_t)s->lon.n_links : 0, window));
	vk_plan_step(v, k, VK_BUFS(src, dst, rows, columns, row_weight, column_weight),
		VK_PUSH((uint32_t)s->h, (uint32_t)s->w, (uint32_t)s->th, (uint32_t)s->tw,
			s->is_flipped, s->lon.is_cyclic),
		(struct gpu_groups){ ((uint32_t)s->tw + x - 1) / x,
			((uint32_t)s->th + y - 1) / y, (uint32_t)s->levels });
}

static void add_links(struct vk_plan *v, struct regrid_state *s, int src, int dst)
{
	const struct regrid_links *l = &s->links;
	uint64_t n = (uint64_t)l->n_rows;
	_cleanup_(free)
	uint32_t *row = xcalloc(n + 1, sizeof(*row));
	int begins, index, weight, k;

	for (uint64_t i = 0; i <= n; i++)
		row[i] = (uint32_t)l->row[i];
	begins = vk_plan_input(v, row, 4 * (n + 1));
	index = vk_plan_input(v, l->index, 4 * (uint64_t)l->n_links);
	weight = vk_plan_input(
		v, l->weight, (uint64_t)l->n_links * (uint64_t)dtype_bytes(s->p->dtype));
	k = vk_plan_kernel(v, vk_module("csr", s->p->dtype), VK_SPEC(VK_GROUP, 1, 1));
	vk_plan_step(v, k, VK_BUFS(src, dst, begins, index, weight),
		VK_PUSH((uint32_t)n, (uint32_t)(s->h * s->w), (uint32_t)s->levels),
		vk_plan_fold(v, n * (uint64_t)s->levels, VK_GROUP));
}

static int setup(struct gpu *g, const struct params *p, const char *variant, void *state,
	void **ret, struct error *err)
{
	struct regrid_state *s = state;
	struct vk_plan *v = vk_plan_new(g, p);
	uint64_t w = (uint64_t)dtype_bytes(p->dtype);
	int src = vk_plan_input(v, s->src, (uint64_t)(s->levels * s->h * s->w) * w);
	int dst = vk_plan_output(
		v, s->dst, (uint64_t)(s->levels * s->th * s->tw) * w, GPU_POISON);

	if (s->weights == REGRID_REGENERATED)
		refuse(v, "weights", "weights are not made on the GPU; use cached or csr");
	if (s->has_poles)
		refuse(v, "pole", "the mean at the pole is not made on the GPU; use clamp");
	if (s->weights == REGRID_CSR)
		add_links(v, s, src, dst);
	else
		add_separable(v, s, variant, src, dst);
	return vk_plan_finish(v, ret, err);
}

/* Links of a target along an axis, at most. */
static int64_t links_of(const struct params *p, int axis)
{
	int64_t n = params_option(p, axis == 0 ? "target-rows" : "target-columns");

	return n ? p->dim[axis] / n + 2 : 4;
}

static int64_t loops(const struct params *p)
{
	return links_of(p, 0) * links_of(p, 1) + links_of(p, 1);
}

#define REGRID_VK(name, words)                                                                 \
	const struct vk_kernel vk_regrid_##name = {                                            \
		.id = "regrid." #name,                                                         \
		.dtypes = DT_REALS,                                                            \
		.variants = words,                                                             \
		.needs = vk_needs_real,                                                        \
		.max_loop_iters = loops,                                                       \
		.setup = setup,                                                                \
		VK_PLAN_HOOKS,                                                                 \
	}

REGRID_VK(nearest, NULL);
REGRID_VK(bilinear, direct_first);
REGRID_VK(conservative, shared_first);
