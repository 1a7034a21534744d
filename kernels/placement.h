/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the threads of a run stand, and how many there really are.
 *
 * Thread i of a run on n threads is bound to one CPU of those that this process may use: first
 * one CPU of each core, package by package, then their siblings. A user who says where threads
 * go (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY) is left alone. Begin before memory is
 * touched for the first time, so that pages lie beside the thread that uses them.
 *
 * One placement at a time; main thread only. */
#ifndef KERNELS_PLACEMENT_H
#define KERNELS_PLACEMENT_H

#include <jansson.h>
#include "kernels/kernels.h"

enum { PLACEMENT_MAX = 1024 }; /* threads whose CPU is recorded */

/* One CPU as the system describes it. */
struct placement_cpu {
	int cpu, package, core;
	int sibling; /* 0: the first of its core in this list */
};
/* Sets siblings and sorts: cores before siblings, packages and cores in their order. */
void placement_order(struct placement_cpu *c, int n);

/* Binds the threads of a run. E_UNAVAILABLE when OpenMP gives fewer than p->threads
 * (OMP_THREAD_LIMIT). Does nothing for one thread. */
int placement_begin(const struct params *p, struct error *err) must_check;
/* {"chosen_by": "benchd-kernel", "cpus": [0, 2]} under "placement": the CPU on which each
 * thread found itself. Nothing for one thread. */
void placement_describe(json_t *o);
/* Gives the threads back the CPUs of the process. */
void placement_end(void);

#endif
