/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm by OpenBLAS. OPENBLAS_CORETYPE chooses its kernels, as ever; the result names them. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "kernels/gemm.h"
#include "kernels/peer.h"

static struct {
	void *library;
	__typeof__(&cblas_dgemm) dgemm;
	__typeof__(&cblas_sgemm) sgemm;
	__typeof__(&openblas_set_num_threads) set_num_threads;
	__typeof__(&openblas_get_config) get_config;
	__typeof__(&openblas_get_corename) get_corename;
	char text[256];
} blas;

static int load(struct error *err)
{
	void *library = NULL;
	int r;

	if (blas.library)
		return OK;
	setenv("OPENBLAS_NUM_THREADS", "1", 1); /* it starts its threads while it is loaded */
	r = peer_dlopen("libopenblas.so.0", "libopenblas0", &library, err);
	if (r == OK)
		r = peer_dlsym(library, "cblas_dgemm", &blas.dgemm, err);
	if (r == OK)
		r = peer_dlsym(library, "cblas_sgemm", &blas.sgemm, err);
	if (r == OK)
		r = peer_dlsym(library, "openblas_set_num_threads", &blas.set_num_threads, err);
	if (r == OK)
		r = peer_dlsym(library, "openblas_get_config", &blas.get_config, err);
	if (r == OK)
		r = peer_dlsym(library, "openblas_get_corename", &blas.get_corename, err);
	if (r != OK)
		return r;
	blas.library = library;
	blas.set_num_threads(1);
	snprintf(blas.text, sizeof(blas.text), "%s, kernels for %s", blas.get_config(),
		blas.get_corename());
	return OK;
}

static const char *describe(void)
{
	return blas.text;
}

static int check(const struct params *p, struct error *err)
{
	if (params_option(p, "beta") != 0)
		return error_set_field(err, E_UNPROCESSABLE, "beta",
			"--beta %lld: BLAS writes over C, this kernel does not; --backend blas "
			"needs --beta 0",
			(long long)params_option(p, "beta"));
	return OK;
}

static int open_gemm(const struct params *p, void *state, void **ret, struct error *err)
{
	(void)err;
	blas.set_num_threads(p->threads); /* 1, but for who compares all cores */
	*ret = state;
	return OK;
}

static void run(void *peer)
{
	const struct gemm_state *s = peer;
	int m = (int)s->m, n = (int)s->n, k = (int)s->k;

	if (s->p->dtype == DT_F32)
		blas.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, (float)s->alpha,
			s->a, k, s->b, n, 0, s->out, n);
	else
		blas.dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, s->alpha, s->a,
			k, s->b, n, 0, s->out, n);
}

static void close_gemm(void *peer)
{
	(void)peer; /* the state is the kernel's */
}

extern const struct peer peer_gemm_blas;
const struct peer peer_gemm_blas = {
	.id = "gemm",
	.backend = BACKEND_BLAS,
	.dtypes = DT_REALS,
	.load = load,
	.check = check,
	.open = open_gemm,
	.run = run,
	.describe = describe,
	.close = close_gemm,
};
