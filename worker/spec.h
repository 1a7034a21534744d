/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a job asks for: the `spec` of docs/worker-protocol.md as plain structs. Everything lives
 * in the arena it was read into; strings are never NULL unless said so. */
#ifndef WORKER_SPEC_H
#define WORKER_SPEC_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum spec_kind { KIND_KERNEL, KIND_COMMAND, KIND_BUILD };
enum spec_cache { CACHE_ANY, CACHE_WARM, CACHE_COLD };
enum spec_isolation { ISOLATION_NONE, ISOLATION_BASIC, ISOLATION_STRICT };
enum {
	SPEC_ARMS = 2,
	SPEC_MAX_CELLS = 4096,
	SPEC_MAX_ARGS = 1024,
	SPEC_MAX_STEPS = 64,
	SPEC_MAX_CELL_ENV = 8
};

/* A list of commands; each is a NULL-terminated argv with at least one element. */
struct spec_steps {
	char ***argv;
	size_t n;
};

struct spec_arm {
	const char *name; /* "base" or "head"; goes into records, never to a measured process */
	const char *ref;  /* NULL: none */
	const char *hash; /* NULL: none */
	/* Not the commit itself, but the best common ancestor of it and the other arm. */
	bool is_merge_base;
	bool finds_branch; /* tell which branch the commit belongs to */
};

struct spec_cell {
	const char *id, *benchmark, *primary;
	const char *adapter;	/* NULL: none */
	char **argv[SPEC_ARMS]; /* by arm; both the same unless argv_by_arm says otherwise */
	int64_t iterations;	/* K known to the daemon; 0: not yet */
	const char *group;	/* cells of one group take turns; NULL: alone */
	char **environment;	/* "NAME=value" of this cell alone, NULL-terminated or NULL */
	struct spec_steps prepare, conclude; /* instead of the job's, where n > 0 */
};

/* A process measured by an earlier attempt. */
struct spec_have {
	const char *cell, *arm;
	int64_t seq, index, block;
	double value;
	bool is_noisy;
	bool is_replaced; /* does not count; its numbers are taken */
	bool is_count;	  /* of instructions, not a measured process */
};

/* What the host must be, by the names in protocol.require. */
#define REQUIREMENTS(X)                                                                        \
	X(REQUIRE_QUIET, "quiet")                                                              \
	X(REQUIRE_GOVERNOR, "governor")                                                        \
	X(REQUIRE_NO_TURBO, "no_turbo")                                                        \
	X(REQUIRE_WHOLE_CORES, "whole_cores")                                                  \
	X(REQUIRE_ASLR, "aslr")                                                                \
	X(REQUIRE_NO_SWAP, "no_swap")                                                          \
	X(REQUIRE_ISOLATED, "isolated")                                                        \
	X(REQUIRE_COUNTERS, "counters")                                                        \
	X(REQUIRE_ENERGY, "energy")                                                            \
	X(REQUIRE_BARE_METAL, "bare_metal")                                                    \
	X(REQUIRE_MAINS, "mains")

enum requirement {
#define X(id, name) id,
	REQUIREMENTS(X)
#undef X
		N_REQUIREMENTS
};

struct spec_protocol {
	int64_t processes, samples, warmup, max_processes, iterations, warmup_processes;
	int64_t budget_ns, idle_wait_ns;
	double target_ci, min_effect;
	bool adaptive, control;
	bool cachegrind;  /* count instructions too */
	uint32_t require; /* bits of enum requirement */
};

struct spec_limits {
	int64_t time_ns, build_time_ns, job_time_ns;
	int64_t output_bytes, memory_bytes, file_size_bytes;
};

struct spec {
	enum spec_kind kind;
	enum spec_isolation isolation;
	const char *name, *repository; /* repository: NULL: none */
	const char *input;	       /* path of what measured processes read; NULL: nothing */
	const char *directory;	       /* where programs run; NULL: checkout or fresh folder */
	bool discards_output;
	enum spec_cache cache; /* page cache before each measured process */
	bool is_exclusive;
	uint64_t seed;
	struct spec_arm arms[SPEC_ARMS];
	struct spec_cell *cells;
	struct spec_have *have;
	size_t n_arms, n_cells, n_have;
	char **environment;	 /* "NAME=value", NULL-terminated */
	json_t *refused_devices; /* [{uuid, driver_id, reason}] not to be used; NULL: none */
	struct spec_protocol protocol;
	struct spec_limits limits;
	const char *cpus; /* cpu list, "" = the worker's measuring cpus */
	/* Globs; NULL-terminated or NULL. With two arms the job is skipped when no file that
	 * differs between them matches one of paths (NULL: all do) and none of paths_ignore. */
	char **paths, **paths_ignore;
	char **artifacts; /* globs of files to keep; NULL-terminated or NULL */
	struct spec_steps build, setup, prepare, conclude, cleanup;
	int exit_codes[256]; /* 1 where the code counts as success */
};

extern const char *const spec_cache_names[];	 /* "any", "warm", "cold", NULL */
extern const char *const spec_isolation_names[]; /* "none", "basic", "strict", NULL */

/* Read a spec. Unknown members are ignored (the daemon may be newer); anything else that is
 * wrong is E_UNPROCESSABLE with the field and its limit. */
int spec_read(struct arena *a, json_t *j, struct spec **ret, struct error *err) must_check;

#endif
