/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The workloads that benchd.yaml and its workload_dir define. */
#include <errno.h>
#include <dirent.h>
#include <string.h>
#include "base/embed.h"
#include "base/fs.h"
#include "base/yaml.h"
#include "daemon/config.h"
#include "daemon/model/model.h"

enum { MAX_WORKLOADS = 10000 };
#define MAX_FILE_BYTES (4 * MiB)

static int check_workload(const char *name, json_t *definition, struct error *err)
{
	_cleanup_(arena_free)
	struct arena *a = arena_new();
	struct workload w;
	struct cell *cells;
	size_t n;
	int r;

	if (!json_is_object(definition))
		return error_set(
			err, E_UNPROCESSABLE, "the workload '%s' must be an object", name);
	if (!json_object_get(definition, "name"))
		json_object_set_new(definition, "name", json_string(name));
	r = workload_read(definition, a, &w, err);
	if (r == OK && strcmp(w.name, name) != 0)
		return error_set_field(err, E_UNPROCESSABLE, "/name",
			"the workload '%s' calls itself '%s'", name, w.name);
	if (r == OK && w.kind != WORKLOAD_SUITE)
		r = workload_expand(&w, NULL, a, &cells, &n, err);
	return r < 0 ? error_prefix(err, "workload '%.64s': ", name) : OK;
}

static void push_pointer(struct error *err, const char *parent)
{
	char field[sizeof(err->field)];

	snprintf(field, sizeof(field), "%.60s%.60s", parent, err->field);
	memcpy(err->field, field, sizeof(field));
}

/* Take over the workloads of one file; pointer is where they stand in it. */
static int take_workloads(const char *file, const struct yaml_lines *lines, json_t *from,
	const char *pointer, json_t *into, struct error *err)
{
	const char *name;
	json_t *definition;

	json_object_foreach (from, name, definition) {
		char at[160];
		int r;

		snprintf(at, sizeof(at), "%s/%.64s", pointer, name);
		if (json_object_get(into, name)) {
			error_set_field(err, E_UNPROCESSABLE, at,
				"the workload '%.64s' is defined twice", name);
			return yaml_locate_error(file, lines, err);
		}
		r = check_workload(name, definition, err);
		if (r < 0) {
			push_pointer(err, at);
			return yaml_locate_error(file, lines, err);
		}
		if (json_object_size(into) == MAX_WORKLOADS)
			return error_set(err, E_UNPROCESSABLE,
				"more than %d workloads are defined", MAX_WORKLOADS);
		json_object_set(into, name, definition);
	}
	return OK;
}

int config_read_yaml(
	const char *path, json_t **ret, struct yaml_lines **lines, struct error *err)
{
	_cleanup_(buf_done)
	struct buf text = { 0 };
	int r;

	r = file_read(path, MAX_FILE_BYTES, &text, err);
	if (r < 0)
		return r;
	r = yaml_parse(path, buf_str(&text), text.len, ret, lines, err);
	if (r == OK && !json_is_object(*ret) && !json_is_null(*ret)) {
		json_decref(*ret);
		*ret = NULL; /* the caller lets go of what is there */
		return error_set(err, E_UNPROCESSABLE, "'%s' must hold names and values", path);
	}
	return r;
}

/* A file of workload_dir is either one definition (it has `kind`) called like the file, or
 * names with definitions. */
static int take_workload_file(
	const char *path, const char *base, json_t *into, struct error *err)
{
	_cleanup_(yaml_lines_free)
	struct yaml_lines *lines = NULL;
	_cleanup_(json_decref)
	json_t *o = NULL;
	_cleanup_(json_decref)
	json_t *one = NULL;
	_cleanup_(free)
	char *name = NULL;
	int r;

	r = config_read_yaml(path, &o, &lines, err);
	if (r < 0)
		return r;
	if (!json_is_string(json_object_get(o, "kind")))
		return take_workloads(path, lines, o, "", into, err);
	name = xstrndup(base, strlen(base) - strlen(".yaml"));
	one = json_pack("{sO}", name, o);
	r = take_workloads(path, NULL, one, "", into, err);
	return r;
}

static int is_yaml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".yaml");
}

static int take_workload_dir(const char *dir, json_t *into, struct error *err)
{
	struct dirent **list;
	int n, r = OK;

	n = scandir(dir, &list, is_yaml, alphasort);
	if (n < 0)
		return error_set_field(err, E_IO, "/workload_dir",
			"cannot read the workload_dir '%s': %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		_cleanup_(free)
		char *path = xasprintf("%s/%s", dir, list[i]->d_name);

		if (r == OK)
			r = take_workload_file(path, list[i]->d_name, into, err);
		free(list[i]);
	}
	free(list);
	return r;
}

extern const struct embed suite_files[]; /* generated from suites/ */

int config_load_shipped(json_t **ret, struct error *err)
{
	_cleanup_(json_decref)
	json_t *into = json_object();
	int r = OK;

	for (const struct embed *f = suite_files; r == OK && f->name; f++) {
		_cleanup_(json_decref)
		json_t *o = NULL;

		r = yaml_parse(f->name, (const char *)f->data, f->n, &o, NULL, err);
		if (r == OK)
			r = take_workloads(f->name, NULL, o, "", into, err);
	}
	if (r == OK)
		*ret = TAKE(into);
	return r;
}

int config_load_workloads(const struct config *c, json_t **ret, struct error *err)
{
	_cleanup_(yaml_lines_free)
	struct yaml_lines *lines = NULL;
	_cleanup_(json_decref)
	json_t *o = NULL;
	_cleanup_(json_decref)
	json_t *into = json_object();
	int r = OK;

	if (c->file)
		r = config_read_yaml(c->file, &o, &lines, err);
	if (r == OK)
		r = take_workloads(c->file, lines, json_object_get(o, "workloads"),
			"/workloads", into, err);
	if (r == OK && c->workload_dir)
		r = take_workload_dir(c->workload_dir, into, err);
	if (r < 0 && !strcmp(err->field, "/workload_dir"))
		return yaml_locate_error(c->file, lines, err);
	if (r < 0)
		return r;
	*ret = TAKE(into);
	return OK;
}
