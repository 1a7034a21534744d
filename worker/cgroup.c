/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/fs.h"
#include "base/secret.h"

enum { MAX_PIDS = 4096, MAX_TEXT = 1024 * 1024, GONE_MS = 1000 };

static int write_at(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

static ssize_t read_at(int dir, const char *name, char *out, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = 0;
	return n;
}

/* Our path inside the v2 hierarchy: the line "0::/path" of /proc/self/cgroup. */
static char *own_path(void)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;
	const char *at;

	if (file_read("/proc/self/cgroup", MAX_TEXT, &b, &err) < 0)
		return NULL;
	at = strstr(buf_str(&b), "0::/");
	if (!at || (at != buf_str(&b) && at[-1] != '\n'))
		return NULL;
	at += 3;
	/* "/.." shows a group outside of our cgroup namespace. */
	if (!strncmp(at, "/..", 3))
		return NULL;
	return xstrndup(at, strcspn(at, "\n"));
}

/* Mount point of the v2 hierarchy from /proc/self/mountinfo: "... ROOT POINT ... - cgroup2 ..."
 */
static char *mount_point(void)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	struct error err;

	if (file_read("/proc/self/mountinfo", MAX_TEXT, &b, &err) < 0)
		return NULL;
	for (const char *s = buf_str(&b); *s; s += strcspn(s, "\n"), s += *s == '\n') {
		char line[1024], root[256], point[512];

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(s, "\n"), s);
		if (strstr(line, " - cgroup2 ") &&
			sscanf(line, "%*s %*s %*s %255s %511s", root, point) == 2 &&
			!strcmp(root, "/"))
			return xstrdup(point);
	}
	return NULL;
}

/* systemd marks the folder of a unit with Delegate=yes. Only there we may rearrange: elsewhere
 * other processes live in the same group. */
static bool is_delegated(const char *path)
{
	char v[8];

	return getxattr(path, "user.delegate", v, sizeof(v)) == 1 ||
	       getxattr(path, "trusted.delegate", v, sizeof(v)) == 1;
}

static void take_controllers(struct host *h, const char *own)
{
	_cleanup_(close)
	int dir = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[512];

	if (dir < 0 || !is_delegated(own))
		return;
	/* A group with processes of its own cannot have controlled children. */
	if (mkdirat(dir, "supervisor", 0755) < 0 && errno != EEXIST)
		return;
	if (write_at(dir, "supervisor/cgroup.procs", "0") < 0)
		return;
	(void)write_at(dir, "cgroup.subtree_control", "+memory");
	(void)write_at(dir, "cgroup.subtree_control", "+pids");
	if (read_at(dir, "cgroup.subtree_control", text, sizeof(text)) <= 0)
		return;
	h->cgroup_has_memory = strstr(text, "memory") != NULL;
	h->cgroup_has_pids = strstr(text, "pids") != NULL;
}

static void pass_controllers(struct host *h, int dir)
{
	if (h->cgroup_has_memory && write_at(dir, "cgroup.subtree_control", "+memory") < 0)
		h->cgroup_has_memory = false;
	if (h->cgroup_has_pids && write_at(dir, "cgroup.subtree_control", "+pids") < 0)
		h->cgroup_has_pids = false;
}

/* What was killed takes a moment to leave. */
static void remove_group(int dir, const char *name)
{
	for (int ms = 0; unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno == EBUSY; ms++) {
		if (ms == GONE_MS)
			return;
		(void)poll(NULL, 0, 1);
	}
}

static void remove_children(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] == 's')
			remove_group(dirfd(d), e->d_name);
	if (d)
		closedir(d);
}

void cgroup_init(struct host *h)
{
	_cleanup_(free)
	char *point = mount_point();
	_cleanup_(free)
	char *own = own_path();
	_cleanup_(free)
	char *base = NULL;
	char hex[SHA256_HEX];
	int dir;

	if (!h->uses_cgroup || !point || !own)
		return;
	base = xasprintf("%s%s", point, strcmp(own, "/") ? own : "");
	take_controllers(h, base);
	h->cgroup =
		xasprintf("%s/benchd-%.8s", base, sha256_hex(h->state, strlen(h->state), hex));
	if (mkdir(h->cgroup, 0755) < 0 && errno != EEXIST) {
		free(TAKE(h->cgroup));
		return;
	}
	dir = open(h->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)write_at(dir, "cgroup.kill", "1");
	remove_children(h->cgroup);
	pass_controllers(h, dir);
	close(dir);
}

void cgroup_done(struct host *h)
{
	if (!h->cgroup)
		return;
	remove_children(h->cgroup);
	(void)rmdir(h->cgroup);
	free(TAKE(h->cgroup));
}

static int64_t count_oom(const struct cgroup *c)
{
	char text[512], *at;

	if (read_at(c->fd, "memory.events", text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "oom_kill ");
	return at ? strtoll(at + 9, NULL, 10) : 0;
}

static void set_limits(const struct host *h, const struct cgroup *c, int64_t memory_bytes)
{
	char text[32] = "max";

	if (h->cgroup_has_memory) {
		if (memory_bytes)
			snprintf(text, sizeof(text), "%lld", (long long)memory_bytes);
		(void)write_at(c->fd, "memory.max", text);
		(void)write_at(c->fd, "memory.swap.max", memory_bytes ? "0" : "max");
		(void)write_at(c->fd, "memory.oom.group", "1");
	}
	if (h->cgroup_has_pids) {
		snprintf(text, sizeof(text), "%d", MAX_PIDS);
		(void)write_at(c->fd, "pids.max", text);
	}
}

static void group_path(const struct cgroup *c, char *path, size_t size)
{
	snprintf(path, size, "%s/s%d", c->host->cgroup, c->slot);
}

void cgroup_open(const struct host *h, int slot, int64_t memory_bytes, struct cgroup *c)
{
	char path[512];

	*c = (struct cgroup){
		.fd = -1, .procs_fd = -1, .host = h, .slot = slot, .memory_bytes = memory_bytes
	};
	if (!h->cgroup)
		return;
	group_path(c, path, sizeof(path));
	c->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0 && errno == ENOENT && mkdir(path, 0755) == 0)
		c->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return;
	c->procs_fd = openat(c->fd, "cgroup.procs", O_RDWR | O_CLOEXEC);
	if (c->procs_fd < 0) {
		cgroup_close(c);
		return;
	}
	set_limits(h, c, memory_bytes);
	c->oom_kills = count_oom(c);
}

void cgroup_close(struct cgroup *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->procs_fd >= 0)
		close(c->procs_fd);
	if (c->is_spent) {
		char path[512];

		group_path(c, path, sizeof(path));
		remove_group(AT_FDCWD, path);
	}
	*c = (struct cgroup){ .fd = -1, .procs_fd = -1 };
}

void cgroup_renew(struct cgroup *c)
{
	const struct cgroup old = *c;

	if (!old.is_spent)
		return;
	cgroup_close(c);
	cgroup_open(old.host, old.slot, old.memory_bytes, c);
}

/* The kernel hands the list out a page at a time. */
static int count_processes(const struct cgroup *c)
{
	char text[4096];
	ssize_t len;
	off_t at = 0;
	int n = 0;

	while ((len = pread(c->procs_fd, text, sizeof(text), at)) > 0) {
		for (ssize_t i = 0; i < len; i++)
			n += text[i] == '\n';
		at += len;
	}
	return n;
}

/* Before Linux 5.14 there is no cgroup.kill: freeze, so that nobody forks, then kill each. */
static void kill_each(const struct cgroup *c)
{
	FILE *f;
	int pid;

	(void)write_at(c->fd, "cgroup.freeze", "1");
	for (int round = 0; round < 100 && count_processes(c); round++) {
		f = fdopen(openat(c->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC), "r");
		while (f && fscanf(f, "%d", &pid) == 1)
			(void)kill(pid, SIGKILL);
		if (f)
			fclose(f);
		(void)write_at(c->fd, "cgroup.freeze", "0");
		(void)poll(NULL, 0, 1);
	}
	(void)write_at(c->fd, "cgroup.freeze", "0");
}

int cgroup_kill(struct cgroup *c)
{
	int n;

	if (c->fd < 0)
		return 0;
	n = count_processes(c);
	if (n && write_at(c->fd, "cgroup.kill", "1") < 0)
		kill_each(c);
	c->is_spent |= n > 0;
	return n;
}

bool cgroup_had_oom(struct cgroup *c)
{
	int64_t before = c->oom_kills;

	if (c->fd < 0)
		return false;
	c->oom_kills = count_oom(c);
	return c->oom_kills > before;
}
