/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fft.c2c by FFTW, planned with FFTW_MEASURE on arrays of its own: planning writes over them.
 * One plan for a sequence, executed for each; f64 and f32 are two libraries with two sets of
 * names. */
#include <fftw3.h>
#include <stdio.h>
#include "base/cleanup.h"
#include "kernels/fft.h"
#include "kernels/mem.h"
#include "kernels/peer.h"

/* Seconds for a plan; after that the best one found is taken. */
static const double planning_limit_s = 20;

static struct {
	void *f64, *f32;
	__typeof__(&fftw_plan_dft_1d) plan;
	__typeof__(&fftw_execute_dft) execute;
	__typeof__(&fftw_destroy_plan) destroy;
	__typeof__(&fftw_set_timelimit) set_timelimit;
	__typeof__(&fftwf_plan_dft_1d) plan_f;
	__typeof__(&fftwf_execute_dft) execute_f;
	__typeof__(&fftwf_destroy_plan) destroy_f;
	__typeof__(&fftwf_set_timelimit) set_timelimit_f;
	const char *version;
} fftw;

struct peer_fft {
	const struct fft_state *s;
	fftw_plan plan;
	fftwf_plan plan_f;
};

static int load_f64(void *library, struct error *err)
{
	int r = peer_dlsym(library, "fftw_plan_dft_1d", &fftw.plan, err);

	if (r == OK)
		r = peer_dlsym(library, "fftw_execute_dft", &fftw.execute, err);
	if (r == OK)
		r = peer_dlsym(library, "fftw_destroy_plan", &fftw.destroy, err);
	if (r == OK)
		r = peer_dlsym(library, "fftw_set_timelimit", &fftw.set_timelimit, err);
	if (r == OK)
		r = peer_dlsym(library, "fftw_version", &fftw.version, err);
	return r;
}

static int load_f32(void *library, struct error *err)
{
	int r = peer_dlsym(library, "fftwf_plan_dft_1d", &fftw.plan_f, err);

	if (r == OK)
		r = peer_dlsym(library, "fftwf_execute_dft", &fftw.execute_f, err);
	if (r == OK)
		r = peer_dlsym(library, "fftwf_destroy_plan", &fftw.destroy_f, err);
	if (r == OK)
		r = peer_dlsym(library, "fftwf_set_timelimit", &fftw.set_timelimit_f, err);
	return r;
}

static int load(struct error *err)
{
	void *f64 = NULL, *f32 = NULL;
	int r;

	if (fftw.f32)
		return OK;
	r = peer_dlopen("libfftw3.so.3", "libfftw3-double3", &f64, err);
	if (r == OK)
		r = peer_dlopen("libfftw3f.so.3", "libfftw3-single3", &f32, err);
	if (r == OK)
		r = load_f64(f64, err);
	if (r == OK)
		r = load_f32(f32, err);
	if (r != OK)
		return r;
	fftw.f64 = f64;
	fftw.f32 = f32;
	fftw.set_timelimit(planning_limit_s);
	fftw.set_timelimit_f(planning_limit_s);
	return OK;
}

static const char *describe(void)
{
	return fftw.version;
}

static void close_fft(void *peer)
{
	struct peer_fft *x = peer;

	if (!x)
		return;
	if (x->plan)
		fftw.destroy(x->plan);
	if (x->plan_f)
		fftw.destroy_f(x->plan_f);
	free(x);
}
DEFINE_CLEANUP(struct peer_fft *, close_fft)

/* Arrays as aligned as those of the state, so that the plan holds for both. */
static int plan(struct peer_fft *x, enum dtype d, struct error *err)
{
	size_t bytes = (size_t)(2 * x->s->n * dtype_bytes(d));
	void *in = NULL, *out = NULL;
	int n = (int)x->s->n, r = mem_new(&in, bytes, 5, err);

	if (r == OK)
		r = mem_new(&out, bytes, 6, err);
	if (r == OK && d == DT_F32)
		x->plan_f = fftw.plan_f(n, in, out, FFTW_FORWARD, FFTW_MEASURE);
	else if (r == OK)
		x->plan = fftw.plan(n, in, out, FFTW_FORWARD, FFTW_MEASURE);
	mem_free(in);
	mem_free(out);
	if (r == OK && !x->plan && !x->plan_f)
		return error_set(err, E_UNAVAILABLE, "FFTW has no plan for %d points", n);
	return r;
}

static int open_fft(const struct params *p, void *state, void **ret, struct error *err)
{
	_cleanup_(close_fft)
	struct peer_fft *x = xcalloc(1, sizeof(*x));
	int r;

	x->s = state;
	r = plan(x, p->dtype, err);
	if (r != OK)
		return r;
	*ret = TAKE(x);
	return OK;
}

static void run(void *peer)
{
	const struct peer_fft *x = peer;
	const struct fft_state *s = x->s;
	int threads = s->p->threads; /* 1, but for who compares all cores */

#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
	for (int64_t b = 0; b < s->batch; b++)
		if (x->plan_f)
			fftw.execute_f(x->plan_f, (fftwf_complex *)s->in + b * s->n,
				(fftwf_complex *)s->out + b * s->n);
		else
			fftw.execute(x->plan, (fftw_complex *)s->in + b * s->n,
				(fftw_complex *)s->out + b * s->n);
}

extern const struct peer peer_fft_fftw;
const struct peer peer_fft_fftw = {
	.id = "fft.c2c",
	.backend = BACKEND_FFTW,
	.dtypes = DT_REALS,
	.load = load,
	.open = open_fft,
	.run = run,
	.describe = describe,
	.close = close_fft,
};
