/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Room on the file system where jobs work. What a job writes is limited a file
 * (limits.file_size); this is the limit of all it writes: the disk that it shares with the
 * database must not run full. Any thread. */
#ifndef WORKER_DISK_H
#define WORKER_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* What stays free for others: a twentieth of the file system, at most 4 GiB. */
int64_t disk_reserve_bytes(int64_t total_bytes);
/* Bytes that may still be written where path is; -1 when that cannot be told. */
int64_t disk_free_bytes(const char *path);
/* Less than the reserve is left. */
bool disk_is_short(const char *path);
/* Whether who began with so much free has used the reserve up rather than found it used. */
bool disk_was_filled(const char *path, int64_t free_at_start_bytes);

#endif
