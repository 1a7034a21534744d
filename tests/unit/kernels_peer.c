/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The libraries of others as backends: proven like our own, refused calmly where they are not.
 */
#include <string.h>
#include "kernels/gemm.h"
#include "kernels/measure.h"
#include "kernels/peer.h"
#include "kernels/proof.h"
#include "tests/lib/unit.h"

static void make(struct params *p, const struct peer *peer, enum dtype d)
{
	params_init(p, kernel_find(peer->id));
	memcpy(p->dim, p->kernel->sizes[0].dim, sizeof(p->dim));
	p->backend = peer->backend;
	p->dtype = d;
}

static void proven(const struct peer *peer, enum dtype d)
{
	struct measurement m;
	struct params p;
	struct error err;

	make(&p, peer, d);
	ck_assert_msg(measure_verify(&p, &m, &err) == OK, "%s", err.text);
	ck_assert_msg(
		m.proof.ok, "%s: %s", peer->id, m.proof.ok ? "" : proof_failed(&m.proof)->name);
	ck_assert_uint_gt(strlen(json_string_value(json_object_get(m.facts, "library"))), 4);
	measurement_done(&m);
}

START_TEST(each_library_that_is_here_proves_its_output)
{
	for (size_t i = 0; peer_table[i]; i++)
		for (int d = 0; d < N_DTYPES; d++)
			if (peer_table[i]->dtypes & DT_BIT(d) && peer_is_there(peer_table[i]))
				proven(peer_table[i], (enum dtype)d);
}
END_TEST

START_TEST(an_output_that_a_library_did_not_write_fails_the_proof)
{
	for (size_t i = 0; peer_table[i]; i++) {
		const struct peer *peer = peer_table[i];
		struct params p;
		struct proof proof;
		struct error err;
		void *state, *run;

		if (!peer_is_there(peer))
			continue;
		make(&p, peer, DT_F64);
		ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
		ck_assert_int_eq(engine_peer.open(&p, state, &run, &err), OK);
		proof_init(&proof);
		ck_assert_int_eq(p.kernel->verify(state, &proof, &err), OK);
		ck_assert(!proof.ok);
		engine_peer.close(run);
		p.kernel->free(state);
	}
}
END_TEST

START_TEST(blas_refuses_a_c_that_it_would_write_over)
{
	const struct peer *peer = peer_find(kernel_find("gemm"), BACKEND_BLAS);
	struct params p;
	struct error err;

	if (!peer)
		return;
	make(&p, peer, DT_F64);
	for (size_t i = 0; p.kernel->options[i].name; i++)
		if (strcmp(p.kernel->options[i].name, "beta") == 0)
			p.option[i] = 2;
	ck_assert_int_eq(peer->check(&p, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "needs --beta 0"));
}
END_TEST

START_TEST(a_missing_library_or_function_is_named)
{
	struct error err;
	void *library;

	ck_assert_int_eq(
		peer_dlopen("libnosuch.so.7", "libnosuch7", &library, &err), E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot load 'libnosuch.so.7'"));
	ck_assert_ptr_nonnull(strstr(err.text, "libnosuch7"));
	ck_assert_int_eq(peer_dlopen("libm.so.6", "libc6", &library, &err), OK);
	ck_assert_int_eq(
		peer_dlsym(library, "cblas_dgemm", &(void *){ NULL }, &err), E_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "no function 'cblas_dgemm'"));
}
END_TEST

START_TEST(a_kernel_has_only_the_libraries_that_compute_it)
{
	ck_assert(!backend_has(kernel_find("stream.triad"), BACKEND_BLAS));
	ck_assert(!backend_has(kernel_find("gemm"), BACKEND_FFTW));
	ck_assert(!backend_has(kernel_find("fft.c2c"), BACKEND_BLAS));
	ck_assert_str_eq(backend_name(BACKEND_BLAS), "blas");
	ck_assert_str_eq(backend_name(BACKEND_FFTW), "fftw");
}
END_TEST

SUITE("kernels_peer", each_library_that_is_here_proves_its_output,
	an_output_that_a_library_did_not_write_fails_the_proof,
	blas_refuses_a_c_that_it_would_write_over, a_missing_library_or_function_is_named,
	a_kernel_has_only_the_libraries_that_compute_it)
