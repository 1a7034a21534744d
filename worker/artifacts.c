/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/artifacts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/secret.h"

enum { PIECE = 1024 * 1024 };

struct walk {
	struct job *j;
	const char *arm;
	int n_entries, n_files;
	int64_t n_bytes;
	bool is_told; /* that there is too much */
};

static bool is_wanted(const struct walk *w, const char *name)
{
	for (char **g = w->j->spec->artifacts; *g; g++)
		if (fnmatch(*g, name, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	return false;
}

static bool is_utf8(const char *s)
{
	json_t *v = json_string(s);

	json_decref(v);
	return v != NULL;
}

static int64_t read_all(int fd, uint8_t *to, int64_t size)
{
	int64_t n = 0;

	while (n < size) {
		ssize_t k = pread(fd, to + n, (size_t)(size - n), n);

		if (k <= 0)
			break;
		n += k;
	}
	return n;
}

static void send_pieces(struct walk *w, const char *name, const uint8_t *data, int64_t n)
{
	char hex[SHA256_HEX], *text = xmalloc(4 * (PIECE / 3 + 2));
	int64_t seq = 0, at = 0;

	sha256_hex(data, (size_t)n, hex);
	do {
		int64_t k = MIN(n - at, (int64_t)PIECE);
		json_t *m = channel_message(&w->j->ch, "artifact");

		base64_format(data + at, (size_t)k, text);
		json_set_str(m, "arm", w->arm);
		json_set_str(m, "name", name);
		json_set_int(m, "size", n);
		json_set_str(m, "sha256", hex);
		json_set_int(m, "seq", seq++);
		json_set_str(m, "data", text);
		channel_send(&w->j->ch, m);
		at += k;
	} while (at < n && !channel_in_a_hurry(&w->j->ch));
	free(text);
}

/* NULL: it can be kept. */
static const char *why_not(const struct walk *w, const char *name, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1)
		return "it is no plain file with one name";
	if (strlen(name) > ARTIFACTS_MAX_NAME || !is_utf8(name))
		return "its name is longer than 255 bytes or no UTF-8";
	if (st->st_size > ARTIFACTS_MAX_FILE)
		return "it is larger than 16 MiB";
	if (w->n_files == ARTIFACTS_MAX_FILES)
		return "a job keeps at most 64 files";
	if (w->n_bytes + st->st_size > ARTIFACTS_MAX_ALL)
		return "a job keeps at most 32 MiB";
	return NULL;
}

static void send_file(struct walk *w, int folder, const char *leaf, const char *name)
{
	int fd = openat(folder, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st = { 0 };
	const char *wrong = "it cannot be opened, or is a link";
	_cleanup_(free)
	uint8_t *data = NULL;
	int64_t n;

	if (fd >= 0 && fstat(fd, &st) == 0)
		wrong = why_not(w, name, &st);
	if (!wrong) {
		data = xmalloc((size_t)st.st_size + 1);
		n = read_all(fd, data, st.st_size);
		send_pieces(w, name, data, n);
		w->n_files++;
		w->n_bytes += n;
	} else {
		job_note(w->j, "'%.120s' is not kept: %s", name, wrong);
	}
	if (fd >= 0)
		close(fd);
}

static void walk_folder(struct walk *w, int fd, const char *below, int depth);

static void walk_entry(
	struct walk *w, int folder, const char *below, const char *leaf, int depth)
{
	_cleanup_(free)
	char *name = xasprintf("%s%s%s", below, *below ? "/" : "", leaf);
	struct stat st;
	int fd;

	if (fstatat(folder, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		if (is_wanted(w, name))
			send_file(w, folder, leaf, name);
		return;
	}
	if (depth == ARTIFACTS_MAX_DEPTH || !strcmp(leaf, ".git"))
		return;
	fd = openat(folder, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		walk_folder(w, fd, name, depth + 1);
}

/* Takes fd. */
static void walk_folder(struct walk *w, int fd, const char *below, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d)) && w->n_entries < ARTIFACTS_MAX_ENTRIES &&
		!channel_in_a_hurry(&w->j->ch)) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		w->n_entries++;
		walk_entry(w, fd, below, e->d_name, depth);
	}
	closedir(d);
	if (w->n_entries == ARTIFACTS_MAX_ENTRIES && !w->is_told) {
		w->is_told = true;
		job_note(w->j, "files to be kept were looked for among the first %d only",
			ARTIFACTS_MAX_ENTRIES);
	}
}

void artifacts_send(struct job *j)
{
	struct walk w = { .j = j };

	/* Foreign folders are never read with the worker's rights. */
	if (!j->spec->artifacts || j->spec->directory || channel_in_a_hurry(&j->ch))
		return;
	for (size_t arm = 0; arm < j->spec->n_arms; arm++) {
		int fd;

		/* Commands of both arms run in one folder. */
		if (!j->directory[arm] ||
			(arm > 0 && !strcmp(j->directory[arm], j->directory[0])))
			continue;
		w.arm = j->spec->arms[arm].name;
		fd = open(j->directory[arm], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			walk_folder(&w, fd, "", 0);
	}
}
