/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store in a folder of its own for each test, and short ways to fill it. Every write happens
 * inside one open transaction of the writer unless a test says otherwise. */
#ifndef TESTS_LIB_STORE_H
#define TESTS_LIB_STORE_H

#include "tests/lib/unit.h"

#include <math.h>
#include <string.h>
#include "base/fs.h"
#include "daemon/store/internal.h"

enum { T0 = 1000 /* a time, ns */ };
static const char H1[] = "1111111111111111111111111111111111111111";
static const char H2[] = "2222222222222222222222222222222222222222";
static const char H3[] = "3333333333333333333333333333333333333333";

static char folder[64], db_path[80];
static struct store *db;
static struct arena *mem;
static struct error err;

static inline void make_folder(void)
{
	strcpy(folder, "/tmp/benchd-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(db_path, sizeof(db_path), "%s/b.db", folder);
	mem = arena_new();
	err = (struct error){ 0 };
}

static inline void remove_folder(void)
{
	struct error e;

	arena_free(mem);
	ck_assert_int_eq(dir_remove(folder, &e), OK);
}

#define ok(call) ck_assert_msg((call) == OK, "%s", err.text)
#define refused(call, code, part)                                                              \
	do {                                                                                   \
		ck_assert_int_eq((call), (code));                                              \
		ck_assert_msg(strstr(err.text, (part)) != NULL, "%s", err.text);               \
	} while (0)

static inline void start(void)
{
	make_folder();
	ok(store_open(db_path, &db, &err));
	ok(store_begin(db, &err));
}

static inline void finish(void)
{
	ok(store_commit(db, &err));
	ok(store_check(db, &err));
	store_close(db);
	remove_folder();
}

static inline struct project a_project(const char *slug)
{
	struct project p;

	ok(store_project_ensure(db, mem, slug, T0, &p, &err));
	return p;
}

/* A report with one value of each benchmark; measure latency, testbed "host". */
struct simple_report {
	int64_t id, version_number, series_id, metric_id;
	const char *uuid;
};
static inline struct simple_report add_report_in(int64_t environment_id, int64_t project_id,
	const char *branch, const char *hash, const char *benchmark, double value)
{
	struct branch b;
	struct testbed t;
	struct benchmark k;
	struct measure u;
	struct version v;
	struct new_metric m = { .value = value, .lower = NAN, .upper = NAN, .n_processes = 1 };
	struct new_report r = { .metrics = &m,
		.n_metrics = 1,
		.project_id = project_id,
		.environment_id = environment_id,
		.start_ns = T0,
		.end_ns = T0 + 5,
		.created_ns = T0 + 6 };
	struct simple_report out;
	int64_t *series, *metrics;

	ok(store_branch_ensure(db, mem, project_id, branch, NULL, T0, &b, &err));
	ok(store_testbed_ensure(db, mem, project_id, "host", T0, &t, &err));
	ok(store_benchmark_ensure(db, mem, project_id, benchmark, T0, &k, &err));
	ok(store_measure_ensure(db, mem, project_id, "latency", NULL, NULL, T0, &u, &err));
	ok(store_version_ensure(db, mem, b.head_id, hash, &v, &err));
	m.benchmark_id = k.id;
	m.measure_id = u.id;
	r.head_id = b.head_id;
	r.version_id = v.id;
	r.version_number = v.number;
	r.testbed_id = t.id;
	ok(store_report_add(db, mem, &r, &out.id, &out.uuid, &series, &metrics, &err));
	out.version_number = v.number;
	out.series_id = series[0];
	out.metric_id = metrics[0];
	return out;
}

static inline struct simple_report add_report(int64_t project_id, const char *branch,
	const char *hash, const char *benchmark, double value)
{
	return add_report_in(0, project_id, branch, hash, benchmark, value);
}

static inline struct job add_job(int64_t project_id, const char *name, enum priority priority)
{
	struct job j = { .project_id = project_id,
		.name = name,
		.kind = "command",
		.slot = "exclusive",
		.state = JOB_QUEUED,
		.priority = priority,
		.max_attempts = 3,
		.created_ns = T0,
		.queued_ns = T0,
		.definition_json = "{\"kind\":\"command\"}",
		.seed = UINT64_MAX };

	ok(store_job_add(db, mem, &j, &err));
	return j;
}

#endif
