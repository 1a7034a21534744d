/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instructions counted by valgrind's cachegrind: runs of their own behind the measured ones,
 * because valgrind makes a program 20 to 50 times slower. A count does not depend on the host's
 * noise, so two runs of each arm are enough and prove each other. */
#ifndef WORKER_CACHEGRIND_H
#define WORKER_CACHEGRIND_H

#include "worker/cell.h"

enum { CACHEGRIND_RUNS = 2 };

/* Count the instructions of a measured cell where the protocol wants it. What cannot be counted
 * is told in a note of the job and never fails it. Negative only when the job must stop. */
int cachegrind_count(struct cell_run *r) must_check;

#endif
