/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of `benchctl doctor` share: findings, and where they come from.
 *
 * doctor_settings.c reads what the host is set to, doctor_place.c where in it we are
 * (container, quota, virtual machine), doctor_activity.c what goes on in it while we look,
 * doctor_noise.c measures. Main thread; everything lives in the client's arena. */
#ifndef CLIENT_DOCTOR_H
#define CLIENT_DOCTOR_H

#include <sched.h>
#include "client/client.h"

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_NOTE, /* worth knowing; nothing that can be changed from here */
	DOCTOR_LOOK, /* changing it makes results better */
	DOCTOR_BAD,  /* results are not to be trusted before it is changed */
	n_doctor_levels
};
extern const char *const doctor_level_names[];

struct finding {
	const char *area, *check, *value;
	enum doctor_level level;
	const char *advice; /* what to do, in plain words; NULL when ok */
	const char *gain;   /* what that would bring; NULL when ok */
	const char *remedy; /* a command line, or NULL: nothing that one command does */
};

/* The spread of fresh processes that do fixed work; relative. */
struct doctor_noise {
	double within, between, paired, detectable, detectable_paired;
};

struct doctor {
	struct client *c;
	struct arena *a;
	const char *root; /* "" or a folder that holds a copy of /proc and /sys */
	cpu_set_t allowed;
	int cpu; /* where the pinned processes run: the last one allowed */
	json_t *findings, *measured, *busy;
	struct finding *list;
	size_t n, cap;
	struct doctor_noise noise;
};

void doctor_find(struct doctor *d, struct finding f);
/* A whole small file below the root, its last newline cut; NULL when it cannot be read. */
const char *doctor_text(struct doctor *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The integer a file begins with; -1 when there is none. */
int64_t doctor_number(struct doctor *d, const char *path);
/* printf into the arena. */
#define doctor_print(d, ...) arena_printf((d)->a, __VA_ARGS__)

void doctor_settings(struct doctor *d);
void doctor_place(struct doctor *d);
/* Looks, waits for window_ns, looks again. */
void doctor_activity(struct doctor *d, int64_t window_ns);
/* Negative with a sentence when a measuring process fails. */
int doctor_noise(struct doctor *d, struct error *err) must_check;

#endif
