/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tune/tuner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

int tuner_lock(const char *journal, struct error *err)
{
	_cleanup_(free)
	char *path = xasprintf("%s.lock", journal);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, E_IO, "cannot open the lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return OK; /* held until the process ends */
	close(fd);
	return error_set(err, E_CONFLICT,
		"another benchd-tune holds '%s'; stop it first (systemctl stop benchd-tune)",
		path);
}

static const char *read_or_empty(struct arena *a, const struct tune_host *h, const char *path)
{
	const char *value;
	struct error ignored;

	return value_read(a, h, path, &value, &ignored) < 0 ? NULL : value;
}

void tuner_look(struct arena *a, const struct tune_host *h, unsigned wanted, struct tuned *ret)
{
	struct entry *e;
	size_t n;

	setting_entries(a, h, wanted, &e, &n);
	*ret = (struct tuned){ .rows = ARENA_ARRAY(a, struct outcome_row, n + 1) };
	for (size_t i = 0; i < n; i++) {
		const char *now = read_or_empty(a, h, e[i].path);

		if (!now)
			continue;
		ret->rows[ret->n++] = (struct outcome_row){ e[i], now, now,
			value_equal(e[i].path, now, e[i].wanted) ? ALREADY : NOT_KEPT, "" };
	}
}

static void note_refusal(
	struct tuned *t, struct outcome_row *row, enum achieved how, const char *reason)
{
	row->achieved = how;
	row->reason = reason;
	t->n_refused++;
}

/* Write, and believe only what the kernel says afterwards. */
static void set_row(
	struct arena *a, const struct tune_host *h, struct tuned *t, struct outcome_row *row)
{
	struct error err;

	if (row->achieved == ALREADY)
		return;
	if (value_write(h, row->entry.path, row->entry.wanted, &err) < 0) {
		note_refusal(t, row, REFUSED, arena_strdup(a, err.text));
		return;
	}
	t->n_changed++;
	row->now = read_or_empty(a, h, row->entry.path);
	if (!row->now || !value_equal(row->entry.path, row->now, row->entry.wanted))
		note_refusal(t, row, NOT_KEPT,
			arena_printf(a, "'%s' was written and '%s' is read back",
				row->entry.wanted, row->now ? row->now : "nothing"));
	else
		row->achieved = AS_WANTED;
}

static struct journal journal_of(
	struct arena *a, const struct tune_host *h, const struct tuned *t)
{
	struct journal j = { .boot = journal_boot(a, h->root),
		.entries = ARENA_ARRAY(a, struct journal_entry, t->n + 1) };

	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].achieved != ALREADY)
			j.entries[j.n++] = (struct journal_entry){ t->rows[i].entry.path,
				t->rows[i].before, t->rows[i].entry.wanted };
	return j;
}

int tuner_apply(struct arena *a, const struct tune_host *h, unsigned wanted,
	const char *journal, struct tuned *ret, struct error *err)
{
	struct journal j;
	int r;

	if (access(journal, F_OK) == 0)
		return error_set(err, E_CONFLICT,
			"the host is tuned already, by '%s'; 'benchd-tune restore' gives it "
			"back first",
			journal);
	tuner_look(a, h, wanted, ret);
	j = journal_of(a, h, ret);
	r = journal_save(journal, &j, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->n; i++)
		set_row(a, h, ret, &ret->rows[i]);
	return OK;
}

static void restore_row(struct arena *a, const struct tune_host *h, struct tuned *t,
	const struct journal_entry *e)
{
	struct outcome_row *row = &t->rows[t->n++];
	const char *found = read_or_empty(a, h, e->path);
	struct error err;

	*row = (struct outcome_row){ { n_settings, e->path, e->before }, found, found, ALREADY,
		"" };
	if (!found) /* a cpu or a device that has gone took its setting along */
		return;
	if (value_equal(e->path, found, e->before))
		return;
	if (value_write(h, e->path, e->before, &err) < 0) {
		note_refusal(t, row, REFUSED, arena_strdup(a, err.text));
		return;
	}
	t->n_changed++;
	row->achieved = AS_WANTED;
	row->now = read_or_empty(a, h, e->path);
	if (!row->now || !value_equal(e->path, row->now, e->before))
		note_refusal(t, row, NOT_KEPT, "it was written and does not read back");
}

int tuner_restore(struct arena *a, const struct tune_host *h, const char *journal,
	struct tuned *ret, bool *ret_rebooted, struct error *err)
{
	struct journal j;
	int r;

	*ret = (struct tuned){ 0 };
	*ret_rebooted = false;
	r = journal_load(a, journal, &j, err);
	if (r == E_NOT_FOUND)
		return OK;
	if (r < 0)
		return r;
	*ret_rebooted = j.has_boot && strcmp(j.boot, journal_boot(a, h->root)) != 0;
	ret->rows = ARENA_ARRAY(a, struct outcome_row, j.n + 1);
	for (size_t i = j.n; !*ret_rebooted && i-- > 0;)
		restore_row(a, h, ret, &j.entries[i]);
	if (ret->n_refused)
		return error_set(err, E_IO,
			"%zu values did not come back; '%s' stays until they have",
			ret->n_refused, journal);
	if (j.n_bad)
		return error_set(err, E_BAD_REQUEST,
			"%zu lines of '%s' are no settings of benchd-tune, or missing; look at "
			"them, then remove the file",
			j.n_bad, journal);
	return journal_remove(journal, err);
}
