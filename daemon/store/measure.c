/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/store/dimension.h"

#include <string.h>
#include "base/secret.h"
#include "base/text.h"
#include "daemon/store/measure_names.h"

static const char *const sql[] = { DIMENSION_SQL("measure", "t.units, t.better, 0, 0", "",
	", units, better", ", $6, $7", ", units = $6, better = $7") };
const struct statements measure_statements = { sql, D_count };
static const struct dimension_kind measures = { "measure", Q_MEASURE, NAME_RESOURCE };

enum { UNITS_MAX = 64 };

static void read_measure(const struct dimension *d, void *ret)
{
	*(struct measure *)ret = (struct measure){ .id = d->id,
		.project_id = d->project_id,
		.uuid = d->uuid,
		.name = d->name,
		.slug = d->slug,
		.units = d->text,
		.better = d->better,
		.created_ns = d->created_ns,
		.modified_ns = d->modified_ns,
		.archived_ns = d->archived_ns };
}

int store_measure_find(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, struct measure *ret, struct error *err)
{
	struct dimension d = { 0 };
	int r = dimension_find(s, a, &measures, project_id, name_id, &d, err);

	if (r == OK)
		read_measure(&d, ret);
	return r;
}

int store_measure_list(struct store *s, struct arena *a, int64_t project_id,
	const struct page *p, struct measure **ret, size_t *ret_n, int64_t *ret_total,
	struct error *err)
{
	struct list l = LIST_OF(a, struct measure);
	int r = dimension_list(
		s, a, &measures, project_id, p, &l, read_measure, ret_total, err);

	*ret = l.items;
	*ret_n = l.n;
	return r;
}

static int check_units(const char *units, struct error *err)
{
	size_t n = strlen(units);

	if (n == 0 || n > UNITS_MAX || !utf8_is_valid(units, n))
		return error_set_field(err, E_UNPROCESSABLE, "/units",
			"units are UTF-8 of 1 to %d bytes", UNITS_MAX);
	return OK;
}

int store_measure_add(struct store *s, struct arena *a, int64_t project_id, const char *name,
	const char *slug, const char *units, const enum better *better, int64_t now_ns,
	struct measure *ret, struct error *err)
{
	const struct known_measure *k = measure_known(name);
	struct dimension d = { .project_id = project_id, .name = name, .slug = slug };
	int r;

	d.text = units ? units : k ? k->units : measure_guess_units(name);
	d.better = better ? *better : k ? k->better : measure_guess_better(name, units);
	r = check_units(d.text, err);
	if (r == OK)
		r = dimension_add(s, a, &measures, &d, now_ns, err);
	if (r == OK)
		read_measure(&d, ret);
	return r;
}

/* A known name gets its own name, slug, units and direction, whatever the result says. */
static int add_known(struct store *s, struct arena *a, int64_t project_id,
	const struct known_measure *k, int64_t now_ns, struct measure *ret, struct error *err)
{
	return store_measure_add(
		s, a, project_id, k->name, k->slug, k->units, &k->better, now_ns, ret, err);
}

int store_measure_ensure(struct store *s, struct arena *a, int64_t project_id,
	const char *name_id, const char *units, const enum better *better, int64_t now_ns,
	struct measure *ret, struct error *err)
{
	const struct known_measure *k = measure_known(name_id);
	const char *wanted = k ? k->slug : name_id;
	struct dimension d = { 0 };
	int r = dimension_find(s, a, &measures, project_id, wanted, &d, err);

	if (r == E_NOT_FOUND && uuid_is_valid(name_id))
		return r;
	if (r == E_NOT_FOUND && k)
		return add_known(s, a, project_id, k, now_ns, ret, err);
	if (r == E_NOT_FOUND)
		return store_measure_add(
			s, a, project_id, name_id, NULL, units, better, now_ns, ret, err);
	if (r == OK)
		r = dimension_revive(s, &measures, &d, now_ns, err);
	if (r == OK)
		read_measure(&d, ret);
	return r;
}

int store_measure_update(struct store *s, struct arena *a, const struct measure *m,
	int64_t now_ns, struct error *err)
{
	struct dimension d = { .id = m->id,
		.project_id = m->project_id,
		.name = m->name,
		.slug = m->slug,
		.archived_ns = m->archived_ns,
		.text = m->units,
		.better = m->better };
	int r = check_units(m->units, err);

	return r < 0 ? r : dimension_update(s, &measures, &d, now_ns, err);
}

int store_measure_remove(struct store *s, int64_t id, struct error *err)
{
	return dimension_remove(s, &measures, id, err);
}
