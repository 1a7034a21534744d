/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files and folders. Any thread. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/error.h"

/* Whole file into b (appended); E_TOO_LARGE over max bytes, E_NOT_FOUND when absent, else E_IO.
 */
int file_read(const char *path, int64_t max, struct buf *b, struct error *err) must_check;
/* Write to path.tmp-PID, fsync, rename, fsync the folder: after OK the content survives a power
 * cut, and no reader ever sees half of it. */
int file_write(const char *path, const void *data, size_t n, mode_t mode,
	struct error *err) must_check;
/* mkdir -p. */
int dir_make(const char *path, mode_t mode, struct error *err) must_check;
/* rm -rf that never follows a symbolic link and stays on nothing but path. Absent is OK. */
int dir_remove(const char *path, struct error *err) must_check;
/* Folder of the running program, from /proc/self/exe. */
const char *program_dir(void);
/* write(2) until all is out; E_IO. */
int write_all(int fd, const void *data, size_t n, struct error *err) must_check;

#endif
