/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/fs.h"

static bool usable(const char *dir, mode_t mode)
{
	struct error err;

	return dir_make(dir, mode, &err) == OK && access(dir, W_OK) == 0;
}

const char *lock_directory(void)
{
	static char dir[PATH_MAX];
	const char *set = getenv("BENCHD_LOCK_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");

	if (*dir)
		return dir;
	if (set && *set)
		snprintf(dir, sizeof(dir), "%s", set);
	else
		snprintf(dir, sizeof(dir), "/run/benchd");
	if (usable(dir, 0755))
		return dir;
	if (runtime && *runtime) {
		snprintf(dir, sizeof(dir), "%s/benchd", runtime);
		if (usable(dir, 0700))
			return dir;
	}
	snprintf(dir, sizeof(dir), "/tmp/benchd-%u", (unsigned)geteuid());
	(void)usable(dir, 0700);
	return dir;
}

static int read_holder(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[MAX(n, 0)] = 0;
	return atoi(text);
}

static void write_holder(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

int lock_try(const char *path, int *ret, int *ret_holder, struct error *err)
{
	_cleanup_(close)
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	*ret = -1;
	*ret_holder = 0;
	if (fd < 0)
		return error_errno(err, E_IO, "cannot open the lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, E_IO, "cannot lock '%s'", path);
		*ret_holder = read_holder(fd);
		return OK;
	}
	/* Whatever the umask: others may read who has it, and lock it to see whether somebody
	 * has. */
	(void)fchmod(fd, 0644);
	write_holder(fd);
	*ret = TAKE_FD(fd);
	return OK;
}
