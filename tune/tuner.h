/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tuning a host and giving it back. The caller holds the host's lock (tuner_lock); one thread.
 */
#ifndef TUNE_TUNER_H
#define TUNE_TUNER_H

#include <stdbool.h>
#include "tune/journal.h"
#include "tune/setting.h"

enum achieved { AS_WANTED, ALREADY, REFUSED, NOT_KEPT };

struct outcome_row { /* of one file */
	struct entry entry;
	const char *before, *now;
	enum achieved achieved;
	const char *reason; /* of REFUSED and NOT_KEPT */
};
struct tuned {
	struct outcome_row *rows;
	size_t n, n_changed, n_refused;
};

/* One tuner a host: a lock file beside the journal, held until the process ends. E_CONFLICT
 * names the holder. */
int tuner_lock(const char *journal, struct error *err) must_check;
/* Journal what is there, then write each file and read it back. A file that refuses is a row,
 * not an error; an error means that nothing was changed. E_CONFLICT when the host is tuned
 * already. */
int tuner_apply(struct arena *a, const struct tune_host *h, unsigned wanted,
	const char *journal, struct tuned *ret, struct error *err) must_check;
/* Write the journalled values back, last first, read each back, and remove the journal. Not
 * tuned: OK with no rows. A journal of an earlier boot is only removed: its values ended with
 * that boot. E_IO when a value did not come back; the journal then stays. */
int tuner_restore(struct arena *a, const struct tune_host *h, const char *journal,
	struct tuned *ret, bool *ret_rebooted, struct error *err) must_check;
/* What is there now, and what would be set. Writes nothing. */
void tuner_look(struct arena *a, const struct tune_host *h, unsigned wanted, struct tuned *ret);

#endif
