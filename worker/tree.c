/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/tree.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"

static const char *root = "";

void tree_use(const char *folder)
{
	root = folder;
}

const char *tree_path(const char *path, char out[TREE_PATH])
{
	snprintf(out, TREE_PATH, "%s%s", root, path);
	return out;
}

int tree_open(const char *path)
{
	char full[TREE_PATH];

	return open(tree_path(path, full), O_RDONLY | O_CLOEXEC);
}

ssize_t tree_read_again(int fd, char *out, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, out, size - 1, 0);

	out[MAX(n, (ssize_t)0)] = 0;
	return n;
}

const char *tree_line_at(const char *path, char out[TREE_FACT])
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;
	size_t n;

	if (file_read(path, 1 << 20, &b, &err) < 0)
		return NULL;
	n = strcspn(buf_str(&b), "\n");
	n = MIN(n, (size_t)TREE_FACT - 1);
	memcpy(out, buf_str(&b), n);
	while (n && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = 0;
	return n ? out : NULL;
}

const char *tree_line(const char *path, char out[TREE_FACT])
{
	char full[TREE_PATH];

	return tree_line_at(tree_path(path, full), out);
}
