/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What machine is this? Identity: facts whose change makes numbers incomparable; hashed into
 * the environment id. State: facts that explain outliers; stored, never hashed. */
#ifndef WORKER_FINGERPRINT_H
#define WORKER_FINGERPRINT_H

#include "worker/host.h"

/* Fill h->identity, h->devices, h->id and h->clock_source. Facts the host does not tell are
 * left out. */
void fingerprint_make(struct host *h);
/* The identity as it is now, and its id: settings may be changed and cpus switched off while a
 * worker runs. A new reference; NULL where nothing is another than fingerprint_make found. */
json_t *fingerprint_changed(const struct host *h, char id[65]);
/* The first setting of a that is another one in b, "governor: powersave -> performance". */
void fingerprint_difference(const json_t *a, const json_t *b, char out[160]);
/* Does this x86 run under a hypervisor? */
bool fingerprint_is_virtual(void);

#endif
