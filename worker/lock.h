/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One measuring job per host: an advisory lock that dies with its holder. */
#ifndef WORKER_LOCK_H
#define WORKER_LOCK_H

#include "base/error.h"

/* Folder of the host lock: $BENCHD_LOCK_DIR, /run/benchd when it can be written, else
 * $XDG_RUNTIME_DIR/benchd, else /tmp/benchd-UID. */
const char *lock_directory(void);
/* Try to take `path`; on success *ret is a descriptor (close it to let go), -1 when somebody
 * else has it: then *ret_holder is that process's id, 0 when unknown. */
int lock_try(const char *path, int *ret, int *ret_holder, struct error *err) must_check;

#endif
