/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of a measure by its name alone. Constant, any thread. */
#ifndef DAEMON_STORE_MEASURE_NAMES_H
#define DAEMON_STORE_MEASURE_NAMES_H

#include "daemon/model/model.h"

struct known_measure {
	const char *slug, *name, *units;
	enum better better;
};
const struct known_measure *measure_known(const char *name_or_slug); /* NULL when unknown */
/* For the others: throughput-like names and units are better when higher. units may be NULL. */
enum better measure_guess_better(const char *name, const char *units);
const char *measure_guess_units(const char *name);

#endif
