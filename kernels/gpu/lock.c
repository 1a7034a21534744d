/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/gpu/gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include "base/fs.h"

/* The worker holds the lock and handed it down, or, of a software device, holds the host. */
static bool is_held_for_us(const struct gpu_info *info)
{
	const char *text = getenv("BENCHD_GPU_LOCK_FD");
	char *end;
	long fd = text ? strtol(text, &end, 10) : -1;

	if (text && end != text && !*end && fd >= 0 && fd < 1000000 &&
		fcntl((int)fd, F_GETFD) >= 0)
		return true;
	return info->is_software && getenv("BENCHD_JOB") != NULL;
}

/* A lock needs no right to write: whoever may only read the service's file locks that one. */
static int open_in(const char *folder, const char *name)
{
	_cleanup_(free)
	char *path = xasprintf("%s/%s", folder, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	return fd >= 0 ? fd : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Where the worker has it (worker/lock.h): the folder it was told, the service's, the user's.
 */
static int open_lock(const char *name)
{
	const char *set = getenv("BENCHD_LOCK_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_(free)
	char *own = runtime && *runtime ? xasprintf("%s/benchd", runtime)
					: xasprintf("/tmp/benchd-%u", (unsigned)geteuid());
	int fd = open_in(set && *set ? set : "/run/benchd", name);

	if (fd < 0 && dir_make(own, 0700, NULL) == OK)
		fd = open_in(own, name);
	return fd;
}

static int refuse(int fd, const struct gpu_info *info, struct error *err)
{
	char holder[32];
	ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);

	holder[n > 0 ? n : 0] = '\0';
	return error_set(err, E_UNAVAILABLE, "'%s' is in use by process %ld%s", info->name,
		strtol(holder, NULL, 10),
		info->is_software ? ", which measures on this host" : "");
}

static void write_holder(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	/* only a name for whoever is refused */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

int gpu_lock(const struct gpu_info *info, int *ret_fd, struct error *err)
{
	_cleanup_(free)
	char *name =
		info->is_software ? xstrdup("host.lock") : xasprintf("gpu-%s.lock", info->uuid);
	_cleanup_(close)
	int fd = -1;

	*ret_fd = -1;
	if (is_held_for_us(info))
		return OK;
	fd = open_lock(name);
	if (fd < 0)
		return OK;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? refuse(fd, info, err)
					    : error_errno(err, E_IO, "cannot lock '%s'", name);
	write_holder(fd);
	*ret_fd = TAKE_FD(fd);
	return OK;
}
