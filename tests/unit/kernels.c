/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules that hold for every kernel, on every backend that this CPU runs. */
#include <math.h>
#include <string.h>
#include "kernels/code.h"
#include "kernels/fma.h"
#include "kernels/host.h"
#include "kernels/input.h"
#include "kernels/measure.h"
#include "kernels/mem.h"
#include "kernels/placement.h"
#include "kernels/plot.h"
#include "kernels/proof.h"
#include "kernels/size.h"
#include "kernels/steady.h"
#include "kernels/stream.h"
#include "tests/lib/unit.h"

/* Small params for a kernel with these choices. */
static void make(struct params *p, const struct kernel *k, enum dtype d, enum backend b,
	enum isa isa, int threads)
{
	params_init(p, k);
	memcpy(p->dim, k->sizes[0].dim, sizeof(p->dim));
	p->dtype = d;
	p->backend = b;
	p->isa = isa;
	p->threads = threads;
}

static void prove_state(const struct params *p, void *state, struct proof *proof)
{
	struct error err;

	proof_init(proof);
	ck_assert_int_eq(p->kernel->verify(state, proof, &err), OK);
}

/* Set up, poison, run, verify; the digest of the output. */
static uint64_t prove(const struct params *p, int64_t iterations)
{
	const struct invariant *bad;
	struct proof proof;
	struct error err;
	void *state;

	ck_assert_int_eq(p->kernel->setup(p, &state, &err), OK);
	p->kernel->poison(state);
	p->kernel->run(state, iterations);
	prove_state(p, state, &proof);
	bad = proof_failed(&proof);
	ck_assert_msg(!bad, "%s %s %s %s: %s is %g, limit %g", p->kernel->id,
		dtype_name(p->dtype), backend_name(p->backend), isa_name(p->isa),
		bad ? bad->name : "", bad ? bad->value : 0, bad ? bad->limit : 0);
	ck_assert_int_gt(proof.n_outputs, 0);
	p->kernel->free(state);
	return proof.digest;
}

typedef void visit(const struct kernel *k, enum dtype d);

static void for_each(visit *f)
{
	for (size_t i = 0; kernel_table[i]; i++)
		for (int d = 0; d < N_DTYPES; d++)
			if (kernel_table[i]->dtypes & DT_BIT(d))
				f(kernel_table[i], (enum dtype)d);
}

static void check_backends(const struct kernel *k, enum dtype d)
{
	struct params p;

	make(&p, k, d, BACKEND_SCALAR, ISA_BASE, 1);
	prove(&p, 1);
	for (int i = ISA_BASE; i < N_ISAS; i++) {
		if (!isa_is_supported((enum isa)i))
			continue;
		make(&p, k, d, BACKEND_SIMD, (enum isa)i, 1);
		prove(&p, 1);
	}
}

START_TEST(every_backend_of_every_kernel_is_proven)
{
	for_each(check_backends);
}
END_TEST

static void check_threads(const struct kernel *k, enum dtype d)
{
	struct params p;
	uint64_t one;

	make(&p, k, d, BACKEND_SIMD, isa_best(), 1);
	one = prove(&p, 1);
	for (int n = 1; n <= 3; n++) {
		make(&p, k, d, BACKEND_THREADS, isa_best(), n);
		ck_assert_msg(prove(&p, 1) == one, "%s %s: %d threads give other bits", k->id,
			dtype_name(d), n);
	}
}

START_TEST(any_number_of_threads_gives_the_same_bits)
{
	for_each(check_threads);
}
END_TEST

static void check_iterations(const struct kernel *k, enum dtype d)
{
	struct params p;

	make(&p, k, d, BACKEND_SIMD, isa_best(), 1);
	ck_assert_msg(prove(&p, 1) == prove(&p, 3), "%s %s: iterations change the output",
		k->id, dtype_name(d));
}

START_TEST(iterations_are_idempotent)
{
	for_each(check_iterations);
}
END_TEST

static void check_poison(const struct kernel *k, enum dtype d)
{
	struct params p;
	struct proof proof;
	struct error err;
	void *state;

	make(&p, k, d, BACKEND_SIMD, isa_best(), 1);
	ck_assert_int_eq(k->setup(&p, &state, &err), OK);
	k->run(state, 1);
	k->poison(state);
	prove_state(&p, state, &proof);
	ck_assert_msg(!proof.ok, "%s %s: a poisoned output passes", k->id, dtype_name(d));
	k->free(state);
}

START_TEST(an_output_that_was_not_written_fails)
{
	for_each(check_poison);
}
END_TEST

static void check_seed(const struct kernel *k, enum dtype d)
{
	struct params p, q;

	make(&p, k, d, BACKEND_SIMD, isa_best(), 1);
	make(&q, k, d, BACKEND_SIMD, isa_best(), 1);
	ck_assert(prove(&p, 1) == prove(&q, 1));
}

START_TEST(the_same_seed_gives_the_same_digest)
{
	for_each(check_seed);
}
END_TEST

static void check_counts(const struct kernel *k, enum dtype d)
{
	struct counts c = { 0 };
	struct params p;

	make(&p, k, d, BACKEND_SIMD, isa_best(), 1);
	k->count(&p, &c);
	ck_assert_msg(c.bytes > 0 && c.footprint_bytes > 0 && c.work > 0 && c.n_outputs > 0,
		"%s counts nothing", k->id);
	ck_assert_ptr_nonnull(k->title);
	ck_assert_ptr_nonnull(k->source);
	ck_assert_ptr_nonnull(k->dims);
	ck_assert_ptr_nonnull(k->sizes[2].name);
	ck_assert_int_ne(k->dtypes & DT_BIT(k->default_dtype), 0);
}

START_TEST(every_kernel_counts_its_work)
{
	for_each(check_counts);
}
END_TEST

START_TEST(names_are_unique)
{
	for (size_t i = 0; kernel_table[i]; i++) {
		const char *const *a = kernel_table[i]->aliases;

		ck_assert_ptr_eq(kernel_find(kernel_table[i]->id), kernel_table[i]);
		for (; a && *a; a++)
			ck_assert_msg(kernel_find(*a) == kernel_table[i], "'%s' is taken", *a);
	}
	ck_assert_ptr_null(kernel_find("no.such"));
	ck_assert_str_eq(kernel_nearest("stream.tirad"), "stream.triad");
}
END_TEST

/* --- planted faults ----------------------------------------------------------------------- */

static const struct kernel *triad(void)
{
	return kernel_find("stream.triad");
}

START_TEST(one_wrong_element_fails)
{
	struct params p;
	struct proof proof;
	struct error err;
	struct stream_state *s;
	void *state;

	make(&p, triad(), DT_F64, BACKEND_SIMD, isa_best(), 1);
	ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
	p.kernel->run(state, 1);
	s = state;
	((double *)s->out)[s->n / 2] *= 1 + 0x1p-49;
	prove_state(&p, state, &proof);
	ck_assert(!proof.ok);
	ck_assert_str_eq(proof_failed(&proof)->name, "elements out of tolerance");
	ck_assert(proof_failed(&proof)->value == 1);
	p.kernel->free(state);
}
END_TEST

START_TEST(a_run_that_stops_short_fails)
{
	struct params p;
	struct proof proof;
	struct error err;
	struct stream_state *s;
	void *state;

	make(&p, triad(), DT_F32, BACKEND_SIMD, isa_best(), 1);
	ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
	s = state;
	s->n -= 1;
	p.kernel->run(state, 1);
	s->n += 1;
	prove_state(&p, state, &proof);
	ck_assert(!proof.ok);
	ck_assert(proof_failed(&proof)->value == 1);
	p.kernel->free(state);
}
END_TEST

START_TEST(a_changed_input_fails)
{
	struct params p;
	struct proof proof;
	struct error err;
	struct stream_state *s;
	void *state;

	make(&p, triad(), DT_F64, BACKEND_SIMD, isa_best(), 1);
	ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
	s = state;
	((double *)s->x)[7] += 0.5;
	p.kernel->run(state, 1);
	prove_state(&p, state, &proof);
	ck_assert(!proof.ok);
	p.kernel->free(state);
}
END_TEST

START_TEST(one_iteration_less_shows_in_fma_peak)
{
	struct params p;
	struct proof proof;
	struct error err;
	struct fma_state *s;
	void *state;

	make(&p, kernel_find("fma_peak"), DT_F64, BACKEND_SIMD, isa_best(), 1);
	ck_assert_int_eq(p.kernel->setup(&p, &state, &err), OK);
	s = state;
	s->steps--;
	p.kernel->run(state, 1);
	s->steps++;
	prove_state(&p, state, &proof);
	ck_assert(!proof.ok);
	p.kernel->free(state);
}
END_TEST

/* --- input, sizes, rules ------------------------------------------------------------------ */

/* First values of seed 42, array 0, from the definition (kernels.md 1) in Python. */
START_TEST(input_is_the_stated_counter)
{
	double one[5], three[5];

	ck_assert_uint_eq(input_key(42, 0), 0x4F0A61D9C798D8CAULL);
	ck_assert_uint_eq(input_bits(input_key(42, 0), 0), 0xF75E6C96EFB8D77FULL);
	ck_assert_uint_eq(input_bits(input_key(42, 0), 1), 0x42FD235CBB4EA466ULL);
	input_fill(one, DT_F64, 5, input_key(42, 0), 0, 1, 1);
	input_fill(three, DT_F64, 5, input_key(42, 0), 0, 1, 3);
	ck_assert_mem_eq(one, three, sizeof(one));
	ck_assert(one[0] == (double)(0xF75E6C96EFB8D77FULL >> 11) * 0x1p-53);
}
END_TEST

START_TEST(poison_is_not_a_number)
{
	double d[3];
	float f[3];

	poison_fill(d, sizeof(d), POISON_WORD, 1);
	poison_fill(f, sizeof(f), POISON_WORD, 1);
	ck_assert(isnan(d[0]) && isnan(d[2]) && isnan(f[0]) && isnan(f[2]));
}
END_TEST

static void size_is(const char *kernel, const char *text, const char *want)
{
	char out[SIZE_TEXT];
	struct params p;
	struct error err;

	params_init(&p, kernel_find(kernel));
	ck_assert_msg(size_parse(&p, text, &err) == OK, "%s: %s", text, err.text);
	ck_assert_str_eq(size_format(&p, out), want);
}

static void size_is_refused(const char *kernel, const char *text, const char *why)
{
	struct params p;
	struct error err;

	params_init(&p, kernel_find(kernel));
	ck_assert_int_ne(size_parse(&p, text, &err), OK);
	ck_assert_str_eq(err.field, "size");
	ck_assert_msg(strstr(err.text, why) != NULL, "%s: %s", text, err.text);
}

START_TEST(sizes_are_read_and_written)
{
	size_is("stream.triad", "64Mi", "64Mi");
	size_is("stream.triad", "1000", "1000");
	size_is("regrid.nearest", "100x200", "100x200");
	size_is("regrid.nearest", "3km", "6001x12001");
	size_is("regrid.nearest", "small", "100x200");
	size_is_refused("regrid.bilinear", "500", "give rows x columns of the source grid");
	size_is_refused("stream.triad", "64Mix2", "is not a size of stream.triad");
	size_is_refused("stream.triad", "smal", "did you mean 'small'");
	size_is_refused("stream.triad", "12", "64 to");
	size_is_refused("stream.triad", "", "is not a size");
	size_is_refused("stream.triad", "-5", "is not a size");
	size_is_refused("regrid.nearest", "100x", "is not a size");
	size_is_refused("regrid.nearest", "1x1", "4 to 1048576");
}
END_TEST

/* -1 where the kernel refuses the size. */
static double footprint(const char *kernel, const char *size)
{
	struct counts c = { 0 };
	struct params p;
	struct error err;
	int r;

	params_init(&p, kernel_find(kernel));
	r = size_parse(&p, size, &err);
	if (r == E_UNPROCESSABLE)
		return -1;
	ck_assert_int_eq(r, OK);
	p.kernel->count(&p, &c);
	return c.footprint_bytes;
}

/* A level may be refused, aloud; the second one never is. */
START_TEST(memory_levels_grow)
{
	static const char *const levels[] = { "l1", "l2", "l3", "dram" };

	for (size_t i = 0; kernel_table[i]; i++) {
		double last = 0;

		for (size_t k = 0; k < ARRAY_SIZE(levels); k++) {
			double bytes = footprint(kernel_table[i]->id, levels[k]);

			ck_assert_msg(bytes > last || (bytes < 0 && k != 1), "%s %s",
				kernel_table[i]->id, levels[k]);
			last = fmax(last, bytes);
		}
	}
	ck_assert(footprint("stream.copy", "dram") > 0 && footprint("nbody", "dram") < 0);
	ck_assert(footprint("dispatch.void", "l2") > 0);
}
END_TEST

START_TEST(calibration_grows_by_ten_then_aims)
{
	ck_assert_int_eq(measure_grow(1, 5, 10000), 10);
	ck_assert_int_eq(measure_grow(100, 5000, 10000), 240);
	ck_assert_int_eq(measure_grow(240, 12000, 10000), 240);
	ck_assert_int_eq(measure_grow(MEASURE_ITERATIONS_MAX, 1, 1e9), MEASURE_ITERATIONS_MAX);
}
END_TEST

START_TEST(iterations_vary_by_five_to_ten_percent)
{
	struct rng r;
	int n_more = 0;

	rng_init(&r, 7);
	for (int i = 0; i < 1000; i++) {
		int64_t k = measure_vary(&r, 1000);

		ck_assert(llabs(k - 1000) >= 50 && llabs(k - 1000) <= 100);
		n_more += k > 1000;
	}
	ck_assert(n_more > 400 && n_more < 600);
	ck_assert_int_eq(measure_vary(&r, 19), 19);
}
END_TEST

START_TEST(warm_up_ends_when_values_are_steady)
{
	double v[30];

	for (int i = 0; i < 30; i++)
		v[i] = i < 12 ? 2000 - 80 * i : 1040 + (i % 3);
	ck_assert(!steady_is_reached(v, 9));
	ck_assert(!steady_is_reached(v, 12));
	ck_assert(!steady_is_reached(v, 15));
	ck_assert(steady_is_reached(v, 24));
}
END_TEST

START_TEST(errors_are_those_of_the_definition)
{
	struct errors e, f;
	struct accuracy a;

	errors_init(&e);
	errors_init(&f);
	errors_add(&e, 1.5, 1);
	errors_add(&e, NAN, 2);
	errors_add(&f, 2.5, 3);
	errors_merge(&e, &f);
	errors_finish(&e, &a);
	ck_assert(a.n_total == 3 && a.n_valid == 2);
	ck_assert(a.rmse == 0.5 && a.mae == 0.5 && a.max_error == 0.5);
	ck_assert(a.mean_error == 0 && a.bias == 0 && a.std_error == 0.5);
	ck_assert(a.relative_rmse == 0.25 && fabs(a.correlation - 1) < 1e-12);
}
END_TEST

START_TEST(a_claim_about_nan_does_not_hold)
{
	struct proof p;

	proof_init(&p);
	proof_claim(&p, "a", 1, 1);
	ck_assert(p.ok);
	proof_claim(&p, "b", NAN, 1);
	ck_assert(!p.ok);
	ck_assert_str_eq(proof_failed(&p)->name, "b");
}
END_TEST

START_TEST(a_digest_sees_every_bit)
{
	unsigned char data[100] = { 0 };
	struct proof a, b;

	proof_init(&a);
	proof_digest(&a, data, sizeof(data));
	for (size_t bit = 0; bit < 800; bit++) {
		data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		proof_init(&b);
		proof_digest(&b, data, sizeof(data));
		ck_assert_uint_ne(a.digest, b.digest);
		data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}
END_TEST

START_TEST(more_memory_than_there_is_is_refused)
{
	struct measure_options o = { .n_samples = 1, .min_warmup = 1 };
	struct measurement m;
	struct params p;
	struct error err;

	params_init(&p, triad());
	p.dim[0] = 1LL << 46;
	ck_assert_int_eq(measure_run(&p, &o, &m, &err), E_UNAVAILABLE);
	ck_assert_msg(strstr(err.text, "MiB free") != NULL, "%s", err.text);
	measurement_done(&m);
}
END_TEST

/* A curve over the levels says nothing when its point for a cache does not fit there. */
START_TEST(a_size_that_is_named_after_a_cache_fits_it)
{
	const double caches[] = { (double)host_get()->l1d_bytes, (double)host_get()->l2_bytes };

	for (size_t i = 0; kernel_table[i]; i++)
		for (int level = 0; level < 2; level++) {
			struct counts c = { 0 };
			struct error err;
			struct params p;

			params_init(&p, kernel_table[i]);
			if (size_parse(&p, level ? "l2" : "l1", &err) != OK) {
				ck_assert_ptr_nonnull(strstr(err.text, "smallest size fills"));
				continue;
			}
			p.kernel->count(&p, &c);
			ck_assert_msg(c.footprint_bytes <= caches[level],
				"%s fills %.0f bytes of l%d", p.kernel->id, c.footprint_bytes,
				level + 1);
		}
}
END_TEST

/* --- ceilings ----------------------------------------------------------------------------- */

static double promised[4]; /* B/s that the fake engine finds, call by call */
static int n_asked, n_again;
static double asked_bytes;

static int fake_ceilings(void *run, double footprint_bytes, bool is_again, double *ret_bytes,
	double *ret_flops, struct error *err)
{
	(void)run, (void)err;
	asked_bytes = footprint_bytes;
	n_again += is_again;
	*ret_bytes = promised[n_asked++];
	*ret_flops = 0;
	return OK;
}

/* 1000 bytes in 100 ns: 10 GB/s. */
static struct measurement against(double a, double b, double c, double d)
{
	const struct engine fake = { .ceilings = fake_ceilings };
	struct measurement m = {
		.counts = { .bytes = 1000, .footprint_bytes = 5000, .touched_bytes = 3000 },
		.median_ns = 100
	};
	struct error err;

	promised[0] = a;
	promised[1] = b;
	promised[2] = c;
	promised[3] = d;
	n_asked = n_again = 0;
	ck_assert_int_eq(measure_ceilings(&m, &fake, NULL, &err), OK);
	return m;
}

START_TEST(a_ceiling_below_the_result_is_measured_again)
{
	struct measurement m = against(20e9, 1, 1, 1);

	ck_assert_int_eq(n_asked, 1);
	ck_assert(asked_bytes == 3000); /* rows that no iteration reads fill no cache */
	ck_assert(fabs(m.percent - 50) < 1e-9 && !m.is_ceiling_doubtful);
	m = against(1e9, 4e9, 12.5e9, 1); /* disturbed twice */
	ck_assert_int_eq(n_asked, 3);
	ck_assert_int_eq(n_again, 2);
	ck_assert(fabs(m.percent - 80) < 1e-9 && !m.is_ceiling_doubtful);
	ck_assert_str_eq(m.bound_by, "memory");
}
END_TEST

START_TEST(a_ceiling_that_stays_below_is_doubtful)
{
	struct measurement m = against(1e9, 8e9, 5e9, 2e9);

	ck_assert_int_eq(n_asked, 4);
	ck_assert(fabs(m.percent - 125) < 1e-9 && m.is_ceiling_doubtful);
	m = against(9.5e9, 9.5e9, 9.5e9, 9.5e9); /* a little above is noise */
	ck_assert(m.percent > 100 && !m.is_ceiling_doubtful);
}
END_TEST

/* --- plots -------------------------------------------------------------------------------- */

START_TEST(a_plot_leaves_out_what_has_no_place)
{
	const double x[] = { 0.1, 0, 10, NAN }, y[] = { 1, 5, 100, 3 };
	const char *const labels[] = { "64<", "unseen", "4Mi", "unseen" };
	const struct plot_series s[] = { { "a<b & c", x, y, 4, true, true, labels } };
	const struct plot p = { "t", "x", "y", true, s, 1, false };
	struct buf b = { 0 };
	const char *at;
	int n = 0;

	plot_format(&p, &b);
	for (at = buf_str(&b); (at = strstr(at, "<circle")); at++)
		n++;
	ck_assert_int_eq(n, 2);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "a&lt;b &amp; c"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "<title>a&lt;b &amp; c 64&lt;: 1</title>"));
	ck_assert_ptr_nonnull(strstr(buf_str(&b), ">4Mi</text>"));
	ck_assert_ptr_null(strstr(buf_str(&b), "unseen"));
	ck_assert_ptr_null(strstr(buf_str(&b), "nan"));
	ck_assert_ptr_null(strstr(buf_str(&b), "inf"));
	buf_done(&b);
}
END_TEST

/* --- placement ---------------------------------------------------------------------------- */

START_TEST(threads_take_cores_before_siblings)
{
	/* two packages of two cores with two CPUs each, numbered as Linux does */
	struct placement_cpu c[8];
	const int want[] = { 0, 1, 2, 3, 4, 5, 6, 7 }, uneven[] = { 1, 3, 7 };

	for (int i = 0; i < 8; i++)
		c[7 - i] =
			(struct placement_cpu){ .cpu = i, .package = i / 2 % 2, .core = i % 2 };
	placement_order(c, 8);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(c[i].cpu, want[i]);
	/* cores are numbered anew in each package; 3 and 7 are siblings */
	c[0] = (struct placement_cpu){ .cpu = 7, .package = 1, .core = 1 };
	c[1] = (struct placement_cpu){ .cpu = 3, .package = 1, .core = 1 };
	c[2] = (struct placement_cpu){ .cpu = 1, .package = 0, .core = 1 };
	placement_order(c, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(c[i].cpu, uneven[i]);
	ck_assert_int_eq(c[2].sibling, 1);
}
END_TEST

SUITE("kernels", every_backend_of_every_kernel_is_proven,
	any_number_of_threads_gives_the_same_bits, iterations_are_idempotent,
	an_output_that_was_not_written_fails, the_same_seed_gives_the_same_digest,
	every_kernel_counts_its_work, names_are_unique, one_wrong_element_fails,
	a_run_that_stops_short_fails, a_changed_input_fails,
	one_iteration_less_shows_in_fma_peak, input_is_the_stated_counter,
	poison_is_not_a_number, sizes_are_read_and_written, memory_levels_grow,
	calibration_grows_by_ten_then_aims, iterations_vary_by_five_to_ten_percent,
	warm_up_ends_when_values_are_steady, errors_are_those_of_the_definition,
	a_claim_about_nan_does_not_hold, a_digest_sees_every_bit,
	more_memory_than_there_is_is_refused, a_size_that_is_named_after_a_cache_fits_it,
	a_ceiling_below_the_result_is_measured_again, a_ceiling_that_stays_below_is_doubtful,
	a_plot_leaves_out_what_has_no_place, threads_take_cores_before_siblings)
