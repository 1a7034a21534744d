/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/report.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/json.h"
#include "kernels/code.h"
#include "kernels/size.h"

static json_t *numbers(const double *v, int n)
{
	json_t *a = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_real(v[i]));
	return a;
}

static json_t *pair(const char *key, double value, const char *unit_key, const char *unit)
{
	json_t *o = json_object();

	json_set_real(o, key, value);
	json_set_str(o, unit_key, unit);
	return o;
}

json_t *report_parameters(const struct params *p)
{
	json_t *o = json_object();
	char size[SIZE_TEXT];

	json_set_str(o, "size", size_format(p, size));
	json_set_str(o, "dtype", dtype_name(p->dtype));
	json_set_str(o, "backend", backend_name(p->backend));
	if (p->backend == BACKEND_THREADS)
		json_set_int(o, "threads", p->threads);
	if (p->backend == BACKEND_VULKAN)
		json_set_opt(o, "device", p->device); /* software must be named to be used */
	json_set_opt(o, "variant", p->variant);
	json_set_opt(o, "caches", p->is_cold ? "cold" : NULL);
	for (int i = 0; p->kernel->options && p->kernel->options[i].name; i++) {
		const struct kernel_option *k = &p->kernel->options[i];

		if (p->option[i] == k->otherwise)
			continue; /* an option that is added later must not rename old series */
		if (k->names)
			json_set_str(o, k->name, k->names[p->option[i]]);
		else
			json_set_int(o, k->name, p->option[i]);
	}
	return o;
}

static json_t *accuracy(const struct accuracy *a)
{
	json_t *o = json_object();

	json_set_real(o, "rmse", a->rmse);
	json_set_real(o, "mae", a->mae);
	json_set_real(o, "max_error", a->max_error);
	json_set_real(o, "mean_error", a->mean_error);
	json_set_real(o, "std_error", a->std_error);
	json_set_real(o, "correlation", a->correlation);
	json_set_real(o, "bias", a->bias);
	json_set_real(o, "relative_rmse", a->relative_rmse);
	if (a->order != 0)
		json_set_real(o, "order", a->order);
	json_set_int(o, "n_valid", a->n_valid);
	json_set_int(o, "n_total", a->n_total);
	return o;
}

static json_t *invariants(const struct proof *p)
{
	json_t *a = json_array();

	for (size_t i = 0; i < p->n_invariants; i++) {
		json_t *o = json_object();

		json_set_str(o, "name", p->invariant[i].name);
		json_set_real(o, "value", p->invariant[i].value);
		json_set_real(o, "limit", p->invariant[i].limit);
		json_set_bool(o, "ok", p->invariant[i].ok);
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *roofline(const struct measurement *m)
{
	json_t *o = json_object();

	json_set_real(o, "percent", m->percent);
	json_set_str(o, "bound_by", m->bound_by);
	if (m->is_ceiling_remembered)
		json_set_bool(o, "ceiling_remembered", true);
	if (m->is_ceiling_doubtful)
		json_set_bool(o, "ceiling_doubtful", true);
	json_set_real(o, "ceiling_bytes_per_s", m->ceiling_bytes_per_s);
	json_set_real(o, "ceiling_flops_per_s", m->ceiling_flops_per_s);
	json_set_real(
		o, "intensity", m->counts.bytes > 0 ? m->counts.flops / m->counts.bytes : 0);
	return o;
}

static void set_times(const struct measurement *m, json_t *o)
{
	json_object_set_new(o, "samples_ns", numbers(m->samples_ns, m->n_samples));
	json_set_real(o, "median_ns", m->median_ns);
	if (m->host_ns)
		json_object_set_new(o, "host_samples_ns", numbers(m->host_ns, m->n_samples));
	json_object_set_new(
		o, "throughput", pair("value", m->rate, "unit", m->p.kernel->rate_unit));
	if (m->bound_by)
		json_object_set_new(o, "roofline", roofline(m));
	json_object_set_new(o, "warmup_ns", numbers(m->warmup_ns, m->n_warmup));
	json_set_bool(o, "steady", m->is_steady);
	json_set_int(o, "iterations", m->iterations);
	json_set_bool(o, "calibrated", m->is_calibrated);
}

json_t *report_json(const struct measurement *m)
{
	json_t *o = json_object(), *p = report_parameters(&m->p);
	char digest[20], size[SIZE_TEXT];

	json_set_str(o, "kernel", m->p.kernel->id);
	json_set_str(o, "backend", backend_name(m->p.backend));
	json_set_str(o, "dtype", dtype_name(m->p.dtype));
	json_set_str(o, "size", size_format(&m->p, size));
	json_object_set_new(o, "parameters", p);
	if (m->n_samples > 0)
		set_times(m, o);
	json_set_bool(o, "verified", m->proof.ok);
	json_set_int(o, "n_outputs", m->proof.n_outputs);
	json_object_set_new(o, "invariants", invariants(&m->proof));
	if (m->proof.accuracy.is_known)
		json_object_set_new(o, "accuracy", accuracy(&m->proof.accuracy));
	snprintf(digest, sizeof(digest), "%016" PRIx64, m->proof.digest);
	json_set_str(o, "digest", digest);
	json_set_int(o, "seed", (int64_t)m->p.seed);
	json_set_int(o, "threads", m->p.threads);
	json_set_real(o, "bytes", m->counts.bytes);
	json_set_real(o, "write_allocate_bytes", m->counts.write_allocate_bytes);
	json_set_real(o, "flops", m->counts.flops);
	json_object_set_new(
		o, "work", pair("value", m->counts.work, "unit", m->p.kernel->work_unit));
	if (m->memory_peak_bytes > 0)
		json_set_real(o, "memory_peak_bytes", m->memory_peak_bytes);
	json_set_real(o, "setup_ns", m->setup_ns);
	json_set_real(o, "verify_ns", m->verify_ns);
	if (m->facts)
		json_object_set(o, "device", m->facts);
	return o;
}
