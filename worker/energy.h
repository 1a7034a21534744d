/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the processor packages consumed: the counters behind /sys/class/powercap (Linux:
 * Documentation/power/powercap; Intel's and AMD's RAPL). They count everything on the package,
 * not one process; since Linux 5.10 only root may read them. */
#ifndef WORKER_ENERGY_H
#define WORKER_ENERGY_H

#include <stdint.h>

enum { ENERGY_MAX = 8 }; /* packages; what a larger machine has more is not told at all */

struct energy {
	int fd[ENERGY_MAX];
	int64_t range_uj[ENERGY_MAX]; /* from here the counter starts at 0 again */
	int n;			      /* 0: cannot be told */
	const char *status; /* readable, unavailable (no counter), forbidden, partial */
};

/* Counters of whole packages only: their parts (cores, memory) are in them, the platform's
 * (psys) holds more than processors. */
void energy_open(struct energy *e);
/* One number a package; -1 where it could not be read. */
void energy_read(const struct energy *e, int64_t ret[ENERGY_MAX]);
/* Sum over the packages between two readings that lie window_ns apart, in microjoules. A
 * counter that was set back to 0 is followed once; -1 where it cannot be told: no counter, or a
 * window in which a package of 1 kW might come round twice. */
int64_t energy_spent_uj(const struct energy *e, const int64_t before[ENERGY_MAX],
	const int64_t after[ENERGY_MAX], int64_t window_ns);

#endif
