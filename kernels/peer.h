/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers as backends: what a library that others know makes of a kernel's input. `blas` computes
 * gemm with OpenBLAS, `fftw` computes fft.c2c with FFTW.
 *
 * One file kernels/peer_LIBRARY.c and one row in peer_table (kernels/peer.c) for each. Input
 * and proof are the kernel's own: kernel->setup makes the input, the library reads it in place
 * and writes into the state's output, kernel->verify judges that. Headers are needed at build
 * time only; the library is opened with dlopen when someone asks for it, so that benchd-kernel
 * runs where there is none and no foreign threads start in other measurements. One thread.
 *
 * May be used by: kernels/ and its tests. */
#ifndef KERNELS_PEER_H
#define KERNELS_PEER_H

#include "kernels/engine.h"

struct peer {
	const char *id; /* of the kernel */
	enum backend backend;
	unsigned dtypes; /* DT_BITs */
	/* Open the library; nothing happens when it is open already. E_UNAVAILABLE naming the
	 * library and the package that has it. */
	int (*load)(struct error *err) must_check;
	/* Refuse what the library cannot do the kernel's way (may be NULL): E_UNPROCESSABLE. */
	int (*check)(const struct params *p, struct error *err) must_check;
	int (*open)(
		const struct params *p, void *state, void **ret, struct error *err) must_check;
	void (*run)(void *peer); /* one iteration */
	/* Name, version and what it chose for this processor; static or the library's text. */
	const char *(*describe)(void);
	void (*close)(void *peer); /* NULL is fine */
};

extern const struct peer *const peer_table[]; /* of this build; ends with NULL */
/* The peer that computes k as backend b, NULL when this build has none. */
const struct peer *peer_find(const struct kernel *k, enum backend b);
bool backend_is_peer(enum backend b);
/* Whether its library can be opened here. */
bool peer_is_there(const struct peer *p);
/* dlopen for the files that implement a peer: handle of the shared library `name`. */
int peer_dlopen(
	const char *name, const char *package, void **ret, struct error *err) must_check;
/* Address of a function, put where ret points; E_UNAVAILABLE naming it. */
int peer_dlsym(void *library, const char *name, void *ret, struct error *err) must_check;

extern const struct engine engine_peer;

#endif
