/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of one measurement, the same on every engine: set up, prove, calibrate K, warm up,
 * sample, prove again, compare with the ceilings of this host. A sample whose output was not
 * proven is never handed out. Main thread. */
#ifndef KERNELS_MEASURE_H
#define KERNELS_MEASURE_H

#include <jansson.h>
#include "kernels/engine.h"

enum { MEASURE_SAMPLES_MAX = 10000, MEASURE_WARMUP_MAX = 50 };
#define MEASURE_ITERATIONS_MAX 1000000000000LL

struct measure_options {
	int n_samples;	    /* 1 to MEASURE_SAMPLES_MAX */
	int64_t iterations; /* K; 0 = calibrate */
	int min_warmup;	    /* least number of discarded samples, at least 1 */
	int64_t target_ns;  /* least length of a sample; 0 = the engine's */
	bool skip_ceilings;
	void (*on_progress)(void *arg, double fraction); /* may be NULL */
	void *arg;
};

struct measurement {
	struct params p;
	struct counts counts;
	struct proof proof; /* of the last verification; failed: there are no samples */
	double *samples_ns; /* of one iteration each, in the order taken; owned */
	double *host_ns;    /* the same as the host saw it; NULL on the CPU; owned */
	int n_samples;
	double warmup_ns[MEASURE_WARMUP_MAX];
	int n_warmup;
	bool is_steady;
	int64_t iterations; /* K; each sample used K within 10 % */
	bool is_calibrated; /* K was found here */
	double median_ns;   /* of the samples */
	double rate;	    /* work in units of kernel->rate_unit */
	double ceiling_bytes_per_s, ceiling_flops_per_s; /* 0 = not measured */
	double percent;	      /* least time by the ceilings / median, in percent; 0 = unknown */
	const char *bound_by; /* "memory" or "compute", NULL = unknown */
	bool is_ceiling_remembered; /* from an earlier run, higher than what was measured now */
	bool is_ceiling_doubtful;   /* the result is above it, though it was measured again */
	double setup_ns, verify_ns, timer_ns;
	double memory_peak_bytes; /* resident, of the process, proof included; 0 = unknown */
	json_t *facts;		  /* what the engine says about itself; owned */
};

/* Percent from which a result above its ceiling says more about the ceiling. */
#define MEASURE_DOUBTFUL 110.

/* Engine of a backend: NULL when this build has none (Vulkan). */
const struct engine *engine_for(enum backend b);

/* Measure p. E_UNAVAILABLE when this host cannot (memory, device), E_DEADLINE when stopped by
 * a signal, E_GONE when the device was lost. OK with proof.ok false: verification failed. */
int measure_run(const struct params *p, const struct measure_options *o,
	struct measurement *ret, struct error *err) must_check;
/* Only set up, run once and prove. */
int measure_verify(
	const struct params *p, struct measurement *ret, struct error *err) must_check;
void measurement_done(struct measurement *m);
static inline void measurement_donep(struct measurement *m)
{
	measurement_done(m);
}

/* Compare m's median with the ceilings of an engine. A ceiling below the result was measured
 * while something disturbed it: it is measured again, up to three times, and the best one
 * counts. */
int measure_ceilings(struct measurement *m, const struct engine *engine, void *run,
	struct error *err) must_check;

/* K for one sample: K moved by 5 to 10 % up or down, against aliasing with periodic noise;
 * K itself below 20. */
struct rng;
int64_t measure_vary(struct rng *r, int64_t k);
/* Next K while calibrating: ten times as many below a tenth of the target, then 1.2 times the
 * estimate. Returns k when it is large enough. */
int64_t measure_grow(int64_t k, double took_ns, double target_ns);

#endif
