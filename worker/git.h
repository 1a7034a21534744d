/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commits: a bare mirror per repository in the cache, fetched when needed; references resolved;
 * trees checked out as worktrees of the mirror. No submodules, no hooks, no filters, no
 * prompts. Protocols http, https and ssh; file only where the workload names an absolute path.
 */
#ifndef WORKER_GIT_H
#define WORKER_GIT_H

#include "worker/job.h"

struct git {
	struct job *job;
	const char *url;
	char *mirror; /* folder of the bare repository */
	int lock_fd;
	bool is_fetched; /* in this job */
	const char
		*default_branch; /* what HEAD means there; the job's arena; NULL: not asked */
};

/* Check the URL, make or find the mirror and lock it. Negative after job_fail, as all here. */
int git_open(struct git *g, struct job *j) must_check;
void git_close(struct git *g);
/* The commit of an arm: by hash when it has one (fetched only if it is not there yet), else by
 * its ref; with merge_base the best common ancestor of that and the other arm. Sends
 * `resolved`. hash takes 40 digits. */
int git_resolve(struct git *g, size_t arm, char hash[41]) must_check;
/* Do files that count by the spec's paths differ between two commits? OK, or negative after
 * job_skip. */
int git_check_paths(struct git *g, const char *base, const char *head) must_check;
/* Check hash out into the new folder path. */
int git_checkout(struct git *g, const char *hash, const char *path) must_check;

/* NULL when git may fetch from it, else what is wrong with it. */
const char *git_url_problem(const char *url);

#endif
