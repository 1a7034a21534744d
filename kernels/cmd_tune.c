/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel tune: try every combination of a Vulkan backend's knobs, keep the fastest whose
 * output is proven. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "kernels/cli.h"
#include "kernels/measure.h"
#include "kernels/vk_tune.h"

struct sweep {
	const struct cli *cli;
	const struct vk_kernel *vk;
	const struct params *p;
	struct gpu_info device;
	double best_ns;
	struct params best;
	int status;
};

/* The device the sweep runs on: its name is part of where the winner is kept. */
static int find_device(struct sweep *s, struct error *err)
{
	struct gpu_options o = { .device = s->p->device };
	struct gpu *g = NULL;
	int r = gpu_open(&o, &g, err);

	if (r < 0)
		return r;
	s->device = *gpu_get_info(g);
	gpu_close(g);
	return OK;
}

static void print_row(const struct sweep *s, const struct params *p, const char *result)
{
	_cleanup_(json_decref)
	json_t *knobs = vk_tune_json(s->vk, p);
	_cleanup_(free)
	char *text = json_text(knobs);

	if (!s->cli->json)
		printf("%-22s %-4s %-40s %s\n", s->vk->id, dtype_name(p->dtype), text, result);
	fflush(stdout);
}

/* One combination. What the device cannot do, or does wrongly, is only left out. */
static int try_one(struct sweep *s, const struct params *p, struct error *err)
{
	struct measure_options o = { .n_samples =
					     s->cli->samples > 0 ? (int)s->cli->samples : 5,
		.min_warmup = 1,
		.target_ns = 2 * NS_PER_MS,
		.skip_ceilings = true };
	_cleanup_(measurement_done)
	struct measurement m = { 0 };
	char time[TIME_TEXT];
	int r = measure_run(p, &o, &m, err);

	if (r == E_NOT_IMPLEMENTED) {
		print_row(s, p, "not on this device");
		return OK;
	}
	if (r < 0)
		return r;
	print_row(s, p, m.proof.ok ? duration_format(m.median_ns, time) : "WRONG");
	if (!m.proof.ok)
		s->status = EXIT_UNVERIFIED;
	else if (m.median_ns < s->best_ns) {
		s->best_ns = m.median_ns;
		s->best = *p;
	}
	return OK;
}

static void print_winner(const struct sweep *s, bool is_kept)
{
	_cleanup_(json_decref)
	json_t *o = json_object();
	_cleanup_(free)
	char *text = NULL;

	if (!s->cli->json) {
		print_row(s, &s->best, is_kept ? "fastest, kept" : "fastest, NOT kept");
		return;
	}
	json_set_str(o, "kernel", s->vk->id);
	json_set_str(o, "dtype", dtype_name(s->p->dtype));
	json_set_str(o, "device", s->device.uuid);
	json_set_real(o, "median_ns", s->best_ns);
	json_object_set_new(o, "knobs", vk_tune_json(s->vk, &s->best));
	json_set_bool(o, "kept", is_kept);
	text = json_text(o);
	puts(text);
}

static int sweep(struct sweep *s, struct error *err)
{
	int r = find_device(s, err);

	for (int c = 0; r == OK && c < vk_tune_count(s->vk); c++) {
		struct params p = *s->p;

		vk_tune_choose(s->vk, c, &p);
		r = try_one(s, &p, err);
	}
	if (r == OK && !isfinite(s->best_ns))
		return error_set(err, E_UNAVAILABLE, "no combination for '%s' works on '%s'",
			s->vk->id, s->device.name);
	if (r != OK)
		return r;
	r = vk_tune_save(&s->device, s->vk, &s->best, err);
	print_winner(s, r == OK);
	return r;
}

static int tune_kernel(const struct cli *c, const struct kernel *k, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct params *all = NULL;
	size_t n = 0;
	int r = cli_expand(c, k, a, &all, &n, err), status = 0;

	for (size_t i = 0; r == OK && i < n; i++) {
		struct sweep s = {
			.cli = c, .vk = vk_find(k), .p = &all[i], .best_ns = INFINITY
		};

		if (!s.vk || !s.vk->knobs) {
			fprintf(stderr, "benchd-kernel: '%s' has nothing to tune\n", k->id);
			continue;
		}
		r = sweep(&s, err);
		status = s.status ? s.status : status;
	}
	return r == OK ? status : cli_fail(err);
}

int cmd_tune(const struct cli *c)
{
	const struct kernel *list[CLI_SELECTED];
	struct cli copy = *c;
	struct error err;
	size_t n = 0;
	int status = 0;

	copy.backends = "vulkan";
	if (cli_select(c, list, &n, &err) != OK)
		return cli_fail(&err);
	if (n == 0) {
		error_set(&err, E_BAD_REQUEST, "no kernel given; name one or more");
		return cli_fail(&err);
	}
	for (size_t i = 0; i < n; i++) {
		int one = tune_kernel(&copy, list[i], &err);

		status = one ? one : status;
	}
	return status;
}
