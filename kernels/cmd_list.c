/* SPDX-License-Identifier: GPL-3.0-or-later */
/* benchd-kernel list: what there is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "kernels/cli.h"
#include "kernels/size.h"

static const char *dtypes_text(const struct kernel *k, struct arena *a)
{
	const char *text = "";

	for (int d = 0; d < N_DTYPES; d++)
		if (k->dtypes & DT_BIT(d))
			text = arena_printf(
				a, "%s%s%s", text, *text ? " " : "", dtype_name((enum dtype)d));
	return text;
}

static const char *backends_text(const struct kernel *k, struct arena *a)
{
	const char *text = "";

	for (int b = 0; b < N_BACKENDS; b++)
		if (backend_has(k, (enum backend)b))
			text = arena_printf(a, "%s%s%s", text, *text ? " " : "",
				backend_name((enum backend)b));
	return text;
}

static const char *aliases_text(const struct kernel *k, struct arena *a)
{
	const char *text = "";

	for (const char *const *n = k->aliases; n && *n; n++)
		text = arena_printf(a, "%s%s%s", text, *text ? " " : "", *n);
	return text;
}

/* The i-th size class as text, with the kernel's default dtype. */
static const char *class_text(const struct kernel *k, size_t i, char out[SIZE_TEXT])
{
	struct params p;

	params_init(&p, k);
	memcpy(p.dim, k->sizes[i].dim, sizeof(p.dim));
	return size_format(&p, out);
}

static void print_table(const struct kernel *const *list, size_t n, bool csv)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	static const char *const heads[] = { "KERNEL", "DTYPES", "BACKENDS", "SMALL", "MEDIUM",
		"LARGE", "WHAT", "ALIASES" };
	struct table *t = table_new(a, ARRAY_SIZE(heads));
	_cleanup_(buf_done)
	struct buf out = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_head(t, i, heads[i], false);
	for (size_t i = 0; i < n; i++) {
		char small[SIZE_TEXT], medium[SIZE_TEXT], large[SIZE_TEXT];
		const char *cells[] = { list[i]->id, dtypes_text(list[i], a),
			backends_text(list[i], a), class_text(list[i], 0, small),
			class_text(list[i], 1, medium), class_text(list[i], 2, large),
			list[i]->title, aliases_text(list[i], a) };

		table_add(t, cells);
	}
	table_format(t, csv ? TABLE_CSV : TABLE_TEXT, &out);
	fputs(buf_str(&out), stdout);
}

/* --- one kernel in full ------------------------------------------------------------------- */

static void print_options(const struct kernel *k)
{
	for (const struct kernel_option *o = k->options; o && o->name; o++) {
		printf("  --%-14s %s\n  %-16s ", o->name, o->help, "");
		for (int i = 0; o->names && o->names[i]; i++)
			printf("%s%s%s", i ? ", " : "", o->names[i],
				i == o->otherwise ? " (default)" : "");
		if (!o->names)
			printf("%" PRId64 " to %" PRId64 ", default %" PRId64, o->min, o->max,
				o->otherwise);
		putchar('\n');
	}
}

static void print_detail(const struct kernel *k)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	char size[SIZE_TEXT];

	printf("%s: %s\n", k->id, k->title);
	printf("  after            %s\n", k->source);
	printf("  aliases          %s\n", aliases_text(k, a));
	printf("  dtypes           %s\n", dtypes_text(k, a));
	printf("  backends         %s\n", backends_text(k, a));
	printf("  throughput in    %s of %s\n", k->rate_unit, k->work_unit);
	printf("  size             %s\n", k->dims);
	for (size_t i = 0; k->sizes[i].name; i++)
		printf("  %-16s %s%s\n", k->sizes[i].name, class_text(k, i, size),
			i == 1 ? " (default)" : "");
	print_options(k);
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *words(const char *const *list)
{
	json_t *a = json_array();

	for (; list && *list; list++)
		json_array_append_new(a, json_string(*list));
	return a;
}

static json_t *sizes_json(const struct kernel *k)
{
	json_t *o = json_object();
	char size[SIZE_TEXT];

	for (size_t i = 0; k->sizes[i].name; i++)
		json_set_str(o, k->sizes[i].name, class_text(k, i, size));
	return o;
}

/* What the daemon checks a size by when a job is filed (daemon/model/kernel_table.h). */
static json_t *form_json(const struct kernel *k)
{
	json_t *o = json_object();

	json_set_int(o, "dims", k->n_dims);
	json_set_bool(o, "short", k->dims_repeat || k->dims_fixed);
	json_set_int(o, "pow2", k->dims_pow2);
	json_set_int(o, "min", k->dim_min);
	json_set_int(o, "max", k->dim_max);
	return o;
}

static json_t *options_json(const struct kernel *k)
{
	json_t *a = json_array();

	for (const struct kernel_option *o = k->options; o && o->name; o++) {
		json_t *j = json_object();

		json_set_str(j, "name", o->name);
		json_set_str(j, "help", o->help);
		if (o->names) {
			json_object_set_new(j, "words", words(o->names));
			json_set_str(j, "default", o->names[o->otherwise]);
		} else {
			json_set_int(j, "min", o->min);
			json_set_int(j, "max", o->max);
			json_set_int(j, "default", o->otherwise);
		}
		json_array_append_new(a, j);
	}
	return a;
}

static json_t *kernel_json(const struct kernel *k)
{
	json_t *o = json_object(), *dtypes = json_array(), *backends = json_array();

	for (int d = 0; d < N_DTYPES; d++)
		if (k->dtypes & DT_BIT(d))
			json_array_append_new(dtypes, json_string(dtype_name((enum dtype)d)));
	for (int b = 0; b < N_BACKENDS; b++)
		if (backend_has(k, (enum backend)b))
			json_array_append_new(
				backends, json_string(backend_name((enum backend)b)));
	json_set_str(o, "kernel", k->id);
	json_set_str(o, "title", k->title);
	json_set_str(o, "source", k->source);
	json_object_set_new(o, "aliases", words(k->aliases));
	json_object_set_new(o, "dtypes", dtypes);
	json_object_set_new(o, "backends", backends);
	json_set_str(o, "dims", k->dims);
	json_object_set_new(o, "size_form", form_json(k));
	json_object_set_new(o, "sizes", sizes_json(k));
	json_object_set_new(o, "options", options_json(k));
	json_set_str(o, "work_unit", k->work_unit);
	json_set_str(o, "rate_unit", k->rate_unit);
	return o;
}

static void print_json(const struct kernel *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(json_decref)
		json_t *o = kernel_json(list[i]);
		_cleanup_(free)
		char *text = json_text(o);

		puts(text);
	}
}

int cmd_list(const struct cli *c)
{
	const struct kernel *list[CLI_SELECTED];
	struct error err;
	size_t n;

	if (cli_select(c, list, &n, &err) != OK)
		return cli_fail(&err);
	if (c->n_words == 0)
		for (n = 0; kernel_table[n]; n++)
			list[n] = kernel_table[n];
	if (c->json)
		print_json(list, n);
	else if (c->n_words == 0 || c->csv)
		print_table(list, n, c->csv);
	for (size_t i = 0; !c->json && !c->csv && c->n_words && i < n; i++)
		print_detail(list[i]);
	return 0;
}
