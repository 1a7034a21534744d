/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/fs.h"
#include "base/secret.h"

enum { MAX_DEPTH = 128 };

static const char *const kinds[] = { "tree", "git" }; /* evicted in this order */

int cache_make(const struct host *h, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(free)
		char *path = xasprintf("%s/cache/%s", h->state, kinds[i]);
		int r = dir_make(path, 0711, err);

		if (r < 0)
			return r;
		if (h->job_uid != (uid_t)-1 && chown(path, h->job_uid, h->job_gid) < 0)
			return error_errno(err, E_IO, "cannot give '%s' to the job user", path);
	}
	return OK;
}

static int open_lock(const char *entry)
{
	_cleanup_(free)
	char *path = xasprintf("%s.lock", entry);

	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int cache_lock(struct job *j, const char *entry, int *ret_fd, struct error *err)
{
	_cleanup_(close)
	int fd = open_lock(entry);

	if (fd < 0)
		return error_errno(err, E_IO, "cannot lock '%s'", entry);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, E_IO, "cannot lock '%s'", entry);
		if (channel_sleep(&j->ch, 20 * NS_PER_MS))
			return error_set(err, E_GONE, "stopped while waiting for '%s'", entry);
	}
	(void)futimens(fd, NULL); /* when it was used last */
	*ret_fd = TAKE_FD(fd);
	return OK;
}

void cache_share(int fd)
{
	(void)flock(fd, LOCK_SH);
}

/* --- what a tree looks like -------------------------------------------------------------- */

static void add_file(struct cache_print *p, const char *path, const struct stat *st)
{
	uint64_t digest[SHA256_BYTES / 8];
	char text[4600];
	int n = snprintf(text, sizeof(text), "%.4096s|%o|%lld|%lld.%09ld", path,
		(unsigned)st->st_mode, S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size,
		S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_ctim.tv_sec,
		S_ISDIR(st->st_mode) ? 0L : st->st_ctim.tv_nsec);

	sha256(text, (size_t)n, (uint8_t *)digest);
	for (size_t i = 0; i < ARRAY_SIZE(digest); i++)
		p->sum[i] += digest[i];
	p->n_files++;
	p->bytes += (int64_t)st->st_blocks * 512;
}

static int walk(int parent, const char *name, const char *path, int depth,
	struct cache_print *p, struct error *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = OK;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d || depth > MAX_DEPTH) {
		if (d)
			closedir(d);
		else if (fd >= 0)
			close(fd);
		return error_errno(err, E_IO, "cannot read the folder '%s'", path);
	}
	while (r == OK && (e = readdir(d))) {
		_cleanup_(free)
		char *full = NULL;
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
			(!depth && !strcmp(e->d_name, ".git")))
			continue;
		full = xasprintf("%s/%s", path, e->d_name);
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		add_file(p, full, &st);
		if (S_ISDIR(st.st_mode))
			r = walk(fd, e->d_name, full, depth + 1, p, err);
	}
	closedir(d);
	return r;
}

int cache_print_make(const char *path, struct cache_print *ret, struct error *err)
{
	*ret = (struct cache_print){ 0 };
	return walk(AT_FDCWD, path, path, 0, ret, err);
}

static char *print_text(const struct cache_print *p)
{
	return xasprintf("%" PRId64 " %" PRId64 " %016" PRIx64 "%016" PRIx64 "%016" PRIx64
			 "%016" PRIx64 "\n",
		p->bytes, p->n_files, p->sum[0], p->sum[1], p->sum[2], p->sum[3]);
}

bool cache_is_built(const char *tree)
{
	_cleanup_(free)
	char *path = xasprintf("%s.built", tree), *now = NULL;
	_cleanup_(buf_done)
	struct buf then = { 0 };
	struct cache_print p;
	struct error err;
	bool same;

	if (file_read(path, 4096, &then, &err) < 0 || cache_print_make(tree, &p, &err) < 0)
		return false;
	now = print_text(&p);
	same = !strcmp(now, buf_str(&then));
	if (same)
		(void)!utimensat(AT_FDCWD, path, NULL, 0);
	return same;
}

int cache_note_built(const char *tree, struct error *err)
{
	_cleanup_(free)
	char *path = xasprintf("%s.built", tree), *text = NULL;
	struct cache_print p;
	int r = cache_print_make(tree, &p, err);

	if (r < 0)
		return r;
	text = print_text(&p);
	return file_write(path, text, strlen(text), 0600, err);
}

/* --- eviction ---------------------------------------------------------------------------- */

struct item {
	char *path;
	int64_t bytes, used_ns;
	int kind;
	bool is_gone;
};

struct items {
	struct item *v;
	size_t n, cap;
};

/* A tree's size stands in its .built file; without one it is a ruin and goes first. A mirror
 * has few large files and is measured. */
static void measure(struct item *it)
{
	_cleanup_(free)
	char *mark = xasprintf(it->kind == 0 ? "%s.built" : "%s.lock", it->path);
	_cleanup_(buf_done)
	struct buf text = { 0 };
	struct cache_print p;
	struct error err;
	struct stat st;

	if (stat(mark, &st) == 0)
		it->used_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	if (it->kind == 0 && file_read(mark, 4096, &text, &err) == OK)
		it->bytes = strtoll(buf_str(&text), NULL, 10);
	else if (cache_print_make(it->path, &p, &err) == OK)
		it->bytes = p.bytes;
}

static void list_kind(const struct host *h, int kind, struct items *all)
{
	_cleanup_(free)
	char *folder = xasprintf("%s/cache/%s", h->state, kinds[kind]);
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || strchr(e->d_name, '.'))
			continue;
		if (all->n == all->cap) {
			all->cap = all->cap ? 2 * all->cap : 32;
			all->v = xrealloc(all->v, all->cap * sizeof(*all->v));
		}
		all->v[all->n] = (struct item){ .path = xasprintf("%s/%s", folder, e->d_name),
			.kind = kind };
		measure(&all->v[all->n++]);
	}
	if (d)
		closedir(d);
}

static int by_age(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind - y->kind;
	return x->used_ns < y->used_ns ? -1 : x->used_ns > y->used_ns;
}

static bool remove_item(const struct item *it)
{
	_cleanup_(free)
	char *built = xasprintf("%s.built", it->path);
	_cleanup_(close)
	int fd = open_lock(it->path);
	struct error err;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	/* The lock's file stays: somebody may be waiting for it. */
	(void)unlink(built);
	return dir_remove(it->path, &err) == OK;
}

int cache_evict(const struct host *h)
{
	struct items all = { 0 };
	int64_t total = 0;
	int n_gone = 0;

	for (int kind = 0; kind < (int)ARRAY_SIZE(kinds); kind++)
		list_kind(h, kind, &all);
	for (size_t i = 0; i < all.n; i++)
		total += all.v[i].bytes;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_age);
	for (size_t i = 0; i < all.n && total > h->cache_bytes; i++)
		if (remove_item(&all.v[i])) {
			total -= all.v[i].bytes;
			n_gone++;
		}
	for (size_t i = 0; i < all.n; i++)
		free(all.v[i].path);
	free(all.v);
	return n_gone;
}
