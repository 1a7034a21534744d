/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/http/metrics.h"

static const double bounds_s[LATENCY_BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
	0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30 };

void metrics_init(struct metrics *m, const struct route *routes)
{
	m->table = routes;
	while (routes[m->n_routes].method)
		m->n_routes++;
	m->routes = xcalloc(m->n_routes + 1, sizeof(*m->routes));
}

void metrics_done(struct metrics *m)
{
	free(TAKE(m->routes));
}

static int find_bucket(double s)
{
	int i = 0;

	while (i < LATENCY_BUCKETS && s > bounds_s[i])
		i++;
	return i;
}

/* One thread writes, so the sum needs no locked instruction. */
static void add(_Atomic int64_t *counter, int64_t n)
{
	int64_t v = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, v + n, memory_order_relaxed);
}

void metrics_record(struct metrics *m, const struct request *rq)
{
	int64_t ns = clock_mono(rq->config->clock) - rq->started_ns;
	size_t row = rq->route ? (size_t)(rq->route - m->table) : m->n_routes;
	struct route_metrics *r = &m->routes[row];
	int class = rq->sent_status / 100;

	add(&m->requests, 1);
	if (class >= 5)
		add(&m->errors, 1);
	add(&r->by_status[MIN(class, STATUS_CLASSES - 1)], 1);
	if (!rq->stream) {
		add(&r->latency[find_bucket((double)ns / NS_PER_S)], 1);
		add(&r->sum_ns, ns);
	}
}

static const char *path_of(const struct metrics *m, size_t i)
{
	return i < m->n_routes ? m->table[i].path : "(none)";
}

static const char *method_of(const struct metrics *m, size_t i)
{
	return i < m->n_routes ? m->table[i].method : "";
}

static int64_t sum(const _Atomic int64_t *v, int n)
{
	int64_t s = 0;

	for (int i = 0; i < n; i++)
		s += v[i];
	return s;
}

static void format_counts(const struct metrics *m, struct buf *out)
{
	buf_add_str(out, "# HELP benchd_http_requests Requests by route and class of status.\n"
			 "# TYPE benchd_http_requests counter\n");
	for (size_t i = 0; i <= m->n_routes; i++)
		for (int k = 0; k < STATUS_CLASSES; k++)
			if (m->routes[i].by_status[k])
				buf_printf(out,
					"benchd_http_requests_total{method=\"%s\",route=\"%s\","
					"status=\"%dxx\"} %lld\n",
					method_of(m, i), path_of(m, i), k,
					(long long)m->routes[i].by_status[k]);
}

static void format_latency(const struct metrics *m, size_t i, struct buf *out)
{
	const struct route_metrics *r = &m->routes[i];
	long long so_far = 0;

	for (int k = 0; k <= LATENCY_BUCKETS; k++) {
		char le[32];

		so_far += r->latency[k];
		snprintf(le, sizeof(le), "%g", k < LATENCY_BUCKETS ? bounds_s[k] : 0);
		buf_printf(out,
			"benchd_http_request_seconds_bucket{method=\"%s\",route=\"%s\","
			"le=\"%s\"} %lld\n",
			method_of(m, i), path_of(m, i), k < LATENCY_BUCKETS ? le : "+Inf",
			so_far);
	}
	buf_printf(out, "benchd_http_request_seconds_count{method=\"%s\",route=\"%s\"} %lld\n",
		method_of(m, i), path_of(m, i), so_far);
	buf_printf(out, "benchd_http_request_seconds_sum{method=\"%s\",route=\"%s\"} %.9f\n",
		method_of(m, i), path_of(m, i), (double)r->sum_ns / NS_PER_S);
}

void metrics_format(struct metrics *m, struct buf *out)
{
	format_counts(m, out);
	buf_add_str(out, "# HELP benchd_http_request_seconds From request line to last byte.\n"
			 "# TYPE benchd_http_request_seconds histogram\n"
			 "# UNIT benchd_http_request_seconds seconds\n");
	for (size_t i = 0; i <= m->n_routes; i++)
		if (sum(m->routes[i].latency, LATENCY_BUCKETS + 1))
			format_latency(m, i, out);
}
