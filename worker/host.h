/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the worker found out about this machine and was told on its command line. Made once at
 * start, read by every runner (which are forks and therefore have it for free). */
#ifndef WORKER_HOST_H
#define WORKER_HOST_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/json.h"
#include "worker/energy.h"
#include "worker/program.h"

/* Memory that the worker and all its runners share. Plain loads and stores: the numbers are
 * hints (noise signals, caches of costs), never locks. */
struct host_shared {
	volatile int32_t n_jobs;	/* running now in this worker */
	volatile int64_t spawn_cost_ns; /* median time of /bin/true; 0: not measured yet */
};

struct host {
	const char *state;   /* folder of this worker; holds lock, jobs/, cache/ */
	const char *owner;   /* value of BENCHD_OWNER, NULL: none */
	cpu_set_t cpus;	     /* measuring cpus; empty: all */
	cpu_set_t allowed;   /* what the worker itself may use */
	long n_cpus;	     /* of the machine that are switched on */
	int64_t cache_bytes; /* limit of cache/ */
	uid_t job_uid;	     /* (uid_t)-1: the worker's own */
	gid_t job_gid;
	bool uses_cgroup; /* false: --no-cgroup */
	char *cgroup;	  /* our cgroup v2 folder for jobs; NULL: none can be made */
	bool cgroup_has_memory, cgroup_has_pids;
	bool has_pmu; /* hardware events may be counted */
	bool has_swap;
	int loadavg;			 /* /proc/loadavg; -1 */
	int psi_cpu, psi_io, psi_memory; /* descriptors of /proc/pressure; -1 */
	int stat, vmstat; /* /proc/stat (-1 where no time can be stolen), /proc/vmstat; -1 */
	int temperature, frequency; /* sysfs; -1 where the host has none */
	int throttle[2];	    /* thermal_throttle counters of package and core; -1 */
	int64_t hot_mc;		    /* from here on it is too warm to measure */
	int64_t full_khz;	    /* what the first measuring cpu can do at most; 0 unknown */
	struct energy energy;
	const char *clock_source; /* "" unknown */
	struct host_shared *shared;
	struct probe *probe;	    /* of Vulkan devices; the loop's */
	json_t *identity, *devices; /* identity: as the worker found it */
	bool has_changed; /* another one was told since: results say what they were made on */
	char id[65];	  /* environment id */
	struct program kernel; /* benchd-kernel, when it was looked at last */
};

/* Probe. h->state, owner, cpus etc. must be set before. */
int host_init(struct host *h, struct error *err) must_check;
/* "mains", also where nothing tells of a supply; "battery" when only that is left. */
const char *host_power(void);
/* Volatile facts for hello and heartbeats; the caller owns it. */
json_t *host_state(const struct host *h, bool brief);

#endif
