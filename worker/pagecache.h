/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page cache before a measured process. */
#ifndef WORKER_PAGECACHE_H
#define WORKER_PAGECACHE_H

#include "base/error.h"

/* Write dirty pages back and drop the clean ones, with directory entries and inodes: the next
 * read comes from the device. Needs root and a writable /proc/sys; E_FORBIDDEN says so. */
int pagecache_drop(struct error *err) must_check;

#endif
