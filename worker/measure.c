/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/measure.h"

#include <string.h>
#include "worker/cachegrind.h"

/* Cells that are measured together: those of a group take turns. */
struct unit {
	const struct spec_cell **cells;
	size_t n;
};

static int finish(struct cell_run *runs, size_t n, int e)
{
	for (size_t i = 0; e == OK && i < n; i++)
		e = cachegrind_count(&runs[i]);
	for (size_t i = 0; i < n; i++) {
		if (e == OK)
			cell_finish(&runs[i]);
		json_decref(runs[i].comparison);
	}
	return e;
}

static int measure_pairs(struct job *j, const struct spec_cell *c)
{
	struct cell_run run;

	cell_run_init(&run, j, c);
	return finish(&run, 1, pairs_measure(&run));
}

static int measure_unit(struct job *j, const struct unit *u)
{
	struct cell_run *runs = ARENA_ARRAY(j->arena, struct cell_run, u->n);
	int e = OK;

	/* The blocks of two arms are turns already. */
	for (size_t i = 0; j->spec->n_arms == 2 && e == OK && i < u->n; i++)
		e = measure_pairs(j, u->cells[i]);
	if (j->spec->n_arms == 2)
		return e;
	for (size_t i = 0; i < u->n; i++)
		cell_run_init(&runs[i], j, u->cells[i]);
	cell_share_budget(runs, u->n);
	return finish(runs, u->n, single_measure(runs, u->n));
}

static struct unit *find_unit(struct unit *units, size_t n, const struct spec_cell *c)
{
	for (size_t i = 0; c->group && i < n; i++)
		if (units[i].cells[0]->group && !strcmp(units[i].cells[0]->group, c->group))
			return &units[i];
	return NULL;
}

static struct unit *make_units(struct job *j, size_t *ret_n)
{
	const struct spec *s = j->spec;
	struct unit *units = ARENA_ARRAY(j->arena, struct unit, s->n_cells);
	size_t n = 0;

	for (size_t i = 0; i < s->n_cells; i++) {
		struct unit *u = find_unit(units, n, &s->cells[i]);

		if (!u) {
			u = &units[n++];
			u->cells = ARENA_ARRAY(j->arena, const struct spec_cell *,
				s->cells[i].group ? s->n_cells : 1);
		}
		u->cells[u->n++] = &s->cells[i];
	}
	*ret_n = n;
	return units;
}

/* In an order that the seed alone decides, so that another attempt goes on in it. */
static void shuffle(const struct spec *s, struct unit *units, size_t n)
{
	struct rng rng;

	rng_init(&rng, rng_mix(s->seed + 1));
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)rng_below(&rng, i);
		struct unit t = units[i - 1];

		units[i - 1] = units[k];
		units[k] = t;
	}
}

static int64_t planned(const struct spec *s)
{
	int64_t width = s->n_arms == 2 ? (s->protocol.control ? 3 : 2) : 1;

	return width * s->protocol.processes * (int64_t)s->n_cells;
}

int measure_job(struct job *j)
{
	struct unit *units;
	size_t n;

	j->n_total = planned(j->spec);
	j->ch.newest = job_progress;
	j->ch.newest_arg = j;
	j->n_told = j->n_done = MIN((int64_t)j->spec->n_have, j->n_total - 1);
	units = make_units(j, &n);
	shuffle(j->spec, units, n);
	for (size_t i = 0; i < n; i++) {
		int e;

		if (channel_must_stop(&j->ch))
			return job_stopped(j);
		e = measure_unit(j, &units[i]);
		if (e < 0)
			return e;
	}
	return OK;
}
