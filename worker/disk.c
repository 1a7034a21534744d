/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/disk.h"

#include <sys/statvfs.h>
#include "base/cleanup.h"

#define RESERVE_MOST (4LL << 30)

int64_t disk_reserve_bytes(int64_t total_bytes)
{
	return MIN(total_bytes / 20, RESERVE_MOST);
}

static bool look(const char *path, int64_t *ret_free, int64_t *ret_total)
{
	struct statvfs s;

	if (statvfs(path, &s) < 0)
		return false;
	*ret_free = (int64_t)(s.f_bavail * s.f_frsize);
	*ret_total = (int64_t)(s.f_blocks * s.f_frsize);
	return true;
}

int64_t disk_free_bytes(const char *path)
{
	int64_t n, total;

	return look(path, &n, &total) ? n : -1;
}

bool disk_is_short(const char *path)
{
	int64_t n, total;

	return look(path, &n, &total) && n < disk_reserve_bytes(total);
}

bool disk_was_filled(const char *path, int64_t free_at_start_bytes)
{
	int64_t n, total;

	return look(path, &n, &total) && free_at_start_bytes - n > disk_reserve_bytes(total);
}
