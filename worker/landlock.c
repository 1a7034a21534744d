/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, spelled out: older headers lack the newer rights. */
enum {
	NR_CREATE_RULESET = 444,
	NR_ADD_RULE = 445,
	NR_RESTRICT_SELF = 446,
	CREATE_VERSION = 1,
	RULE_PATH_BENEATH = 1,
};
enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_ABI_1 = (1 << 13) - 1, /* up to MAKE_SYM */
	FS_REFER = 1 << 13,	  /* ABI 2 */
	FS_TRUNCATE = 1 << 14,	  /* ABI 3 */
	FS_IOCTL_DEV = 1 << 15,	  /* ABI 5 */
	FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};

struct ruleset_attr {
	uint64_t handled_fs;
};

struct path_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

int landlock_abi(void)
{
	long abi = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static uint64_t all_rights(int abi)
{
	return (uint64_t)(FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
			  (abi >= 5 ? FS_IOCTL_DEV : 0));
}

static int add_path(int ruleset, const struct landlock_path *p, uint64_t all)
{
	struct path_attr attr = { .allowed = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR };
	struct stat st;
	int e = 0;

	attr.fd = open(p->path, O_PATH | O_CLOEXEC);
	if (attr.fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (p->is_writable)
		attr.allowed = all;
	if (fstat(attr.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed &= FS_OF_FILES;
	if (syscall(NR_ADD_RULE, ruleset, RULE_PATH_BENEATH, &attr, 0) < 0)
		e = errno;
	close(attr.fd);
	return e;
}

int landlock_restrict(const struct landlock_path *paths, size_t n)
{
	uint64_t all = all_rights(landlock_abi());
	struct ruleset_attr attr = { all };
	int ruleset = (int)syscall(NR_CREATE_RULESET, &attr, sizeof(attr), 0), e = 0;

	if (ruleset < 0)
		return errno;
	for (size_t i = 0; i < n && !e; i++)
		e = add_path(ruleset, &paths[i], all);
	if (!e && syscall(NR_RESTRICT_SELF, ruleset, 0) < 0)
		e = errno;
	close(ruleset);
	return e;
}
