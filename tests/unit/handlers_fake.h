/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_HANDLERS_FAKE_H
#define TESTS_UNIT_HANDLERS_FAKE_H

#include "daemon/analysis/analysis.h"
#include "daemon/queue/queue.h"

struct fake {
	struct filing filing;	    /* of the last job filed */
	struct compare_rules rules; /* of the last comparison */
	enum outcome outcome;	    /* of the next comparison */
	enum gate_outcome gate;	    /* of the next gate */
};
extern struct fake fake;

#endif
