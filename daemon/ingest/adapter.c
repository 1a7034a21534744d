/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/ingest/adapter.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include "base/cleanup.h"

/* In the order in which magic tries them. */
static const struct adapter *const adapters[] = { &adapter_bmf, &adapter_dot_net,
	&adapter_catch2, &adapter_google, &adapter_dart, &adapter_go_bench, &adapter_jmh,
	&adapter_js_benchmark, &adapter_js_time, &adapter_vitest, &adapter_asv, &adapter_pytest,
	&adapter_ruby, &adapter_rust_bench, &adapter_rust_criterion, &adapter_rust_iai,
	&adapter_gungraun_stdout, &adapter_gungraun_json, &adapter_hyperfine,
	&adapter_js_timer };

const char *const adapter_names[] = { "magic", "json", "c_sharp", "c_sharp_dot_net", "cpp",
	"cpp_catch2", "cpp_google", "dart", "dart_benchmark_harness", "go", "go_bench", "java",
	"java_jmh", "js", "js_benchmark", "js_time", "js_vitest", "python", "python_asv",
	"python_pytest", "ruby", "ruby_benchmark", "rust", "rust_bench", "rust_criterion",
	"rust_iai", "rust_gungraun", "rust_gungraun_stdout", "rust_gungraun_json",
	"rust_iai_callgrind", "shell", "shell_hyperfine", NULL };

/* What was renamed keeps its old name. */
static const char *present_name(const char *adapter)
{
	return strcmp(adapter, "rust_iai_callgrind") ? adapter : "rust_gungraun";
}

/* "cpp" stands for every adapter whose name begins with "cpp_". */
static bool is_meant(const char *wanted, const char *name)
{
	size_t n = strlen(wanted);

	if (!strcmp(wanted, "magic") || !strcmp(wanted, name))
		return true;
	return !strncmp(wanted, name, n) && name[n] == '_';
}

bool adapter_is_known(const char *adapter)
{
	for (size_t i = 0; adapter_names[i]; i++)
		if (!strcmp(adapter_names[i], adapter))
			return true;
	return false;
}

const char *adapter_stored_name(const char *adapter)
{
	adapter = present_name(adapter);
	if (!strcmp(adapter, "rust_gungraun"))
		return "rust_gungraun"; /* one tool, two forms */
	for (size_t i = 0; i < ARRAY_SIZE(adapters); i++)
		if (!strcmp(adapters[i]->name, adapter))
			return adapters[i]->name;
	return "magic";
}

int adapter_read(const char *adapter, const char *text, size_t n, enum average average,
	struct arena *a, struct tool_output *ret, struct error *err)
{
	struct error first = { 0 };

	adapter = present_name(adapter);
	for (size_t i = 0; i < ARRAY_SIZE(adapters); i++) {
		struct tool_output out = { .adapter = adapters[i]->name, .arena = a };
		struct error inner = { 0 };
		int r;

		if (!is_meant(adapter, adapters[i]->name))
			continue;
		r = adapters[i]->read(text, n, average, &out, &inner);
		/* {} is a valid, empty BMF file, but magic goes on looking. */
		if (r == OK && (out.n > 0 || !strcmp(adapter, adapters[i]->name))) {
			*ret = out;
			return OK;
		}
		if (first.code == 0 && r < 0)
			first = inner;
	}
	return error_set(err, E_BAD_REQUEST,
		"no benchmark results were found in this entry. Are you sure %s is the right "
		"adapter?%s%s",
		adapter, first.code ? " " : "", first.text);
}

struct tool_result *tool_output_add(
	struct tool_output *out, const char *benchmark, const char *measure)
{
	struct tool_result *r;

	if (out->n == ADAPTER_MAX_RESULTS) {
		tool_output_skip(out, "more than %d results", ADAPTER_MAX_RESULTS);
		return NULL;
	}
	if (out->n == out->cap) {
		size_t cap = out->cap ? 2 * out->cap : 16;
		struct tool_result *items = ARENA_ARRAY(out->arena, struct tool_result, cap);

		if (out->n)
			memcpy(items, out->items, out->n * sizeof(*items));
		out->items = items;
		out->cap = cap;
	}
	r = &out->items[out->n++];
	*r = (struct tool_result){ .value = NAN, .lower = NAN, .upper = NAN };
	r->benchmark = arena_strdup(out->arena, benchmark);
	r->measure = arena_strdup(out->arena, measure);
	r->is_named = true;
	return r;
}

void tool_output_skip(struct tool_output *out, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	out->n_skipped++;
	if (out->skipped)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->skipped = arena_strdup(out->arena, text);
}

int tool_json(
	const char *text, size_t n, struct tool_output *out, json_t **ret, struct error *err)
{
	int r = json_parse(text, n, ret, err);

	if (r < 0)
		return r;
	arena_own_json(out->arena, *ret);
	return json_is_object(*ret)
		       ? OK
		       : error_set(err, E_BAD_REQUEST, "the entry is not a JSON object");
}

const char *tool_string(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);

	return s && strlen(s) == json_string_length(v) ? s : NULL;
}

double *tool_numbers(struct tool_output *out, const json_t *array, double scale, size_t *ret_n)
{
	size_t n = json_array_size(array), k = 0;
	double *x;

	*ret_n = 0;
	if (n == 0 || n > ADAPTER_MAX_SAMPLES)
		return NULL;
	x = ARENA_ARRAY(out->arena, double, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(array, i);

		if (json_is_number(v) && isfinite(json_number_value(v)))
			x[k++] = json_number_value(v) * scale;
	}
	*ret_n = k;
	return k ? x : NULL;
}

double tool_time_unit(const char *unit)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ps", 1e-3 }, { "ns", 1 }, { "us", 1e3 }, { "\xc2\xb5s", 1e3 },
		{ "\xce\xbcs", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].name, unit))
			return units[i].ns;
	return 0;
}
