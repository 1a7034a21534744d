/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What machine is this? Identity: facts whose change makes numbers incomparable; hashed into
 * the environment id. State: facts that explain outliers; stored, never hashed. */
#ifndef WORKER_FINGERPRINT_H
#define WORKER_FINGERPRINT_H

#include "worker/host.h"

/* Fill h->identity, h->devices, h->id and h->clock_source. Facts the host does not tell are
 * left out. */
void fingerprint_make(struct host *h);
/* Does this x86 run under a hypervisor? */
bool fingerprint_is_virtual(void);

#endif
