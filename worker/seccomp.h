/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls a confined process may not make: they fail with EPERM. A deny-list, because
 * a benchmark must be able to use whatever an ordinary program uses. */
#ifndef WORKER_SECCOMP_H
#define WORKER_SECCOMP_H

struct sock_fprog;

/* The filter for this machine's architecture; NULL where there is none. Static memory. */
const struct sock_fprog *seccomp_filter(void);

#endif
