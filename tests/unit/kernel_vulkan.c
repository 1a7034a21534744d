/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every Vulkan backend in every dtype and variant, and with each value of its knobs, small: the
 * output is proven by the kernel's own verification, comes out the same twice, and an output
 * that was not written fails. Built twice: VALIDATED runs the same under the validation layer
 * with synchronization checks, where any message is a failure. */
#include "tests/lib/unit.h"

#include <string.h>
#include "kernels/engine.h"
#include "kernels/proof.h"
#include "kernels/vk.h"
#include "kernels/vk_tune.h"
#include "tests/lib/lavapipe.h"

#ifndef VALIDATED
#define VALIDATED false
#endif

/* With AddressSanitizer each kernel in each type, and its knobs in the plain build. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static struct error err;

struct rig {
	struct params p;
	void *state, *run;
	char what[128];
};

/* The size called tiny, else the first. */
static const int64_t *least_size(const struct kernel *k)
{
	for (const struct named_size *s = k->sizes; s->name; s++)
		if (strcmp(s->name, "tiny") == 0)
			return s->dim;
	return k->sizes[0].dim;
}

/* False: the device cannot do these values of the knobs. */
static bool rig_open(
	struct rig *r, const struct vk_kernel *vk, enum dtype d, const char *variant, int knobs)
{
	const struct kernel *k = kernel_find(vk->id);
	int code;

	ck_assert_msg(k != NULL, "no kernel is called %s", vk->id);
	params_init(&r->p, k);
	memcpy(r->p.dim, least_size(k), sizeof(r->p.dim));
	r->p.backend = BACKEND_VULKAN;
	r->p.dtype = d;
	r->p.device = "cpu";
	r->p.variant = variant;
	r->p.validate = VALIDATED;
	if (knobs > 0)
		vk_tune_choose(vk, knobs, &r->p);
	snprintf(r->what, sizeof(r->what), "%s %s %s knobs %d", vk->id, dtype_name(d),
		variant ? variant : "", knobs);
	ck_assert_msg(k->setup(&r->p, &r->state, &err) == OK, "%s: %s", r->what, err.text);
	code = engine_vulkan.open(&r->p, r->state, &r->run, &err);
	if (code == E_NOT_IMPLEMENTED && knobs > 0)
		return false;
	ck_assert_msg(code == OK, "%s: %s", r->what, err.text);
	return true;
}

static void rig_close(struct rig *r)
{
	engine_vulkan.close(r->run);
	r->p.kernel->free(r->state);
}

static void poison(struct rig *r)
{
	ck_assert_msg(engine_vulkan.poison(r->run, &err) == OK, "%s: %s", r->what, err.text);
}

static void run(struct rig *r, int64_t iterations)
{
	double ns = 0, host_ns = 0;

	ck_assert_msg(engine_vulkan.time(r->run, iterations, &ns, &host_ns, &err) == OK,
		"%s: %s", r->what, err.text);
	ck_assert_msg(
		ns > 0 && host_ns >= 0, "%s: took %g ns, host %g ns", r->what, ns, host_ns);
}

static struct proof prove(struct rig *r)
{
	struct proof p = { 0 };

	ck_assert_msg(engine_vulkan.fetch(r->run, &err) == OK, "%s: %s", r->what, err.text);
	proof_init(&p);
	ck_assert_msg(
		r->p.kernel->verify(r->state, &p, &err) == OK, "%s: %s", r->what, err.text);
	return p;
}

static void check_proof(const struct rig *r, const struct proof *p)
{
	const struct invariant *bad = proof_failed(p);

	ck_assert_msg(
		p->ok, "%s: %s is %g, limit %g", r->what, bad->name, bad->value, bad->limit);
	ck_assert_msg(p->n_outputs > 0 && p->n_invariants > 0, "%s proves nothing", r->what);
}

/* Unwritten first, then once, then three times over. */
static void check_one(const struct vk_kernel *vk, enum dtype d, const char *variant, int knobs)
{
	struct rig r = { 0 };
	struct proof unwritten, once, again;

	if (!rig_open(&r, vk, d, variant, knobs)) {
		r.p.kernel->free(r.state);
		return;
	}
	poison(&r);
	unwritten = prove(&r);
	ck_assert_msg(!unwritten.ok, "%s: an unwritten output is taken for right", r.what);
	run(&r, 1);
	once = prove(&r);
	check_proof(&r, &once);
	poison(&r);
	run(&r, 3);
	again = prove(&r);
	check_proof(&r, &again);
	ck_assert_msg(once.digest == again.digest, "%s: other bits in the second run", r.what);
	rig_close(&r);
}

static void check_variants(const struct vk_kernel *vk, enum dtype d)
{
	static const char *const none[] = { NULL, NULL };
	const char *const *v = vk->variants ? vk->variants : none;

	do
		check_one(vk, d, *v, 0);
	while (*v && *++v);
}

/* Whether combination c differs from the defaults in one knob alone. */
static bool is_one_step(const struct vk_kernel *vk, int c)
{
	struct params p = { 0 };
	int n = 0;

	vk_tune_choose(vk, c, &p);
	for (int i = 0; i < VK_KNOBS && vk->knobs[i].name; i++)
		n += p.knob[i] != vk->knobs[i].values[0];
	return n == 1;
}

static void check_knobs(const struct vk_kernel *vk, enum dtype d)
{
	for (int c = 1; c < vk_tune_count(vk); c++)
		if (is_one_step(vk, c))
			check_one(vk, d, NULL, c);
}

START_TEST(every_backend_computes_the_proven_answer)
{
	const struct vk_kernel *vk = vk_table[_i];

	/* kernels of a family share their knobs: the first one stands for them */
	bool is_like_last = _i > 0 && vk_table[_i - 1]->setup == vk->setup;
	int first = __builtin_ctz(vk->dtypes);

	for (int d = 0; d < N_DTYPES; d++)
		if (vk->dtypes & DT_BIT(d))
			check_variants(vk, (enum dtype)d);
	if (!VALIDATED && !SANITIZED && !is_like_last)
		check_knobs(vk, (enum dtype)first);
}
END_TEST

/* The driver and the validation layer keep memory until the process ends, from libraries that
 * are unloaded by then: nothing of ours can be told apart in such a leak report. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int main(void)
{
	Suite *s = suite_create(VALIDATED ? "vulkan backends, validated" : "vulkan backends");
	TCase *c = tcase_create("kernels");
	char why[512];
	SRunner *sr;
	int failed, n = 0;

	if (lavapipe_find(VALIDATED, why)) {
		printf("1..0 # SKIP %s\n", why);
		return EXIT_SUCCESS;
	}
	while (vk_table[n])
		n++;
	tcase_set_timeout(c, 900);
	tcase_add_loop_test(c, every_backend_computes_the_proven_answer, 0, n);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
