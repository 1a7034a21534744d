/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/gpu/gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include "base/fs.h"

/* The daemon's folder when this process may write there, else the user's own. */
static char *lock_folder(void)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (access("/run/benchd", W_OK) == 0)
		return xstrdup("/run/benchd");
	return run && run[0] == '/' ? xasprintf("%s/benchd", run) : NULL;
}

static int refuse(int fd, const struct gpu_info *info, struct error *err)
{
	char holder[64];
	ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);

	holder[n > 0 ? n : 0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
	return error_set(err, E_UNAVAILABLE, "'%s' is in use by %s", info->name,
		holder[0] ? holder : "another process");
}

static void write_holder(int fd)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "process %ld\n", (long)getpid());

	/* only a name for whoever is refused */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

int gpu_lock(const struct gpu_info *info, int *ret_fd, struct error *err)
{
	_cleanup_(free)
	char *folder = NULL, *path = NULL;
	_cleanup_(close)
	int fd = -1;

	*ret_fd = -1;
	if (info->is_software || getenv("BENCHD_GPU_LOCK_FD"))
		return OK;
	folder = lock_folder();
	if (!folder || dir_make(folder, 0700, NULL) < 0)
		return OK;
	path = xasprintf("%s/gpu-%s.lock", folder, info->uuid);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno(err, E_IO, "cannot open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? refuse(fd, info, err)
					    : error_errno(err, E_IO, "cannot lock '%s'", path);
	write_holder(fd);
	*ret_fd = TAKE_FD(fd);
	return OK;
}
