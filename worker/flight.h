/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A measured process from its plan to its record. The next one is made ready while one runs, so
 * that it can begin as soon as that has ended. Runner only. */
#ifndef WORKER_FLIGHT_H
#define WORKER_FLIGHT_H

#include "worker/measured.h"
#include "worker/record.h"

struct flight {
	struct job *job;
	struct arena *arena; /* holds all of it */
	struct turn turn;
	struct launch launch; /* exe NULL: there is no such program, see error */
	int error;
	struct record record;
	struct noise noise; /* the first opinion */
	struct noise_snapshot before, after;
	bool is_fresh;	 /* before does not follow on another process */
	bool has_looked; /* after is filled in */
};

/* One for turn t: the one that was made ready, if it fits. The caller's. */
struct flight *flight_new(struct job *j, const struct turn *t);
/* While it runs (struct supervise_hooks): make one like it ready. Its plan. */
const struct launch *flight_foresee(struct flight *f);
void flight_free(struct flight *f);

/* Where the program of that name is, seen from a folder (free it; NULL with errno), and the
 * environment of a process (arena). */
char *flight_program(const char *name, const char *directory);
char **flight_environment(
	struct job *j, struct arena *a, const struct turn *t, int64_t padding);

#endif
