/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/ceiling.h"

#include <math.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernels/host.h"

extern const struct kernel kernel_stream_triad, kernel_fma_peak;

/* Passes end when CALM of them in a row brought less than 1 %, or at the limit: a last-level
 * cache takes several passes to settle on a new working set. */
static const int64_t limit_ns = 200 * NS_PER_MS;
enum { CALM = 5, PASSES_MIN = 6 };

/* Fastest pass, in ns of one iteration. A pass is made of enough iterations to last 50 us. */
static int fastest(const struct params *p, double *ret_ns, struct error *err)
{
	int64_t start, k = 1;
	double best = INFINITY;
	int calm = 0;
	void *state;
	int r = p->kernel->setup(p, &state, err);

	if (r != OK)
		return r;
	start = clock_monotonic_ns();
	for (int pass = 0; pass < PASSES_MIN || calm < CALM; pass++) {
		int64_t t = clock_monotonic_ns();
		double ns;

		if (pass >= PASSES_MIN && t - start > limit_ns)
			break;
		p->kernel->run(state, k);
		ns = (double)(clock_monotonic_ns() - t);
		calm = ns / (double)k < 0.99 * best ? 0 : calm + 1;
		best = fmin(best, ns / (double)k);
		if (ns < 50e3)
			k = (int64_t)fmin(1e6, ceil(60e3 / fmax(best, 1)));
	}
	p->kernel->free(state);
	*ret_ns = best;
	return OK;
}

static void prepare(struct params *p, const struct kernel *k, int threads)
{
	params_init(p, k);
	p->threads = threads;
	p->backend = threads > 1 ? BACKEND_THREADS : BACKEND_SIMD;
}

/* Working sets beyond the caches need not be larger than what surely misses them. */
static double level_size(double footprint_bytes)
{
	double far = fmax(64. * MiB, 2. * (double)host_get()->llc_bytes);

	return fmin(fmax(footprint_bytes, 12. * KiB), far);
}

int ceiling_bandwidth(int threads, double footprint_bytes, double *ret, struct error *err)
{
	static struct {
		int threads;
		double size, rate;
	} kept;
	double size = level_size(footprint_bytes), ns;
	struct counts c = { 0 };
	struct params p;
	int r;

	if (kept.threads == threads && fabs(kept.size / size - 1) < 0.05) {
		*ret = kept.rate;
		return OK;
	}
	prepare(&p, &kernel_stream_triad, threads);
	p.dim[0] = (int64_t)(size / 3) / 64 * 64;
	r = fastest(&p, &ns, err);
	if (r != OK)
		return r;
	p.kernel->count(&p, &c);
	*ret = c.bytes / ns * 1e9;
	kept.threads = threads;
	kept.size = size;
	kept.rate = *ret;
	return OK;
}

int ceiling_flops(int threads, enum dtype d, double *ret, struct error *err)
{
	static double kept[2];
	static int kept_threads;
	struct counts c = { 0 };
	struct params p;
	double ns;
	int r;

	*ret = 0;
	if (d != DT_F32 && d != DT_F64)
		return OK;
	if (kept_threads != threads)
		kept[0] = kept[1] = 0;
	if (kept[d == DT_F64] > 0) {
		*ret = kept[d == DT_F64];
		return OK;
	}
	prepare(&p, &kernel_fma_peak, threads);
	p.dtype = d;
	p.dim[0] = 1024 * threads;
	p.dim[1] = 2048;
	r = fastest(&p, &ns, err);
	if (r != OK)
		return r;
	p.kernel->count(&p, &c);
	*ret = kept[d == DT_F64] = c.flops / ns * 1e9;
	kept_threads = threads;
	return OK;
}
