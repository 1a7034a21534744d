/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/measure.h"

#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rng.h"
#include "kernels/ceilings.h"
#include "kernels/host.h"
#include "kernels/peer.h"
#include "kernels/placement.h"
#include "kernels/proof.h"
#include "kernels/steady.h"

static const int64_t warmup_limit_ns = 10 * NS_PER_S;
enum { CEILING_RETRIES = 3 };

/* One measurement under way. */
struct session {
	const struct measure_options *o;
	const struct engine *engine;
	struct measurement *m;
	struct rng rng;	     /* of the K of each sample */
	void *state;	     /* the kernel's */
	void *run;	     /* the engine's */
	bool has_fresh_peak; /* what the process held before does not count */
	double target_ns;
	double progress;
};

const struct engine *engine_for(enum backend b)
{
#ifdef KERNELS_VULKAN
	if (b == BACKEND_VULKAN)
		return &engine_vulkan;
#endif
	if (backend_is_peer(b))
		return &engine_peer;
	return b == BACKEND_VULKAN ? NULL : &engine_cpu;
}

/* --- small rules -------------------------------------------------------------------------- */

int64_t measure_vary(struct rng *r, int64_t k)
{
	double part = 0.05 + 0.05 * rng_uniform(r);

	if (k < 20)
		return k;
	return k + (rng_next(r) & 1 ? 1 : -1) * (int64_t)((double)k * part);
}

int64_t measure_grow(int64_t k, double took_ns, double target_ns)
{
	double next;

	if (took_ns >= target_ns)
		return k;
	next = took_ns < target_ns / 10 ? 10. * (double)k
					: ceil(1.2 * (double)k * target_ns / took_ns);
	return next > MEASURE_ITERATIONS_MAX ? MEASURE_ITERATIONS_MAX : (int64_t)next;
}

/* Least step of the clock between two readings. */
static double timer_resolution(void)
{
	int64_t least = NS_PER_S, last = clock_monotonic_ns();

	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_ns();

		if (now > last)
			least = MIN(least, now - last);
		last = now;
	}
	return (double)least;
}

static int check_memory(const struct measurement *m, struct error *err)
{
	double have = (double)host_memory_available(), want = m->counts.footprint_bytes;

	if (want <= 0.9 * have)
		return OK;
	return error_set_field(err, E_UNAVAILABLE, "size",
		"%s of this size needs %.0f MiB of memory, this host has %.0f MiB free; "
		"choose a smaller --size",
		m->p.kernel->id, want / (double)MiB, have / (double)MiB);
}

/* --- steps -------------------------------------------------------------------------------- */

static int time_once(
	struct session *s, int64_t k, double *ret_ns, double *ret_host_ns, struct error *err)
{
	int r;

	if (engine_stop)
		return error_set(err, E_DEADLINE, "stopped by a signal");
	if (s->o && s->o->on_progress)
		s->o->on_progress(s->o->arg, s->progress);
	r = s->engine->time(s->run, k, ret_ns, ret_host_ns, err);
	if (r == OK && !(*ret_ns > 0))
		return error_set(err, E_INTERNAL, "the clock did not move during a sample");
	return r;
}

/* Poison, one iteration, compare. The second proof must find the bits of the first. */
static int prove(struct session *s, bool is_again, struct error *err)
{
	uint64_t before = s->m->proof.digest;
	int64_t start = clock_monotonic_ns();
	double ns, host_ns;
	int r = s->engine->poison(s->run, err);

	if (r == OK)
		r = time_once(s, 1, &ns, &host_ns, err);
	if (r == OK)
		r = s->engine->fetch(s->run, err);
	if (r != OK)
		return r;
	proof_init(&s->m->proof);
	r = s->m->p.kernel->verify(s->state, &s->m->proof, err);
	if (r == OK && is_again)
		proof_claim(&s->m->proof, "output changed while measuring",
			s->m->proof.digest != before, 0);
	s->m->verify_ns += (double)(clock_monotonic_ns() - start);
	if (s->has_fresh_peak) /* before the arrays of the ceilings */
		s->m->memory_peak_bytes = host_memory_peak();
	return r;
}

static int calibrate(struct session *s, struct error *err)
{
	double ns = 0, host_ns;
	int64_t k = 1, next = 1;

	s->m->iterations = s->o->iterations;
	if (s->o->iterations > 0)
		return OK;
	do {
		int r;

		k = next;
		r = time_once(s, k, &ns, &host_ns, err);
		if (r != OK)
			return r;
		next = measure_grow(k, ns, s->target_ns);
	} while (next != k);
	s->m->iterations = k;
	s->m->is_calibrated = true;
	return OK;
}

static int warm_up(struct session *s, struct error *err)
{
	struct measurement *m = s->m;
	int64_t start = clock_monotonic_ns();

	while (m->n_warmup < MEASURE_WARMUP_MAX) {
		double ns, host_ns;
		int64_t k = measure_vary(&s->rng, m->iterations);
		int r = time_once(s, k, &ns, &host_ns, err);

		if (r != OK)
			return r;
		m->warmup_ns[m->n_warmup++] = ns / (double)k;
		m->is_steady = steady_is_reached(m->warmup_ns, (size_t)m->n_warmup);
		if (m->n_warmup < s->o->min_warmup)
			continue;
		if (m->is_steady || clock_monotonic_ns() - start > warmup_limit_ns)
			return OK;
	}
	return OK;
}

static int sample(struct session *s, struct error *err)
{
	struct measurement *m = s->m;

	m->samples_ns = xcalloc((size_t)s->o->n_samples, sizeof(double));
	m->host_ns = xcalloc((size_t)s->o->n_samples, sizeof(double));
	while (m->n_samples < s->o->n_samples) {
		double ns, host_ns;
		int64_t k = measure_vary(&s->rng, m->iterations);
		int r = time_once(s, k, &ns, &host_ns, err);

		if (r != OK)
			return r;
		m->samples_ns[m->n_samples] = ns / (double)k;
		m->host_ns[m->n_samples++] = host_ns / (double)k;
		s->progress = 0.2 + 0.7 * m->n_samples / s->o->n_samples;
	}
	if (s->engine->is_host || m->host_ns[0] <= 0)
		free(TAKE(m->host_ns));
	return OK;
}

/* Share of the least possible time: the longer of moving the bytes at the measured bandwidth
 * and computing at the measured peak. */
static void compare_with_ceilings(struct measurement *m)
{
	double memory = 0, compute = 0;

	if (m->ceiling_bytes_per_s > 0)
		memory = m->counts.bytes / m->ceiling_bytes_per_s;
	if (m->ceiling_flops_per_s > 0)
		compute = m->counts.flops / m->ceiling_flops_per_s;
	if (memory <= 0 && compute <= 0)
		return;
	m->bound_by = memory >= compute ? "memory" : "compute";
	m->percent = 100 * fmax(memory, compute) * 1e9 / m->median_ns;
}

int measure_ceilings(
	struct measurement *m, const struct engine *engine, void *run, struct error *err)
{
	double touched = m->counts.touched_bytes, bytes = 0, flops = 0;
	double footprint = touched > 0 ? touched : m->counts.footprint_bytes;
	int r = OK;

	for (int i = 0; r == OK && i < 1 + CEILING_RETRIES; i++) {
		if (i > 0 && (m->percent <= 100 || engine_stop))
			break;
		r = engine->ceilings(run, footprint, i > 0, &bytes, &flops, err);
		m->ceiling_bytes_per_s = fmax(m->ceiling_bytes_per_s, bytes);
		m->ceiling_flops_per_s = fmax(m->ceiling_flops_per_s, flops);
		if (i == 0 && engine->is_host)
			m->is_ceiling_remembered = ceilings_recall(&m->p, footprint,
				&m->ceiling_bytes_per_s, &m->ceiling_flops_per_s);
		compare_with_ceilings(m);
	}
	m->is_ceiling_doubtful = m->percent > MEASURE_DOUBTFUL;
	return r;
}

static int finish(struct session *s, struct error *err)
{
	struct measurement *m = s->m;

	m->median_ns = steady_median(m->samples_ns, (size_t)m->n_samples);
	m->rate = m->counts.work / (m->median_ns * 1e-9) / m->p.kernel->rate_scale;
	return s->o->skip_ceilings ? OK : measure_ceilings(m, s->engine, s->run, err);
}

/* Everything between open and close. A failed proof ends it with OK and no samples. */
static int measure_all(struct session *s, struct error *err)
{
	int r = prove(s, false, err);

	if (r != OK || !s->m->proof.ok)
		return r;
	s->progress = 0.1;
	r = calibrate(s, err);
	if (r == OK)
		r = warm_up(s, err);
	s->progress = 0.2;
	if (s->engine->sampling)
		s->engine->sampling(s->run, true);
	if (r == OK)
		r = sample(s, err);
	if (s->engine->sampling)
		s->engine->sampling(s->run, false);
	if (r == OK)
		r = prove(s, true, err);
	if (r != OK || !s->m->proof.ok) {
		s->m->n_samples = 0;
		return r;
	}
	return finish(s, err);
}

static int open_session(struct session *s, const struct params *p, struct error *err)
{
	int64_t start = clock_monotonic_ns();
	int r;

	s->m->p = *p;
	s->m->timer_ns = timer_resolution();
	s->has_fresh_peak = host_forget_memory_peak();
	p->kernel->count(p, &s->m->counts);
	s->engine = engine_for(p->backend);
	if (!s->engine)
		return error_set_field(err, E_UNAVAILABLE, "backend",
			"this build of benchd-kernel has no Vulkan backend");
	r = check_memory(s->m, err);
	if (r == OK)
		r = placement_begin(p, err);
	if (r == OK)
		r = p->kernel->setup(&s->m->p, &s->state, err);
	if (r == OK)
		r = s->engine->open(&s->m->p, s->state, &s->run, err);
	s->m->setup_ns = (double)(clock_monotonic_ns() - start);
	return r;
}

static void close_session(struct session *s)
{
	if (s->run) {
		s->m->facts = json_object();
		s->engine->describe(s->run, s->m->facts);
		s->engine->close(s->run);
	}
	s->m->p.kernel->free(s->state);
	placement_end();
}

int measure_run(const struct params *p, const struct measure_options *o,
	struct measurement *ret, struct error *err)
{
	struct session s = { .o = o, .m = ret };
	int r;

	memset(ret, 0, sizeof(*ret));
	rng_init(&s.rng, rng_mix(p->seed ^ 0x6b65726e656c));
	r = open_session(&s, p, err);
	if (r == OK) {
		double least = (double)(o->target_ns ? o->target_ns : s.engine->target_ns);

		s.target_ns = fmax(1000 * ret->timer_ns, least);
		r = measure_all(&s, err);
	}
	close_session(&s);
	return r;
}

int measure_verify(const struct params *p, struct measurement *ret, struct error *err)
{
	struct session s = { .m = ret };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = open_session(&s, p, err);
	if (r == OK)
		r = prove(&s, false, err);
	close_session(&s);
	return r;
}

void measurement_done(struct measurement *m)
{
	free(TAKE(m->samples_ns));
	free(TAKE(m->host_ns));
	json_decref(TAKE(m->facts));
}
