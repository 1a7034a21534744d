/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of benchd-worker. */
#ifndef WORKER_OPTIONS_H
#define WORKER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

enum { OPTIONS_WRONG = 2 }; /* exit status */

struct options {
	const char *socket, *run, *state, *output, *job_user;
	const char *cpus;
	int64_t cache_bytes, shared_slots;
	bool no_cgroup, prints_fingerprint;
	bool has_own_state; /* made for this one run, removed at its end */
};

/* Fill what is given. Ends the process, with 0 after --help and --version. */
void options_read(struct options *o, int argc, char **argv);
/* Print the usage, or an error, and exit. */
__attribute__((noreturn)) void options_complain(void);
__attribute__((noreturn)) void options_die(const struct error *err);

#endif
