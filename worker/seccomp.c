/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "worker/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
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

enum { N_HEAD = 6, N_DENIED = ARRAY_SIZE(denied), N_CODE = N_HEAD + N_DENIED + 2 };

static struct sock_filter code[N_CODE];
static struct sock_fprog program = { N_CODE, code };

static void fill_head(void)
{
	const unsigned nr = offsetof(struct seccomp_data, nr);
	const unsigned arch = offsetof(struct seccomp_data, arch);
	const struct sock_filter head[N_HEAD] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0),
		/* A 32-bit program: its numbers mean other calls. */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_ABI, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	for (int i = 0; i < N_HEAD; i++)
		code[i] = head[i];
}

const struct sock_fprog *seccomp_filter(void)
{
	fill_head();
	for (unsigned i = 0; i < N_DENIED; i++)
		code[N_HEAD + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, denied[i], (unsigned char)(N_DENIED - i), 0);
	code[N_HEAD + N_DENIED] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[N_HEAD + N_DENIED + 1] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return &program;
}
#else
const struct sock_fprog *seccomp_filter(void)
{
	return NULL;
}
#endif
