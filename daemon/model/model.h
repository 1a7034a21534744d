/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The nouns of benchd as plain structs that travel between the stages, and enums with their
 * names on the wire. No behaviour but names, defaults and the readers of definitions; no I/O.
 *
 * Strings are borrowed: they live in the arena that was given to the call that filled the
 * struct. Ids (`id`) are row numbers and never leave the daemon; `uuid` does. Times are
 * nanoseconds since 1970 (0 = absent). */
#ifndef DAEMON_MODEL_MODEL_H
#define DAEMON_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/* --- enums with names: enum, name on the wire --- */
#define JOB_STATES(X)                                                                          \
	X(JOB_AWAITING_APPROVAL, "awaiting_approval")                                          \
	X(JOB_BLOCKED, "blocked")                                                              \
	X(JOB_QUEUED, "queued")                                                                \
	X(JOB_WAITING_HOST, "waiting_host")                                                    \
	X(JOB_RUNNING, "running")                                                              \
	X(JOB_RETRY_WAIT, "retry_wait")                                                        \
	X(JOB_SUCCEEDED, "succeeded")                                                          \
	X(JOB_FAILED, "failed")                                                                \
	X(JOB_TIMED_OUT, "timed_out")                                                          \
	X(JOB_CANCELED, "canceled")                                                            \
	X(JOB_SUPERSEDED, "superseded")
#define JOB_FAULTS(X)                                                                          \
	X(FAULT_NONE, "none")                                                                  \
	X(FAULT_PROGRAM, "program")                                                            \
	X(FAULT_BUILD, "build")                                                                \
	X(FAULT_NO_RESULT, "no_result")                                                        \
	X(FAULT_RUNNER, "runner")                                                              \
	X(FAULT_KERNEL, "kernel")                                                              \
	X(FAULT_UNAVAILABLE, "unavailable")                                                    \
	X(FAULT_DEVICE, "device")
#define OUTCOMES(X)                                                                            \
	X(OUTCOME_NONE, "none")                                                                \
	X(OUTCOME_SAME, "same")                                                                \
	X(OUTCOME_FASTER, "faster")                                                            \
	X(OUTCOME_SLOWER, "slower")                                                            \
	X(OUTCOME_UNKNOWN, "unknown")
#define GATE_OUTCOMES(X)                                                                       \
	X(GATE_PASS, "pass")                                                                   \
	X(GATE_FAIL, "fail")                                                                   \
	X(GATE_UNKNOWN, "unknown")                                                             \
	X(GATE_ERROR, "error")
#define NOISES(X)                                                                              \
	X(NOISE_CLEAN, "clean")                                                                \
	X(NOISE_SUSPECT, "suspect")                                                            \
	X(NOISE_NOISY, "noisy")
#define WORKLOAD_KINDS(X)                                                                      \
	X(WORKLOAD_KERNEL, "kernel")                                                           \
	X(WORKLOAD_COMMAND, "command")                                                         \
	X(WORKLOAD_BUILD, "build")                                                             \
	X(WORKLOAD_SUITE, "suite")
/* Priority classes, first served first (measurement: manual and pull requests before nights).
 */
#define PRIORITIES(X)                                                                          \
	X(PRIORITY_CONFIRM, "confirm")                                                         \
	X(PRIORITY_MANUAL, "manual")                                                           \
	X(PRIORITY_PUSH, "push")                                                               \
	X(PRIORITY_BISECT, "bisect")                                                           \
	X(PRIORITY_NIGHTLY, "nightly")                                                         \
	X(PRIORITY_BACKFILL, "backfill")
#define ALERT_STATES(X)                                                                        \
	X(ALERT_SUSPECT, "suspect")                                                            \
	X(ALERT_CONFIRMED, "confirmed")                                                        \
	X(ALERT_RESOLVED, "resolved")                                                          \
	X(ALERT_DISMISSED, "dismissed")
#define BETTERS(X)                                                                             \
	X(BETTER_LOWER, "lower")                                                               \
	X(BETTER_HIGHER, "higher")
#define ARMS(X)                                                                                \
	X(ARM_HEAD, "head")                                                                    \
	X(ARM_BASE, "base")                                                                    \
	X(ARM_CONTROL, "control")

/* What happens to a slot that nobody was there for; to one whose predecessor's job is not over;
 * and what became of it. */
#define MISFIRES(X)                                                                            \
	X(MISFIRE_SKIP, "skip")                                                                \
	X(MISFIRE_RUN_ONCE, "run_once")
#define OVERLAPS(X)                                                                            \
	X(OVERLAP_SKIP, "skip")                                                                \
	X(OVERLAP_SUPERSEDE, "supersede")                                                      \
	X(OVERLAP_ALLOW, "allow")
#define DEVICE_STATES(X)                                                                       \
	X(DEVICE_OK, "ok")                                                                     \
	X(DEVICE_QUARANTINED, "quarantined")                                                   \
	X(DEVICE_WEDGED, "wedged")
#define FIRING_STATES(X)                                                                       \
	X(FIRING_FILED, "filed")                                                               \
	X(FIRING_SKIPPED, "skipped")                                                           \
	X(FIRING_MISSED, "missed")                                                             \
	X(FIRING_FAILED, "failed")

/* Declares enum E, const char *E_name(enum E) and int E_parse(name) (-1 when unknown), and
 * E_names[] (NULL-terminated) for JF_ENUM. */
#define DECLARE_NAMED_ENUM(E, LIST)                                                            \
	enum E { LIST(NAMED_ENUM_ITEM) E##_count };                                            \
	extern const char *const E##_names[];                                                  \
	const char *E##_name(enum E v);                                                        \
	int E##_parse(const char *name);
#define NAMED_ENUM_ITEM(id, name) id,
DECLARE_NAMED_ENUM(job_state, JOB_STATES)
DECLARE_NAMED_ENUM(job_fault, JOB_FAULTS)
DECLARE_NAMED_ENUM(outcome, OUTCOMES)
DECLARE_NAMED_ENUM(gate_outcome, GATE_OUTCOMES)
DECLARE_NAMED_ENUM(noise, NOISES)
DECLARE_NAMED_ENUM(workload_kind, WORKLOAD_KINDS)
DECLARE_NAMED_ENUM(priority, PRIORITIES)
DECLARE_NAMED_ENUM(alert_state, ALERT_STATES)
DECLARE_NAMED_ENUM(better, BETTERS)
DECLARE_NAMED_ENUM(arm, ARMS)
DECLARE_NAMED_ENUM(misfire, MISFIRES)
DECLARE_NAMED_ENUM(overlap, OVERLAPS)
DECLARE_NAMED_ENUM(firing_state, FIRING_STATES)
DECLARE_NAMED_ENUM(device_state, DEVICE_STATES)

bool job_state_is_final(enum job_state s);

/* --- nouns in Bencher's sense --- */
struct project {
	int64_t id;
	const char *uuid, *name, *slug, *url /* NULL */, *visibility; /* "public" | "private" */
	int64_t created_ns, modified_ns;
};
struct version {
	int64_t id, number;
	const char *uuid, *hash; /* hash NULL when the report named none */
};
struct branch {
	int64_t id, project_id, head_id;
	const char *uuid, *name, *slug, *head_uuid;
	int64_t created_ns, modified_ns, archived_ns, head_created_ns;
};
struct testbed {
	int64_t id, project_id;
	const char *uuid, *name, *slug;
	int64_t created_ns, modified_ns, archived_ns;
};
struct benchmark {
	int64_t id, project_id;
	const char *uuid, *name, *slug;
	int64_t created_ns, modified_ns, archived_ns;
};
struct measure {
	int64_t id, project_id;
	const char *uuid, *name, *slug, *units;
	enum better better;
	int64_t created_ns, modified_ns, archived_ns;
};
enum { UNITS_TEXT = 65 };
/* What stands in the last parentheses of a measure's units ("nanoseconds (ns)" -> "ns"), else
 * all of it. */
const char *units_symbol(const char *units, char out[UNITS_TEXT]);
/* Values in from times *ret are values in to; false when the two count different things. */
bool units_factor(const char *from, const char *to, double *ret);
struct environment {
	int64_t id;
	const char *identity_hash; /* sha256 hex of the canonical JSON of identity */
	const char *identity_json;
	int64_t created_ns;
};
/* {id, identity} of a message: the canonical JSON of identity, malloc'd, and its hash; NULL
 * where the id is not that hash, which series hang on. */
char *environment_read(const json_t *environment, char hash[65]);
/* `programs` of a message: the id of the benchd-kernel that the worker starts; "" where it does
 * not tell. */
void program_read(const json_t *message, char ret[65]);
struct commit { /* what is known of a commit of a repository */
	const char *hash, *author, *email, *subject;
	const char
		*parents; /* hashes separated by one space, first parent first; "" for a root */
	int64_t time_ns;
};

/* --- definitions --- */
struct protocol {
	int64_t processes, samples, warmup, max_processes, iterations;
	int64_t warmup_processes; /* run and thrown away before the first that counts */
	bool adaptive, control;
	bool cachegrind;  /* count instructions too */
	json_t *counters; /* as written; NULL */
	json_t *require;  /* names of what the host must be; NULL */
	double target_ci, min_effect;
	int64_t budget_ns, idle_wait_ns;
};
struct limits {
	int64_t time_ns, build_time_ns, job_time_ns, output_bytes, memory_bytes,
		file_size_bytes;
};
/* `scaling` of a workload: each cell becomes one for each number of threads. */
enum { SCALING_MAX = 32, SCALING_MAX_THREADS = 4096 };
struct scaling_plan {
	bool is_weak; /* the work grows with the threads */
	int threads[SCALING_MAX];
	size_t n;	  /* 0: no scaling */
	const char *size; /* the parameter of a command that weak scaling multiplies */
};
struct workload {
	int64_t id, project_id; /* project_id 0: from the server's configuration */
	const char *name, *description, *source; /* source: "config:FILE", "api", "adhoc" */
	enum workload_kind kind;
	json_t *definition; /* the object as read, validated; borrowed */
	struct protocol protocol;
	struct limits limits;
	struct scaling_plan scaling;
	const char *isolation, *slot, *cpus;
	int64_t created_ns, modified_ns;
};
/* One benchmark command to be measured, after parameters and matrix are filled in. */
struct cell {
	const char *id;	       /* "0", "1", ...: position after expansion, before shuffling */
	const char *benchmark; /* name without the suffix */
	const char *suffix;    /* "" or "[backend=simd,size=64Mi]": all parameters, sorted */
	json_t *argv;	       /* array of strings */
	json_t *parameters;    /* object */
	const char *adapter;   /* "none", "json", ... */
	const char *definition_hash;
	/* Cells of one group are measured in turns: those of a scaling sweep, which differ only
	 * in their threads, named by benchmark and the other parameters; or all ("turns").
	 * NULL: the cell is alone. */
	const char *group;
	int threads;		    /* 0 without a group */
	json_t *environment;	    /* of this cell alone; NULL */
	json_t *prepare, *conclude; /* where they name parameters; else NULL: the workload's */
};

/* What was measured: numbers of two of these are never compared. */
struct definition {
	const char *hash;     /* of both */
	const char *workload; /* cell.definition_hash: what was asked for */
	const char *program;  /* id of the benchd-kernel that did it; NULL: none, or not told */
	const char *driver;   /* and of the Vulkan device it used; NULL */
};
/* Of a cell that runs benchd-kernel the program is part, whoever built it; commands and builds
 * are what commits are compared by. program: "" not told; driver: NULL: none; borrowed. Arena.
 */
struct definition definition_of(
	struct arena *a, const struct cell *c, const char *program, const char *driver);

/* Longest name of a workload, and what may stand in it: letters, digits and "._-". */
enum { WORKLOAD_NAME_MAX = 64 };
bool workload_name_is_valid(const char *name);
/* Read and check a definition (docs/workloads.md); field errors carry JSON pointers. Defaults
 * are filled in. The workload borrows from definition and a. */
int workload_read(json_t *definition, struct arena *a, struct workload *ret,
	struct error *err) must_check;
/* What `threads: auto` means where the worker measures on n_cpus cpus (0: unknown, nothing is
 * done) is written into a definition that leaves it open and names no cpus itself. */
void scaling_settle(json_t *definition, int64_t n_cpus);
int64_t scaling_count_cpus(const char *list); /* of "1,4-7"; 0: none, or no list */
/* Write the numbers of threads that "auto" means on this host into the definition, so that a
 * stored job means the same anywhere and for ever. */
void workload_pin_scaling(struct workload *w);
/* Expand to cells with the job's parameters (object or NULL); at most 1,000 cells. */
int workload_expand(const struct workload *w, json_t *parameters, struct arena *a,
	struct cell **ret, size_t *ret_n, struct error *err) must_check;
/* Check the steps of a suite (docs/workloads.md): known names, no circle (which is named). The
 * order is such that each comes behind what it comes after. Arena. */
int workload_order_steps(json_t *steps, struct arena *a, const char *const **ret, size_t *ret_n,
	struct error *err) must_check;
/* The name under which a result of this cell is stored: for kernels the reported id, otherwise
 * the cell's name, followed by "/reported" when the program reports another one; then the
 * suffix. */
const char *cell_result_name(const struct workload *w, const struct cell *c,
	const char *reported /* NULL: timed from outside */, struct arena *a);
/* "[backend=simd,size=64Mi]": an object of strings, numbers and booleans by sorted keys; ""
 * when it is NULL or empty. Part of a benchmark's name: other parameters, another history. */
const char *parameters_suffix(struct arena *a, json_t *parameters);
/* Ids of the built-in kernels (NULL-terminated); a test compares them with `benchd-kernel
 * list`. */
extern const char *const kernel_ids[];
/* The id that somebody means who wrote this: triad is stream.triad, fft is fft.c2c; NULL when
 * none is near. */
const char *kernel_id_near(const char *name);
/* A definition for a kernel id or glob that no workload is named after; NULL when none matches.
 */
json_t *workload_from_kernel(const char *id_or_glob);
/* The spec of docs/worker-protocol.md, without seed, arms, have and K. New reference. */
json_t *workload_spec(const struct workload *w, const struct cell *cells, size_t n);

/* --- jobs --- */
#define DEFAULT_BRANCH "main" /* where nobody names one */
struct job {
	int64_t id, project_id;
	const char *uuid, *project_slug, *name /* workload */, *kind, *slot;
	const char *definition_json; /* the whole workload definition as it was at submit */
	const char *parameters_json; /* NULL */
	enum job_state state;
	enum job_fault fault;
	const char *phase;  /* "" unless running */
	const char *reason; /* one sentence; "" */
	enum priority priority;
	enum outcome outcome;
	const char *branch;		   /* NULL: "main" is used */
	const char *base_ref, *head_ref;   /* as asked; NULL */
	const char *base_hash, *head_hash; /* resolved; NULL */
	const char *testbed;
	const char *trigger; /* "api", "hook", "schedule", "confirm", ... */
	uint64_t seed;
	int64_t attempt, max_attempts;
	int64_t worker_id;	 /* 0: none; negative: embedded, it ends with its daemon */
	int64_t n_told;		 /* number of the worker's last message that is stored */
	int64_t n_noisy_runs;	 /* measured again so often because the run was noisy */
	int64_t n_done, n_total; /* processes */
	int64_t created_ns, queued_ns, started_ns, finished_ns, not_before_ns, lease_until_ns;
	const char *report_uuid, *base_report_uuid; /* NULL until stored */
	const char *supersede_key;		    /* NULL */
	const char *submitter;			    /* token name */
	const char *result_json; /* NULL, or the comparison / gate as stored at the end */
};
struct job_event {
	int64_t id, job_id, time_ns;
	const char *kind; /* "state", "phase", "progress", "process", "done" */
	const char *data_json;
};

/* A file that a job keeps, whole. */
enum { ARTIFACTS_MAX = 64 /* of a job */, ARTIFACT_NAME_MAX = 255 };
#define ARTIFACT_BYTES_MAX (16 * MiB)  /* of a file */
#define ARTIFACTS_BYTES_MAX (32 * MiB) /* of a job */
struct artifact {
	int64_t id;
	const char *arm, *name /* path below the arm's folder */, *sha256;
	int64_t n_bytes, created_ns;
};

/* --- schedules --- */
struct schedule {
	int64_t id, project_id;
	const char *uuid, *project_slug, *name, *cron, *time_zone;
	enum misfire misfire;
	enum overlap overlap;
	int64_t grace_ns, jitter_ns;
	bool is_paused, may_exec;
	bool only_new;		 /* not the commit that the firing before has measured */
	int64_t seen_ns;	 /* slots up to here are dealt with */
	int64_t slot_ns, due_ns; /* the next slot, and with its jitter; 0: there is none */
	int64_t created_ns, modified_ns;
	const char *source; /* "api" or "config" */
	const char *submitter, *job_json;
};
struct firing {
	int64_t id, schedule_id, slot_ns, fired_ns, n_missed, job_id; /* job_id 0: none */
	bool is_manual;
	enum firing_state state;
	const char *reason;
	const char *job_uuid, *job_state; /* NULL */
};

/* --- devices --- */
struct device {		       /* a Vulkan device as the workers of a testbed told of it */
	int64_t id, driver_id; /* VkDriverId */
	const char *testbed, *uuid /* 32 digits */, *name, *driver;
	bool is_software, is_present /* the last probe found it */;
	const char *info_json; /* as benchd-kernel told it */
	int64_t seen_ns;
	enum device_state state;
	int64_t since_ns;   /* of a state that is not ok */
	const char *reason; /* why; "" */
	int64_t n_losses;   /* in a row */
	int64_t cleared_ns; /* last; 0: never */
	const char *cleared_by;
};
struct device_event {
	int64_t at_ns;
	const char *kind;	  /* lost crashed wedged quarantined cleared recovered */
	const char *job;	  /* UUID; NULL */
	const char *actor, *text; /* who cleared it, "" */
};

/* --- results --- */
struct process { /* one measured process, see docs/worker-protocol.md */
	int64_t id, job_id, seq, index, block, order, attempt;
	const char *cell;
	enum arm arm;
	enum noise noise;
	bool replaced, steady;
	const char *termination;
	const char *record_json; /* the record without its results */
};
struct series_values { /* samples of one process for one (benchmark, measure) */
	const char *benchmark, *measure, *unit;
	enum better better;
	const double *samples, *warmup;
	size_t n_samples, n_warmup;
	double value; /* exp of the median of the logs; plain median where a value is <= 0 */
};
struct metric {
	int64_t id;
	const char *uuid;
	double value, lower, upper; /* lower and upper NAN when absent */
	int64_t n_processes, n_samples;
};
/* Adapters of reports made by benchd itself: of a job, and of a re-run that measured only what
 * was in question. */
#define REPORT_ADAPTER "benchd"
#define REPORT_ADAPTER_RERUN "benchd-rerun"
struct report {
	int64_t id, project_id, job_id, environment_id;
	const char *uuid, *adapter, *environment_hash;
	struct branch branch;
	struct version version;
	struct testbed testbed;
	enum arm arm;
	enum noise noise;
	int64_t start_ns, end_ns, created_ns;
	const char *job_uuid;	  /* NULL for uploads */
	const char *summary_json; /* per cell stop reason, verdict ...; NULL */
};
struct result { /* one metric of a report */
	int64_t iteration;
	struct benchmark benchmark;
	struct measure measure;
	struct metric metric;
	const char *definition_hash; /* NULL for uploads */
	const char *workload_hash;   /* of the definition alone, without the program; NULL */
	const char *program;	     /* id of the benchd-kernel that was measured; NULL */
	const char *driver;	     /* of the Vulkan device, with its name; NULL */
	const char *parameters_json; /* NULL */
	int64_t series_id;
};

/* --- history --- */
enum point_flag {
	POINT_NOISY = 1,    /* run verdict noisy: not a baseline, raises nothing */
	POINT_SUSPECT = 2,  /* an open suspect stands on it: not a baseline */
	POINT_EXCLUDED = 4, /* marked invalid by a person */
	POINT_ALERTED = 8,  /* confirmed as regressed, outside the segment's baseline */
	POINT_ASIDE = 16,   /* measured beside the history (base arm, re-run): no point of it */
	POINT_HELD = 32,    /* measured while the control kernel had moved: not a baseline */
};
struct point { /* one commit value of a series; key (series, version number, report) */
	int64_t series_id, version_number, report_id, environment_id, time_ns, iteration;
	const char *hash, *report_uuid, *definition_hash;
	const char *workload_hash, *program, *driver; /* as in struct result */
	double value, lower, upper;
	int64_t n_processes;
	unsigned flags;
};
struct change_point {
	int64_t id, series_id, version_number,
		created_ns; /* first version of the new segment */
	const char *hash;
	double effect, effect_low, effect_high, p; /* relative, 0.1 = +10 % */
	double before, after;
	enum outcome outcome; /* faster or slower */
	const char *detector;
};
struct alert {
	int64_t id, series_id, report_id, metric_id;
	const char *uuid, *detail_json; /* everything a person needs to act */
	enum alert_state state;
	const char *reason;
	enum outcome direction;
	double effect, effect_low, effect_high, p, baseline, value;
	int64_t version_number, created_ns, modified_ns;
	struct benchmark benchmark;
	struct measure measure;
	struct branch branch;
	struct testbed testbed;
	const char *hash;
	const char *limit_side; /* "lower", "upper": one value passed a limit; NULL: a level */
	int64_t acknowledged_ns, snoozed_ns; /* 0; quiet until then */
};
/* Why alerts of a replaced head are closed; Bencher calls such alerts silenced. */
#define REASON_NEW_HEAD "the branch was started anew from another point"

#endif
