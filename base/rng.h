/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeded random numbers: splitmix64 (Steele, Lea, Flood 2014) as a stream. Every random choice
 * takes a seed that is stored with its result. Not for secrets: see base/secret.h. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline void rng_init(struct rng *r, uint64_t seed)
{
	r->state = seed;
}
static inline uint64_t rng_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}
static inline uint64_t rng_next(struct rng *r)
{
	return rng_mix(r->state += 0x9E3779B97F4A7C15ULL);
}
/* Uniform in [0, 1) with 53 bits. */
static inline double rng_uniform(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}
/* Uniform integer in [0, n), n > 0, without modulo bias (Lemire 2019). */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	unsigned __int128 m = (unsigned __int128)rng_next(r) * n;

	if ((uint64_t)m < n)
		for (uint64_t t = -n % n; (uint64_t)m < t;)
			m = (unsigned __int128)rng_next(r) * n;
	return (uint64_t)(m >> 64);
}

#endif
