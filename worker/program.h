/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which program is it that measures? Built-in kernels are part of what they measure: another
 * benchd-kernel is another series. Its id is a SHA-256 of what the loader takes of it: a strip,
 * other debug information or another build folder leave it as it is. */
#ifndef WORKER_PROGRAM_H
#define WORKER_PROGRAM_H

#include <stdbool.h>
#include <sys/stat.h>
#include "base/json.h"
#include "base/secret.h"

#define KERNEL_PROGRAM "benchd-kernel"

struct program {
	struct stat seen;    /* the file as it was read last */
	char id[SHA256_HEX]; /* "": there is none, or it cannot be read */
};

/* Does a command of a job's spec run benchd-kernel? */
bool program_is_kernel(char *const *argv);
/* Find out, unless the file is the one that was read last. */
void program_look(struct program *p, const char *path);
/* The same for the benchd-kernel that this worker starts. */
void program_look_for_kernel(struct program *p);
/* {"benchd-kernel": id} as `programs`, where there is one. */
void program_tell(const struct program *p, json_t *o);

#endif
