/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regrid.*: golden values, orders of convergence, invariants, planted faults. The golden values
 * are checked here against kernels/regrid_golden.c being wrong: they stand here once more. */
#include <math.h>
#include <string.h>
#include "base/cleanup.h"
#include "kernels/code.h"
#include "kernels/proof.h"
#include "kernels/regrid.h"
#include "tests/lib/unit.h"

static void set(struct params *p, const char *name, int64_t v)
{
	const struct kernel_option *o = p->kernel->options;

	for (size_t i = 0; o[i].name; i++)
		if (strcmp(o[i].name, name) == 0)
			p->option[i] = v;
}

static void make(struct params *p, const char *kernel, int64_t h, int64_t w)
{
	params_init(p, kernel_find(kernel));
	p->dim[0] = h;
	p->dim[1] = w;
}

static void run(const struct params *p, struct proof *proof)
{
	struct error err;
	void *state;

	ck_assert_int_eq(p->kernel->setup(p, &state, &err), OK);
	p->kernel->poison(state);
	p->kernel->run(state, 1);
	proof_init(proof);
	ck_assert_int_eq(p->kernel->verify(state, proof, &err), OK);
	p->kernel->free(state);
}

static void run_proven(const struct params *p, struct proof *proof)
{
	const struct invariant *bad;

	run(p, proof);
	bad = proof_failed(proof);
	ck_assert_msg(!bad, "%s: %s is %g, limit %g", p->kernel->id, bad ? bad->name : "",
		bad ? bad->value : 0, bad ? bad->limit : 0);
}

static bool has_claim(const struct proof *p, const char *part)
{
	for (size_t i = 0; i < p->n_invariants; i++)
		if (strstr(p->invariant[i].name, part))
			return true;
	return false;
}

static const struct {
	const char *kernel;
	int64_t h, w, grid;
	double rmse, max_error;
} goldens[] = {
	{ "regrid.bilinear", 100, 200, REGRID_CELL, 2.7578669822e-04, 6.7343810618e-04 },
	{ "regrid.bilinear", 100, 200, REGRID_NODE, 2.0725475091e-04, 5.9150611218e-04 },
	{ "regrid.conservative", 100, 200, REGRID_CELL, 1.2268405330e-03, 8.2779787424e-03 },
	{ "regrid.nearest", 100, 200, REGRID_CELL, 1.5706348455e-02, 3.1403009421e-02 },
	{ "regrid.nearest", 100, 200, REGRID_NODE, 8.8935295748e-03, 3.0837474892e-02 },
	{ "regrid.bilinear", 500, 1000, REGRID_CELL, 1.1034429749e-05, 2.6997965327e-05 },
	{ "regrid.bilinear", 500, 1000, REGRID_NODE, 8.2836384286e-06, 2.3471082429e-05 },
	{ "regrid.conservative", 500, 1000, REGRID_CELL, 1.1023261420e-04, 1.5899817982e-03 },
	{ "regrid.nearest", 500, 1000, REGRID_CELL, 3.1415797343e-03, 6.2830819536e-03 },
	{ "regrid.nearest", 500, 1000, REGRID_NODE, 1.7879999755e-03, 6.2685239244e-03 },
};

START_TEST(golden_errors_are_met_to_1e_9)
{
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		struct proof proof;
		struct params p;

		make(&p, goldens[i].kernel, goldens[i].h, goldens[i].w);
		set(&p, "grid", goldens[i].grid);
		run_proven(&p, &proof);
		ck_assert(has_claim(&proof, "rmse against the golden"));
		ck_assert_double_le(fabs(proof.accuracy.rmse / goldens[i].rmse - 1), 1e-9);
		ck_assert_double_le(
			fabs(proof.accuracy.max_error / goldens[i].max_error - 1), 1e-9);
		ck_assert_int_eq(proof.accuracy.n_valid, proof.accuracy.n_total);
	}
}
END_TEST

START_TEST(every_small_golden_holds_on_every_backend)
{
	static const char *const kernels[] = { "nn", "bil", "con" };
	static const int64_t sizes[] = { 50, 100, 200 };

	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 3; i++)
			for (int b = BACKEND_SCALAR; b <= BACKEND_THREADS; b++) {
				struct proof proof;
				struct params p;

				make(&p, kernels[k], sizes[i], 2 * sizes[i]);
				p.backend = (enum backend)b;
				p.threads = b == BACKEND_THREADS ? 2 : 1;
				run_proven(&p, &proof);
				ck_assert(has_claim(&proof, "golden"));
			}
}
END_TEST

/* RMSE of stored f32 runs: rounding of the field adds to the method's error. */
START_TEST(f32_agrees_with_f64_to_its_rounding)
{
	static const char *const kernels[] = { "nn", "bil", "con" };

	for (int k = 0; k < 3; k++) {
		struct proof d, f;
		struct params p;

		make(&p, kernels[k], 200, 400);
		run_proven(&p, &d);
		p.dtype = DT_F32;
		run_proven(&p, &f);
		ck_assert_double_le(fabs(f.accuracy.rmse - d.accuracy.rmse), 4 * 0x1p-23);
	}
}
END_TEST

static double rmse_of(const char *kernel, int64_t n)
{
	struct proof proof;
	struct params p;

	make(&p, kernel, n, 2 * n);
	run_proven(&p, &proof);
	return proof.accuracy.rmse;
}

START_TEST(errors_fall_with_the_order_of_the_method)
{
	double nearest = log2(rmse_of("nn", 100) / rmse_of("nn", 200));
	double bilinear = log2(rmse_of("bil", 100) / rmse_of("bil", 200));

	ck_assert(nearest > 0.99 && nearest < 1.01);
	ck_assert(bilinear > 1.99 && bilinear < 2.01);
	ck_assert(rmse_of("bil", 100) < rmse_of("nn", 100) / 10);
}
END_TEST

START_TEST(cell_means_are_conserved_exactly)
{
	static const struct {
		int64_t h, th, tw;
		double rmse;
	} rows[] = { { 100, 0, 0, 0 }, { 100, 37, 73, 7.976022e-4 },
		{ 200, 73, 145, 3.374916e-4 } };

	for (int i = 0; i < 3; i++) {
		struct proof proof;
		struct params p;

		make(&p, "con", rows[i].h, 2 * rows[i].h);
		set(&p, "values", 1);
		set(&p, "target-rows", rows[i].th);
		set(&p, "target-columns", rows[i].tw);
		run_proven(&p, &proof);
		ck_assert(has_claim(&proof, "global integral"));
		if (rows[i].rmse > 0)
			ck_assert_double_le(fabs(proof.accuracy.rmse / rows[i].rmse - 1), 1e-6);
		else
			ck_assert_double_le(proof.accuracy.rmse, 1e-15);
	}
}
END_TEST

START_TEST(constants_and_linear_fields_are_reproduced)
{
	static const char *const kernels[] = { "nn", "bil", "con" };
	struct proof proof;
	struct params p;

	for (int k = 0; k < 3; k++)
		for (int f32 = 0; f32 < 2; f32++) {
			make(&p, kernels[k], 100, 200);
			p.dtype = f32 ? DT_F32 : DT_F64;
			set(&p, "field", 6);
			run_proven(&p, &proof);
			ck_assert(has_claim(&proof, "constant field"));
		}
	make(&p, "bil", 100, 200);
	set(&p, "field", 7);
	run_proven(&p, &proof);
	ck_assert(has_claim(&proof, "linear field"));
}
END_TEST

static uint64_t digest_of(const struct params *p)
{
	struct proof proof;

	run_proven(p, &proof);
	return proof.digest;
}

START_TEST(any_tile_gives_the_same_bits)
{
	static const char *const kernels[] = { "nn", "bil", "con" };
	static const int64_t tiles[] = { 1, 7, 50, 1000 };

	for (int k = 0; k < 3; k++)
		for (int t = 0; t < 4; t++) {
			struct params p;
			uint64_t whole;

			make(&p, kernels[k], 123, 247);
			set(&p, "target-rows", 50);
			set(&p, "target-columns", 101);
			whole = digest_of(&p);
			set(&p, "tile", tiles[t]);
			ck_assert_uint_eq(digest_of(&p), whole);
		}
}
END_TEST

START_TEST(any_ratio_of_grids_is_proven)
{
	static const int64_t targets[] = { 2, 3, 60, 61, 62, 100, 122, 250 };
	static const char *const kernels[] = { "nn", "bil", "con" };

	for (int k = 0; k < 3; k++)
		for (int t = 0; t < 8; t++)
			for (int b = BACKEND_SCALAR; b <= BACKEND_SIMD; b++) {
				struct proof proof;
				struct params p;

				make(&p, kernels[k], 61, 122);
				set(&p, "target-rows", targets[t]);
				set(&p, "target-columns", targets[7 - t]);
				p.backend = (enum backend)b;
				run_proven(&p, &proof);
			}
}
END_TEST

START_TEST(links_give_the_answer_of_the_axes)
{
	static const char *const kernels[] = { "bil", "con" };

	for (int k = 0; k < 2; k++) {
		struct proof proof;
		struct params p;

		make(&p, kernels[k], 100, 200);
		set(&p, "weights", REGRID_CSR);
		run_proven(&p, &proof);
		ck_assert(has_claim(&proof, "golden"));
	}
}
END_TEST

START_TEST(levels_share_the_weights)
{
	struct proof proof;
	struct params p;

	make(&p, "con", 50, 100);
	set(&p, "levels", 5);
	run_proven(&p, &proof);
	ck_assert_int_eq(proof.n_outputs, 5 * 25 * 50);
}
END_TEST

/* --- planted faults ----------------------------------------------------------------------- */

/* The state after a run, for a fault to be planted in. */
static struct regrid_state *state_of(const struct params *p)
{
	struct error err;
	void *state;

	ck_assert_int_eq(p->kernel->setup(p, &state, &err), OK);
	return state;
}

static void fails_with(const struct params *p, void *state, const char *part)
{
	struct proof proof;
	struct error err;
	bool is_named = false;

	proof_init(&proof);
	ck_assert_int_eq(p->kernel->verify(state, &proof, &err), OK);
	ck_assert(!proof.ok);
	for (size_t i = 0; i < proof.n_invariants; i++)
		is_named |= !proof.invariant[i].ok && strstr(proof.invariant[i].name, part);
	ck_assert_msg(is_named, "%s", proof_failed(&proof)->name);
	p->kernel->free(state);
}

START_TEST(one_unwritten_target_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "bil", 100, 200);
	s = state_of(&p);
	p.kernel->run(s, 1);
	((double *)s->dst)[77] = NAN;
	fails_with(&p, s, "not written");
}
END_TEST

START_TEST(truncated_indices_fail)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "bil", 100, 200);
	s = state_of(&p);
	for (int64_t t = 0; t < s->tw; t++) { /* bilinear that forgets its fractions */
		((double *)s->lon.weight)[t] = s->lon.exact[t] = 1;
		((double *)s->lon.weight)[s->tw + t] = s->lon.exact[s->tw + t] = 0;
	}
	p.kernel->run(s, 1);
	fails_with(&p, s, "wrong index or weight");
}
END_TEST

START_TEST(a_shifted_index_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "nn", 100, 200);
	s = state_of(&p);
	for (int64_t t = 0; t < s->tw; t++)
		s->lon.first[t]++;
	p.kernel->run(s, 1);
	fails_with(&p, s, "wrong index");
}
END_TEST

START_TEST(a_lost_weight_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "con", 100, 200);
	s = state_of(&p);
	((double *)s->lon.weight)[3] *= 1 + 1e-14;
	p.kernel->run(s, 1);
	fails_with(&p, s, "formula");
}
END_TEST

START_TEST(impossible_combinations_are_refused)
{
	struct params p;
	struct error err;

	make(&p, "con", 100, 200);
	set(&p, "grid", REGRID_NODE);
	ck_assert_int_eq(p.kernel->check(&p, &err), E_UNPROCESSABLE);
	ck_assert_str_eq(
		err.text, "regrid.conservative needs cells with areas; use --grid cell");
	make(&p, "con", 100, 200);
	set(&p, "values", 1);
	set(&p, "field", 1);
	ck_assert_int_eq(p.kernel->check(&p, &err), E_UNPROCESSABLE);
	ck_assert_ptr_nonnull(strstr(err.text, "'f2' has no exact means"));
	make(&p, "con", 1000, 2000);
	set(&p, "target-rows", 3);
	ck_assert_int_eq(p.kernel->check(&p, &err), E_UNPROCESSABLE);
}
END_TEST

/* --- masks, order, the way back ----------------------------------------------------------- */

static struct regrid_state *masked_state(struct params *p)
{
	make(p, "con", 100, 200);
	set(p, "weights", REGRID_CSR);
	set(p, "mask", REGRID_FRACAREA);
	return state_of(p);
}

static int64_t first_missing(const struct regrid_state *s)
{
	int64_t i = 0;

	while (!isnan(((double *)s->dst)[i]))
		i++;
	return i;
}

START_TEST(a_value_where_there_is_no_source_fails)
{
	struct params p;
	struct regrid_state *s = masked_state(&p);

	p.kernel->run(s, 1);
	((double *)s->dst)[first_missing(s)] = 1;
	fails_with(&p, s, "not written");
}
END_TEST

START_TEST(poison_where_there_is_no_source_fails)
{
	struct params p;
	struct regrid_state *s = masked_state(&p);
	uint64_t poison = 0x7FF87FF87FF87FF8;

	p.kernel->run(s, 1);
	memcpy((double *)s->dst + first_missing(s), &poison, sizeof(poison));
	fails_with(&p, s, "not written");
}
END_TEST

START_TEST(a_hidden_source_that_is_used_fails)
{
	struct params p;
	struct regrid_state *s = masked_state(&p);
	int64_t n = 0;

	for (int64_t i = 0; i < s->h * s->w; i++) { /* the proof believes the mask */
		n += s->mask[i];
		s->mask[i] = n == 1 ? 0 : s->mask[i];
		n += n == 1;
	}
	p.kernel->run(s, 1);
	fails_with(&p, s, "");
}
END_TEST

START_TEST(a_wrong_order_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "bil", 200, 400);
	set(&p, "mode", REGRID_CONVERGENCE);
	s = state_of(&p);
	p.kernel->run(s, 1);
	for (int64_t i = 0; i < s->th * s->tw; i++) /* an error that does not shrink */
		((double *)s->dst)[i] += 1e-3;
	fails_with(&p, s, "order of the method");
}
END_TEST

START_TEST(a_loss_on_the_way_there_shows_on_the_way_back)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "nn", 50, 100);
	set(&p, "mode", REGRID_ROUNDTRIP);
	set(&p, "target-rows", 100);
	set(&p, "target-columns", 200);
	s = state_of(&p);
	p.kernel->run(s, 1);
	for (int64_t i = 0; i < s->th * s->tw; i++)
		((double *)s->dst)[i] += 1e-9;
	fails_with(&p, s, "there and back");
}
END_TEST

/* --- sources in another order, poles, the sphere -------------------------------------------
 */

static uint64_t digest_in_order(struct params *p, int64_t turn, bool is_flipped)
{
	struct proof proof;

	set(p, "turn", turn);
	set(p, "latitude", is_flipped);
	run_proven(p, &proof);
	return proof.digest;
}

static void check_orders(struct params *p)
{
	static const int64_t turns[] = { 1, 37, 50, 99 };
	uint64_t want = digest_in_order(p, 0, false);

	ck_assert_uint_eq(digest_in_order(p, 0, true), want);
	for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
		ck_assert_msg(digest_in_order(p, turns[i], false) == want, "%s turned by %lld",
			p->kernel->id, (long long)turns[i]);
		ck_assert_uint_eq(digest_in_order(p, turns[i], true), want);
	}
}

START_TEST(any_order_of_the_source_gives_the_same_bits)
{
	static const char *const kernels[] = { "nn", "bil", "con" };

	for (int k = 0; k < 3; k++)
		for (int b = BACKEND_SCALAR; b <= BACKEND_THREADS; b++)
			for (int odd = 0; odd < 3; odd++) {
				struct params p;

				make(&p, kernels[k], 50, 100);
				p.backend = (enum backend)b;
				p.threads = b == BACKEND_THREADS ? 2 : 1;
				set(&p, "target-columns", odd == 1 ? 33 : odd == 2 ? 171 : 0);
				set(&p, "levels", 2);
				check_orders(&p);
				if (k < 2) {
					set(&p, "grid", REGRID_NODE);
					check_orders(&p);
				}
			}
}
END_TEST

START_TEST(a_source_in_another_order_than_said_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "bil", 100, 200);
	set(&p, "latitude", 1);
	s = state_of(&p);
	s->is_flipped = false; /* the arrays are from the north */
	p.kernel->run(s, 1);
	s->is_flipped = true;
	fails_with(&p, s, "formula");
	make(&p, "bil", 100, 200);
	set(&p, "turn", 100);
	s = state_of(&p);
	s->lon.turn = 99;
	axis_fill(&s->lon);
	p.kernel->run(s, 1);
	s->lon.turn = 100;
	fails_with(&p, s, "");
}
END_TEST

START_TEST(the_mean_at_the_pole_is_better_than_the_last_row)
{
	for (int d = 0; d < 2; d++) {
		struct proof clamp, mean;
		struct params p;

		make(&p, "bil", 20, 40);
		p.dtype = d ? DT_F64 : DT_F32;
		set(&p, "field", 4); /* y2: no jump at the poles */
		set(&p, "target-rows", 200);
		run_proven(&p, &clamp);
		set(&p, "pole", REGRID_POLE_MEAN);
		run_proven(&p, &mean);
		ck_assert_double_lt(mean.accuracy.rmse, 0.999 * clamp.accuracy.rmse);
		set(&p, "latitude", 1);
		set(&p, "turn", 11);
		set(&p, "levels", 3);
		run_proven(&p, &mean);
	}
}
END_TEST

START_TEST(a_wrong_mean_at_the_pole_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "bil", 20, 40);
	set(&p, "target-rows", 200);
	set(&p, "pole", REGRID_POLE_MEAN);
	s = state_of(&p);
	p.kernel->run(s, 1);
	((double *)s->dst)[7] += 1e-13;
	fails_with(&p, s, "formula");
}
END_TEST

START_TEST(nearest_on_the_sphere_is_what_cdo_gives)
{
	static const struct {
		int64_t h;
		double rmse;
	} cdo[] = { { 100, 9.1688e-03 }, { 200, 4.5305e-03 }, { 500, 1.7990e-03 } };

	for (size_t i = 0; i < ARRAY_SIZE(cdo); i++) {
		struct proof proof;
		struct params p;

		make(&p, "nn", cdo[i].h, 2 * cdo[i].h);
		set(&p, "grid", REGRID_NODE);
		set(&p, "weights", REGRID_CSR);
		set(&p, "distance", 1);
		run_proven(&p, &proof);
		ck_assert(has_claim(&proof, "golden"));
		ck_assert_double_lt(fabs(proof.accuracy.rmse / cdo[i].rmse - 1), 3e-5);
	}
}
END_TEST

START_TEST(a_farther_source_fails)
{
	struct regrid_state *s;
	struct params p;

	make(&p, "nn", 50, 100);
	set(&p, "weights", REGRID_CSR);
	set(&p, "distance", 1);
	s = state_of(&p);
	s->links.index[77] += 3;
	p.kernel->run(s, 1);
	fails_with(&p, s, "nearer source");
}
END_TEST

static struct counts counts_of(const char *kernel, int64_t h, int64_t w, int weights,
	int64_t target_rows, int64_t target_columns)
{
	struct counts c = { 0 };
	struct params p;

	make(&p, kernel, h, w);
	set(&p, "weights", weights);
	set(&p, "target-rows", target_rows);
	set(&p, "target-columns", target_columns);
	p.kernel->count(&p, &c);
	return c;
}

/* By hand from the definitions; the numbers of links are those that CDO has. */
START_TEST(work_is_what_the_definitions_say)
{
	struct counts c = counts_of("bil", 500, 1000, 0, 0, 0);

	ck_assert(c.flops == 250 * (3 * 1000 + 3 * 500) && c.bytes == 8 * 625000);
	c = counts_of("nn", 500, 1000, 0, 0, 0);
	ck_assert(c.flops == 0 && c.bytes == 24 * 125000);
	ck_assert(c.touched_bytes == c.bytes && c.footprint_bytes == 8 * 625000);
	c = counts_of("con", 100, 200, 0, 0, 0);
	ck_assert(c.flops == 2 * (100 * 200 + 50 * 200) && c.bytes == 40 * 5000);
	c = counts_of("con", 100, 200, REGRID_CSR, 0, 0);
	ck_assert(c.flops == 2 * 20000 && c.bytes == 40 * 5000 + 12 * 20000 + 8 * 5000);
	ck_assert(counts_of("con", 100, 200, REGRID_CSR, 37, 73).flops == 2 * 36992);
	ck_assert(counts_of("con", 200, 400, REGRID_CSR, 73, 145).flops == 2 * 146880);
	ck_assert(counts_of("bil", 100, 200, REGRID_CSR, 37, 73).flops == 2 * 10804);
}
END_TEST

SUITE("kernels_regrid", work_is_what_the_definitions_say, golden_errors_are_met_to_1e_9,
	every_small_golden_holds_on_every_backend, f32_agrees_with_f64_to_its_rounding,
	errors_fall_with_the_order_of_the_method, cell_means_are_conserved_exactly,
	constants_and_linear_fields_are_reproduced, any_tile_gives_the_same_bits,
	any_ratio_of_grids_is_proven, links_give_the_answer_of_the_axes,
	levels_share_the_weights, one_unwritten_target_fails, truncated_indices_fail,
	a_shifted_index_fails, a_lost_weight_fails, impossible_combinations_are_refused,
	a_value_where_there_is_no_source_fails, poison_where_there_is_no_source_fails,
	a_hidden_source_that_is_used_fails, a_wrong_order_fails,
	a_loss_on_the_way_there_shows_on_the_way_back,
	any_order_of_the_source_gives_the_same_bits, a_source_in_another_order_than_said_fails,
	the_mean_at_the_pole_is_better_than_the_last_row, a_wrong_mean_at_the_pole_fails,
	nearest_on_the_sphere_is_what_cdo_gives, a_farther_source_fails)
