/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/ceilings.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/rng.h"
#include "kernels/code.h"
#include "kernels/host.h"
#include "kernels/measure.h"
#include "kernels/size.h"

const char *const ceilings_levels[CEILINGS_LEVELS] = { "l1", "l2", "l3", "dram" };
const char *const ceilings_streams[CEILINGS_STREAMS] = { "stream.copy", "stream.triad",
	"stream.dot" };

/* Caches of a GPU are not told: sizes that fit one, and one that fits none. */
static const char *const device_sizes[CEILINGS_LEVELS] = { NULL, "1Mi", NULL, "64Mi" };

enum { FILE_MAX = 65536, SAMPLES = 5 };

/* --- identity ----------------------------------------------------------------------------- */

static uint64_t add_text(uint64_t hash, const char *s)
{
	for (; *s; s++)
		hash = rng_mix(hash ^ (unsigned char)*s);
	return rng_mix(hash + 1);
}

static uint64_t add_number(uint64_t hash, int64_t v)
{
	return rng_mix(hash ^ (uint64_t)v);
}

void ceilings_identity(int threads, char out[17])
{
	const struct host *h = host_get();
	struct utsname u = { 0 };
	uint64_t hash = add_text(1, h->cpu);

	if (uname(&u) == 0)
		hash = add_text(add_text(hash, u.machine), u.release);
	hash = add_number(hash, h->n_cpus);
	hash = add_number(hash, h->l1d_bytes);
	hash = add_number(hash, h->l2_bytes);
	hash = add_number(hash, h->llc_bytes);
	hash = add_number(hash, isa_best());
	hash = add_number(hash, threads);
	snprintf(out, 17, "%016" PRIx64, hash);
}

/* A device's: what the driver says about itself. */
static void device_identity(const json_t *facts, char out[17])
{
	uint64_t hash = add_text(2, json_get_str(facts, "uuid", ""));

	hash = add_text(hash, json_get_str(facts, "driver", ""));
	hash = add_text(hash, json_get_str(facts, "driver_info", ""));
	snprintf(out, 17, "%016" PRIx64, hash);
}

/* --- measure ------------------------------------------------------------------------------ */

static double least(const struct measurement *m)
{
	double ns = INFINITY;

	for (int i = 0; i < m->n_samples; i++)
		ns = fmin(ns, m->samples_ns[i]);
	return ns;
}

static int measure_one(const struct params *like, const char *id, enum dtype d,
	const char *size, struct measurement *m, struct error *err)
{
	const struct measure_options o = { .n_samples = SAMPLES,
		.min_warmup = 2,
		.target_ns = 2000000,
		.skip_ceilings = true };
	struct params p;
	int r;

	params_init(&p, kernel_find(id));
	p.backend = like->backend;
	p.threads = like->threads;
	p.isa = like->isa;
	p.device = like->device;
	p.dtype = d;
	r = size ? size_parse(&p, size, err) : OK;
	if (r == OK)
		r = measure_run(&p, &o, m, err);
	if (r == OK && !m->proof.ok)
		return error_set(err, E_CONFLICT, "%s: the output is wrong", id);
	return r;
}

static int measure_level(
	const struct params *p, struct ceilings *c, int level, struct error *err)
{
	bool is_device = p->backend == BACKEND_VULKAN;
	const char *size = is_device ? device_sizes[level] : ceilings_levels[level];
	struct ceilings_level *l = &c->level[level];

	for (int i = 0; size && i < CEILINGS_STREAMS; i++) {
		_cleanup_(measurement_done)
		struct measurement m = { 0 };
		int r = measure_one(p, ceilings_streams[i], DT_F64, size, &m, err);

		if (r != OK)
			return r;
		l->bytes_per_s[i] = m.counts.bytes / least(&m) * 1e9;
		l->footprint_bytes = fmax(l->footprint_bytes, m.counts.footprint_bytes);
		if (is_device)
			device_identity(m.facts, c->identity);
	}
	return OK;
}

int ceilings_measure(
	const struct params *p, unsigned levels, struct ceilings *ret, struct error *err)
{
	int r = OK;

	*ret = (struct ceilings){ .threads = p->threads };
	ceilings_identity(p->threads, ret->identity);
	for (int level = 0; r == OK && level < CEILINGS_LEVELS; level++)
		if (levels >> level & 1)
			r = measure_level(p, ret, level, err);
	for (int i = 0; r == OK && i < 2; i++) {
		_cleanup_(measurement_done)
		struct measurement m = { 0 };
		const char *size = p->backend == BACKEND_VULKAN ? NULL : "small";

		r = measure_one(p, "fma_peak", i ? DT_F64 : DT_F32, size, &m, err);
		if (r == E_NOT_IMPLEMENTED)
			r = OK; /* a device without f64 */
		else if (r == OK)
			ret->flops_per_s[i] = m.counts.flops / least(&m) * 1e9;
	}
	return r;
}

double ceilings_best(const struct ceilings_level *l)
{
	double best = 0;

	for (int i = 0; i < CEILINGS_STREAMS; i++)
		best = fmax(best, l->bytes_per_s[i]);
	return best;
}

/* --- remember ----------------------------------------------------------------------------- */

static char *cache_folder(void)
{
	const char *dir = getenv("BENCHD_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (dir && dir[0])
		return xstrdup(dir);
	if (xdg && xdg[0] == '/')
		return xasprintf("%s/benchd", xdg);
	return home && home[0] == '/' ? xasprintf("%s/.cache/benchd", home) : NULL;
}

json_t *ceilings_json(const struct ceilings *c)
{
	json_t *o = json_object(), *levels = json_array(), *flops = json_object();

	json_set_str(o, "identity", c->identity);
	json_set_int(o, "threads", c->threads);
	for (int i = 0; i < CEILINGS_LEVELS; i++) {
		json_t *l = json_object();

		json_set_str(l, "level", ceilings_levels[i]);
		json_set_real(l, "footprint_bytes", c->level[i].footprint_bytes);
		for (int k = 0; k < CEILINGS_STREAMS; k++)
			json_set_real(l, ceilings_streams[k], c->level[i].bytes_per_s[k]);
		json_array_append_new(levels, l);
	}
	json_object_set_new(o, "bytes_per_s", levels);
	json_set_real(flops, "f32", c->flops_per_s[0]);
	json_set_real(flops, "f64", c->flops_per_s[1]);
	json_object_set_new(o, "flops_per_s", flops);
	return o;
}

/* A member that must be a number from 0 on; what is not counts as 0. */
static double number(const json_t *o, const char *key)
{
	double v = json_number_value(json_object_get(o, key));

	return isfinite(v) && v > 0 ? v : 0;
}

static bool load(const char *identity, struct ceilings *ret)
{
	_cleanup_(free)
	char *dir = cache_folder();
	_cleanup_(free)
	char *path = dir ? xasprintf("%s/ceilings-%s.json", dir, identity) : NULL;
	_cleanup_(buf_done)
	struct buf b = { 0 };
	_cleanup_(json_decref)
	json_t *o = NULL;
	const json_t *levels, *flops;

	memset(ret, 0, sizeof(*ret));
	if (!path || file_read(path, FILE_MAX, &b, NULL) < 0 ||
		json_parse(buf_str(&b), b.len, &o, NULL) < 0 ||
		strcmp(json_get_str(o, "identity", ""), identity) != 0)
		return false;
	levels = json_object_get(o, "bytes_per_s");
	flops = json_object_get(o, "flops_per_s");
	for (size_t i = 0; i < CEILINGS_LEVELS; i++) {
		const json_t *l = json_array_get(levels, i);

		ret->level[i].footprint_bytes = number(l, "footprint_bytes");
		for (int k = 0; k < CEILINGS_STREAMS; k++)
			ret->level[i].bytes_per_s[k] = number(l, ceilings_streams[k]);
	}
	ret->flops_per_s[0] = number(flops, "f32");
	ret->flops_per_s[1] = number(flops, "f64");
	return true;
}

int ceilings_save(const struct ceilings *c, struct error *err)
{
	_cleanup_(free)
	char *dir = cache_folder();
	_cleanup_(free)
	char *path = dir ? xasprintf("%s/ceilings-%s.json", dir, c->identity) : NULL;
	struct ceilings best = *c, old;
	int r;

	if (!dir)
		return OK;
	if (load(c->identity, &old))
		for (int i = 0; i < CEILINGS_LEVELS; i++) {
			if (best.level[i].footprint_bytes == 0)
				best.level[i].footprint_bytes = old.level[i].footprint_bytes;
			for (int k = 0; k < CEILINGS_STREAMS; k++)
				best.level[i].bytes_per_s[k] =
					fmax(best.level[i].bytes_per_s[k],
						old.level[i].bytes_per_s[k]);
			best.flops_per_s[i % 2] =
				fmax(best.flops_per_s[i % 2], old.flops_per_s[i % 2]);
		}
	r = dir_make(dir, 0700, err);
	if (r == OK) {
		_cleanup_(json_decref)
		json_t *o = ceilings_json(&best);
		_cleanup_(free)
		char *text = json_text(o);

		r = file_write(path, text, strlen(text), 0600, err);
	}
	return r;
}

static bool raise_to(double *v, double by)
{
	bool is_higher = by > *v && *v > 0;

	*v = is_higher ? by : *v;
	return is_higher;
}

bool ceilings_recall(const struct params *p, double footprint_bytes, double *bytes_per_s,
	double *flops_per_s)
{
	struct ceilings c;
	char identity[17];
	bool is_raised = false;

	ceilings_identity(p->threads, identity);
	if (!load(identity, &c))
		return false;
	for (int i = 0; i < CEILINGS_LEVELS; i++) {
		double size = c.level[i].footprint_bytes;

		if (footprint_bytes > size / 2 && footprint_bytes < size * 2)
			is_raised |= raise_to(bytes_per_s, ceilings_best(&c.level[i]));
	}
	if (p->dtype == DT_F32 || p->dtype == DT_F64)
		is_raised |= raise_to(flops_per_s, c.flops_per_s[p->dtype == DT_F64]);
	return is_raised;
}
