/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include "base/ndjson.h"
#include "base/tz.h"
#include "base/yaml.h"
#include "daemon/hooks/hooks.h"
#include "daemon/ingest/adapter.h"
#include "daemon/ingest/ingest.h"
#include "daemon/model/model.h"
#include "daemon/schedule/cron.h"

/* --- texts ------------------------------------------------------------------------------- */

static int read_json(struct arena *a, const char *text, size_t n, struct error *err)
{
	json_t *j = NULL;
	int r = json_parse(text, n, &j, err);

	(void)a;
	json_decref(j);
	return r;
}

static int read_yaml(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct yaml_lines *lines = NULL;
	json_t *j = NULL;
	int r = yaml_parse("input", text, n, &j, &lines, err);

	(void)a;
	if (r == OK)
		(void)yaml_line_of(lines, "/a/b");
	yaml_lines_free(lines);
	json_decref(j);
	return r;
}

/* In two pieces, as a socket would give it. */
static int read_ndjson(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct ndjson in;
	int worst = OK;
	json_t *j;

	(void)a;
	ndjson_init(&in, 4096);
	for (int piece = 0; piece < 2; piece++) {
		int r;

		ndjson_feed(&in, piece ? text + n / 2 : text, piece ? n - n / 2 : n / 2);
		do {
			struct error one;

			j = NULL;
			r = ndjson_next(&in, &j, &one);
			if (r < 0 && worst == OK) {
				worst = r;
				*err = one;
			}
			json_decref(j);
		} while (r < 0 || j);
	}
	ndjson_done(&in);
	return worst;
}

static int read_cron(struct arena *a, const char *text, size_t n, struct error *err)
{
	static struct tz *zone;
	struct error none;
	struct cron c;
	int r = cron_parse(text, &c, err);

	(void)a;
	(void)n;
	if (!zone && tz_load("Europe/Berlin", &zone, &none) < 0 &&
		tz_load("UTC", &zone, err) < 0)
		return E_INTERNAL;
	if (r == OK && cron_next(&c, zone, 1792000000) <= 1792000000)
		abort(); /* what parses also fires */
	return r;
}

/* --- what tools printed ------------------------------------------------------------------ */

static int read_magic(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct tool_output out = { 0 };

	return adapter_read("magic", text, n, AVERAGE_MEDIAN, a, &out, err);
}

/* Every adapter sees every input, most of it meant for another one. */
static int read_adapters(struct arena *a, const char *text, size_t n, struct error *err)
{
	int best = E_BAD_REQUEST;

	error_set(err, best, "no adapter took it");
	for (size_t i = 0; adapter_names[i]; i++) {
		struct tool_output out = { 0 }, folded;
		struct error one;

		if (adapter_read(adapter_names[i], text, n, AVERAGE_NONE, a, &out, &one) < 0)
			continue;
		best = OK;
		adapter_merge(&out, AVERAGE_MEDIAN);
		adapter_fold(&out, 1, FOLD_MEDIAN, a, &folded);
	}
	return best;
}

/* --- documents --------------------------------------------------------------------------- */

/* JSON or YAML, whichever it is. */
static int read_document(
	struct arena *a, const char *text, size_t n, json_t **ret, struct error *err)
{
	json_t *j = NULL;
	struct error inner;
	int r = json_parse(text, n, &j, &inner);

	if (r < 0)
		r = yaml_parse("input", text, n, &j, NULL, err);
	*ret = r == OK ? arena_own_json(a, j) : NULL;
	return r;
}

static int read_workload(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct workload w;
	struct cell *cells;
	size_t n_cells;
	json_t *j;
	int r = read_document(a, text, n, &j, err);

	if (r == OK)
		r = workload_read(j, a, &w, err);
	if (r == OK)
		r = workload_expand(&w, NULL, a, &cells, &n_cells, err);
	return r;
}

static int read_workloads(struct arena *a, const char *text, size_t n, struct error *err)
{
	const char *key;
	json_t *j, *one;
	int r = read_document(a, text, n, &j, err);

	if (r < 0)
		return r;
	json_object_foreach (json_object_get(j, "workloads"), key, one) {
		struct workload w;
		struct cell *cells;
		size_t n_cells;

		r = workload_read(one, a, &w, err);
		if (r == OK)
			r = workload_expand(&w, NULL, a, &cells, &n_cells, err);
		if (r < 0)
			return r;
	}
	return OK;
}

static int read_upload(struct arena *a, const char *text, size_t n, struct error *err)
{
	struct upload *u;
	json_t *j = NULL;
	int r = json_parse(text, n, &j, err);

	if (r < 0)
		return r;
	j = arena_own_json(a, j);
	(void)!upload_read(j, UPLOAD_RUN, upload_model_read, a, &u, err);
	return upload_read(j, UPLOAD_REPORT, upload_model_read, a, &u, err);
}

static int read_delivery(struct arena *a, const char *text, size_t n, struct error *err)
{
	static struct hook_rule rules[] = {
		{ .on_push = true, .on_pull = true, .project = "p", .workload = "w" },
	};
	static const struct hook h = {
		.name = "h", .repository = "o/r", .rules = rules, .n_rules = 1
	};
	struct hook_plan plan;
	struct error other;

	(void)!hook_plan(&h, "pull_request", text, n, a, &plan, &other);
	return hook_plan(&h, "push", text, n, a, &plan, err);
}

#define HASH "b1240b3500000000000000000000000000000000"

const struct fuzz_target fuzz_targets[] = {
	{ "json", read_json, "tests/golden/tools/*.json",
		{ "{\"a\":[1,2.5e3,null,true,\"\\u00e4\\ud83d\\ude00\"]}", "[[[[]]]]" } },
	{ "yaml", read_yaml, "examples/*.yaml",
		{ "a:\n  - b: 1\n    c: 'd'\n  - [x, {y: 2}]\n" } },
	{ "ndjson", read_ndjson, NULL,
		{ "{\"type\":\"hello\"}\n{\"type\":\"done\",\"a\":[]}\n\nx\n{}" } },
	{ "cron", read_cron, NULL,
		{ "0 2 * * 1-5", "*/15 1,3-9/2 1 jan sun", "@daily", "30 2 29 2 *" } },
	{ "cpus", fuzz_cpus, NULL, { "0-3,8", "1" } },
	{ "utf8", fuzz_utf8, NULL, { "a\xc3\xa4\xf0\x9f\x98\x80 \xed\xa0\x80 \xff\n" } },
	{ "gitlog", fuzz_gitlog, NULL, { HASH "\0\0A\0a@b\0" } },
	{ "magic", read_magic, "tests/golden/tools/*", { "" } },
	{ "adapters", read_adapters, "tests/golden/tools/*",
		{ "{\"bench\":{\"latency\":{\"value\":1.5,\"lower_value\":1}}}",
			"[{\"benchmark\":\"a\",\"primaryMetric\":{\"score\":1,\"scoreUnit\":"
			"\"ns/op\"}}]" } },
	{ "workload", read_workload, NULL,
		{ "kind: kernel\nkernel: stream.triad\nmatrix: {size: [1Mi, 4Mi]}\n",
			"kind: command\ncommand: [sleep, '{t}']\nparameters: {t: {type: "
			"number, "
			"default: 1}}\n",
			"kind: build\nrepository: /srv/r.git\nbuild: [[make]]\nbenchmarks: "
			"[{name: a, command: [./a]}]\n",
			"{\"kind\":\"command\",\"command\":[\"true\"],\"protocol\":{"
			"\"processes\":"
			"5,\"budget\":\"3s\"}}" } },
	{ "workloads", read_workloads, "examples/*.yaml",
		{ "workloads: {a: {kind: kernel}}" } },
	{ "suites", read_workloads, "suites/*.yml", { "workloads: {}" } },
	{ "upload", read_upload, NULL,
		{ "{\"branch\":\"main\",\"hash\":\"" HASH
		  "\",\"testbed\":\"ci\",\"start_time\":\"2026-01-02T03:04:05Z\",\"end_time\":"
		  "\"2026-01-02T03:04:06Z\",\"results\":[\"{\\\"a\\\":{\\\"latency\\\":{"
		  "\\\"value\\\":1}}}\"],\"settings\":{\"adapter\":\"json\",\"average\":null,"
		  "\"fold\":\"min\"},\"thresholds\":{\"models\":{\"latency\":{\"test\":"
		  "\"t_test\",\"upper_boundary\":0.99,\"max_sample_size\":64}},\"reset\":"
		  "true},\"start_point\":{\"branch\":\"dev\",\"max_versions\":5}}" } },
	{ "result", fuzz_result, NULL,
		{ "{\"hello\":1,\"name\":\"x\"}\n{\"benchmark\":\"a\",\"measure\":\"latency\","
		  "\"unit\":\"us\",\"value\":1.5}\n{\"verify\":{\"ok\":true}}\n{\"done\":true}"
		  "\n",
			"{\"sample\":3,\"wall_ns\":12,\"k\":5}\n{\"error\":\"no\"}\n" } },
	{ "spec", fuzz_spec, NULL,
		{ "{\"kind\":\"command\",\"isolation\":\"basic\",\"cells\":[{\"id\":\"0\","
		  "\"benchmark\":\"b\",\"argv\":[\"true\"],\"adapter\":\"none\"}],\"arms\":[{"
		  "\"name\":\"head\"}],\"protocol\":{\"processes\":3},\"seed\":1,\"have\":[]"
		  "}" } },
	{ "delivery", read_delivery, NULL,
		{ "{\"ref\":\"refs/heads/main\",\"before\":\"" HASH "\",\"after\":\"" HASH
		  "\",\"repository\":{\"full_name\":\"o/r\"},\"commits\":[{\"id\":\"" HASH
		  "\",\"modified\":[\"a.c\"]}],\"head_commit\":{\"id\":\"" HASH "\"}}",
			"{\"action\":\"synchronize\",\"number\":7,\"repository\":{\"full_"
			"name\":"
			"\"o/r\"},\"pull_request\":{\"head\":{\"sha\":\"" HASH
			"\",\"ref\":\"f\",\"repo\":{\"full_name\":\"x/r\",\"fork\":true}},"
			"\"base\":{\"ref\":\"main\",\"sha\":\"" HASH
			"\",\"repo\":{\"full_name\":\"o/r\"}}}}" } },
};
const size_t n_fuzz_targets = ARRAY_SIZE(fuzz_targets);
