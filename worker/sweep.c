/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"

static pid_t spared; /* a child that is no stray; 0: none */

enum { MAX_ENVIRON = 1024 * 1024 };

struct process {
	pid_t pid, parent;
	char state;
	bool is_below;
};

struct processes {
	struct process *p;
	size_t n, cap;
};

void sweep_prepare(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static ssize_t read_proc(pid_t pid, const char *what, char *out, size_t size)
{
	char path[64];
	size_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (n < size - 1) {
		ssize_t r = read(fd, out + n, size - 1 - n);

		if (r <= 0)
			break;
		n += (size_t)r;
	}
	close(fd);
	out[n] = 0;
	return (ssize_t)n;
}

static void add_process(struct processes *all, pid_t pid)
{
	char text[512], *after, state;
	int parent;

	if (read_proc(pid, "stat", text, sizeof(text)) <= 0)
		return;
	/* The name in parentheses may hold anything, also parentheses. */
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %c %d", &state, &parent) != 2)
		return;
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 256;
		all->p = xrealloc(all->p, all->cap * sizeof(*all->p));
	}
	all->p[all->n++] = (struct process){ pid, parent, state, false };
}

static void list_processes(struct processes *all)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	all->n = 0;
	if (!d)
		return;
	while ((e = readdir(d))) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (pid > 0)
			add_process(all, pid);
	}
	closedir(d);
}

void sweep_spare(pid_t pid)
{
	spared = pid;
}

static bool is_spared(pid_t pid, const pid_t *spare, size_t n)
{
	if (pid == spared)
		return true;
	for (size_t i = 0; i < n; i++)
		if (spare[i] == pid)
			return true;
	return false;
}

/* Mark what hangs below this process: repeat until no process is added. */
static void mark_below(struct processes *all, const pid_t *spare, size_t n_spare)
{
	pid_t self = getpid();
	bool grew = true;

	while (grew) {
		grew = false;
		for (size_t i = 0; i < all->n; i++) {
			struct process *p = &all->p[i];
			bool below = p->parent == self;

			if (p->is_below || is_spared(p->pid, spare, n_spare))
				continue;
			for (size_t k = 0; k < all->n && !below; k++)
				below = all->p[k].is_below && all->p[k].pid == p->parent;
			if (below)
				grew = p->is_below = true;
		}
	}
}

struct pass {
	int n_new;    /* stopped now, not before */
	int n_living; /* not yet zombies */
	int n_ours;   /* children of ours, zombies too */
};

static struct pass act(struct processes *all, int sig)
{
	struct pass pass = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		struct process *p = &all->p[i];

		if (!p->is_below)
			continue;
		pass.n_ours++;
		if (p->state == 'Z' || p->state == 'X') {
			if (p->parent == getpid())
				(void)waitpid(p->pid, NULL, WNOHANG | __WALL);
			continue;
		}
		pass.n_living++;
		pass.n_new += p->state != 'T';
		(void)kill(p->pid, sig);
	}
	return pass;
}

int sweep_count_children(pid_t parent)
{
	struct processes all = { 0 };
	int n = 0;

	list_processes(&all);
	for (size_t i = 0; i < all.n; i++)
		n += all.p[i].parent == parent && all.p[i].state != 'Z';
	free(all.p);
	return n;
}

bool sweep_has_nothing(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

int sweep_descendants(const pid_t *spare, size_t n_spare, int64_t limit_ns, int *ret_left)
{
	int64_t until = clock_monotonic_ns() + limit_ns;
	struct processes all = { 0 };
	struct pass pass;
	int n_killed = 0, most = 0;

	if (ret_left)
		*ret_left = 0;
	if (sweep_has_nothing())
		return 0;
	/* Stop first: a list of running forkers is never complete. */
	for (int round = 0; round < 20; round++) {
		list_processes(&all);
		mark_below(&all, spare, n_spare);
		pass = act(&all, SIGSTOP);
		most = MAX(most, pass.n_living);
		if (!pass.n_new)
			break;
	}
	for (;;) {
		list_processes(&all);
		mark_below(&all, spare, n_spare);
		pass = act(&all, SIGKILL);
		most = MAX(most, pass.n_living);
		if (!pass.n_ours || clock_monotonic_ns() >= until)
			break;
		(void)poll(NULL, 0, 1);
	}
	n_killed = most - pass.n_living;
	if (ret_left)
		*ret_left = pass.n_living;
	free(all.p);
	return n_killed;
}

static bool environ_has(pid_t pid, const char *prefix, char *scratch)
{
	ssize_t n = read_proc(pid, "environ", scratch, MAX_ENVIRON);
	size_t len = strlen(prefix);

	for (const char *s = scratch; n > 0 && s < scratch + n; s += strlen(s) + 1)
		if (!strncmp(s, prefix, len))
			return true;
	return false;
}

static bool is_own_uid(const char *name)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s", name);
	return stat(path, &st) == 0 && (st.st_uid == geteuid() || geteuid() == 0);
}

int sweep_marked(const char *prefix)
{
	char *scratch = xmalloc(MAX_ENVIRON);
	int n_killed = 0, found;

	/* Again until nothing is found: a process may have forked behind the scan. */
	for (int round = 0; round < 50; round++) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		found = 0;
		while (d && (e = readdir(d))) {
			pid_t pid = (pid_t)atoi(e->d_name);

			if (pid <= 0 || pid == getpid() || !is_own_uid(e->d_name))
				continue;
			if (environ_has(pid, prefix, scratch) && kill(pid, SIGKILL) == 0)
				found++;
		}
		if (d)
			closedir(d);
		n_killed = MAX(n_killed, found);
		if (!found)
			break;
		(void)poll(NULL, 0, 2);
	}
	free(scratch);
	return n_killed;
}
