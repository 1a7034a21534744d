/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/vk_timer.h"

#include <string.h>

enum { PIECE_MAX = 4096, COLD_MAX = 64, LEAST_TICKS = 100 };
static const double piece_ns = 50e6;

/* Vulkan does not tell the size of caches: more than any GPU's last level of today, and four
 * times that of what a software device usually runs on, as far as its memory goes. */
static uint64_t scrub_bytes(const struct gpu_info *i)
{
	uint64_t bytes = i->is_software ? 64 * MiB : 512 * MiB;

	return MIN(MIN(bytes, i->budget_bytes / 4), i->max_allocation) / 4096 * 4096;
}

int vk_timer_init(struct vk_timer *t, struct gpu *g, const struct vk_kernel *k, void *vk,
	bool is_cold, struct error *err)
{
	*t = (struct vk_timer){ .g = g, .kernel = k, .vk = vk, .is_cold = is_cold };
	if (!is_cold)
		return OK;
	if (k->is_submission || gpu_get_info(g)->timestamp_bits == 0)
		return error_set_field(err, E_NOT_IMPLEMENTED, "cold",
			"cold caches are timed by the device, which '%s' on '%s' is not", k->id,
			gpu_get_info(g)->name);
	return gpu_buf_new(g, scrub_bytes(gpu_get_info(g)), GPU_DEVICE, &t->scrub, err);
}

void vk_timer_done(struct vk_timer *t)
{
	gpu_cmd_free(TAKE(t->cmd));
	gpu_buf_free(TAKE(t->scrub));
}

bool vk_timer_is_host(const struct vk_timer *t)
{
	return t->kernel->is_submission || gpu_get_info(t->g)->timestamp_bits == 0;
}

/* --- recording ---------------------------------------------------------------------------- */

static void record_hot(struct vk_timer *t, struct gpu_cmd *c, int64_t n)
{
	gpu_cmd_mark(c);
	for (int64_t i = 0; i < n; i++) {
		if (i > 0)
			gpu_cmd_barrier(c);
		t->kernel->record(t->vk, c);
	}
	gpu_cmd_mark(c);
}

static void record_cold(struct vk_timer *t, struct gpu_cmd *c, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		gpu_cmd_barrier(c);
		gpu_cmd_fill(c, t->scrub, 0, gpu_buf_bytes(t->scrub), t->scrub_word++);
		gpu_cmd_mark(c);
		t->kernel->record(t->vk, c);
		gpu_cmd_mark(c);
	}
}

static int record(struct vk_timer *t, int64_t n, struct error *err)
{
	_cleanup_(gpu_cmd_free)
	struct gpu_cmd *c = NULL;
	int r = gpu_cmd_new(t->g, t->is_cold ? 2 * (unsigned)n : 2, &c, err);

	if (r < 0)
		return r;
	if (t->is_cold)
		record_cold(t, c, n);
	else
		record_hot(t, c, n);
	r = gpu_cmd_end(c, err);
	if (r < 0)
		return r;
	gpu_cmd_free(t->cmd);
	t->cmd = TAKE(c);
	t->n_recorded = n;
	return OK;
}

/* --- running ------------------------------------------------------------------------------ */

/* Iterations of one submission. */
static int64_t piece_size(const struct vk_timer *t)
{
	int64_t most = t->is_cold ? COLD_MAX : PIECE_MAX;

	if (t->iteration_ns <= 0 || t->kernel->is_submission)
		return 1;
	return MAX(1, (int64_t)MIN(piece_ns / t->iteration_ns, (double)most));
}

/* The device's time of n recorded iterations from their marks. */
static double add_marks(struct vk_timer *t, const double *marks, int64_t n)
{
	double least = LEAST_TICKS * gpu_get_info(t->g)->timestamp_ns, sum = 0;

	if (!t->is_cold)
		return marks[1];
	for (int64_t i = 0; i < n; i++) {
		double ns = marks[2 * i + 1] - marks[2 * i];

		t->is_short |= ns < least;
		sum += ns;
	}
	return sum;
}

static int run_piece(
	struct vk_timer *t, int64_t n, double *ns, double *host_ns, struct error *err)
{
	double marks[2 * COLD_MAX] = { 0 }, host = 0, took;
	int r = n == t->n_recorded && !t->is_cold ? OK : record(t, n, err);

	if (r == OK)
		r = gpu_cmd_run(t->cmd, marks, &host, err);
	if (r < 0)
		return r;
	took = vk_timer_is_host(t) ? host : add_marks(t, marks, n);
	if (t->first_dispatch_s == 0)
		t->first_dispatch_s = host / 1e9; /* compiles; says nothing of the next one */
	else
		t->iteration_ns = (t->is_cold ? host : took) / (double)n;
	*ns += took;
	*host_ns += host;
	return OK;
}

int vk_timer_run(struct vk_timer *t, int64_t iterations, double *ret_ns, double *ret_host_ns,
	struct error *err)
{
	double ns = 0, host_ns = 0;

	for (int64_t left = iterations; left > 0;) {
		int64_t n = MIN(left, piece_size(t));
		int r = run_piece(t, n, &ns, &host_ns, err);

		if (r < 0)
			return r;
		left -= n;
	}
	*ret_ns = ns;
	*ret_host_ns = vk_timer_is_host(t) || t->is_cold ? 0 : host_ns;
	return OK;
}
