/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dummy software event of the process with its side-band records: COMM with the exec mark,
 * FORK, EXIT, each with a CLOCK_MONOTONIC stamp (perf_event_open(2)). */
#include "worker/moments.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"

/* Room for some 300 forks; a record more is lost, and then the exit is unknown. */
enum { N_PAGES = 4 };

/* FORK and EXIT begin like this; COMM with pid, tid. The stamp comes last in each. */
struct task_record {
	struct perf_event_header head;
	uint32_t pid, ppid, tid, ptid;
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int moments_event(pid_t pid)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1 };

	return (int)syscall(
		SYS_perf_event_open, &attr, pid, -1, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

void moments_open(struct moments *m, pid_t pid)
{
	int fd = moments_event(pid);

	*m = (struct moments){ 0 };
	if (fd >= 0)
		moments_adopt(m, fd);
}

void *moments_map(int fd, void *ring)
{
	void *p = mmap(ring, (1 + N_PAGES) * page_size(), PROT_READ | PROT_WRITE,
		MAP_SHARED | (ring ? MAP_FIXED : 0), fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

void moments_adopt(struct moments *m, int fd)
{
	m->fd = fd;
	m->ring = moments_map(fd, NULL);
	if (!m->ring)
		close(fd);
}

static void take_record(struct moments_seen *s, const struct task_record *r, pid_t pid)
{
	uint64_t stamp;

	memcpy(&stamp, (const char *)r + r->head.size - sizeof(stamp), sizeof(stamp));
	switch (r->head.type) {
	case PERF_RECORD_COMM:
		if (r->head.misc & PERF_RECORD_MISC_COMM_EXEC && !s->exec_ns)
			s->exec_ns = (int64_t)stamp;
		break;
	case PERF_RECORD_FORK:
		s->had_threads |= r->pid == (uint32_t)pid;
		break;
	case PERF_RECORD_EXIT:
		if (r->tid == (uint32_t)pid)
			s->exit_ns = (int64_t)stamp;
	}
}

bool moments_has_exec(const struct moments *m)
{
	const struct perf_event_mmap_page *page = m->ring;

	return page && __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE) > 0;
}

void moments_read(const struct moments *m, pid_t pid, struct moments_seen *ret)
{
	const struct perf_event_mmap_page *page = m->ring;
	size_t size = page_size(), room = N_PAGES * size;

	*ret = (struct moments_seen){ 0 };
	if (!page)
		return;
	/* Nothing was ever taken out, so the ring has not wrapped: records lie in one piece. */
	for (uint64_t at = 0, end = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
		end <= room && at + sizeof(struct task_record) <= end;) {
		const struct task_record *r = (const void *)((char *)page + size + at);

		if (r->head.size < sizeof(*r) + sizeof(uint64_t) || at + r->head.size > end)
			break;
		take_record(ret, r, pid);
		at += r->head.size;
	}
}

bool moments_has_exit(const struct moments *m, pid_t pid)
{
	struct moments_seen seen;

	moments_read(m, pid, &seen);
	return seen.exit_ns && !seen.had_threads;
}

void moments_close(struct moments *m)
{
	if (!m->ring)
		return;
	munmap(m->ring, (1 + N_PAGES) * page_size());
	close(m->fd);
	*m = (struct moments){ 0 };
}
