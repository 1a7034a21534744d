/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/evaldata.h"

#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "base/json.h"

enum { MAX_FILE = 64 * 1024 * 1024 };

static int load(
	struct arena *a, const char *folder, const char *path, json_t **ret, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	int r = file_read(arena_printf(a, "%s/%s", folder, path), MAX_FILE, &b, err);

	if (r == OK)
		r = json_parse(buf_str(&b), b.len, ret, err);
	if (r != OK)
		return error_prefix(err, "%s: ", path);
	arena_own_json(a, *ret);
	return OK;
}

static int numbers(struct arena *a, const json_t *list, struct series *s, struct error *err)
{
	size_t i;
	json_t *v;

	s->n = json_array_size(list);
	s->x = ARENA_ARRAY(a, double, s->n);
	json_array_foreach (list, i, v) {
		if (!json_is_number(v))
			return error_set(
				err, E_UNPROCESSABLE, "%s: value %zu is missing", s->name, i);
		s->x[i] = json_number_value(v);
	}
	return s->n ? OK : error_set(err, E_UNPROCESSABLE, "%s has no values", s->name);
}

static int by_number(const void *p, const void *q)
{
	size_t x = *(const size_t *)p, y = *(const size_t *)q;

	return (x > y) - (x < y);
}

static struct points points_of(struct arena *a, const json_t *list)
{
	struct points p = { ARENA_ARRAY(a, size_t, json_array_size(list)), 0 };
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		p.at[p.n++] = (size_t)json_integer_value(v);
	qsort(p.at, p.n, sizeof(*p.at), by_number);
	return p;
}

static struct annotations annotations_of(struct arena *a, json_t *o)
{
	struct annotations t = { ARENA_ARRAY(a, struct points, json_object_size(o)), 0 };
	const char *who;
	json_t *list;

	json_object_foreach (o, who, list)
		t.by[t.n++] = points_of(a, list);
	return t;
}

static int by_name(const void *p, const void *q)
{
	return strcmp(((const struct series *)p)->name, ((const struct series *)q)->name);
}

int evaldata_tcpd(struct arena *a, const char *folder, struct series_list *ret,
	json_t **ret_paper, struct error *err)
{
	json_t *all, *o, *j;
	const char *name;
	int r = load(a, folder, "tcpd/annotations.json", &all, err);

	if (r != OK)
		return r;
	*ret = (struct series_list){ ARENA_ARRAY(a, struct series, json_object_size(all)), 0 };
	json_object_foreach (all, name, o) {
		struct series *s = &ret->list[ret->n++];

		*s = (struct series){ .name = name, .truth = annotations_of(a, o) };
		r = load(a, folder, arena_printf(a, "tcpd/datasets/%s/%s.json", name, name), &j,
			err);
		if (r == OK)
			r = numbers(a,
				json_object_get(
					json_array_get(json_object_get(j, "series"), 0), "raw"),
				s, err);
		if (r != OK)
			return r;
	}
	qsort(ret->list, ret->n, sizeof(*ret->list), by_name);
	if (load(a, folder, "tcpd/paper/paper_scores.json", ret_paper, err) != OK)
		*ret_paper = NULL;
	return OK;
}

int evaldata_histories(
	struct arena *a, const char *folder, struct series_list *ret, struct error *err)
{
	json_t *tiger, *graphs, *o;
	const char *name;
	int r = load(a, folder, "otava/tigerbeetle.json", &tiger, err);

	if (r == OK)
		r = load(a, folder, "treeherder/graphs.json", &graphs, err);
	if (r != OK)
		return r;
	*ret = (struct series_list){
		ARENA_ARRAY(a, struct series, json_object_size(graphs) + 1), 1
	};
	ret->list[0] = (struct series){ .name = "tigerbeetle", .json = tiger };
	json_object_foreach (graphs, name, o)
		ret->list[ret->n++] = (struct series){ .name = name, .json = o };
	for (size_t i = 0; i < ret->n && r == OK; i++)
		r = numbers(a, json_object_get(ret->list[i].json, "value"), &ret->list[i], err);
	return r;
}

static int fill(
	const json_t *rows, double *to, size_t width, const char *name, struct error *err)
{
	for (size_t p = 0; p < JMH_PROCESSES; p++)
		for (size_t i = 0; i < width; i++) {
			const json_t *v = json_array_get(json_array_get(rows, p), i);

			if (!json_is_number(v) || !(json_number_value(v) > 0))
				return error_set(err, E_UNPROCESSABLE,
					"%s: process %zu, value %zu is missing", name, p, i);
			to[p * width + i] = json_number_value(v);
		}
	return OK;
}

int evaldata_jmh(struct arena *a, const char *folder, struct jmh *ret, struct error *err)
{
	json_t *runs, *iterations, *o;
	const char *name;
	int r = load(a, folder, "jmh-steady-state/runs.json", &runs, err);

	if (r == OK)
		r = load(a, folder, "jmh-steady-state/iterations.json", &iterations, err);
	if (r != OK)
		return r;
	*ret = (struct jmh){ .name = ARENA_ARRAY(a, const char *, json_object_size(runs)) };
	ret->window = arena_alloc(a, json_object_size(runs) * sizeof(*ret->window));
	ret->iteration = arena_alloc(a, json_object_size(runs) * sizeof(*ret->iteration));
	json_object_foreach (runs, name, o) {
		r = fill(json_object_get(o, "median_ns"), &ret->window[ret->n][0][0],
			JMH_WINDOWS, name, err);
		if (r == OK)
			r = fill(json_object_get(iterations, name),
				&ret->iteration[ret->n][0][0], JMH_ITERATIONS, name, err);
		if (r != OK)
			return r;
		ret->name[ret->n++] = name;
	}
	return OK;
}
