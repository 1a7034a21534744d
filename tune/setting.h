/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What benchd-tune may set: one table of settings, and the files of a host behind each.
 *
 * Sources: Documentation/admin-guide/pm/cpufreq.rst and intel_pstate.rst,
 * Documentation/admin-guide/sysctl/kernel.rst and vm.rst, Documentation/core-api/irq (all of
 * the Linux kernel). Nothing outside this table is ever written, whatever a journal says. */
#ifndef TUNE_SETTING_H
#define TUNE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"

enum setting_id {
	SET_GOVERNOR, /* before turbo: a new governor resets no_turbo */
	SET_TURBO,
	SET_NMI_WATCHDOG,
	SET_NUMA_BALANCING,
	SET_TIMER_MIGRATION,
	SET_KSM,
	SET_IRQ,
	SET_WORKQUEUE,
	SET_THP,
	SET_SWAPPINESS,
	SET_PERF,
	SET_SMT,
	n_settings
};

struct setting {
	const char *name;
	bool by_default;  /* false: only when asked for by name */
	const char *what; /* why somebody wants it, in one line */
};
extern const struct setting settings[n_settings];

/* The names, NULL-terminated, for messages and nearest_name. */
extern const char *const setting_names[n_settings + 1];

struct entry { /* one file to be set */
	enum setting_id id;
	const char *path;   /* below the root, from "/" on */
	const char *wanted; /* what will be written */
};

struct tune_host {
	const char *root;	  /* "" or a folder that plays "/" in tests; not owned */
	const char *housekeeping; /* cpu list for interrupts and kernel workers; NULL: leave */
};

/* All files of the settings whose bit is set that exist on this host, in the order in which
 * they are to be written. Arena array. */
void setting_entries(struct arena *a, const struct tune_host *h, unsigned wanted,
	struct entry **ret, size_t *ret_n);
/* Is path one that a setting could name on some host? For journals read from disk. */
bool setting_owns(const char *path);

/* The value of the file: the chosen word of "a [b] c", else the text without its newline. At
 * most 4,000 bytes. */
int value_read(struct arena *a, const struct tune_host *h, const char *path, const char **ret,
	struct error *err) must_check;
/* One write(2) of the whole text; the kernel's refusal is E_IO with its reason. */
int value_write(const struct tune_host *h, const char *path, const char *value,
	struct error *err) must_check;
/* "0-3" and "0,1,2,3" are one list to the kernel; other values are compared as text. */
bool value_equal(const char *path, const char *one, const char *other);

#endif
