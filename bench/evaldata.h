/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets for evaluation, read from a folder the caller names; never part of the project. */
#ifndef BENCH_EVALDATA_H
#define BENCH_EVALDATA_H

#include "base/arena.h"
#include "base/error.h"
#include "bench/scorer.h"

struct series {
	const char *name;
	double *x;
	size_t n;
	struct annotations truth; /* TCPD only */
	json_t *json;		  /* the object it came from, borrowed */
};

struct series_list {
	struct series *list;
	size_t n;
};

/* tcpd/: all annotated series, by name. *ret_paper: published scores, may be NULL. */
int evaldata_tcpd(struct arena *a, const char *folder, struct series_list *ret,
	json_t **ret_paper, struct error *err) must_check;
/* otava/tigerbeetle.json and treeherder/graphs.json. */
int evaldata_histories(struct arena *a, const char *folder, struct series_list *ret,
	struct error *err) must_check;

enum { JMH_PROCESSES = 10, JMH_WINDOWS = 25, JMH_ITERATIONS = 40 };

/* jmh-steady-state/: per benchmark and process the medians of windows, and raw iterations. */
struct jmh {
	size_t n;
	const char **name;
	double (*window)[JMH_PROCESSES][JMH_WINDOWS];
	double (*iteration)[JMH_PROCESSES][JMH_ITERATIONS];
};
int evaldata_jmh(
	struct arena *a, const char *folder, struct jmh *ret, struct error *err) must_check;

#endif
