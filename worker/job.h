/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One job inside its runner process. */
#ifndef WORKER_JOB_H
#define WORKER_JOB_H

#include "base/arena.h"
#include "base/rng.h"
#include "worker/cgroup.h"
#include "worker/channel.h"
#include "worker/device.h"
#include "worker/host.h"
#include "worker/launch.h"
#include "worker/noise.h"
#include "worker/sandbox.h"
#include "worker/spec.h"
#include "worker/zygote.h"

enum job_status { JOB_SUCCEEDED, JOB_FAILED, JOB_TIMED_OUT, JOB_CANCELED, JOB_SKIPPED };
enum job_fault {
	FAULT_NONE,
	FAULT_PROGRAM,
	FAULT_BUILD,
	FAULT_NO_RESULT,
	FAULT_RUNNER,
	FAULT_KERNEL,	   /* benchd-kernel: bad arguments, an error of its own, a crash */
	FAULT_UNAVAILABLE, /* this host has not what a kernel needs */
	FAULT_DEVICE	   /* a GPU was lost, crashed its process, or is refused */
};
extern const char *const job_status_names[];
extern const char *const job_fault_names[];

/* Processes: from here on a zygote and the like are worth their set-up. */
enum { JOB_MANY = 5 };

struct flight;

struct job {
	struct channel ch;
	struct arena *arena; /* lives as long as the job */
	struct spec *spec;
	const struct host *host;
	struct rng rng; /* from spec->seed: order of arms */
	/* The same in a stream of its own: a plan that is dropped has taken of it, too. */
	struct rng padding;
	int64_t seq; /* of the last record sent */
	int lock_fd; /* host lock; -1 */
	int slot;    /* of the worker's table */
	struct job_device devices[JOB_DEVICES];
	size_t n_devices;
	struct cgroup cgroup;
	struct sandbox sandbox;
	struct zygote zygote;
	bool had_zygote;
	bool looks_out;	      /* the runner has a cpu on which nothing is measured */
	bool comes_first;     /* and the least real-time priority, where it may */
	struct flight *ready; /* the next process; NULL: none was made ready */
	uint64_t n_flights;
	struct noise_snapshot looked; /* the last look at the host, behind a measured process */
	cpu_set_t cpus;		      /* measured processes run here; empty: anywhere */
	char *scratch;		      /* fresh folder, removed at the end */
	char *directory[SPEC_ARMS];   /* where each arm's programs run */
	const char *phase;	      /* last one told */
	bool started_busy;
	json_t *identity; /* of the host when it began, where that is not host->identity; NULL
			   */
	char environment_id[65];
	struct program kernel;	     /* id "": no cell runs benchd-kernel */
	json_t *cells;		     /* for `done` */
	json_t *layers;		     /* isolation achieved, by layer */
	json_t *notes;		     /* for `done`: what a reader of the result should know */
	int64_t n_done, n_total;     /* processes */
	const char *last_cell;	     /* of the process that was done last; borrowed of spec */
	int64_t n_told;		     /* done, as the daemon knows */
	int64_t free_at_start_bytes; /* on the disk of scratch; -1: not told */
	int64_t telling_ns;	     /* spent between processes on telling the daemon of them */
	/* How it ends. Set once by job_fail; the first reason wins. */
	enum job_status status;
	enum job_fault fault;
	bool is_mixed;	 /* what was measured belongs to no one environment */
	bool is_refused; /* by what the host is: it would be so again in five seconds */
	char reason[512];
};

/* Note the end of the job and return a negative code, so that steps write
 * `return job_fail(...)`. */
int job_fail(struct job *j, enum job_fault fault, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what this host is not, so that another attempt here is no use. */
int job_refuse(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* There is nothing to be measured. */
int job_skip(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int job_time_out(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The job must end because the channel says so: canceled, timed out or shut down. */
int job_stopped(struct job *j);
/* Tell the log and, once, the result. */
void job_note(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Queue how many processes of the job (arg) are done, where that is news: for its channel. */
void job_progress(void *arg);
/* Tell a phase once. */
void job_phase(struct job *j, const char *phase, const char *detail);
/* That of measuring; of a job with many processes on the host's lock with the cpus on which
 * they begin, so that the daemon keeps off them. */
void job_phase_measure(struct job *j);

/* Where measured processes may run; never empty. */
/* The cpus on which measured processes begin (*ret_theirs), and those that the runner keeps to
 * meanwhile: where none are set apart, each a half. A wake-up between the two is to find its
 * cpu free, and what is measured is not to meet the runner where it starts. False: there is one
 * cpu for both. */
bool job_share_cpus(const struct job *j, cpu_set_t *ret_theirs, cpu_set_t *ret_ours);
const cpu_set_t *job_cpus(const struct job *j);

/* What every process of a job gets, measured or not: environment, limits, isolation. Allocated
 * in a. */
char **job_environment(struct job *j, struct arena *a, const char *const *extra);
extern const char job_path[]; /* PATH of every process */

/* Run an unmeasured command (hook, build step) in folder directory, its output as log stream
 * `stream`. OK only when it exits with 0; otherwise E_UNPROCESSABLE with a sentence that ends
 * in the last line it printed; E_DEADLINE when it ran out of time; any stop of the job is
 * E_GONE. */
int job_run_tool(struct job *j, char **argv, const char *directory, const char *stream,
	int64_t time_ns, struct error *err) must_check;

#endif
