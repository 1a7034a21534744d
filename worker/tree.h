/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the facts about this machine are read: /proc and /sys, or the same below a folder that
 * plays another machine (`--root`, for tests of hardware that is not here). Set before the
 * first thread, read anywhere. */
#ifndef WORKER_TREE_H
#define WORKER_TREE_H

#include <sys/types.h>

enum { TREE_PATH = 512, TREE_FACT = 256 };

void tree_use(const char *root);
/* The file for an absolute path; in out, which is returned. */
const char *tree_path(const char *path, char out[TREE_PATH]);
/* Opened for reading, close-on-exec; -1: it is not there or may not be read. */
int tree_open(const char *path);
/* What a small file of /proc or /sys says now, as text (at most size - 1 bytes), by a
 * descriptor that stays open; -1 closed. Returns its length, negative and "" on an error. */
ssize_t tree_read_again(int fd, char *out, size_t size);
/* The first line of a file, without blanks at its end; NULL when it is not there or empty. */
const char *tree_line(const char *path, char out[TREE_FACT]);
/* The same for a path that is not below the played folder but is taken as it is (from glob). */
const char *tree_line_at(const char *path, char out[TREE_FACT]);

#endif
