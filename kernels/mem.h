/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays of kernels: aligned, on huge pages where they are large, faulted in by who first
 * writes them. Any thread. */
#ifndef KERNELS_MEM_H
#define KERNELS_MEM_H

#include <stddef.h>
#include "base/cleanup.h"
#include "base/error.h"

/* bytes of zeroed memory aligned to 64 bytes, with 64 readable bytes behind it; E_UNAVAILABLE
 * when the host does not give it. Arrays of one kernel pass slot 0, 1, 2...: it shifts their
 * starts apart, so that streams over several arrays do not meet in the same cache sets. */
int mem_new(void **ret, size_t bytes, int slot, struct error *err) must_check;
void mem_free(void *p); /* NULL is fine */

#endif
