/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From words to kernels, from lists to combinations of params. */
#include "kernels/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "base/text.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/peer.h"
#include "kernels/report.h"
#include "kernels/size.h"
#include "kernels/vk.h"

/* --- kernels ------------------------------------------------------------------------------ */

static void add_once(const struct kernel **ret, size_t *ret_n, const struct kernel *k)
{
	for (size_t i = 0; i < *ret_n; i++)
		if (ret[i] == k)
			return;
	if (*ret_n < CLI_SELECTED)
		ret[(*ret_n)++] = k;
}

static bool matches(const struct kernel *k, const char *pattern)
{
	if (glob_match(pattern, k->id))
		return true;
	for (const char *const *a = k->aliases; a && *a; a++)
		if (glob_match(pattern, *a))
			return true;
	return false;
}

static int select_one(
	const char *word, const struct kernel **ret, size_t *ret_n, struct error *err)
{
	bool is_any = false;
	const char *near;
	const struct kernel *k = kernel_find(word);
	char family[64];

	if (k) {
		add_once(ret, ret_n, k);
		return OK;
	}
	/* "stream" and "Stream" are "stream.*" */
	snprintf(family, sizeof(family), "%.60s.*", word);
	for (char *c = family; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (size_t i = 0; kernel_table[i]; i++)
		if (matches(kernel_table[i], word) || matches(kernel_table[i], family)) {
			add_once(ret, ret_n, kernel_table[i]);
			is_any = true;
		}
	if (is_any)
		return OK;
	near = strpbrk(word, "*?") ? NULL : kernel_nearest(word);
	if (near)
		return error_set_field(err, E_NOT_FOUND, "kernel",
			"there is no kernel '%.60s'; did you mean '%s'?", word, near);
	return error_set_field(err, E_NOT_FOUND, "kernel",
		"there is no kernel '%.60s'; see 'benchd-kernel list'", word);
}

int cli_select(const struct cli *c, const struct kernel **ret, size_t *ret_n, struct error *err)
{
	*ret_n = 0;
	for (size_t i = 0; i < c->n_words; i++) {
		_cleanup_(free)
		char *copy = xstrdup(c->words[i]);
		char *save = NULL, *word = strtok_r(copy, ",", &save);

		for (; word; word = strtok_r(NULL, ",", &save)) {
			int r = select_one(word, ret, ret_n, err);

			if (r != OK)
				return r;
		}
	}
	return OK;
}

/* --- lists -------------------------------------------------------------------------------- */

/* What one --OPTION a,b,c does to the params: for each old one a copy for each word. */
struct list {
	struct arena *arena;
	struct params *items;
	size_t n;
};
enum { COMBINATIONS_MAX = 1024 };
typedef int apply(struct params *p, const char *word, struct error *err);

static int expand(struct list *l, const char *name, const char *text, apply *f, bool may_skip,
	struct error *err)
{
	struct params *out = ARENA_ARRAY(l->arena, struct params, COMBINATIONS_MAX);
	size_t n = 0;

	if (!text)
		return OK;
	for (size_t i = 0; i < l->n; i++) {
		char *copy = arena_strdup(l->arena, text), *save = NULL;
		char *word = strtok_r(copy, ",", &save);

		if (!word)
			return error_set_field(
				err, E_BAD_REQUEST, name, "--%s is an empty list", name);
		for (; word; word = strtok_r(NULL, ",", &save)) {
			int r;

			if (n == COMBINATIONS_MAX)
				return error_set(err, E_UNPROCESSABLE,
					"more than %d combinations", COMBINATIONS_MAX);
			out[n] = l->items[i];
			r = f(&out[n], word, err);
			if (r != OK && !(may_skip && r == E_UNPROCESSABLE))
				return r;
			if (r != OK)
				fprintf(stderr, "benchd-kernel: left out: %s\n", err->text);
			n += r == OK;
		}
	}
	l->items = out;
	l->n = n;
	return OK;
}

static int not_one_of(
	const char *option, const char *word, const char *const *names, struct error *err)
{
	const char *near = nearest_name(word, names);
	char list[256] = "";

	for (size_t i = 0, at = 0; names[i]; i++)
		at += (size_t)snprintf(
			list + at, sizeof(list) - at, "%s%s", i ? ", " : "", names[i]);
	if (near)
		return error_set_field(err, E_BAD_REQUEST, option,
			"--%s is '%.40s'; did you mean '%s'?", option, word, near);
	return error_set_field(err, E_BAD_REQUEST, option,
		"--%s is '%.40s'; it must be one of %s", option, word, list);
}

static int apply_backend(struct params *p, const char *word, struct error *err)
{
#define X(id, name) [id] = name,
	static const char *const names[] = { BACKENDS(X) NULL };
#undef X

	for (int b = 0; names[b]; b++)
		if (strcmp(names[b], word) == 0) {
			p->backend = (enum backend)b;
			return OK;
		}
	return not_one_of("backend", word, names, err);
}

static int apply_dtype(struct params *p, const char *word, struct error *err)
{
	const char *names[N_DTYPES + 1];
	size_t n = 0;

	for (int d = 0; d < N_DTYPES; d++) {
		if (!(p->kernel->dtypes & DT_BIT(d)))
			continue;
		names[n++] = dtype_name((enum dtype)d);
		if (strcmp(names[n - 1], word) == 0) {
			p->dtype = (enum dtype)d;
			return OK;
		}
	}
	names[n] = NULL;
	not_one_of("dtype", word, names, err);
	return error_prefix(err, "%s: ", p->kernel->id);
}

static int apply_threads(struct params *p, const char *word, struct error *err)
{
	int n_cpus = host_get()->n_cpus;
	char *end;
	long n = strtol(word, &end, 10);

	if (strcmp(word, "all") == 0 || strcmp(word, "max") == 0)
		n = n_cpus;
	else if (end == word || *end || n < 1)
		return error_set_field(err, E_BAD_REQUEST, "threads",
			"--threads is '%.40s'; it must be 'all' or a number from 1 to %d", word,
			n_cpus);
	if (n > n_cpus)
		return error_set_field(err, E_BAD_REQUEST, "threads",
			"--threads %ld is more than the %d CPUs this process may use", n,
			n_cpus);
	p->threads = (int)n;
	return OK;
}

static int apply_size(struct params *p, const char *word, struct error *err)
{
	return size_parse(p, word, err);
}

/* --- one kernel --------------------------------------------------------------------------- */

static int apply_isa(struct params *p, const char *word, struct error *err)
{
	const char *names[N_ISAS + 1];
	size_t n = 0;

	for (int i = ISA_BASE; i < N_ISAS; i++) {
		if (!isa_is_supported((enum isa)i))
			continue;
		names[n++] = isa_name((enum isa)i);
		if (strcmp(names[n - 1], word) == 0) {
			p->isa = (enum isa)i;
			return OK;
		}
	}
	names[n] = NULL;
	return not_one_of("isa", word, names, err);
}

static int set_kernel_option(struct params *p, size_t at, const char *word, struct error *err)
{
	const struct kernel_option *o = &p->kernel->options[at];
	char *end;
	int64_t v;

	for (int i = 0; o->names && o->names[i]; i++)
		if (strcmp(o->names[i], word) == 0) {
			p->option[at] = i;
			return OK;
		}
	if (o->names)
		return not_one_of(o->name, word, o->names, err);
	v = strtoll(word, &end, 10);
	if (end == word || *end || v < o->min || v > o->max)
		return error_set_field(err, E_BAD_REQUEST, o->name,
			"--%s is '%.40s'; it must be a whole number from %lld to %lld", o->name,
			word, (long long)o->min, (long long)o->max);
	p->option[at] = v;
	return OK;
}

static int apply_extra(const struct cli *c, struct params *p, struct error *err)
{
	for (size_t e = 0; e < c->n_extra; e++) {
		const struct kernel_option *o = p->kernel->options;
		size_t i = 0;
		int r;

		while (o && o[i].name && strcmp(o[i].name, c->extra[e].name) != 0)
			i++;
		if (!o || !o[i].name)
			return error_set_field(err, E_BAD_REQUEST, c->extra[e].name,
				"%s has no option '--%.40s'", p->kernel->id, c->extra[e].name);
		r = set_kernel_option(p, i, c->extra[e].value, err);
		if (r != OK)
			return r;
	}
	return OK;
}

/* Threads without a count means all CPUs; the other backends use one. */
static void settle_threads(const struct cli *c, struct params *p)
{
	if (p->backend != BACKEND_THREADS)
		p->threads = 1;
	else if (!c->threads)
		p->threads = host_get()->n_cpus;
}

static double work_of(const struct params *p)
{
	struct counts counts = { 0 };

	p->kernel->count(p, &counts);
	return counts.work;
}

/* Weak scaling: the first dimension that multiplies the work by exactly the number of threads.
 */
static int grow(struct params *p, struct error *err)
{
	const double one = work_of(p);

	for (int i = 0; i < p->kernel->n_dims; i++) {
		struct params q = *p;

		q.dim[i] *= p->threads;
		if (q.dim[i] > p->kernel->dim_max || work_of(&q) != one * p->threads)
			continue;
		if (p->kernel->check && p->kernel->check(&q, err) != OK)
			continue;
		*p = q;
		return OK;
	}
	return error_set_field(err, E_UNPROCESSABLE, "weak",
		"the work of %s does not grow by exactly %d with one of its dimensions",
		p->kernel->id, p->threads);
}

static int check_peer(const struct params *p, struct error *err)
{
	const struct peer *peer = peer_find(p->kernel, p->backend);

	if (!peer)
		return error_set_field(err, E_UNAVAILABLE, "backend",
			"%s has no %s backend in this build; see 'benchd-kernel list'",
			p->kernel->id, backend_name(p->backend));
	return peer->check ? peer->check(p, err) : OK;
}

static int settle(const struct cli *c, struct params *p, struct error *err)
{
	const struct vk_kernel *vk = vk_find(p->kernel);
	int r = apply_extra(c, p, err);

	if (r != OK)
		return r;
	if (p->backend == BACKEND_VULKAN && vk && !(vk->dtypes & DT_BIT(p->dtype)))
		return error_set_field(err, E_UNAVAILABLE, "dtype",
			"%s has no Vulkan backend in %s", p->kernel->id, dtype_name(p->dtype));
	r = backend_is_peer(p->backend) ? check_peer(p, err) : OK;
	if (r == OK && p->kernel->check)
		r = p->kernel->check(p, err);
	return r == OK && c->weak ? grow(p, err) : r;
}

/* Words that stand for several sizes; NULL for others. */
static const char *any_sizes(const struct cli *c)
{
	static const char *const words[][2] = { { "all", "small," SIZE_LEVELS },
		{ "levels", SIZE_LEVELS }, { "caches", "small,l1,l2" } };

	for (size_t i = 0; c->sizes && i < ARRAY_SIZE(words); i++)
		if (strcmp(c->sizes, words[i][0]) == 0)
			return words[i][1];
	return NULL;
}

/* Of "all" and "levels", sizes that a kernel refuses are left out, aloud, while one remains. */
static int settle_all(const struct cli *c, struct list *l, struct error *err)
{
	size_t n = 0;
	int r = OK;

	for (size_t i = 0; i < l->n; i++) {
		struct params p = l->items[i];

		r = settle(c, &p, err);
		if (r == OK)
			l->items[n++] = p;
		else if (r != E_UNPROCESSABLE || !any_sizes(c))
			return r;
		else
			fprintf(stderr, "benchd-kernel: left out: %s\n", err->text);
	}
	if (n == 0 && l->n > 0)
		return r;
	l->n = n;
	return OK;
}

/* scalar and simd do not multiply with a list of thread counts. */
static bool is_equal(const struct params *a, const struct params *b)
{
	return a->dtype == b->dtype && a->backend == b->backend && a->threads == b->threads &&
	       memcmp(a->dim, b->dim, sizeof(a->dim)) == 0;
}

static void remove_doubles(struct list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		size_t k = 0;

		while (k < n && !is_equal(&l->items[k], &l->items[i]))
			k++;
		if (k == n)
			l->items[n++] = l->items[i];
	}
	l->n = n;
}

/* "all" as the dtypes this kernel has. */
static const char *dtype_list(const struct cli *c, const struct kernel *k, struct arena *a)
{
	const char *text = NULL;

	if (!c->dtypes || strcmp(c->dtypes, "all") != 0)
		return c->dtypes;
	for (int d = 0; d < N_DTYPES; d++)
		if (k->dtypes & DT_BIT(d))
			text = text ? arena_printf(a, "%s,%s", text, dtype_name((enum dtype)d))
				    : dtype_name((enum dtype)d);
	return text;
}

/* "all" as the backends of the CPU, alone or in a list: "all,vulkan". Peers whose library is
 * here are among them. */
static const char *with_all(const char *backends, const struct kernel *k, struct arena *a)
{
	const char *cpu = "scalar,simd,threads";

	if (!backends || strncmp(backends, "all", 3) != 0)
		return backends;
	for (size_t i = 0; peer_table[i]; i++)
		if (peer_find(k, peer_table[i]->backend) == peer_table[i] &&
			peer_is_there(peer_table[i]))
			cpu = arena_printf(
				a, "%s,%s", cpu, backend_name(peer_table[i]->backend));
	if (backends[3] == ',')
		return arena_printf(a, "%s%s", cpu, backends + 3);
	return backends[3] ? backends : cpu;
}

static double flops_of(const struct params *p)
{
	struct counts c = { 0 };

	p->kernel->count(p, &c);
	return c.flops;
}

/* A size that came from "all" or "levels": seconds on one core, not minutes. */
static int apply_any_size(struct params *p, const char *word, struct error *err)
{
	int r = size_parse(p, word, err);

	if (r == OK && flops_of(p) > 1e11)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"%s in %s: one iteration would take %.3g GFLOP; ask for it with "
			"--size %s",
			p->kernel->id, word, flops_of(p) / 1e9, word);
	return r;
}

/* "levels" and "all" are the levels that a kernel can fill: others are left out, aloud. */
static int expand_sizes(const struct cli *c, struct list *l, struct error *err)
{
	const char *several = any_sizes(c);

	return several ? expand(l, "size", several, apply_any_size, true, err)
		       : expand(l, "size", c->sizes, apply_size, false, err);
}

/* Options that only a device looks at must meet one. A worker's cell carries the parameters of
 * its whole matrix, and is let be. */
static int check_device_options(const struct cli *c, const struct list *l, struct error *err)
{
	const char *name = c->device	 ? "device"
			   : c->variant	 ? "variant"
			   : c->validate ? "validate"
					 : NULL;

	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].backend == BACKEND_VULKAN)
			name = NULL;
	if (!name || protocol_is_open())
		return OK;
	return error_set_field(err, E_BAD_REQUEST, name,
		"--%s is for the vulkan backend; add --backend vulkan", name);
}

int cli_expand(const struct cli *c, const struct kernel *k, struct arena *a,
	struct params **ret, size_t *ret_n, struct error *err)
{
	struct list l = { .arena = a, .items = ARENA_NEW(a, struct params), .n = 1 };
	const char *backends = c->backends;
	int r;

	if (!backends && c->threads && strcmp(c->threads, "1") != 0)
		backends = "threads";
	backends = with_all(backends, k, a);
	params_init(l.items, k);
	l.items->seed = c->seed >= 0 ? (uint64_t)c->seed : l.items->seed;
	l.items->device = c->device;
	l.items->variant = c->variant;
	l.items->validate = c->validate;
	l.items->is_cold = c->cold;
	r = c->isa ? apply_isa(l.items, c->isa, err) : OK;
	if (r == OK)
		r = expand(&l, "dtype", dtype_list(c, k, a), apply_dtype, false, err);
	if (r == OK)
		r = expand(&l, "backend", backends, apply_backend, false, err);
	if (r == OK)
		r = expand(&l, "threads", c->threads, apply_threads, false, err);
	for (size_t i = 0; r == OK && i < l.n; i++)
		settle_threads(c, &l.items[i]);
	if (r == OK)
		r = expand_sizes(c, &l, err);
	if (r == OK)
		r = check_device_options(c, &l, err);
	remove_doubles(&l);
	if (r == OK)
		r = settle_all(c, &l, err);
	*ret = l.items;
	*ret_n = l.n;
	return r;
}
