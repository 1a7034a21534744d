/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of benchd-kernel: commands, options, exit statuses. Main thread. */
#ifndef KERNELS_CLI_H
#define KERNELS_CLI_H

#include "base/arena.h"
#include "kernels/kernels.h"

/* What the process ends with (sysexits.h where it has one). */
enum exit_status {
	EXIT_USAGE = 64,       /* the command line is wrong */
	EXIT_UNVERIFIED = 65,  /* an output was not what it must be */
	EXIT_UNAVAILABLE = 69, /* no driver, device, feature or memory for it */
	EXIT_BROKEN = 70,      /* an error of this program or its system */
	EXIT_STOPPED = 75,     /* by SIGTERM */
	EXIT_LOST = 76,	       /* the device was lost */
};
int exit_of_error(const struct error *err);

enum { CLI_EXTRA = 16, CLI_SELECTED = 256 };

/* What was written on the command line; text is borrowed from argv. */
struct cli {
	const char *sizes, *backends, *dtypes, *threads; /* comma lists, NULL = default */
	const char *device, *isa, *variant;
	int64_t seed, samples, iterations, warmup; /* -1 = not given */
	int64_t min_time_ns;
	bool json, csv, svg, weak, validate, cold, all, no_ceiling, dry_run, quiet, help;
	bool backends_given; /* verify: not chosen by itself */
	struct {
		const char *name, *value;
	} extra[CLI_EXTRA]; /* options of kernels */
	size_t n_extra;
	const char *words[CLI_SELECTED]; /* what is no option */
	size_t n_words;
};

/* Which command takes which option. */
enum command_bit {
	CMD_LIST = 1,
	CMD_DEVICES = 2,
	CMD_RUN = 4,
	CMD_TUNE = 8,
	CMD_ROOFLINE = 16,
	CMD_SCALING = 32,
	CMD_VERIFY = 64,
	CMD_WEIGHTS = 128,
	CMD_PROBE = 256,
};
/* Words behind a command. E_BAD_REQUEST naming the option, with the nearest known one, or the
 * commands that it is for. */
int cli_parse(struct cli *c, enum command_bit command, int argc, char **argv,
	struct error *err) must_check;
/* Kernels by ids, aliases, globs and comma lists, each once, in the order asked for.
 * E_NOT_FOUND with the nearest name. */
int cli_select(const struct cli *c, const struct kernel **ret, size_t *ret_n,
	struct error *err) must_check;

/* Every combination of the lists of sizes, backends, dtypes and thread counts for one kernel.
 * The array lives in the arena. */
int cli_expand(const struct cli *c, const struct kernel *k, struct arena *a,
	struct params **ret, size_t *ret_n, struct error *err) must_check;

struct command {
	const char *name, *args, *what;
	enum command_bit bit;
	int (*run)(const struct cli *c); /* returns the exit status */
};
int cmd_list(const struct cli *c);
int cmd_devices(const struct cli *c);
int cmd_probe(const struct cli *c);
int cmd_run(const struct cli *c);
int cmd_verify(const struct cli *c);
int cmd_tune(const struct cli *c);
int cmd_roofline(const struct cli *c);
int cmd_scaling(const struct cli *c);
int cmd_weights(const struct cli *c);
/* Whether this host has a Vulkan device that is no software. */
bool devices_have_gpu(void);
/* Whether a Vulkan device (NULL: the best one) opens under the validation layer;
 * E_UNAVAILABLE and its like with the reason. */
int devices_validate(const char *device, struct error *err) must_check;
/* Print "benchd-kernel: sentence" on stderr, and as an error line where results go; returns
 * the exit status. */
int cli_fail(const struct error *err);

#endif
