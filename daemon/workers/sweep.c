/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a killed worker left running: found by the mark that everything we start carries in its
 * environment, and ended. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "daemon/workers/internal.h"

/* The state folder itself is the owner, whatever its path: two daemons never share one. */
void sweep_owner(const char *state_dir, char out[OWNER_TEXT])
{
	struct stat s = { 0 };

	if (stat(state_dir, &s) < 0)
		snprintf(out, OWNER_TEXT, "pid-%d", getpid());
	else
		snprintf(out, OWNER_TEXT, "%llx-%llx", (unsigned long long)s.st_dev,
			(unsigned long long)s.st_ino);
}

void sweep_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Environments of other users cannot be read; what they run is not ours then. */
static bool is_marked(const char *pid, const char *mark)
{
	_cleanup_(buf_done)
	struct buf env = { 0 };
	char path[64];
	struct error ignored;
	size_t n = strlen(mark);

	snprintf(path, sizeof(path), "/proc/%.20s/environ", pid);
	if (file_read(path, MiB, &env, &ignored) < 0)
		return false;
	for (const char *p = buf_str(&env), *end = p + env.len; p < end; p += strlen(p) + 1)
		if (!strncmp(p, mark, n) && p[n] == 0)
			return true;
	return false;
}

/* Stop all first, so that nothing can fork away while we read on; then kill. */
static int signal_marked(const char *mark, int signal)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	int n = 0;

	while (proc && (d = readdir(proc))) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (pid <= 1 || pid == getpid() || !is_marked(d->d_name, mark))
			continue;
		n += kill(pid, signal) == 0;
	}
	if (proc)
		closedir(proc);
	return n;
}

int sweep_leftovers(const char *owner)
{
	_cleanup_(free)
	char *mark = xasprintf("BENCHD_OWNER=%s", owner);
	int n = 0;

	for (int round = 0; round < 5; round++) {
		if (signal_marked(mark, SIGSTOP) == 0)
			break;
		n += signal_marked(mark, SIGKILL);
	}
	return n;
}
