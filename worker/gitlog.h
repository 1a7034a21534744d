/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading `git log` into the members of `resolved`. Commit texts are hostile input. */
#ifndef WORKER_GITLOG_H
#define WORKER_GITLOG_H

#include <stddef.h>
#include "base/json.h"

/* Six fields, each ended by NUL, then a newline. */
#define GITLOG_FORMAT "--format=%H%x00%P%x00%an%x00%ae%x00%ct%x00%s%x00"

/* First record becomes m.commit, the others m.ancestors (only when there are others). Records
 * that are cut off or have no time are left out. */
void gitlog_read(const char *text, size_t n, json_t *m);

#endif
