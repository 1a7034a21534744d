/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cells of a job, and what earlier attempts have measured of them. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "worker/spec_internal.h"

static const char *const adapters[] = { "none", "json", "python_pytest", "cpp_google",
	"shell_hyperfine", NULL };

enum { TRIM_FROM = 256 };

struct raw_cell {
	const char *id, *benchmark, *primary;
	const char *group;
	json_t *argv, *argv_by_arm, *environment, *prepare, *conclude;
	int adapter;
	int64_t iterations;
};

static int read_cell_argv(struct arena *a, struct spec *s, const struct raw_cell *raw,
	const char *pointer, struct spec_cell *c, struct error *err)
{
	for (size_t i = 0; i < s->n_arms; i++) {
		json_t *own = json_object_get(raw->argv_by_arm, s->arms[i].name);
		char *at = arena_printf(
			a, own ? "%s/argv_by_arm/%s" : "%s/argv", pointer, s->arms[i].name);
		int r = spec_read_argv(a, own ? own : raw->argv, at, &c->argv[i], err);

		if (r < 0)
			return r;
	}
	return OK;
}

static int read_cell(struct arena *a, json_t *j, size_t i, struct spec *s, struct error *err)
{
	static const struct json_field fields[] = {
		{ "id", JF_STRING, offsetof(struct raw_cell, id), true, 1, 64, NULL },
		{ "benchmark", JF_STRING, offsetof(struct raw_cell, benchmark), true, 1, 1024,
			NULL },
		{ "primary", JF_STRING, offsetof(struct raw_cell, primary), false, 1, 64,
			NULL },
		{ "argv", JF_ANY, offsetof(struct raw_cell, argv), false, 0, 0, NULL },
		{ "argv_by_arm", JF_OBJECT, offsetof(struct raw_cell, argv_by_arm), false, 0, 0,
			NULL },
		{ "adapter", JF_ENUM, offsetof(struct raw_cell, adapter), false, 0, 0,
			adapters },
		{ "iterations", JF_INT, offsetof(struct raw_cell, iterations), false, 0, 1e15,
			NULL },
		{ "group", JF_STRING, offsetof(struct raw_cell, group), false, 1, 4096, NULL },
		{ "environment", JF_OBJECT, offsetof(struct raw_cell, environment), false, 0, 0,
			NULL },
		{ "prepare", JF_ARRAY, offsetof(struct raw_cell, prepare), false, 0,
			SPEC_MAX_STEPS, NULL },
		{ "conclude", JF_ARRAY, offsetof(struct raw_cell, conclude), false, 0,
			SPEC_MAX_STEPS, NULL },
	};
	struct raw_cell raw = { .primary = "latency" };
	struct spec_cell *c = &s->cells[i];
	char pointer[32];
	int r;

	snprintf(pointer, sizeof(pointer), "/cells/%zu", i);
	r = json_read(j, pointer, fields, ARRAY_SIZE(fields), &raw, JSON_IGNORE_UNKNOWN, err);
	if (r < 0)
		return r;
	*c = (struct spec_cell){ .id = raw.id,
		.benchmark = raw.benchmark,
		.primary = raw.primary,
		.adapter = raw.adapter ? adapters[raw.adapter] : NULL,
		.group = raw.group,
		.iterations = raw.iterations };
	r = read_cell_argv(a, s, &raw, pointer, c, err);
	if (r == OK && raw.environment)
		r = spec_read_environment(
			a, raw.environment, SPEC_MAX_CELL_ENV, &c->environment, err);
	if (r == OK)
		r = spec_read_steps(a, raw.prepare, "/prepare", &c->prepare, err);
	return r < 0 ? r : spec_read_steps(a, raw.conclude, "/conclude", &c->conclude, err);
}

int spec_read_cells(struct arena *a, json_t *j, struct spec *s, struct error *err)
{
	s->n_cells = json_array_size(j);
	s->cells = ARENA_ARRAY(a, struct spec_cell, s->n_cells);
	for (size_t i = 0; i < s->n_cells; i++) {
		int r = read_cell(a, json_array_get(j, i), i, s, err);

		if (r < 0)
			return r;
	}
	return OK;
}

/* Ids are mostly positions. "": no cell of this job. */
static const char *own_cell_id(const struct spec *s, const char *id)
{
	size_t k = strtoul(id, NULL, 10);

	if (k < s->n_cells && !strcmp(s->cells[k].id, id))
		return s->cells[k].id;
	for (k = 0; k < s->n_cells; k++)
		if (!strcmp(s->cells[k].id, id))
			return s->cells[k].id;
	return "";
}

static const char *own_arm_name(const struct spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_arms; i++)
		if (!strcmp(s->arms[i].name, name))
			return s->arms[i].name;
	return strcmp(name, "control") ? "" : "control";
}

void spec_read_have(struct arena *a, json_t *whole, json_t *j, struct spec *s)
{
	size_t i;
	json_t *v;

	s->have = ARENA_ARRAY(a, struct spec_have, json_array_size(j));
	json_array_foreach (j, i, v) {
		s->have[s->n_have++] = (struct spec_have){
			.cell = own_cell_id(s, json_get_str(v, "cell", "")),
			.arm = own_arm_name(s, json_get_str(v, "arm", "")),
			.seq = json_get_int(v, "seq", 0),
			.index = json_get_int(v, "index", 0),
			.block = json_get_int(v, "block", 0),
			.value = json_get_real(v, "value", 0),
			.is_noisy = !strcmp(json_get_str(v, "noise", "clean"), "noisy"),
			.is_replaced = json_get_bool(v, "replaced", false),
			.is_count = json_object_get(v, "tool") != NULL,
		};
	}
	json_object_del(whole, "have");
	if (s->n_have > TRIM_FROM)
		(void)malloc_trim(0);
}
