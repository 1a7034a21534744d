/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state/cache: mirrors of repositories in git/, built trees in tree/. Each entry X has a lock
 * X.lock; a built tree has X.built with what it looked like when it was built. Jobs of one
 * worker share it. */
#ifndef WORKER_CACHE_H
#define WORKER_CACHE_H

#include "worker/job.h"

struct cache_print { /* of a tree of files */
	int64_t n_files, bytes;
	uint64_t sum[4]; /* independent of the order of reading */
};

int cache_make(const struct host *h, struct error *err) must_check;
/* Lock an entry for this job alone, waiting as long as the job may. E_GONE: it must stop. */
int cache_lock(struct job *j, const char *entry, int *ret_fd, struct error *err) must_check;
/* From now on others may read it too. */
void cache_share(int fd);

/* Path, size, mode and change time of every file below path, but for the .git at its top. */
int cache_print_make(const char *path, struct cache_print *ret, struct error *err) must_check;
/* The tree is as it was when cache_note_built was called, and has been used now. */
bool cache_is_built(const char *tree);
int cache_note_built(const char *tree, struct error *err) must_check;

/* Remove the trees (and then mirrors) used longest ago until all fits into h->cache_bytes.
 * Locked ones stay. Returns how many went. */
int cache_evict(const struct host *h);

#endif
