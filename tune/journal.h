/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values a host had before it was tuned, on disk before the first of them is changed.
 *
 * One JSON object a line: first { "benchd_tune": 1, "boot": ID, "n": LINES THAT FOLLOW }, then
 * { "path", "before", "wanted" } in the order of writing. The file is there exactly while the
 * host is tuned. */
#ifndef TUNE_JOURNAL_H
#define TUNE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/error.h"

struct journal_entry {
	const char *path, *before, *wanted;
};
struct journal {
	const char *boot; /* id of the boot it was written in; "" when unknown */
	struct journal_entry *entries;
	size_t n;
	size_t n_bad;  /* lines that could not be used, or are missing */
	bool has_boot; /* false: its first line is lost */
};

/* The kernel's id of this boot, "" where it has none. root as in struct tune_host. */
const char *journal_boot(struct arena *a, const char *root);
/* After OK the journal survives a power cut. */
int journal_save(const char *path, const struct journal *j, struct error *err) must_check;
/* E_NOT_FOUND: the host is not tuned. Lines that name no setting of ours are counted, not used.
 */
int journal_load(
	struct arena *a, const char *path, struct journal *ret, struct error *err) must_check;
/* Unlink and fsync the folder. */
int journal_remove(const char *path, struct error *err) must_check;

#endif
