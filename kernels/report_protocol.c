/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernels/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/ndjson.h"
#include "kernels/size.h"

/* The heartbeat thread shares the descriptor and the progress with the main thread. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool has_thread, ends;
	int fd;
	int64_t last_ns; /* when something was sent */
	double progress;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static const int64_t beat_ns = 500 * NS_PER_MS;

/* --- lines -------------------------------------------------------------------------------- */

/* A reader that went away makes us stop writing; the exit status still tells. */
static void send_locked(json_t *j)
{
	struct buf b = { 0 };

	ndjson_format(&b, j);
	json_decref(j);
	if (out.fd >= 0 && write_all(out.fd, b.data, b.len, NULL) != OK)
		out.fd = -1;
	out.last_ns = clock_monotonic_ns();
	buf_done(&b);
}

static void send_line(json_t *j)
{
	pthread_mutex_lock(&out.lock);
	send_locked(j);
	pthread_mutex_unlock(&out.lock);
}

static json_t *wrap(const char *key, json_t *value)
{
	json_t *o = json_object();

	json_object_set_new(o, key, value);
	return o;
}

static void send_progress_locked(void)
{
	send_locked(wrap("progress", json_real(out.progress)));
}

static void *heartbeat(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&out.lock);
	while (!out.ends) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += beat_ns / 2;
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
		pthread_cond_timedwait(&out.wake, &out.lock, &until);
		if (!out.ends && clock_monotonic_ns() - out.last_ns >= beat_ns)
			send_progress_locked();
	}
	pthread_mutex_unlock(&out.lock);
	return NULL;
}

static void start_heartbeat(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&out.wake, &attr);
	pthread_condattr_destroy(&attr);
	out.has_thread = pthread_create(&out.thread, NULL, heartbeat, NULL) == 0;
}

/* --- door --------------------------------------------------------------------------------- */

bool protocol_is_open(void)
{
	return out.fd >= 0;
}

int protocol_open(struct error *err)
{
	const char *text = getenv("BENCHD_RESULT_FD");
	char *end;
	long fd;
	json_t *hello;

	if (!text)
		return OK;
	fd = strtol(text, &end, 10);
	if (end == text || *end || fd < 0 || fd > 1000000 || fcntl((int)fd, F_GETFD) < 0)
		return error_set_field(err, E_BAD_REQUEST, "BENCHD_RESULT_FD",
			"BENCHD_RESULT_FD is '%.40s', which is no open descriptor", text);
	out.fd = (int)fd;
	hello = json_object();
	json_set_int(hello, "protocol", 1);
	json_set_str(hello, "program", "benchd-kernel");
	json_set_str(hello, "version", PACKAGE_VERSION);
	send_line(wrap("hello", hello));
	start_heartbeat();
	return OK;
}

void protocol_progress(double fraction)
{
	if (out.fd < 0)
		return;
	pthread_mutex_lock(&out.lock);
	out.progress = fraction;
	if (clock_monotonic_ns() - out.last_ns >= beat_ns)
		send_progress_locked();
	pthread_mutex_unlock(&out.lock);
}

void protocol_error(const char *text)
{
	if (out.fd >= 0)
		send_line(wrap("error", json_string(text)));
}

void protocol_close(bool ok)
{
	if (out.has_thread) {
		pthread_mutex_lock(&out.lock);
		out.ends = true;
		pthread_cond_signal(&out.wake);
		pthread_mutex_unlock(&out.lock);
		pthread_join(out.thread, NULL);
		out.has_thread = false;
	}
	if (ok && out.fd >= 0)
		send_line(wrap("done", json_true()));
	out.fd = -1;
}

/* --- one measurement ---------------------------------------------------------------------- */

static json_t *line_of(const struct measurement *m, const char *measure, const char *unit)
{
	json_t *o = json_object();

	json_set_str(o, "benchmark", m->p.kernel->id);
	json_set_str(o, "measure", measure);
	json_set_str(o, "unit", unit);
	json_object_set_new(o, "parameters", report_parameters(&m->p));
	return o;
}

static void send_values(const struct measurement *m, const char *measure, const char *unit,
	const char *better, const char *key, const double *v, int n)
{
	json_t *o = line_of(m, measure, unit), *a = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(a, json_real(v[i]));
	json_set_opt(o, "better", better);
	json_set_int(o, "iterations", m->iterations);
	json_object_set_new(o, key, a);
	send_line(o);
}

static void send_verify(const struct measurement *m)
{
	json_t *all = report_json(m), *v = json_object();

	json_set_bool(v, "ok", m->proof.ok);
	json_set_int(v, "n_outputs", m->proof.n_outputs);
	json_object_set(v, "invariants", json_object_get(all, "invariants"));
	json_object_set(v, "digest", json_object_get(all, "digest"));
	send_line(wrap("verify", v));
	json_decref(all);
}

static void send_accuracy(const struct measurement *m)
{
	const struct accuracy *a = &m->proof.accuracy;
	const struct {
		const char *measure, *better;
		double value;
	} rows[] = {
		{ "accuracy.rmse", "lower", a->rmse },
		{ "accuracy.mae", "lower", a->mae },
		{ "accuracy.max_error", "lower", a->max_error },
		{ "accuracy.mean_error", "lower", a->mean_error },
		{ "accuracy.std_error", "lower", a->std_error },
		{ "accuracy.correlation", "higher", a->correlation },
		{ "accuracy.bias", "lower", a->bias },
		{ "accuracy.relative_rmse", "lower", a->relative_rmse },
		{ "accuracy.n_valid", "higher", (double)a->n_valid },
		{ "accuracy.n_total", "higher", (double)a->n_total },
	};

	if (!a->is_known)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		send_values(
			m, rows[i].measure, "1", rows[i].better, "samples", &rows[i].value, 1);
	if (a->order != 0)
		send_values(m, "accuracy.order", "1", "higher", "samples", &a->order, 1);
}

static void send_rates(const struct measurement *m)
{
	double *rate = xcalloc((size_t)m->n_samples, sizeof(*rate));

	for (int i = 0; i < m->n_samples; i++)
		rate[i] = m->rate * m->median_ns / m->samples_ns[i];
	send_values(m, "throughput", m->p.kernel->rate_unit, "higher", "samples", rate,
		m->n_samples);
	free(rate);
}

/* Everything of the JSON object that is not a series of values. */
static void send_metadata(const struct measurement *m)
{
	static const char *const keys[] = { "seed", "threads", "bytes", "write_allocate_bytes",
		"flops", "work", "roofline", "setup_ns", "verify_ns", "device", "iterations",
		"steady" };
	json_t *all = report_json(m), *o = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *v = json_object_get(all, keys[i]);

		if (v)
			json_object_set(o, keys[i], v);
	}
	send_line(wrap("metadata", wrap(m->p.kernel->id, o)));
	json_decref(all);
}

void protocol_report(const struct measurement *m)
{
	if (out.fd < 0)
		return;
	send_verify(m);
	if (m->n_samples == 0)
		return;
	if (m->is_calibrated)
		send_line(wrap("calibrated", wrap("iterations", json_integer(m->iterations))));
	send_values(m, "latency", "ns", NULL, "warmup", m->warmup_ns, m->n_warmup);
	send_values(m, "latency", "ns", NULL, "samples", m->samples_ns, m->n_samples);
	if (m->host_ns)
		send_values(m, "host-latency", "ns", NULL, "samples", m->host_ns, m->n_samples);
	send_line(wrap("steady", json_boolean(m->is_steady)));
	send_rates(m);
	if (m->memory_peak_bytes > 0)
		send_values(
			m, "memory-peak", "B", "lower", "samples", &m->memory_peak_bytes, 1);
	send_accuracy(m);
	send_metadata(m);
}
