/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Vulkan devices that a job's kernels run on: which (from the last probe, by the rule of
 * benchd-kernel's own choice), whether they may be used, their locks, and what became of them.
 * Runner only, but for device_lock_path and device_is_named. */
#ifndef WORKER_DEVICE_H
#define WORKER_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/json.h"

enum { JOB_DEVICES = 8 };

struct job;
struct supervised;
struct turn;

struct job_device {
	const json_t *info;  /* a device of the probe */
	int lock_fd;	     /* of hardware: its own lock; -1 */
	int64_t n_succeeded; /* processes since the last bad end */
	const char *ended;   /* "lost", "crashed", "wedged"; NULL: in order */
};

/* Does a command of a job's spec name the Vulkan backend of benchd-kernel? */
bool device_is_named(char *const *argv);
/* The device that it would choose among those of the probe; NULL: it would find none, or needs
 * none. Borrowed. */
const json_t *device_resolve(const json_t *devices, char *const *argv);
/* A step of the job: E_UNPROCESSABLE after job_fail when one of its devices is refused by the
 * daemon (quarantined, wedged); else waits for their locks. */
int device_take(struct job *j);
void device_release(struct job *j);
/* Of the process of this turn; NULL: none. */
struct job_device *device_of(struct job *j, const struct turn *t);
/* Descriptor of the lock that the process inherits; -1: none. */
int device_lock_of(struct job *j, const struct turn *t);
/* How its process ended. */
void device_note(struct job *j, const struct turn *t, const struct supervised *s);
/* Members `devices` and `probe_again` of `done`. */
void device_tell(const struct job *j, json_t *done);
/* Path of the lock: gpu-UUID.lock, of a software device that of the host. free() it. */
char *device_lock_path(const json_t *device);

#endif
