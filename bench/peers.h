/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Change point rules of other systems, written from their published definitions, so that they
 * pass through the same scorer. Not part of benchd. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "base/arena.h"
#include "stats/changepoint.h"

/* asv (airspeed velocity): L1 Potts fit in windows of 20 with merging, its penalty chosen by
 * golden section on an information criterion with AR(1) Laplace residuals. */
void peer_asv(struct arena *a, const double *x, size_t n, struct change_points *ret);
/* Perfherder: |t| > 7 of linearly weighted means, 12 to 24 points back, 12 forward, local
 * maximum. */
void peer_perfherder(struct arena *a, const double *x, size_t n, struct change_points *ret);

#endif
