/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power cuts. A layer under SQLite records every write and every sync of the database and its
 * write-ahead log. A cut at any point of that record leaves what was synced and, of what was
 * not, an arbitrary part: whole writes lost, kept in another order, or torn at 512 bytes. From
 * each such state the store must open, be sound, and hold all that was acknowledged before.
 * BENCHD_POWER_CUTS sets how many (default 200). */
#include "tests/lib/store.h"

#include "base/rng.h"

enum { SECTOR = 512, COMMITS = 120, FILES = 2 };

/* --- the record --- */

enum what { WRITE, TRUNCATE, SYNC, DELETE, ACKNOWLEDGE };
struct event {
	enum what what;
	int file;   /* 0 database, 1 log */
	int64_t at; /* offset, new size, or acknowledged id */
	size_t n;
	char *data;
};
static struct event *events;
static size_t n_events, room;

static void record(enum what what, int file, int64_t at, const void *data, size_t n)
{
	if (n_events == room) {
		room = room ? room * 2 : 1024;
		events = xrealloc(events, room * sizeof(*events));
	}
	events[n_events] = (struct event){ what, file, at, n, NULL };
	if (n) {
		events[n_events].data = xmalloc(n);
		memcpy(events[n_events].data, data, n);
	}
	n_events++;
}

static void forget_record(void)
{
	for (size_t i = 0; i < n_events; i++)
		free(events[i].data);
	free(events);
	events = NULL;
	n_events = room = 0;
}

/* --- the layer --- */

struct layer_file {
	sqlite3_file base;
	int file;	    /* -1: not recorded */
	sqlite3_file *real; /* behind this struct */
};
static sqlite3_vfs *below, layer;

static sqlite3_file *real(sqlite3_file *f)
{
	return ((struct layer_file *)f)->real;
}
static int number(sqlite3_file *f)
{
	return ((struct layer_file *)f)->file;
}
static int layer_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}
static int layer_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return real(f)->pMethods->xRead(real(f), p, n, at);
}
static int layer_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (number(f) >= 0)
		record(WRITE, number(f), at, p, (size_t)n);
	return real(f)->pMethods->xWrite(real(f), p, n, at);
}
static int layer_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (number(f) >= 0)
		record(TRUNCATE, number(f), size, NULL, 0);
	return real(f)->pMethods->xTruncate(real(f), size);
}
static int layer_sync(sqlite3_file *f, int flags)
{
	if (number(f) >= 0)
		record(SYNC, number(f), 0, NULL, 0);
	return real(f)->pMethods->xSync(real(f), flags);
}
static int layer_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return real(f)->pMethods->xFileSize(real(f), ret);
}
static int layer_lock(sqlite3_file *f, int lock)
{
	return real(f)->pMethods->xLock(real(f), lock);
}
static int layer_unlock(sqlite3_file *f, int lock)
{
	return real(f)->pMethods->xUnlock(real(f), lock);
}
static int layer_check_lock(sqlite3_file *f, int *ret)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}
static int layer_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int layer_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}
static int layer_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int layer_shm_map(sqlite3_file *f, int i, int n, int extend, void volatile **ret)
{
	return real(f)->pMethods->xShmMap(real(f), i, n, extend, ret);
}
static int layer_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
static void layer_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}
static int layer_shm_unmap(sqlite3_file *f, int remove)
{
	return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods layer_methods = { 2, layer_close, layer_read, layer_write,
	layer_truncate, layer_sync, layer_size, layer_lock, layer_unlock, layer_check_lock,
	layer_control, layer_sector, layer_device, layer_shm_map, layer_shm_lock,
	layer_shm_barrier, layer_shm_unmap, NULL, NULL };

static int layer_open(
	sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct layer_file *l = (struct layer_file *)f;
	int rc;

	l->real = (sqlite3_file *)(l + 1);
	l->file = flags & SQLITE_OPEN_MAIN_DB ? 0 : flags & SQLITE_OPEN_WAL ? 1 : -1;
	rc = below->xOpen(below, name, l->real, flags, ret_flags);
	f->pMethods = rc == SQLITE_OK ? &layer_methods : NULL;
	return rc;
}

static int layer_delete(sqlite3_vfs *v, const char *name, int sync_folder)
{
	size_t n = strlen(name);

	if (n > 4 && !strcmp(name + n - 4, "-wal"))
		record(DELETE, 1, 0, NULL, 0);
	return below->xDelete(below, name, sync_folder);
}

static void install_layer(void)
{
	below = sqlite3_vfs_find(NULL);
	layer = *below;
	layer.zName = "layer";
	layer.szOsFile = (int)sizeof(struct layer_file) + below->szOsFile;
	layer.xOpen = layer_open;
	layer.xDelete = layer_delete;
	ck_assert_int_eq(sqlite3_vfs_register(&layer, 1), SQLITE_OK);
}

static void remove_layer(void)
{
	ck_assert_int_eq(sqlite3_vfs_unregister(&layer), SQLITE_OK);
	ck_assert_int_eq(sqlite3_vfs_register(below, 1), SQLITE_OK);
}

/* --- what is left after a cut --- */

struct disk {
	struct buf file[FILES];
	bool exists[FILES];
};

static void resize(struct buf *b, size_t n)
{
	if (n > b->len) {
		size_t old = b->len;

		buf_reserve(b, n - old);
		memset(b->data + old, 0, n - old);
	}
	b->len = n;
}

static void write_part(struct buf *b, const struct event *e, size_t from, size_t to)
{
	if (from >= to)
		return;
	resize(b, MAX(b->len, (size_t)e->at + to));
	memcpy(b->data + e->at + from, e->data + from, to - from);
}

static void apply(struct disk *d, const struct event *e)
{
	struct buf *b = &d->file[e->file];

	if (e->what == WRITE)
		write_part(b, e, 0, e->n);
	else if (e->what == TRUNCATE)
		resize(b, (size_t)e->at);
	else if (e->what == DELETE)
		buf_clear(b);
}

/* An unsynced event: lost, done, or a write of which some sectors are done. */
static void maybe_apply(struct disk *d, const struct event *e, struct rng *rng)
{
	switch (rng_below(rng, 3)) {
	case 0:
		break;
	case 1:
		apply(d, e);
		break;
	default:
		for (size_t i = 0; e->what == WRITE && i < e->n; i += SECTOR)
			if (rng_below(rng, 2))
				write_part(&d->file[e->file], e, i, MIN(i + SECTOR, e->n));
	}
}

/* Index of the last sync of the file before `cut`, or 0. */
static size_t last_sync(int file, size_t cut)
{
	while (cut > 0) {
		const struct event *e = &events[--cut];

		if (e->file == file && (e->what == SYNC || e->what == DELETE))
			return cut;
	}
	return 0;
}

static void cut_power(struct disk *d, size_t cut, struct rng *rng)
{
	/* One cut in four loses everything that was not synced, one in four keeps it all. */
	uint64_t mood = rng_below(rng, 4);

	for (int f = 0; f < FILES; f++) {
		size_t synced = last_sync(f, cut);

		buf_clear(&d->file[f]);
		for (size_t i = 0; i < cut; i++) {
			const struct event *e = &events[i];

			if (e->file != f || e->what == ACKNOWLEDGE)
				continue;
			if (i <= synced || mood == 1)
				apply(d, e);
			else if (mood != 0)
				maybe_apply(d, e, rng);
		}
	}
}

static void put_files(const struct disk *d, const char *path)
{
	char name[120];

	ok(file_write(path, buf_str(&d->file[0]), d->file[0].len, 0600, &err));
	snprintf(name, sizeof(name), "%s-wal", path);
	ok(file_write(name, buf_str(&d->file[1]), d->file[1].len, 0600, &err));
	snprintf(name, sizeof(name), "%s-shm", path);
	unlink(name);
}

static int64_t acknowledged(size_t cut)
{
	while (cut > 0)
		if (events[--cut].what == ACKNOWLEDGE)
			return events[cut].at;
	return 0;
}

/* --- the test --- */

/* Makes the database and adds jobs in commits of 1 to 8, with checkpoints in between. */
static void work(void)
{
	struct rng rng;
	struct job j = { 0 };

	rng_init(&rng, 7);
	ok(store_open(db_path, &db, &err));
	ok(store_begin(db, &err));
	a_project("p");
	ok(store_commit(db, &err));
	for (int c = 0; c < COMMITS; c++) {
		int n = 1 + (int)rng_below(&rng, 8);

		ok(store_begin(db, &err));
		for (int i = 0; i < n; i++)
			j = add_job(1, "power", PRIORITY_MANUAL);
		ok(store_commit(db, &err));
		record(ACKNOWLEDGE, -1, j.id, NULL, 0);
		if (rng_below(&rng, 6) == 0)
			ok(store_checkpoint(db, rng_below(&rng, 2), &err));
	}
	store_close(db);
}

static void look_after(size_t cut, const char *path)
{
	int64_t newest = 0, n = 0, wanted = acknowledged(cut);

	ck_assert_msg(store_open(path, &db, &err) == OK, "cut %zu of %zu: %s", cut, n_events,
		err.text);
	ok(store_check(db, &err));
	ok(db_pragma_int(db, "SELECT coalesce(max(id), 0) FROM job", &newest, &err));
	ok(db_pragma_int(db, "SELECT count(*) FROM job", &n, &err));
	ck_assert_msg(newest >= wanted, "cut %zu of %zu: %lld of %lld acknowledged jobs", cut,
		n_events, (long long)newest, (long long)wanted);
	ck_assert_int_eq(n, newest);
	store_close(db);
}

START_TEST(nothing_acknowledged_is_lost_when_the_power_goes)
{
	const char *asked = getenv("BENCHD_POWER_CUTS");
	int cuts = asked ? atoi(asked) : 200;
	struct disk disk = { 0 };
	struct rng rng;
	char path[100];

	make_folder();
	snprintf(path, sizeof(path), "%s/cut.db", folder);
	install_layer();
	work();
	remove_layer();
	ck_assert_int_gt(n_events, 1000);
	rng_init(&rng, 20261121);
	for (int i = 0; i < cuts; i++) {
		size_t cut = (size_t)rng_below(&rng, n_events + 1);

		cut_power(&disk, cut, &rng);
		put_files(&disk, path);
		look_after(cut, path);
	}
	for (int f = 0; f < FILES; f++)
		buf_done(&disk.file[f]);
	forget_record();
	remove_folder();
}
END_TEST

/* The record without its syncs is what a store that does not sync would leave: the test must
 * then find losses. */
START_TEST(a_store_that_does_not_sync_is_found_out)
{
	struct disk disk = { 0 };
	int64_t newest, lost = 0;
	char path[100];
	struct rng rng;

	make_folder();
	snprintf(path, sizeof(path), "%s/cut.db", folder);
	install_layer();
	work();
	remove_layer();
	for (size_t i = 0; i < n_events; i++)
		if (events[i].what == SYNC)
			events[i].file = -1;
	rng_init(&rng, 1);
	for (int i = 0; i < 40; i++) {
		size_t cut = n_events / 2 + (size_t)rng_below(&rng, n_events / 2);

		cut_power(&disk, cut, &rng);
		put_files(&disk, path);
		newest = 0;
		if (store_open(path, &db, &err) < 0) {
			lost++;
			continue;
		}
		if (store_check(db, &err) < 0 ||
			db_pragma_int(db, "SELECT coalesce(max(id), 0) FROM job", &newest,
				&err) < 0 ||
			newest < acknowledged(cut))
			lost++;
		store_close(db);
	}
	ck_assert_int_gt(lost, 5);
	for (int f = 0; f < FILES; f++)
		buf_done(&disk.file[f]);
	forget_record();
	remove_folder();
}
END_TEST

SUITE("store_power", nothing_acknowledged_is_lost_when_the_power_goes,
	a_store_that_does_not_sync_is_found_out)
