/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeded binary segmentation with the Mann-Whitney statistic.
 *
 * Cost: each layer of intervals covers the history about twice, each interval of length l costs
 * a radix sort of its ranks and one scan, so O(n log n) layers by layers; leaves and refinement
 * add a few passes more. Ranks are doubled integers, so that sums are exact. */
#include "stats/changepoint.h"

#include <math.h>
#include <string.h>
#include "base/rng.h"
#include "stats/dist.h"

struct split {
	size_t at; /* first point of the right side; 0: none reaches the threshold */
	double v;  /* -log10 of the two-sided p */
};

struct interval {
	size_t lo, hi;
	struct split best;
	size_t order; /* in which it was made: the last tie-break */
};

struct search {
	struct mw_tails *tails;
	size_t n, m;
	double theta, p_needed; /* -log10 p and one-sided p at the threshold */
	uint32_t *place;	/* place[i]: position of point i in the sorted history */
	uint32_t *point;	/* the inverse: point[place[i]] = i */
	uint32_t *level;	/* level[k]: number of the distinct value at sorted place k */
	uint32_t *keys, *spare; /* scratch, n each */
	uint32_t *rank2;	/* scratch: doubled midranks inside the interval */
};

/* --- ranks inside an interval --- */

static void sort_short(uint32_t *k, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t v = k[i];
		size_t j = i;

		for (; j > 0 && k[j - 1] > v; j--)
			k[j] = k[j - 1];
		k[j] = v;
	}
}

static void radix_pass(const uint32_t *from, uint32_t *to, size_t n, int shift)
{
	uint32_t start[256] = { 0 }, sum = 0;

	for (size_t i = 0; i < n; i++)
		start[from[i] >> shift & 255]++;
	for (size_t b = 0; b < 256; b++) {
		uint32_t c = start[b];

		start[b] = sum;
		sum += c;
	}
	for (size_t i = 0; i < n; i++)
		to[start[from[i] >> shift & 255]++] = from[i];
}

/* Keys are below s->n; the sorted ones end up in s->keys. */
static void sort_keys(struct search *s, size_t n)
{
	if (n < 48) {
		sort_short(s->keys, n);
		return;
	}
	for (int shift = 0; (s->n - 1) >> shift > 0; shift += 8) {
		uint32_t *swap = s->spare;

		radix_pass(s->keys, s->spare, n, shift);
		s->spare = s->keys;
		s->keys = swap;
	}
}

/* Fills rank2[0..n) for the points lo.. and returns SUM (c^3 - c) over tied groups. */
static double rank_interval(struct search *s, size_t lo, size_t n)
{
	double ties = 0;

	for (size_t i = 0; i < n; i++)
		s->keys[i] = s->place[lo + i];
	sort_keys(s, n);
	for (size_t i = 0, j; i < n; i = j) {
		uint32_t level = s->level[s->keys[i]];

		for (j = i + 1; j < n && s->level[s->keys[j]] == level; j++)
			;
		for (size_t k = i; k < j; k++)
			s->rank2[s->point[s->keys[k]] - lo] = (uint32_t)(i + j + 1);
		if (j - i > 1)
			ties += pow((double)(j - i), 3) - (double)(j - i);
	}
	return ties;
}

/* --- the best split of an interval --- */

struct best {
	size_t exact_at, normal_at; /* size of the left side, 0 = none */
	double exact_p, z;	    /* one-sided p, largest z */
};

static void try_exact(struct search *s, struct best *b, size_t left, size_t right, uint64_t u2)
{
	double p = mw_tails_lower(s->tails, left, right, u2 / 2, s->p_needed);

	if (p <= s->p_needed && (b->exact_at == 0 || p < b->exact_p)) {
		b->exact_at = left;
		b->exact_p = p;
	}
}

static void try_normal(struct best *b, size_t left, size_t right, uint64_t u2, double spread)
{
	double ab = (double)left * (double)right;
	double z = (ab / 2 - (double)u2 / 2 - .5) / sqrt(ab / 12 * spread);

	if (z > b->z) {
		b->normal_at = left;
		b->z = z;
	}
}

static struct split choose(const struct search *s, const struct best *b, size_t lo)
{
	struct split r = { 0, 0 };
	double v;

	if (b->exact_at)
		r = (struct split){ lo + b->exact_at, -log10(2 * b->exact_p) };
	if (!b->normal_at)
		return r;
	v = -dist_normal_log10_two_sided(b->z);
	if (v >= s->theta && (v > r.v || (v == r.v && lo + b->normal_at < r.at)))
		r = (struct split){ lo + b->normal_at, v };
	return r;
}

/* Best split of [lo, hi), both sides >= m; at = 0 when none reaches the threshold. */
static struct split best_split(struct search *s, size_t lo, size_t hi)
{
	size_t n = hi - lo;
	struct best b = { 0 };
	uint64_t sum2 = 0;
	double ties, spread;

	if (n < 2 * s->m)
		return (struct split){ 0, 0 };
	ties = rank_interval(s, lo, n);
	spread = (double)(n + 1) - ties / ((double)n * (double)(n - 1));
	if (!(spread > 0)) /* all values are equal */
		return (struct split){ 0, 0 };
	for (size_t left = 1; left + s->m <= n; left++) {
		size_t right = n - left;
		uint64_t u2, most = 2 * (uint64_t)left * right;

		sum2 += s->rank2[left - 1];
		if (left < s->m)
			continue;
		u2 = sum2 - (uint64_t)left * (left + 1);
		u2 = MIN(u2, most - u2);
		if (ties == 0 && MIN(left, right) <= MW_EXACT_SMALL)
			try_exact(s, &b, left, right, u2);
		else
			try_normal(&b, left, right, u2, spread);
	}
	return choose(s, &b, lo);
}

/* --- preparing the history --- */

struct item {
	double value;
	uint32_t index;
};

static int by_value(const void *p, const void *q)
{
	const struct item *x = p, *y = q;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Relative jitter: one normal number per point, by inversion. */
static double jittered(double x, double scale, struct rng *r)
{
	double u = rng_uniform(r);

	return x * (1 + scale * dist_normal_quantile(u > 0 ? u : .5));
}

static void prepare(
	struct search *s, struct arena *a, const double *x, const struct detector_params *p)
{
	struct item *items = ARENA_ARRAY(a, struct item, s->n);
	struct rng r;
	uint32_t level = 0;

	rng_init(&r, p->seed);
	for (size_t i = 0; i < s->n; i++)
		items[i] = (struct item){ p->jitter > 0 ? jittered(x[i], p->jitter, &r) : x[i],
			(uint32_t)i };
	qsort(items, s->n, sizeof(*items), by_value);
	for (size_t k = 0; k < s->n; k++) {
		if (k > 0 && items[k].value != items[k - 1].value)
			level++;
		s->point[k] = items[k].index;
		s->place[items[k].index] = (uint32_t)k;
		s->level[k] = level;
	}
}

static void search_init(struct search *s, struct mw_tails *tails, struct arena *a,
	const double *x, size_t n, const struct detector_params *p)
{
	*s = (struct search){ .tails = tails, .n = n, .m = p->min_segment };
	s->theta = -log10(p->alpha / (2 * (double)n));
	/* A hair more than the threshold, so that the comparison of v decides. */
	s->p_needed = p->alpha / (4 * (double)n) * (1 + 1e-9);
	s->place = ARENA_ARRAY(a, uint32_t, n);
	s->point = ARENA_ARRAY(a, uint32_t, n);
	s->level = ARENA_ARRAY(a, uint32_t, n);
	s->keys = ARENA_ARRAY(a, uint32_t, n);
	s->spare = ARENA_ARRAY(a, uint32_t, n);
	s->rank2 = ARENA_ARRAY(a, uint32_t, n);
	prepare(s, a, x, p);
}

/* --- seeded intervals --- */

/* Layer k has 2 ceil(2^(k/2)) - 1 intervals of length n 2^(-k/2); exp2 keeps even k exact. */
static size_t layer_size(size_t n, size_t m, size_t k, double *ret_length)
{
	*ret_length = (double)n * exp2(-(double)k / 2);
	if (k == 0)
		return 1;
	return *ret_length >= 2 * (double)m ? 2 * (size_t)ceil(exp2((double)k / 2)) - 1 : 0;
}

static void add_interval(
	struct search *s, size_t lo, size_t hi, size_t order, struct interval *list, size_t *n)
{
	struct split b = best_split(s, lo, hi);

	if (b.at > 0 && b.v >= s->theta)
		list[(*n)++] = (struct interval){ lo, hi, b, order };
}

static int narrowest_first(const void *p, const void *q)
{
	const struct interval *x = p, *y = q;
	size_t wx = x->hi - x->lo, wy = y->hi - y->lo;

	if (wx != wy)
		return wx < wy ? -1 : 1;
	if (x->best.v != y->best.v)
		return x->best.v > y->best.v ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The intervals whose best split reaches the threshold, in the order in which they are taken.
 */
static struct interval *seed_intervals(struct search *s, struct arena *a, size_t *ret_n)
{
	size_t total = 0, order = 0, size, n = 0;
	struct interval *list;
	double l;

	for (size_t k = 0; (size = layer_size(s->n, s->m, k, &l)) > 0; k++)
		total += size;
	list = ARENA_ARRAY(a, struct interval, total);
	for (size_t k = 0; (size = layer_size(s->n, s->m, k, &l)) > 0; k++)
		for (size_t i = 0; i < size; i++) {
			double g = size > 1 ? ((double)s->n - l) / (double)(size - 1) : 0;
			size_t lo = (size_t)floor((double)i * g);
			size_t hi = (size_t)ceil((double)i * g + l);

			add_interval(s, lo, MIN(s->n, hi), order++, list, &n);
		}
	qsort(list, n, sizeof(*list), narrowest_first);
	*ret_n = n;
	return list;
}

/* --- recursion, on a stack of our own --- */

struct change {
	size_t at;
	size_t lo,
		hi; /* neighbours for which `at` is known to be the best split; 0, 0 = none */
	double v;
};

struct changes {
	struct change *list;
	size_t n;
};

static struct split pick(
	struct search *s, const struct interval *list, size_t n, size_t lo, size_t hi)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].lo >= lo && list[i].hi <= hi)
			return list[i].best;
	return best_split(s, lo, hi);
}

static int by_place(const void *p, const void *q)
{
	const struct change *x = p, *y = q;

	return (x->at > y->at) - (x->at < y->at);
}

static void segment(struct search *s, struct arena *a, struct changes *c)
{
	size_t n_list, depth = 1;
	struct interval *list = seed_intervals(s, a, &n_list);
	size_t(*stack)[2] = arena_alloc(a, (s->n + 2) * sizeof(*stack));

	c->list = ARENA_ARRAY(a, struct change, s->n);
	stack[0][0] = 0;
	stack[0][1] = s->n;
	while (depth > 0) {
		size_t lo = stack[--depth][0], hi = stack[depth][1];
		struct split b = pick(s, list, n_list, lo, hi);

		if (b.at == 0 || b.v < s->theta)
			continue;
		c->list[c->n++] = (struct change){ .at = b.at, .v = b.v };
		stack[depth][0] = lo;
		stack[depth++][1] = b.at;
		stack[depth][0] = b.at;
		stack[depth++][1] = hi;
	}
	qsort(c->list, c->n, sizeof(*c->list), by_place);
}

/* --- refinement --- */

enum { REFINE_PASSES = 20 };
enum step { STAYS, MOVED, REMOVED };

static enum step refine_one(struct search *s, struct changes *c, size_t i)
{
	struct change *x = &c->list[i];
	size_t lo = i > 0 ? x[-1].at : 0, hi = i + 1 < c->n ? x[1].at : s->n, before = x->at;
	struct split b;

	if (x->hi == hi && x->lo == lo)
		return STAYS;
	b = best_split(s, lo, hi);
	if (b.at == 0 || b.v < s->theta) {
		memmove(x, x + 1, (c->n - i - 1) * sizeof(*x));
		c->n--;
		return REMOVED;
	}
	*x = (struct change){ .at = b.at, .lo = lo, .hi = hi, .v = b.v };
	return b.at == before ? STAYS : MOVED;
}

/* A removal starts the pass again; it does not count as one, since there are at most n. */
static void refine(struct search *s, struct changes *c)
{
	for (int pass = 0; pass < REFINE_PASSES; pass++) {
		bool moved = false;

		for (size_t i = 0; i < c->n; i++) {
			enum step r = refine_one(s, c, i);

			moved |= r == MOVED;
			if (r == REMOVED)
				i = (size_t)-1;
		}
		if (!moved)
			return;
	}
}

int seeded_mw_detect(struct mw_tails *tails, struct arena *a, const double *x, size_t n,
	const struct detector_params *p, struct change_points *ret)
{
	struct search s;
	struct changes c = { 0 };

	*ret = (struct change_points){ 0 };
	if (n < 2 * p->min_segment)
		return OK;
	search_init(&s, tails, a, x, n, p);
	segment(&s, a, &c);
	refine(&s, &c);
	ret->n = c.n;
	ret->index = ARENA_ARRAY(a, size_t, c.n);
	ret->score = ARENA_ARRAY(a, double, c.n);
	for (size_t i = 0; i < c.n; i++) {
		ret->index[i] = c.list[i].at;
		ret->score[i] = c.list[i].v;
	}
	return OK;
}
