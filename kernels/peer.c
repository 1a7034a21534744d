/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of peers, and the engine that runs them: a clock around the library's call. */
#include "config.h"

#include "kernels/peer.h"

#include <dlfcn.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "kernels/host.h"

#ifdef HAVE_BLAS
extern const struct peer peer_gemm_blas;
#endif
#ifdef HAVE_FFTW
extern const struct peer peer_fft_fftw;
#endif

const struct peer *const peer_table[] = {
#ifdef HAVE_BLAS
	&peer_gemm_blas,
#endif
#ifdef HAVE_FFTW
	&peer_fft_fftw,
#endif
	NULL,
};

const struct peer *peer_find(const struct kernel *k, enum backend b)
{
	for (size_t i = 0; peer_table[i]; i++)
		if (peer_table[i]->backend == b && strcmp(peer_table[i]->id, k->id) == 0)
			return peer_table[i];
	return NULL;
}

bool backend_is_peer(enum backend b)
{
	return b == BACKEND_BLAS || b == BACKEND_FFTW;
}

bool peer_is_there(const struct peer *p)
{
	struct error err;

	return p->load(&err) == OK;
}

int peer_dlopen(const char *name, const char *package, void **ret, struct error *err)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set_field(err, E_UNAVAILABLE, "backend",
			"cannot load '%s': %s; install it (Debian: %s)", name, dlerror(),
			package);
	*ret = library;
	return OK;
}

int peer_dlsym(void *library, const char *name, void *ret, struct error *err)
{
	void *at = dlsym(library, name);

	if (!at)
		return error_set_field(err, E_UNAVAILABLE, "backend",
			"the library has no function '%s'; it is another one, or too old",
			name);
	memcpy(ret, &at, sizeof(at));
	return OK;
}

/* --- engine ------------------------------------------------------------------------------- */

struct peer_run {
	const struct params *p;
	const struct peer *peer;
	void *state, *ctx;
};

static void peer_close(void *run)
{
	struct peer_run *x = run;

	if (!x)
		return;
	x->peer->close(x->ctx);
	free(x);
}
DEFINE_CLEANUP(struct peer_run *, peer_close)

static int peer_open(const struct params *p, void *state, void **ret, struct error *err)
{
	_cleanup_(peer_close)
	struct peer_run *x = xcalloc(1, sizeof(*x));
	int r;

	*x = (struct peer_run){
		.p = p, .peer = peer_find(p->kernel, p->backend), .state = state
	};
	r = x->peer->load(err);
	if (r == OK)
		r = x->peer->open(p, state, &x->ctx, err);
	if (r != OK)
		return r;
	*ret = TAKE(x);
	return OK;
}

static int peer_poison(void *run, struct error *err)
{
	struct peer_run *x = run;

	(void)err;
	x->p->kernel->poison(x->state);
	return OK;
}

static int peer_time(
	void *run, int64_t iterations, double *ret_ns, double *ret_host_ns, struct error *err)
{
	struct peer_run *x = run;
	int64_t start = clock_monotonic_ns();

	(void)err;
	while (iterations-- > 0)
		x->peer->run(x->ctx);
	*ret_ns = *ret_host_ns = (double)(clock_monotonic_ns() - start);
	return OK;
}

static int peer_fetch(void *run, struct error *err)
{
	(void)run, (void)err;
	return OK;
}

static int peer_ceilings(void *run, double footprint_bytes, bool is_again,
	double *ret_bytes_per_s, double *ret_flops_per_s, struct error *err)
{
	struct peer_run *x = run;

	return engine_cpu_ceilings(
		x->p, footprint_bytes, is_again, ret_bytes_per_s, ret_flops_per_s, err);
}

static void peer_describe(void *run, json_t *o)
{
	struct peer_run *x = run;

	json_set_str(o, "cpu", host_get()->cpu);
	json_set_int(o, "cpus", host_get()->n_cpus);
	json_set_str(o, "library", x->peer->describe());
	json_set_bool(o, "software", false);
}

const struct engine engine_peer = {
	.name = "peer",
	.is_host = true,
	.target_ns = 10 * NS_PER_MS,
	.open = peer_open,
	.poison = peer_poison,
	.time = peer_time,
	.fetch = peer_fetch,
	.ceilings = peer_ceilings,
	.describe = peer_describe,
	.close = peer_close,
};
