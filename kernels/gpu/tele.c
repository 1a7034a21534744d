/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/gpu/tele.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/json.h"

enum { VENDOR_NVIDIA = 0x10de, MAX_READINGS = 4096, PERIOD_MS = 100 };

struct gpu_tele {
	const struct gpu_source *source;
	void *handle;
	struct gpu_limits limits;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool has_thread, ends;
	struct gpu_reading *readings; /* MAX_READINGS; every second one is dropped when full */
	size_t n;
	int64_t period_ns, from_ns, to_ns; /* from, to: the samples; 0 = not yet */
};

void gpu_reading_clear(struct gpu_reading *r)
{
	*r = (struct gpu_reading){
		.sm_mhz = NAN,
		.memory_mhz = NAN,
		.temperature_c = NAN,
		.power_w = NAN,
		.energy_j = NAN,
		.utilization = NAN,
		.memory_used_bytes = NAN,
		.ecc_errors = NAN,
		.n_others = NAN,
	};
}

void gpu_limits_clear(struct gpu_limits *l)
{
	*l = (struct gpu_limits){
		.max_sm_mhz = NAN,
		.power_limit_w = NAN,
		.temperature_limit_c = NAN,
		.link_generation = NAN,
		.link_width = NAN,
	};
}

const struct gpu_source *gpu_source_open(
	const struct gpu_info *info, const char *sysfs, void **ret_handle)
{
	if (info->is_software)
		return NULL;
	if (info->vendor_id == VENDOR_NVIDIA && (*ret_handle = nvml_open(info)))
		return &nvml_source;
	if ((*ret_handle = sysfs_open(info, sysfs)))
		return &sysfs_source;
	return NULL;
}

/* --- the thread --------------------------------------------------------------------------- */

/* A long run keeps fewer readings, never none of its end. */
static void thin_out(struct gpu_tele *t)
{
	for (size_t i = 0; i < t->n / 2; i++)
		t->readings[i] = t->readings[2 * i];
	t->n /= 2;
	t->period_ns *= 2;
}

static void wait_period(struct gpu_tele *t)
{
	struct timespec until;
	int64_t at = clock_monotonic_ns() + t->period_ns;

	until.tv_sec = at / NS_PER_S;
	until.tv_nsec = at % NS_PER_S;
	pthread_cond_timedwait(&t->wake, &t->lock, &until);
}

static void *read_until_end(void *arg)
{
	struct gpu_tele *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->ends) {
		struct gpu_reading r;

		pthread_mutex_unlock(&t->lock);
		gpu_reading_clear(&r);
		r.at_ns = clock_monotonic_ns();
		t->source->read(t->handle, &r);
		pthread_mutex_lock(&t->lock);
		if (t->n == MAX_READINGS)
			thin_out(t);
		t->readings[t->n++] = r;
		if (!t->ends)
			wait_period(t);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct gpu_tele *gpu_tele_start(const struct gpu_info *info)
{
	void *handle = NULL;
	const struct gpu_source *source = gpu_source_open(info, "/sys", &handle);
	struct gpu_tele *t;
	pthread_condattr_t attr;

	if (!source)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->source = source;
	t->handle = handle;
	t->period_ns = PERIOD_MS * NS_PER_MS;
	t->readings = xcalloc(MAX_READINGS, sizeof(*t->readings));
	source->limits(handle, &t->limits);
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	t->has_thread = pthread_create(&t->thread, NULL, read_until_end, t) == 0;
	return t;
}

void gpu_tele_mark(struct gpu_tele *t, bool begins)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	*(begins ? &t->from_ns : &t->to_ns) = clock_monotonic_ns();
	pthread_mutex_unlock(&t->lock);
}

void gpu_tele_stop(struct gpu_tele *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->ends = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	if (t->has_thread)
		pthread_join(t->thread, NULL);
	t->source->close(t->handle);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t->readings);
	free(t);
}

/* --- judgement ---------------------------------------------------------------------------- */

static double highest_clock(const struct gpu_reading *r, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, r[i].sm_mhz);
	return most;
}

static unsigned judge_one(
	const struct gpu_reading *r, double highest_mhz, const struct gpu_limits *limits)
{
	unsigned flags = 0;

	if (r->sm_mhz < 0.95 * highest_mhz)
		flags |= GPU_FLAG_CLOCK_LOW;
	if (r->sm_mhz < 0.75 * highest_mhz ||
		r->slowdown & (GPU_SLOW_THERMAL | GPU_SLOW_HARDWARE))
		flags |= GPU_FLAG_THROTTLED;
	if (r->slowdown & GPU_SLOW_POWER_CAP)
		flags |= GPU_FLAG_POWER_CAPPED;
	if (r->n_others > 0)
		flags |= GPU_FLAG_SHARED;
	if (r->temperature_c >= limits->temperature_limit_c - 5)
		flags |= GPU_FLAG_HOT;
	return flags;
}

unsigned gpu_flags_judge(const struct gpu_reading *r, size_t n, const struct gpu_limits *limits)
{
	double highest = highest_clock(r, n);
	unsigned flags = 0;

	for (size_t i = 0; i < n; i++)
		flags |= judge_one(&r[i], highest, limits);
	if (n > 1 && r[n - 1].ecc_errors > r[0].ecc_errors)
		flags |= GPU_FLAG_ECC;
	return flags;
}

json_t *gpu_flags_json(unsigned flags)
{
	static const char *const names[] = { "clock_low", "throttled", "power_capped", "shared",
		"hot_gpu", "ecc_errors" };
	json_t *a = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags >> i & 1)
			json_array_append_new(a, json_string(names[i]));
	return a;
}

/* --- JSON --------------------------------------------------------------------------------- */

static void set_known(json_t *o, const char *key, double v)
{
	if (!isnan(v))
		json_set_real(o, key, v);
}

static json_t *reading_json(const struct gpu_reading *r, int64_t from_ns)
{
	json_t *o = json_object();

	json_set_real(o, "at_s", (double)(r->at_ns - from_ns) / NS_PER_S);
	set_known(o, "sm_mhz", r->sm_mhz);
	set_known(o, "memory_mhz", r->memory_mhz);
	set_known(o, "temperature_c", r->temperature_c);
	set_known(o, "power_w", r->power_w);
	set_known(o, "energy_j", r->energy_j);
	set_known(o, "utilization", r->utilization);
	set_known(o, "memory_used_bytes", r->memory_used_bytes);
	set_known(o, "others", r->n_others);
	json_set_int(o, "slowdown", (int64_t)r->slowdown);
	return o;
}

static json_t *limits_json(const struct gpu_limits *l)
{
	json_t *o = json_object();

	set_known(o, "max_sm_mhz", l->max_sm_mhz);
	set_known(o, "power_limit_w", l->power_limit_w);
	set_known(o, "temperature_limit_c", l->temperature_limit_c);
	set_known(o, "pcie_generation", l->link_generation);
	set_known(o, "pcie_width", l->link_width);
	json_set_opt(o, "driver", l->driver[0] ? l->driver : NULL);
	return o;
}

/* The readings while samples were taken; all of them when that was never said. */
static size_t select_readings(const struct gpu_tele *t, const struct gpu_reading **ret)
{
	size_t lo = 0, hi = t->n;

	while (t->from_ns && lo < hi && t->readings[lo].at_ns < t->from_ns)
		lo++;
	while (t->to_ns && hi > lo && t->readings[hi - 1].at_ns > t->to_ns)
		hi--;
	*ret = t->readings + lo;
	return hi - lo;
}

json_t *gpu_tele_format(struct gpu_tele *t)
{
	enum { SHOWN_MAX = 256 }; /* a line of the protocol is limited */
	const struct gpu_reading *r;
	json_t *o, *points;
	size_t n, step;

	if (!t)
		return NULL;
	o = json_object();
	points = json_array();
	pthread_mutex_lock(&t->lock);
	n = select_readings(t, &r);
	step = n / SHOWN_MAX + 1;
	for (size_t i = 0; i < n; i += step)
		json_array_append_new(points, reading_json(&r[i], t->from_ns));
	json_object_set_new(o, "flags", gpu_flags_json(gpu_flags_judge(r, n, &t->limits)));
	pthread_mutex_unlock(&t->lock);
	json_set_str(o, "source", t->source->name);
	json_object_set_new(o, "limits", limits_json(&t->limits));
	json_object_set_new(o, "readings", points);
	return o;
}
