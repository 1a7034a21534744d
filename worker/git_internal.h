/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of git.h share; not for others. */
#ifndef WORKER_GIT_INTERNAL_H
#define WORKER_GIT_INTERNAL_H

#include "worker/git.h"

/* Most that is read of what git prints, bytes. */
enum { GIT_OUTPUT = 4 * 1024 * 1024 };

/* --- git_run.c --- */
/* Does it name a folder of this host? */
bool git_is_local(const char *url);
/* Run git with these arguments; what it printed goes to out (may be NULL). E_GONE: the job has
 * to stop. */
int git_run(
	struct git *g, struct buf *out, struct error *err, const char *const *args) must_check;
#define GIT(g, out, err, ...)                                                                  \
	git_run((g), (out), (err), (const char *const[]){ __VA_ARGS__, NULL })

/* --- git_branch.c --- */
char *git_dir(struct git *g); /* "--git-dir=..." of the mirror; the job's arena */
/* Does this name a commit in the mirror? */
bool git_parse_rev(struct git *g, const char *rev, char hash[41]);
bool git_is_abbreviation(const char *s); /* of a commit's hash, or all of it */
/* Find out g->default_branch: what HEAD means in the repository. */
int git_ask_default_branch(struct git *g, struct error *err) must_check;
/* Under which branch results belong when the job names none; NULL: as it was filed. */
const char *git_branch_of(struct git *g, const struct spec_arm *spec, const char *hash);

#endif
