/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "base/cleanup.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#define FOREIGN_ABI 0x40000000U /* x32: the same calls under other numbers */
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#define FOREIGN_ABI 0xffffffffU
#endif

#ifdef OWN_ARCH
/* Sorted by what they reach. Numbers that all architectures share are spelled out where older
 * headers lack the names. */
static const unsigned denied[] = {
	/* other processes */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	438 /* pidfd_getfd */,
	/* file systems and namespaces */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	428 /* open_tree */,
	429 /* move_mount */,
	430 /* fsopen */,
	431 /* fsconfig */,
	432 /* fsmount */,
	433 /* fspick */,
	442 /* mount_setattr */,
	/* the kernel */
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_kexec_load,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_reboot,
	SYS_acct,
	SYS_syslog,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	/* rings make calls that no filter sees */
	425 /* io_uring_setup */,
	426 /* io_uring_enter */,
	427 /* io_uring_register */,
	/* the clock, which is everybody's */
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
#endif
};

/* New namespaces give new privileges; unshare is on the list, and this is its other door. */
enum {
	NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
	NR_CLONE3 = 435, /* its flags are in memory, where no filter can read them */
};

#define DENY(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

static const struct sock_filter head[] = {
	LOAD(arch),
	IF_EQUAL(OWN_ARCH, 1, 0),
	/* A 32-bit program: its numbers mean other calls. */
	DENY(ENOSYS),
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_ABI, 0, 1),
	DENY(ENOSYS),
};

/* Calls whose first argument decides (its low word: both architectures are little-endian). The
 * C library takes clone where clone3 is not there. Sockets are for the network inside only: a
 * unix socket is a file, and neither a network namespace nor a read-only mount keeps one from
 * connecting to it; vsock reaches the hypervisor. socketpair is no matter. */
static const struct sock_filter tail[] = {
	IF_EQUAL(NR_CLONE3, 0, 1),
	DENY(ENOSYS),
	IF_EQUAL(SYS_clone, 0, 4),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
	DENY(EPERM),
	ALLOW,
	IF_EQUAL(SYS_socket, 0, 5),
	LOAD(args[0]),
	IF_EQUAL(AF_INET, 3, 0),
	IF_EQUAL(AF_INET6, 2, 0),
	IF_EQUAL(AF_NETLINK, 1, 0),
	DENY(EAFNOSUPPORT),
	ALLOW,
	DENY(EPERM),
};

enum {
	N_HEAD = ARRAY_SIZE(head),
	N_DENIED = ARRAY_SIZE(denied),
	N_TAIL = ARRAY_SIZE(tail),
	N_CODE = N_HEAD + N_DENIED + N_TAIL
};

static struct sock_filter code[N_CODE];
static struct sock_fprog program = { N_CODE, code };

const struct sock_fprog *seccomp_filter(void)
{
	/* Jumps have 8 bits. */
	_Static_assert(N_DENIED + N_TAIL < 256, "the last instruction is too far away");

	memcpy(code, head, sizeof(head));
	for (unsigned i = 0; i < N_DENIED; i++)
		code[N_HEAD + i] = (struct sock_filter)IF_EQUAL(
			denied[i], (unsigned char)(N_DENIED - 1 - i + N_TAIL - 1), 0);
	memcpy(code + N_HEAD + N_DENIED, tail, sizeof(tail));
	return &program;
}
#else
const struct sock_fprog *seccomp_filter(void)
{
	return NULL;
}
#endif
