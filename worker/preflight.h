/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Before anything is measured: a clock worth reading, this host for us alone, and quiet. */
#ifndef WORKER_PREFLIGHT_H
#define WORKER_PREFLIGHT_H

#include "worker/job.h"

/* hpet and acpi_pm cost a system call a read: refused. */
int preflight_clock(struct job *j) must_check;
/* Which cpus the measured processes run on (the job's wish, else the worker's), as far as this
 * process may use them; the runner itself keeps off them where it can. */
int preflight_cpus(struct job *j) must_check;
/* The host lock, for jobs of slot exclusive. Waits as long as the job may. */
int preflight_lock(struct job *j) must_check;
/* Take the lock at path, waiting as long as the job may; what ("this host") is told meanwhile.
 */
int preflight_wait(struct job *j, const char *path, const char *what, int *ret_fd) must_check;
/* Until PSI says that for 2 s less than 2 % of the time somebody waited for a cpu, at most
 * protocol.idle_wait; after that the job goes on with started_busy set. */
int preflight_idle(struct job *j) must_check;

/* What machine this is now, and behind the measurement: is it still the same one? */
int preflight_identity(struct job *j);
int preflight_identity_again(struct job *j);

#endif
