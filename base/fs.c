/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int file_read(const char *path, int64_t max, struct buf *b, struct error *err)
{
	_cleanup_(close)
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t start = b->len;

	if (fd < 0)
		return error_errno(
			err, errno == ENOENT ? E_NOT_FOUND : E_IO, "cannot read '%s'", path);
	for (;;) {
		ssize_t n;

		buf_reserve(b, 16384);
		n = read(fd, b->data + b->len, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, E_IO, "cannot read '%s'", path);
		b->len += (size_t)n;
		b->data[b->len] = 0;
		if ((int64_t)(b->len - start) > max)
			return error_set(err, E_TOO_LARGE, "'%s' is larger than %lld bytes",
				path, (long long)max);
		if (n == 0)
			return OK;
	}
}

int write_all(int fd, const void *data, size_t n, struct error *err)
{
	const char *p = data;

	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return error_errno(err, E_IO, "cannot write");
		p += w;
		n -= (size_t)w;
	}
	return OK;
}

static void sync_folder(const char *path)
{
	_cleanup_(free)
	char *copy = xstrdup(path);
	_cleanup_(close)
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

int file_write(const char *path, const void *data, size_t n, mode_t mode, struct error *err)
{
	_cleanup_(free)
	char *tmp = xasprintf("%s.tmp-%d", path, (int)getpid());
	_cleanup_(close)
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return error_errno(err, E_IO, "cannot create '%s'", tmp);
	r = write_all(fd, data, n, err);
	if (r < 0) {
		unlink(tmp);
		return r;
	}
	if (fsync(fd) < 0 || rename(tmp, path) < 0) {
		r = error_errno(err, E_IO, "cannot write '%s'", path);
		unlink(tmp);
		return r;
	}
	sync_folder(path);
	return OK;
}

int dir_make(const char *path, mode_t mode, struct error *err)
{
	_cleanup_(free)
	char *p = xstrdup(path);

	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = 0;
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return error_errno(err, E_IO, "cannot make the folder '%s'", p);
		*s = '/';
	}
	if (mkdir(p, mode) < 0 && errno != EEXIST)
		return error_errno(err, E_IO, "cannot make the folder '%s'", p);
	return OK;
}

static int remove_at(int parent, const char *name, int depth)
{
	struct dirent *d;
	DIR *dir;
	int fd;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EISDIR && errno != EPERM) || depth > 256)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	fchmod(fd, 0700);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	while ((d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			remove_at(fd, d->d_name, depth + 1);
	closedir(dir);
	return unlinkat(parent, name, AT_REMOVEDIR);
}

int dir_remove(const char *path, struct error *err)
{
	if (remove_at(AT_FDCWD, path, 0) < 0)
		return error_errno(err, E_IO, "cannot remove '%s'", path);
	return OK;
}

const char *program_dir(void)
{
	static char dir[PATH_MAX];

	if (!*dir) {
		char exe[PATH_MAX];
		ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

		if (n < 0)
			n = 0;
		exe[n] = 0;
		snprintf(dir, sizeof(dir), "%s", dirname(exe));
	}
	return dir;
}
