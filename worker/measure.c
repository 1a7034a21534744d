/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/measure.h"

#include "worker/cell.h"

static int measure_cell(struct job *j, const struct spec_cell *c)
{
	struct cell_run r;
	int e;

	cell_run_init(&r, j, c);
	e = j->spec->n_arms == 2 ? pairs_measure(&r) : single_measure(&r);
	if (e == OK)
		cell_finish(&r);
	json_decref(r.comparison);
	return e;
}

static int64_t planned(const struct spec *s)
{
	int64_t width = s->n_arms == 2 ? (s->protocol.control ? 3 : 2) : 1;

	return width * s->protocol.processes * (int64_t)s->n_cells;
}

int measure_job(struct job *j)
{
	j->n_total = planned(j->spec);
	j->n_done = MIN((int64_t)j->spec->n_have, j->n_total - 1);
	for (size_t i = 0; i < j->spec->n_cells; i++) {
		int e;

		if (channel_must_stop(&j->ch))
			return job_stopped(j);
		e = measure_cell(j, &j->spec->cells[i]);
		if (e < 0)
			return e;
	}
	return OK;
}
