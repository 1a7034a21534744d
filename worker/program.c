/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/program.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "worker/flight.h"

enum { MAX_SEGMENTS = 64, MAX_NOTES = 4096, PIECE = 8 * KiB };

struct image {
	int fd;
	uint64_t n;
	ElfW(Phdr) segments[MAX_SEGMENTS];
	size_t n_segments;
	uint64_t id_from, id_to; /* the build id, which the linker made of debug information,
				    too; empty: none */
	struct sha256_sum *sum;
};

static bool read_at(const struct image *m, void *out, size_t n, uint64_t at)
{
	return pread(m->fd, out, n, (off_t)at) == (ssize_t)n;
}

/* False: it is shorter by now. */
static bool add_range(struct image *m, uint64_t from, uint64_t to)
{
	char piece[PIECE];

	while (from < to) {
		size_t n = (size_t)MIN(to - from, (uint64_t)sizeof(piece));

		if (!read_at(m, piece, n, from))
			return false;
		sha256_add(m->sum, piece, n);
		from += n;
	}
	return true;
}

static bool is_inside(const struct image *m, const ElfW(Phdr) * s)
{
	return s->p_offset <= m->n && s->p_filesz <= m->n - s->p_offset;
}

/* False: a script, or a program of another kind of machine. */
static bool read_segments(struct image *m)
{
	ElfW(Ehdr) h;

	if (!read_at(m, &h, sizeof(h), 0) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
		h.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
		h.e_phentsize != sizeof(*m->segments) || h.e_phnum > MAX_SEGMENTS ||
		!read_at(m, m->segments, h.e_phnum * sizeof(*m->segments), h.e_phoff))
		return false;
	m->n_segments = h.e_phnum;
	for (size_t i = 0; i < m->n_segments; i++)
		if (m->segments[i].p_type == PT_LOAD && !is_inside(m, &m->segments[i]))
			return false;
	return m->n_segments > 0;
}

static size_t padded(uint32_t n)
{
	return ((size_t)n + 3) & ~(size_t)3;
}

static void find_build_id(struct image *m, const ElfW(Phdr) * s)
{
	char notes[MAX_NOTES];
	size_t n = s->p_filesz, at = 0;

	if (n > sizeof(notes) || !read_at(m, notes, n, s->p_offset))
		return;
	while (n - at >= sizeof(ElfW(Nhdr))) {
		size_t name = at + sizeof(ElfW(Nhdr)), all;
		ElfW(Nhdr) note;

		memcpy(&note, notes + at, sizeof(note));
		all = padded(note.n_namesz) + padded(note.n_descsz);
		if (all > n - name)
			return;
		at = name + all;
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4)
			continue;
		m->id_from = s->p_offset + name + 4;
		m->id_to = s->p_offset + at;
	}
}

/* But for the header of the file, which says where debug information lies. */
static bool add_segment(struct image *m, const ElfW(Phdr) * s)
{
	uint64_t from = MAX(s->p_offset, sizeof(ElfW(Ehdr)));
	uint64_t end = s->p_offset + s->p_filesz;

	sha256_add(m->sum, &s->p_vaddr, sizeof(s->p_vaddr));
	sha256_add(m->sum, &s->p_memsz, sizeof(s->p_memsz));
	sha256_add(m->sum, &s->p_flags, sizeof(s->p_flags));
	if (m->id_from < from || m->id_to > end || m->id_to <= m->id_from)
		return add_range(m, from, end);
	return add_range(m, from, m->id_from) && add_range(m, m->id_to, end);
}

static bool add_loaded(struct image *m)
{
	bool is_whole = true;

	for (size_t i = 0; i < m->n_segments; i++)
		if (m->segments[i].p_type == PT_NOTE)
			find_build_id(m, &m->segments[i]);
	for (size_t i = 0; is_whole && i < m->n_segments; i++)
		if (m->segments[i].p_type == PT_LOAD)
			is_whole = add_segment(m, &m->segments[i]);
	return is_whole;
}

static void read_id(struct program *p, int fd)
{
	struct image m = { .fd = fd, .n = (uint64_t)p->seen.st_size, .sum = sha256_start() };
	bool is_whole = read_segments(&m) ? add_loaded(&m) : add_range(&m, 0, m.n);

	sha256_end(m.sum, p->id);
	if (!is_whole)
		*p->id = 0;
}

static bool is_seen(const struct program *p, const struct stat *now)
{
	const struct stat *was = &p->seen;

	return *p->id && now->st_dev == was->st_dev && now->st_ino == was->st_ino &&
	       now->st_size == was->st_size && now->st_mtim.tv_sec == was->st_mtim.tv_sec &&
	       now->st_mtim.tv_nsec == was->st_mtim.tv_nsec &&
	       now->st_ctim.tv_sec == was->st_ctim.tv_sec &&
	       now->st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

bool program_is_kernel(char *const *argv)
{
	return argv && argv[0] && !strcmp(argv[0], KERNEL_PROGRAM);
}

void program_look(struct program *p, const char *path)
{
	_cleanup_(close)
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat now;

	if (fd < 0 || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode) || now.st_size <= 0) {
		*p->id = 0;
		return;
	}
	if (is_seen(p, &now))
		return;
	p->seen = now;
	*p->id = 0;
	read_id(p, fd);
}

void program_look_for_kernel(struct program *p)
{
	_cleanup_(free)
	char *path = flight_program(KERNEL_PROGRAM, "/");

	if (path)
		program_look(p, path);
	else
		*p->id = 0;
}

void program_tell(const struct program *p, json_t *o)
{
	json_t *programs;

	if (!*p->id)
		return;
	programs = json_object();
	json_set_str(programs, KERNEL_PROGRAM, p->id);
	json_object_set_new(o, "programs", programs);
}
