/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/size.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/json.h"
#include "kernels/host.h"

/* More in one iteration is no sensible answer to the name of a level: minutes on one core. */
#define LEVEL_FLOPS_MAX 1e12

/* --- memory levels ------------------------------------------------------------------------ */

static bool is_scaled(const struct kernel *k, int i)
{
	return !k->dims_fixed || !(k->dims_fixed & (1u << i));
}

/* The default size with its free dims times f, rounded to what the kernel takes. */
static void scale_dims(struct params *p, double f)
{
	const struct kernel *k = p->kernel;

	for (int i = 0; i < k->n_dims; i++) {
		double base = (double)k->sizes[1].dim[i], v = base;

		if (is_scaled(k, i))
			v = k->dims_pow2 & (1u << i) ? exp2(floor(log2(base * f)))
						     : floor(base * f);
		if (v >= 64 && k->dims_pow2 == 0 && is_scaled(k, i))
			v = floor(v / 8) * 8;
		p->dim[i] = (int64_t)fmin(fmax(v, (double)k->dim_min), (double)k->dim_max);
	}
}

static double footprint(struct params *p, double f)
{
	struct counts c = { 0 };

	scale_dims(p, f);
	p->kernel->count(p, &c);
	return c.footprint_bytes;
}

/* Largest scale with a footprint of at most `bytes`, or the least one with at least that. */
static void fit(struct params *p, double bytes, bool is_least)
{
	double lo = -40, hi = 40; /* log2 of the scale */

	for (int i = 0; i < 60; i++) {
		double mid = (lo + hi) / 2;

		if (footprint(p, exp2(mid)) > bytes)
			hi = mid;
		else
			lo = mid;
	}
	scale_dims(p, exp2(is_least ? hi : lo));
}

/* Bytes that a level is to be filled with, 0 when it is none. */
static double level_bytes(const struct params *p, const char *text)
{
	const struct host *h = host_get();

	if (strcmp(text, "l1") == 0)
		return (double)h->l1d_bytes / 2;
	if (strcmp(text, "l2") == 0)
		return (double)h->l2_bytes / 2;
	if (strcmp(text, "l3") == 0)
		return (double)host_llc_share(p->threads) / 2;
	return strcmp(text, "dram") == 0 ? 4 * (double)h->llc_bytes : 0;
}

/* A dim that keeps its default, but for a level that even one of the others overfills: then it
 * is halved, where it is a power of two, until the level holds it. */
static void halve_fixed(struct params *p, double bytes, struct counts *c)
{
	unsigned dims = p->kernel->dims_fixed & p->kernel->dims_pow2;

	for (int i = 0; i < p->kernel->n_dims; i++)
		while (dims >> i & 1 && c->footprint_bytes > bytes &&
			p->dim[i] / 2 >= MAX(p->kernel->dim_min, 64)) {
			p->dim[i] /= 2;
			p->kernel->count(p, c);
		}
}

/* Work may outgrow memory (all pairs of bodies), and the largest size of a kernel may be small:
 * such a level is refused. */
static int take_level(struct params *p, const char *text, double bytes, struct error *err)
{
	bool is_dram = strcmp(text, "dram") == 0;
	struct counts c = { 0 };

	fit(p, bytes, is_dram);
	p->kernel->count(p, &c);
	if (!is_dram)
		halve_fixed(p, bytes, &c);
	if (!is_dram && c.footprint_bytes > 2 * bytes)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"%s in %s: its smallest size fills %.0f KiB, more than the %.0f KiB "
			"that are there",
			p->kernel->id, text, c.footprint_bytes / KiB, 2 * bytes / KiB);
	if (c.flops > LEVEL_FLOPS_MAX)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"%s in %s: one iteration would take %.3g GFLOP, more than %.3g; give "
			"the size in numbers",
			p->kernel->id, text, c.flops / 1e9, LEVEL_FLOPS_MAX / 1e9);
	if (is_dram && c.footprint_bytes < bytes / 2)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"%s in %s: its largest size fills %.0f MiB, less than the %.0f MiB "
			"that this takes",
			p->kernel->id, text, c.footprint_bytes / (double)MiB,
			bytes / (double)MiB);
	return OK;
}

/* --- numbers ------------------------------------------------------------------------------ */

static bool parse_class(struct params *p, const char *text)
{
	const struct named_size *s = p->kernel->sizes;

	for (; s->name; s++)
		if (strcmp(s->name, text) == 0) {
			memcpy(p->dim, s->dim, sizeof(p->dim));
			return true;
		}
	return false;
}

static int refuse(const struct params *p, const char *text, struct error *err)
{
	const char *words[32];
	const struct named_size *s = p->kernel->sizes;
	const char *near;
	size_t n = 0;

	while (s->name && n < ARRAY_SIZE(words) - 5)
		words[n++] = (s++)->name;
	words[n++] = "l1";
	words[n++] = "l2";
	words[n++] = "l3";
	words[n++] = "dram";
	words[n] = NULL;
	near = isalpha((unsigned char)text[0]) ? nearest_name(text, words) : NULL;
	if (near)
		return error_set_field(err, E_BAD_REQUEST, "size",
			"--size '%.40s' is not a size of %s; did you mean '%s'?", text,
			p->kernel->id, near);
	return error_set_field(err, E_BAD_REQUEST, "size",
		"--size '%.40s' is not a size of %s; give %s, such as 64Mi or 100x200, a class "
		"(%s, "
		"%s, "
		"%s) or l1, l2, l3, dram",
		text, p->kernel->id, p->kernel->dims, p->kernel->sizes[0].name,
		p->kernel->sizes[1].name, p->kernel->sizes[2].name);
}

static int check_range(const struct params *p, struct error *err)
{
	const struct kernel *k = p->kernel;
	double n = 1;

	for (int i = 0; i < k->n_dims; i++) {
		if (p->dim[i] < k->dim_min || p->dim[i] > k->dim_max)
			return error_set_field(err, E_UNPROCESSABLE, "size",
				"--size: %" PRId64 " is out of range for %s (%s): %" PRId64
				" to %" PRId64,
				p->dim[i], k->id, k->dims, k->dim_min, k->dim_max);
		if (k->dims_pow2 & (1u << i) && (p->dim[i] & (p->dim[i] - 1)))
			return error_set_field(err, E_UNPROCESSABLE, "size",
				"--size: %" PRId64 " is no power of two, which %s needs (%s)",
				p->dim[i], k->id, k->dims);
		n *= (double)p->dim[i];
	}
	if (n > 0x1p40)
		return error_set_field(err, E_UNPROCESSABLE, "size",
			"--size: %s of %.3g elements is too large; the limit is 2^40", k->id,
			n);
	return OK;
}

/* Parts separated by x; false when one of them is no number. */
static bool parse_numbers(struct params *p, const char *text, int *ret_n)
{
	char copy[SIZE_TEXT], *save = NULL;
	int n = 0;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return false;
	if (text[0] == 'x' || (text[0] && text[strlen(text) - 1] == 'x') || strstr(text, "xx"))
		return false;
	for (char *part = strtok_r(copy, "x", &save); part; part = strtok_r(NULL, "x", &save)) {
		if (n == p->kernel->n_dims || !isdigit((unsigned char)part[0]))
			return false;
		if (bytes_parse(part, &p->dim[n++], NULL) != OK)
			return false;
	}
	*ret_n = n;
	return n > 0;
}

int size_parse(struct params *p, const char *text, struct error *err)
{
	const struct kernel *k = p->kernel;
	double bytes = level_bytes(p, text);
	int n, r = bytes > 0 ? take_level(p, text, bytes, err) : OK;

	if (r != OK)
		return r;
	if (bytes > 0 || parse_class(p, text))
		return check_range(p, err);
	if (!parse_numbers(p, text, &n))
		return refuse(p, text, err);
	if (n < k->n_dims && !k->dims_repeat && !k->dims_fixed)
		return refuse(p, text, err); /* half of a grid is no grid */
	for (; n < k->n_dims; n++)
		p->dim[n] = k->dims_repeat ? p->dim[n - 1] : k->sizes[1].dim[n];
	return check_range(p, err);
}

const char *size_format(const struct params *p, char out[SIZE_TEXT])
{
	int at = 0;

	for (int i = 0; i < p->kernel->n_dims; i++) {
		int64_t v = p->dim[i];
		const char *unit = "";

		if (v >= GiB && v % GiB == 0)
			v /= GiB, unit = "Gi";
		else if (v >= MiB && v % MiB == 0)
			v /= MiB, unit = "Mi";
		else if (v >= 64 * KiB && v % KiB == 0)
			v /= KiB, unit = "Ki";
		at += snprintf(out + at, (size_t)(SIZE_TEXT - at), "%s%" PRId64 "%s",
			i ? "x" : "", v, unit);
	}
	return out;
}
