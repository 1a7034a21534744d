/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tune/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include "base/fs.h"
#include "base/ndjson.h"
#include "tune/setting.h"

enum { MAX_JOURNAL = 4 * 1024 * 1024, MAX_LINE = 16 * 1024, FORMAT = 1 };

const char *journal_boot(struct arena *a, const char *root)
{
	const struct tune_host h = { .root = root };
	const char *id;
	struct error ignored;

	return value_read(a, &h, "/proc/sys/kernel/random/boot_id", &id, &ignored) < 0 ? ""
										       : id;
}

static void add_line(struct buf *b, json_t *o)
{
	ndjson_format(b, o);
	json_decref(o);
}

int journal_save(const char *path, const struct journal *j, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };

	add_line(&b, json_pack("{si ss sI}", "benchd_tune", FORMAT, "boot", j->boot, "n",
			     (json_int_t)j->n));
	for (size_t i = 0; i < j->n; i++)
		add_line(&b, json_pack("{ss ss ss}", "path", j->entries[i].path, "before",
				     j->entries[i].before, "wanted", j->entries[i].wanted));
	return file_write(path, b.data, b.len, 0600, err);
}

/* n_wanted: of the first line, -1 while that is missing (or of a version that did not count).
 */
static void take_line(struct arena *a, struct journal *j, json_t *o, int64_t *n_wanted)
{
	struct journal_entry e = { json_get_str(o, "path", ""), json_get_str(o, "before", NULL),
		json_get_str(o, "wanted", "") };
	struct journal_entry *more;

	if (json_get_int(o, "benchd_tune", 0) == FORMAT) {
		j->boot = json_get_str(o, "boot", "");
		j->has_boot = true;
		*n_wanted = json_get_int(o, "n", -1);
		return;
	}
	if (!e.before || !setting_owns(e.path)) {
		j->n_bad++;
		return;
	}
	more = ARENA_ARRAY(a, struct journal_entry, j->n + 1);
	if (j->n)
		memcpy(more, j->entries, j->n * sizeof(*more));
	more[j->n++] = e;
	j->entries = more;
}

int journal_load(struct arena *a, const char *path, struct journal *ret, struct error *err)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct ndjson lines;
	int64_t n_wanted = -1;
	json_t *o;
	int r;

	*ret = (struct journal){ .boot = "" };
	r = file_read(path, MAX_JOURNAL, &b, err);
	if (r < 0)
		return r;
	ndjson_init(&lines, MAX_LINE);
	ndjson_feed(&lines, b.data, b.len);
	while ((r = ndjson_next(&lines, &o, err)) < 0 || o) {
		if (r < 0)
			ret->n_bad++;
		else
			take_line(a, ret, arena_own_json(a, o), &n_wanted);
	}
	ndjson_done(&lines);
	if (!ret->has_boot || (n_wanted >= 0 && (int64_t)(ret->n + ret->n_bad) < n_wanted) ||
		b.data[b.len - 1] != '\n')
		ret->n_bad++;
	return OK;
}

int journal_remove(const char *path, struct error *err)
{
	_cleanup_(free)
	char *copy = xstrdup(path);
	_cleanup_(close)
	int dir = -1;

	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, E_IO, "cannot remove '%s'", path);
	dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) < 0)
		return error_errno(err, E_IO, "cannot sync the folder of '%s'", path);
	return OK;
}
