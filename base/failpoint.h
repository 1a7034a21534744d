/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places where tests kill the process: BENCHD_FAILPOINT=NAME:N ends it with SIGKILL when NAME
 * is passed for the Nth time. Costs one look at a variable otherwise. */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

void failpoint(const char *name);

#endif
