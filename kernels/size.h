/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes of kernels: "100x200", "64Mi", a class of the kernel (small, medium, large, 3km) or a
 * memory level (l1, l2, l3, dram) that is resolved on this host. Main thread. */
#ifndef KERNELS_SIZE_H
#define KERNELS_SIZE_H

#include "kernels/kernels.h"

enum { SIZE_TEXT = 64 };
#define SIZE_LEVELS "l1,l2,l3,dram"

/* Set p->dim from text. l1 and l2 fill half of that cache, l3 half of this process's share of
 * the last level, dram is at least four times the last level; a level that a kernel cannot
 * fill, or not in sensible time, is E_UNPROCESSABLE. E_BAD_REQUEST (field "size") for what
 * cannot be read, E_UNPROCESSABLE for what is out of the kernel's range. */
int size_parse(struct params *p, const char *text, struct error *err) must_check;
/* "100x200", "67108864" -> "64Mi" where it is whole. */
const char *size_format(const struct params *p, char out[SIZE_TEXT]);

#endif
