/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/pagecache.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pagecache_drop(struct error *err)
{
	static const char path[] = "/proc/sys/vm/drop_caches";
	int fd, r = OK;

	sync();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "3\n", 2) != 2)
		r = error_errno(err, E_FORBIDDEN,
			"'cache' is cold, and the page cache cannot be dropped ('%s'): the "
			"worker "
			"must run as root; or say warm",
			path);
	if (fd >= 0)
		close(fd);
	return r;
}
