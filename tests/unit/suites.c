/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shipped suites: every definition is accepted, expands to cells, and every member of a
 * suite is there. With --print it writes the arguments of all cells instead, one a line, for
 * tests/e2e/suites.sh. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/embed.h"
#include "base/text.h"
#include "base/yaml.h"
#include "daemon/model/model.h"

extern const struct embed suite_files[]; /* generated from suites/ */

static struct arena *arena;
static struct error err;
static bool is_printing; /* outside of a test */

static void need(bool is_fine, const char *name)
{
	if (is_fine)
		return;
	if (!is_printing)
		ck_abort_msg("%s: %s", name, err.text);
	fprintf(stderr, "%s: %s\n", name, err.text);
	exit(EXIT_FAILURE);
}

/* All definitions of all files by name; a name that comes twice fails. */
static json_t *load_all(void)
{
	json_t *all = arena_own_json(arena, json_object());

	for (const struct embed *f = suite_files; f->name; f++) {
		json_t *o, *definition;
		const char *name;
		int r = yaml_parse(f->name, (const char *)f->data, f->n, &o, NULL, &err);

		need(r == OK, f->name);
		arena_own_json(arena, o);
		json_object_foreach (o, name, definition) {
			error_set(&err, E_CONFLICT, "'%s' comes twice", name);
			need(!json_object_get(all, name), f->name);
			json_object_set(all, name, definition);
		}
	}
	return all;
}

static void read_one(const char *name, json_t *definition, struct workload *w)
{
	json_t *copy = arena_own_json(arena, json_deep_copy(definition));

	json_object_set_new(copy, "name", json_string(name));
	need(workload_read(copy, arena, w, &err) == OK, name);
}

START_TEST(every_definition_expands)
{
	json_t *all, *definition;
	const char *name;

	arena = arena_new();
	all = load_all();
	ck_assert_uint_ge(json_object_size(all), 6);
	json_object_foreach (all, name, definition) {
		struct workload w;
		struct cell *cells;
		size_t n = 0;

		read_one(name, definition, &w);
		if (w.kind == WORKLOAD_SUITE)
			continue;
		ck_assert_msg(workload_expand(&w, NULL, arena, &cells, &n, &err) == OK,
			"%s: %s", name, err.text);
		ck_assert_msg(n > 0, "%s has no cells", name);
	}
	arena_free(arena);
}
END_TEST

/* A member is another definition, which is no suite, or a kernel. */
START_TEST(every_member_is_there)
{
	json_t *all, *definition;
	const char *name;

	arena = arena_new();
	all = load_all();
	json_object_foreach (all, name, definition) {
		json_t *members = json_object_get(definition, "workloads"), *m;
		size_t i;

		json_array_foreach (members, i, m) {
			json_t *there = json_object_get(all, json_string_value(m));

			ck_assert_msg(there != NULL, "%s: there is no '%s'", name,
				json_string_value(m));
			ck_assert_str_ne(
				json_string_value(json_object_get(there, "kind")), "suite");
		}
	}
	arena_free(arena);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("suites");
	TCase *c = tcase_create("suites");

	tcase_add_test(c, every_definition_expands);
	tcase_add_test(c, every_member_is_there);
	suite_add_tcase(s, c);
	return s;
}

static void print_cells(const char *name, json_t *definition)
{
	struct workload w;
	struct cell *cells;
	size_t n = 0;

	read_one(name, definition, &w);
	if (w.kind != WORKLOAD_KERNEL ||
		workload_expand(&w, NULL, arena, &cells, &n, &err) != OK)
		return;
	for (size_t i = 0; i < n; i++) {
		json_t *word;
		size_t k;

		printf("%s", name);
		json_array_foreach (cells[i].argv, k, word)
			printf(" %s", json_string_value(word));
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	json_t *all, *definition;
	const char *name;
	SRunner *sr;
	int failed;

	if (argc == 2 && !strcmp(argv[1], "--print")) {
		is_printing = true;
		arena = arena_new();
		all = load_all();
		json_object_foreach (all, name, definition)
			print_cells(name, definition);
		arena_free(arena);
		return 0;
	}
	sr = srunner_create(make_suite());
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
