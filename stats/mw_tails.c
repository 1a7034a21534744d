/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/mw_tails.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include "stats/dist.h"

struct tail {
	double *lower; /* lower[u] = P(U <= u), u < n */
	size_t n;
};

struct row {
	struct tail *by_b;
	size_t n;
};

struct mw_tails {
	struct row rows[MW_EXACT_LARGE + 1]; /* by the smaller size */
	size_t bytes;
};

struct mw_tails *mw_tails_new(void)
{
	return xcalloc(1, sizeof(struct mw_tails));
}

static void drop_tables(struct mw_tails *t)
{
	for (size_t a = 0; a < ARRAY_SIZE(t->rows); a++) {
		for (size_t b = 0; b < t->rows[a].n; b++)
			free(t->rows[a].by_b[b].lower);
		free(t->rows[a].by_b);
	}
	memset(t, 0, sizeof(*t));
}

void mw_tails_free(struct mw_tails *t)
{
	if (!t)
		return;
	drop_tables(t);
	free(t);
}

size_t mw_tails_bytes(const struct mw_tails *t)
{
	return sizeof(*t) + t->bytes;
}

bool mw_tails_covers(size_t a, size_t b)
{
	return MIN(a, b) >= 1 && (MIN(a, b) <= MW_EXACT_SMALL || MAX(a, b) <= MW_EXACT_LARGE);
}

/* Multiply by (1 - q^m) and divide by (1 - q^i), both cut off at degree n-1. */
static void multiply(double *c, size_t n, size_t m)
{
	for (size_t u = n; u-- > m;)
		c[u] -= c[u - m];
}
static void divide(double *c, size_t n, size_t i)
{
	for (size_t u = i; u < n; u++)
		c[u] += c[u - i];
}

/* C(n, k), rounded once. */
static double choose(size_t n, size_t k)
{
	long double c = 1;

	for (size_t i = 1; i <= k; i++)
		c = c * (long double)(n - k + i) / (long double)i;
	return (double)c;
}

static void fill(double *c, size_t n, size_t a, size_t b)
{
	double total = choose(a + b, a), sum = 0;

	memset(c, 0, n * sizeof(*c));
	c[0] = 1;
	for (size_t i = 1; i <= a; i++) {
		multiply(c, n, b + i);
		divide(c, n, i);
	}
	for (size_t u = 0; u < n; u++) {
		sum += c[u];
		c[u] = sum / total;
	}
}

static struct tail *slot(struct mw_tails *t, size_t a, size_t b)
{
	struct row *r = &t->rows[a];

	if (b >= r->n) {
		size_t n = MAX(b + 1, 2 * r->n);

		r->by_b = xrealloc(r->by_b, n * sizeof(*r->by_b));
		memset(r->by_b + r->n, 0, (n - r->n) * sizeof(*r->by_b));
		t->bytes += (n - r->n) * sizeof(*r->by_b);
		r->n = n;
	}
	return &r->by_b[b];
}

/* Values of u worth computing first: up to where the normal approximation says p_max, and a
 * little more, since the true tail is lighter. Where that is not enough the table grows. */
static size_t first_length(size_t a, size_t b, double p_max)
{
	double ab = (double)a * (double)b, sd = sqrt(ab * (double)(a + b + 1) / 12);
	size_t half = (size_t)(a * b / 2) + 1;
	double cut;

	if (half <= 64 || p_max >= .5)
		return half;
	cut = ab / 2 + (dist_normal_quantile(fmax(p_max, 1e-30)) + .25) * sd;
	return MIN(half, MAX((size_t)64, (size_t)fmax(cut, 0)));
}

static struct tail *build(struct mw_tails *t, size_t a, size_t b, size_t n)
{
	struct tail *s;

	if (t->bytes + n * sizeof(double) > MW_TAILS_MAX_BYTES)
		drop_tables(t);
	s = slot(t, a, b);
	t->bytes += (n - s->n) * sizeof(double);
	s->lower = xrealloc(s->lower, n * sizeof(double));
	s->n = n;
	fill(s->lower, n, a, b);
	return s;
}

double mw_tails_lower(struct mw_tails *t, size_t a, size_t b, uint64_t u, double p_max)
{
	struct tail *s;

	if (a > b)
		return mw_tails_lower(t, b, a, u, p_max);
	assert(mw_tails_covers(a, b) && u <= (uint64_t)a * b / 2);
	s = slot(t, a, b);
	if (s->n == 0)
		s = build(t, a, b, first_length(a, b, p_max));
	while (u >= s->n && s->lower[s->n - 1] <= p_max)
		s = build(t, a, b, MIN(2 * s->n, (size_t)(a * b / 2) + 1));
	return s->lower[MIN(u, (uint64_t)s->n - 1)];
}

static uint64_t normal_count(size_t a, size_t b, double p)
{
	double ab = (double)a * (double)b;
	double k = ab / 2 + dist_normal_quantile(p) * sqrt(ab * (double)(a + b + 1) / 12);

	return k > 0 ? (uint64_t)k : 0;
}

uint64_t mw_tails_count(struct mw_tails *t, size_t a, size_t b, double p)
{
	uint64_t low = 0, high = (uint64_t)a * b / 2 + 1;

	if (a < 1 || b < 1)
		return 0;
	if (!mw_tails_covers(a, b))
		return normal_count(a, b, p);
	while (low < high) { /* first u whose tail exceeds p */
		uint64_t mid = low + (high - low) / 2;

		if (mid <= (uint64_t)a * b / 2 && mw_tails_lower(t, a, b, mid, p) <= p)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
