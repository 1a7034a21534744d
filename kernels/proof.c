/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/proof.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/rng.h"

void proof_init(struct proof *p)
{
	memset(p, 0, sizeof(*p));
	p->ok = true;
	p->digest = 0x9E3779B97F4A7C15ULL;
}

void proof_claim(struct proof *p, const char *name, double value, double limit)
{
	struct invariant *i = &p->invariant[p->n_invariants];

	assert(p->n_invariants < ARRAY_SIZE(p->invariant));
	p->n_invariants++;
	*i = (struct invariant){ name, value, limit, value <= limit };
	p->ok = p->ok && i->ok;
}

/* Four chains of multiply and xor-shift, one word of 64 bits at a time. */
void proof_digest(struct proof *p, const void *data, size_t bytes)
{
	const char *c = data;
	uint64_t h[4] = { p->digest, p->digest + 1, p->digest + 2, p->digest + 3 }, w[4];
	size_t i = 0;

	for (; i + sizeof(w) <= bytes; i += sizeof(w)) {
		memcpy(w, c + i, sizeof(w));
		for (int k = 0; k < 4; k++) {
			h[k] = (h[k] ^ w[k]) * 0xBF58476D1CE4E5B9ULL;
			h[k] ^= h[k] >> 29;
		}
	}
	memset(w, 0, sizeof(w));
	memcpy(w, c + i, bytes - i);
	for (int k = 0; k < 4; k++)
		h[k] = rng_mix(h[k] ^ w[k]);
	p->digest = rng_mix(h[0] + rng_mix(h[1] + rng_mix(h[2] + rng_mix(h[3] + bytes))));
}

const struct invariant *proof_failed(const struct proof *p)
{
	for (size_t i = 0; i < p->n_invariants; i++)
		if (!p->invariant[i].ok)
			return &p->invariant[i];
	return NULL;
}

void errors_init(struct errors *e)
{
	memset(e, 0, sizeof(*e));
	e->least = INFINITY;
	e->most = -INFINITY;
}

void errors_add(struct errors *e, double value, double truth)
{
	double d = value - truth;

	e->n_total++;
	if (isnan(value))
		return;
	e->n_valid++;
	e->sum += d;
	e->sum2 += d * d;
	e->sum_abs += fabs(d);
	e->max_abs = fmax(e->max_abs, fabs(d));
	e->value += value;
	e->value2 += value * value;
	e->truth += truth;
	e->truth2 += truth * truth;
	e->both += value * truth;
	e->least = fmin(e->least, truth);
	e->most = fmax(e->most, truth);
}

void errors_merge(struct errors *e, const struct errors *o)
{
	e->sum += o->sum;
	e->sum2 += o->sum2;
	e->sum_abs += o->sum_abs;
	e->max_abs = fmax(e->max_abs, o->max_abs);
	e->value += o->value;
	e->value2 += o->value2;
	e->truth += o->truth;
	e->truth2 += o->truth2;
	e->both += o->both;
	e->least = fmin(e->least, o->least);
	e->most = fmax(e->most, o->most);
	e->n_valid += o->n_valid;
	e->n_total += o->n_total;
}

static double variance(double sum, double sum2, double n)
{
	return fmax(sum2 / n - (sum / n) * (sum / n), 0);
}

void errors_finish(const struct errors *e, struct accuracy *ret)
{
	double n = (double)e->n_valid, cov, spread;

	*ret = (struct accuracy){
		.is_known = e->n_valid > 0, .n_valid = e->n_valid, .n_total = e->n_total
	};
	if (!ret->is_known)
		return;
	ret->rmse = sqrt(e->sum2 / n);
	ret->mae = e->sum_abs / n;
	ret->max_error = e->max_abs;
	ret->mean_error = e->sum / n;
	ret->std_error = sqrt(variance(e->sum, e->sum2, n));
	ret->bias = e->value / n - e->truth / n;
	cov = e->both / n - (e->value / n) * (e->truth / n);
	spread = sqrt(variance(e->value, e->value2, n) * variance(e->truth, e->truth2, n));
	ret->correlation = spread > 0 ? cov / spread : 0;
	ret->relative_rmse = e->most > e->least ? ret->rmse / (e->most - e->least) : 0;
}
