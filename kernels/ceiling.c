/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/ceiling.h"

#include <math.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernels/host.h"

extern const struct kernel kernel_stream_copy, kernel_stream_triad, kernel_stream_dot,
	kernel_fma_peak;

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

/* What was measured last, and whether it is good enough. */
static struct {
	int threads;
	double size, bandwidth;
	bool is_doubted;
} kept;
static struct {
	int threads;
	double flops[2];
	bool is_doubted[2];
} kept_peak;

void ceiling_doubt(void)
{
	kept.is_doubted = true;
	kept_peak.is_doubted[0] = kept_peak.is_doubted[1] = true;
}

/* B/s of one stream whose arrays are `size` bytes together. */
static int stream_rate(const struct kernel *k, int n_arrays, int threads, double size,
	double *ret, struct error *err)
{
	struct counts c = { 0 };
	struct params p;
	double ns;
	int r;

	prepare(&p, k, threads);
	p.dim[0] = (int64_t)(size / n_arrays) / 64 * 64;
	r = fastest(&p, &ns, err);
	p.kernel->count(&p, &c);
	*ret = r == OK ? c.bytes / ns * 1e9 : 0;
	return r;
}

int ceiling_bandwidth(int threads, double footprint_bytes, double *ret, struct error *err)
{
	double size = level_size(footprint_bytes), copy = 0, triad = 0, dot = 0;
	bool is_same = kept.threads == threads && fabs(kept.size / size - 1) < 0.05;
	int r;

	if (is_same && !kept.is_doubted) {
		*ret = kept.bandwidth;
		return OK;
	}
	r = stream_rate(&kernel_stream_triad, 3, threads, size, &triad, err);
	if (r == OK)
		r = stream_rate(&kernel_stream_copy, 2, threads, size, &copy, err);
	if (r == OK)
		r = stream_rate(&kernel_stream_dot, 2, threads, size, &dot, err);
	if (r != OK)
		return r;
	kept.bandwidth = fmax(fmax(copy, fmax(triad, dot)), is_same ? kept.bandwidth : 0);
	kept.threads = threads;
	kept.size = size;
	kept.is_doubted = false;
	*ret = kept.bandwidth;
	return OK;
}

int ceiling_flops(int threads, enum dtype d, double *ret, struct error *err)
{
	int at = d == DT_F64;
	struct counts c = { 0 };
	struct params p;
	double ns;
	int r;

	*ret = 0;
	if (d != DT_F32 && d != DT_F64)
		return OK;
	if (kept_peak.threads != threads)
		kept_peak.flops[0] = kept_peak.flops[1] = 0;
	*ret = kept_peak.flops[at];
	if (*ret > 0 && !kept_peak.is_doubted[at])
		return OK;
	prepare(&p, &kernel_fma_peak, threads);
	p.dtype = d;
	p.dim[0] = 1024 * threads;
	p.dim[1] = 2048;
	r = fastest(&p, &ns, err);
	if (r != OK)
		return r;
	p.kernel->count(&p, &c);
	*ret = kept_peak.flops[at] = fmax(*ret, c.flops / ns * 1e9);
	kept_peak.is_doubted[at] = false;
	kept_peak.threads = threads;
	return OK;
}
