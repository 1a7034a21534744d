/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/record.h"

#include <math.h>
#include <string.h>
#include "worker/utf8.h"

enum { ENVIRONMENT_BRIEF = 16, ADAPTER_OUTPUT = 1024 * 1024, FLOOR_SLACK_KIB = 256 };

/* What the host cannot tell is left out, never 0. */
static void set_known(json_t *o, const char *key, int64_t v)
{
	if (v >= 0)
		json_set_int(o, key, v);
}

static json_t *values(const double *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_real(v[i]));
	return list;
}

static json_t *one_value(double v)
{
	return values(&v, 1);
}

static json_t *series_json(const struct result_series *s)
{
	json_t *o = json_object();

	json_set_str(o, "benchmark", s->benchmark);
	json_set_str(o, "measure", s->measure);
	json_set_opt(o, "unit", result_unit(s));
	json_set_opt(o, "better", s->better);
	if (s->iterations)
		json_set_int(o, "iterations", s->iterations);
	if (s->parameters)
		json_object_set(o, "parameters", s->parameters);
	json_object_set_new(o, "samples", values(s->samples.v, s->samples.n));
	json_object_set_new(o, "warmup", values(s->warmup.v, s->warmup.n));
	return o;
}

static void add_outside(
	json_t *list, const char *benchmark, const char *measure, const char *unit, double v)
{
	json_t *o = json_object();

	json_set_str(o, "benchmark", benchmark);
	json_set_str(o, "measure", measure);
	json_set_str(o, "unit", unit);
	json_set_str(o, "better", "lower");
	json_object_set_new(o, "samples", one_value(v));
	json_object_set_new(o, "warmup", json_array());
	json_array_append_new(list, o);
}

/* ru_maxrss survives exec, so what the launcher had in memory at the fork is the least it can
 * say. Between our look at it and the exec it still grows a little. */
bool memory_is_hidden(const struct account *a)
{
	int64_t floor = a->maxrss_floor_kib;

	return a->maxrss_kib <= floor + MAX(floor / 8, (int64_t)FLOOR_SLACK_KIB);
}

/* A command that reported nothing is timed from outside. */
static void add_outside_timing(
	json_t *list, const struct turn *t, const struct record *r, int64_t uj)
{
	const struct account *a = &r->process.account;
	const struct counters *c = &r->counters;
	const char *name = t->cell->benchmark;

	add_outside(list, name, "latency", "ns", (double)a->wall_ns);
	add_outside(list, name, "cpu-time", "ns", (double)(a->user_us + a->sys_us) * 1e3);
	if (!memory_is_hidden(a))
		add_outside(list, name, "memory-peak", "B", (double)a->maxrss_kib * 1024);
	/* The counter moves about once a millisecond: of less there is nothing to tell. */
	if (uj > 0)
		add_outside(list, name, "package-energy", "J", (double)uj * 1e-6);
	for (int i = 0; i < N_COUNTERS; i++)
		if (c->has[i])
			add_outside(
				list, name, counter_measures[i], "events", (double)c->value[i]);
}

/* Of the whole processor, while the process ran; -1 unknown. */
static int64_t energy_uj(const struct host *h, const struct record *r)
{
	return energy_spent_uj(&h->energy, r->before->energy_uj, r->after->energy_uj,
		r->after->taken_ns - r->before->taken_ns);
}

static json_t *results_json(const struct host *h, const struct turn *t, const struct record *r)
{
	json_t *list = json_array();

	/* Times of a wrong computation are no times. */
	if (r->result.verify_failed || r->error)
		return list;
	if (r->is_counting) {
		add_outside(list, t->cell->benchmark, "instructions", "instructions",
			(double)r->counted);
		return list;
	}
	for (size_t i = 0; i < r->result.n_series; i++)
		json_array_append_new(list, series_json(&r->result.series[i]));
	if (!r->result.n_series && !t->cell->adapter)
		add_outside_timing(list, t, r, energy_uj(h, r));
	return list;
}

static void add_account(json_t *o, const struct account *a)
{
	json_set_int(o, "started_ns", a->started_unix_ns);
	json_set_int(o, "wall_ns", a->wall_ns);
	json_set_int(o, "start_delay_ns", a->start_delay_ns);
	json_set_int(o, "user_us", a->user_us);
	json_set_int(o, "sys_us", a->sys_us);
	json_set_int(o, "maxrss_kib", a->maxrss_kib);
	json_set_int(o, "maxrss_floor_kib", a->maxrss_floor_kib);
	json_set_str(o, "mem_source", "wait4");
	json_set_int(o, "minflt", a->minflt);
	json_set_int(o, "majflt", a->majflt);
	json_set_int(o, "nvcsw", a->nvcsw);
	json_set_int(o, "nivcsw", a->nivcsw);
	json_set_int(o, "read_bytes", a->read_bytes);
	json_set_int(o, "write_bytes", a->write_bytes);
	set_known(o, "runq_wait_ns", a->runq_wait_ns);
	set_known(o, "migrations", a->migrations);
}

static void set_delta(json_t *o, const char *key, int64_t before, int64_t after)
{
	if (before >= 0 && after >= 0)
		json_set_int(o, key, after - before);
}

static void add_host_signals(json_t *o, const struct record *r, int64_t energy_uj)
{
	const struct noise_snapshot *b = r->before, *a = r->after;

	set_known(o, "energy_uj", energy_uj);
	set_delta(o, "psi_cpu_us", b->psi_cpu_us, a->psi_cpu_us);
	set_delta(o, "psi_io_us", b->psi_io_us, a->psi_io_us);
	set_delta(o, "psi_mem_us", b->psi_mem_us, a->psi_mem_us);
	set_delta(o, "steal_ticks", b->steal_ticks, a->steal_ticks);
	set_delta(o, "throttled", b->throttled, a->throttled);
	set_delta(o, "swapped", b->swapped, a->swapped);
	set_known(o, "freq_khz", a->freq_khz > 0 ? a->freq_khz : -1);
	if (a->temp_mc > 0)
		json_set_int(o, "temp_mc", a->temp_mc);
	if (b->temp_mc > 0)
		json_set_int(o, "temp_before_mc", b->temp_mc);
}

static json_t *signals_json(const struct noise *n)
{
	json_t *list = json_array();

	for (int i = 0; i < N_NOISE_SIGNALS; i++)
		if (n->signals & (1U << i))
			json_array_append_new(list, json_string(noise_signal_names[i]));
	return list;
}

static void add_end(json_t *o, const struct supervised *s)
{
	json_set_str(o, "termination", termination_names[s->termination]);
	if (s->exit >= 0)
		json_set_int(o, "exit", s->exit);
	if (s->signal)
		json_set_int(o, "signal", s->signal);
	json_set_int(o, "strays", s->strays);
	if (s->termination == T_FAILED_START) {
		json_set_str(o, "failed_step", launch_step_names[s->failed_step]);
		json_set_int(o, "failed_errno", s->failed_errno);
	}
}

static json_t *metadata_json(const struct record *r)
{
	return r->result.metadata ? json_incref(r->result.metadata) : json_object();
}

/* stdout for the daemon's adapter, at most 1 MiB. */
static void add_output(json_t *o, const struct supervised *s)
{
	struct buf raw = { 0 }, text = { 0 };

	capture_text(&s->out, &raw);
	utf8_clean(buf_str(&raw), MIN(raw.len, (size_t)ADAPTER_OUTPUT), &text);
	json_object_set_new(o, "output", json_stringn_nocheck(buf_str(&text), text.len));
	json_set_bool(o, "output_cut", s->out.total > ADAPTER_OUTPUT);
	buf_done(&raw);
	buf_done(&text);
}

static void add_turn(
	json_t *o, const struct job *j, const struct turn *t, const struct record *r)
{
	json_set_int(o, "seq", r->seq);
	json_set_str(o, "cell", t->cell->id);
	json_set_str(o, "arm", t->arm_name);
	json_set_int(o, "index", t->index);
	json_set_int(o, "block", t->block);
	json_set_int(o, "order", t->order);
	json_set_int(o, "padding", r->padding);
	json_set_int(o, "iterations", MAX(t->iterations, (int64_t)1));
	json_set_int(o, "pid", r->process.pid);
	json_object_set_new(
		o, "environment", json_stringn(j->environment_id, ENVIRONMENT_BRIEF));
	if (*j->kernel.id && program_is_kernel(t->cell->argv[t->arm]))
		json_object_set_new(
			o, "program", json_stringn(j->kernel.id, ENVIRONMENT_BRIEF));
	if (j->spec->cache != CACHE_ANY)
		json_set_str(o, "cache", spec_cache_names[j->spec->cache]);
}

json_t *record_message(const struct job *j, const struct turn *t, const struct record *r,
	const struct noise *n)
{
	json_t *m = channel_message(&j->ch, "process"), *o = json_object();

	add_turn(o, j, t, r);
	add_account(o, &r->process.account);
	if (r->is_counting)
		json_set_str(o, "tool", "cachegrind");
	else if (r->process.termination != T_FAILED_START)
		add_host_signals(o, r, energy_uj(j->host, r));
	json_object_set_new(o, "counters", counters_json(&r->counters, &r->process.account));
	add_end(o, &r->process);
	json_set_bool(o, "steady", r->result.steady);
	json_set_str(o, "noise", noise_class_names[n->class]);
	json_object_set_new(o, "signals", signals_json(n));
	json_set_bool(o, "replaced", n->is_replaced);
	json_object_set_new(o, "results", results_json(j->host, t, r));
	json_object_set_new(
		o, "verify", r->result.verify ? json_incref(r->result.verify) : json_null());
	json_object_set_new(o, "metadata", metadata_json(r));
	json_set_str(o, "error", r->error);
	if (t->cell->adapter && !r->is_counting)
		add_output(o, &r->process);
	json_object_set_new(m, "process", o);
	return m;
}
