/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the worker does with processes, one piece at a time: filter, file rules, lock, start,
 * sweep, and the two lines it talks on. */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fs.h"
#include "worker/channel.h"
#include "worker/desk.h"
#include "worker/landlock.h"
#include "worker/launch.h"
#include "worker/link.h"
#include "worker/lock.h"
#include "worker/seccomp.h"
#include "worker/supervise.h"
#include "worker/sweep.h"
#include "worker/zygote.h"

static struct error err;
static const char job[] = "11111111-1111-4111-8111-111111111111";

/* --- the filter, run as the kernel would ------------------------------------------------- */

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#define OTHER_ARCH AUDIT_ARCH_I386
#else
#define OWN_ARCH AUDIT_ARCH_AARCH64
#define OTHER_ARCH AUDIT_ARCH_ARM
#endif

/* The few instructions that a filter of ours may have; anything else ends the test. */
static uint32_t filter(const struct seccomp_data *d)
{
	const struct sock_fprog *p = seccomp_filter();
	uint32_t a = 0;

	for (unsigned at = 0; at < p->len; at++) {
		const struct sock_filter *i = &p->filter[at];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			ck_assert_uint_le(i->k, sizeof(*d) - sizeof(a));
			memcpy(&a, (const char *)d + i->k, sizeof(a));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			ck_abort_msg("instruction %u is none the test knows", at);
		}
	}
	ck_abort_msg("the filter runs out of its end");
}

static uint32_t answer(long nr, uint64_t argument)
{
	struct seccomp_data d = { .nr = (int)nr, .arch = OWN_ARCH, .args = { argument } };

	return filter(&d);
}

#define REFUSED(e) (SECCOMP_RET_ERRNO | (e))

START_TEST(ordinary_calls_pass_the_filter)
{
	static const long ordinary[] = { SYS_read, SYS_write, SYS_openat, SYS_mmap, SYS_execve,
		SYS_exit_group, SYS_futex, SYS_wait4, SYS_kill, SYS_prctl, SYS_connect,
		SYS_socketpair };

	for (size_t i = 0; i < ARRAY_SIZE(ordinary); i++)
		ck_assert_uint_eq(answer(ordinary[i], AF_UNIX), SECCOMP_RET_ALLOW);
}
END_TEST

START_TEST(calls_that_reach_others_or_the_kernel_are_refused)
{
	static const long denied[] = { SYS_ptrace, SYS_process_vm_readv, SYS_mount, SYS_unshare,
		SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_keyctl, SYS_reboot,
		SYS_clock_settime, SYS_init_module, 425 /* io_uring_setup */ };

	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		ck_assert_uint_eq(answer(denied[i], 0), REFUSED(EPERM));
}
END_TEST

START_TEST(processes_and_threads_are_made_but_no_namespaces)
{
	uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	static const uint64_t flags[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID,
		CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP };

	ck_assert_uint_eq(answer(SYS_clone, SIGCHLD), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(answer(SYS_clone, thread), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		ck_assert_uint_eq(answer(SYS_clone, flags[i] | SIGCHLD), REFUSED(EPERM));
	/* The C library asks again with clone. */
	ck_assert_uint_eq(answer(435, 0), REFUSED(ENOSYS));
}
END_TEST

START_TEST(sockets_are_for_the_network_inside)
{
	static const uint64_t inside[] = { AF_INET, AF_INET6, AF_NETLINK };
	static const uint64_t outside[] = { AF_UNIX, 40 /* AF_VSOCK */, AF_PACKET,
		38 /* AF_ALG */, 31 /* AF_BLUETOOTH */ };

	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		ck_assert_uint_eq(answer(SYS_socket, inside[i]), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		ck_assert_uint_eq(answer(SYS_socket, outside[i]), REFUSED(EAFNOSUPPORT));
		/* The kernel looks at the low word only. */
		ck_assert_uint_eq(
			answer(SYS_socket, outside[i] | 1ULL << 32), REFUSED(EAFNOSUPPORT));
	}
}
END_TEST

START_TEST(calls_by_other_numbers_are_unknown)
{
	struct seccomp_data d = { .nr = SYS_read, .arch = OTHER_ARCH };

	ck_assert_uint_eq(filter(&d), REFUSED(ENOSYS));
#if defined(__x86_64__)
	d = (struct seccomp_data){ .nr = 0x40000000 | SYS_ptrace, .arch = OWN_ARCH };
	ck_assert_uint_eq(filter(&d), REFUSED(ENOSYS));
#endif
}
END_TEST

/* --- rules on files ---------------------------------------------------------------------- */

static char folder[64];

static void make_folder(void)
{
	strcpy(folder, "/tmp/benchd-unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int write_into(const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0600), e = fd < 0 ? errno : 0;

	free(path);
	return e;
}

START_TEST(a_process_writes_only_where_its_rules_say)
{
	struct landlock_path rules[] = { { "/", false }, { NULL, true },
		{ "/no/such/folder", true } };
	int status;

	if (!landlock_abi())
		return; /* the kernel has none: strict is refused there */
	make_folder();
	rules[1].path = xasprintf("%s/in", folder);
	ck_assert_int_eq(mkdir(rules[1].path, 0700), 0);
	if (fork() == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (landlock_restrict(rules, ARRAY_SIZE(rules)))
			_exit(1);
		if (write_into("in/file") || write_into("out") != EACCES)
			_exit(2);
		_exit(access("/etc/passwd", R_OK) ? 3 : 0);
	}
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
	free((char *)rules[1].path);
	ck_assert_int_eq(dir_remove(folder, &err), OK);
}
END_TEST

/* --- the lock ---------------------------------------------------------------------------- */

START_TEST(a_lock_names_its_holder_and_dies_with_it)
{
	int fd, holder, status, p[2];
	char *path, c;
	pid_t pid;

	make_folder();
	path = xasprintf("%s/lock", folder);
	ck_assert_int_eq(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		if (lock_try(path, &fd, &holder, &err) < 0 || fd < 0 ||
			write(p[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	ck_assert_int_eq(read(p[0], &c, 1), 1);
	ck_assert_int_eq(lock_try(path, &fd, &holder, &err), OK);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(holder, pid);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(lock_try(path, &fd, &holder, &err), OK);
	ck_assert_int_ge(fd, 0);
	free(path);
	path = xasprintf("%s/no/lock", folder);
	ck_assert_int_lt(lock_try(path, &fd, &holder, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	free(path);
	ck_assert_int_eq(dir_remove(folder, &err), OK);
}
END_TEST

/* --- starting ---------------------------------------------------------------------------- */

static void plan(struct launch *l, const char *script)
{
	static char *argv[] = { (char *)"sh", (char *)"-c", NULL, NULL };
	static char *envp[] = { (char *)"PATH=/usr/bin:/bin", NULL };

	launch_init(l);
	argv[2] = (char *)script;
	l->exe = "/bin/sh";
	l->argv = argv;
	l->envp = envp;
	l->directory = "/";
}

/* Its output as text, and its status. */
static int run(const struct launch *l, char *out, size_t size)
{
	struct child c;
	struct pollfd p;
	size_t n = 0;
	ssize_t got;
	int status;

	ck_assert_int_eq(launch_start(l, &c, &err), OK);
	if (launch_go(l, &c, &err) != OK)
		ck_abort_msg("%s", err.text);
	p = (struct pollfd){ .fd = c.out, .events = POLLIN };
	while (poll(&p, 1, -1) == 1 && (got = read(c.out, out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = 0;
	ck_assert_int_eq(waitpid(c.pid, &status, __WALL), c.pid);
	ck_assert_int_ge(c.started_ns, c.forked_ns);
	child_close(&c);
	return status;
}

START_TEST(a_program_starts_with_nothing_of_ours)
{
	int leak = open("/dev/null", O_RDWR), status;
	struct launch l;
	char out[256];

	ck_assert_int_ge(leak, 0);
	signal(SIGTERM, SIG_IGN);
	plan(&l,
		"echo $((`ls /proc/self/fd | wc -l`)) `umask` `grep SigIgn /proc/self/status`");
	status = run(&l, out, sizeof(out));
	ck_assert_int_eq(status, 0);
	/* 0, 1, 2 and the one of ls. */
	ck_assert_str_eq(out, "4 0077 SigIgn: 0000000000000000\n");
}
END_TEST

START_TEST(a_limit_holds_and_an_exit_status_comes_back)
{
	struct launch l;
	char out[256];
	int status;

	plan(&l, "ulimit -n; ulimit -c; exit 7");
	launch_limit(&l, RLIMIT_NOFILE, 99, 99);
	launch_limit(&l, RLIMIT_CORE, 0, 0);
	status = run(&l, out, sizeof(out));
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_str_eq(out, "99\n0\n");
}
END_TEST

static enum launch_step fails_at(const struct launch *l, int *ret_errno)
{
	struct child c;

	ck_assert_int_eq(launch_start(l, &c, &err), OK);
	ck_assert_int_eq(launch_go(l, &c, &err), E_UNPROCESSABLE);
	ck_assert_int_eq(waitpid(c.pid, NULL, __WALL), c.pid);
	child_close(&c);
	*ret_errno = c.failed_errno;
	return c.failed_step;
}

START_TEST(a_failed_start_names_its_step)
{
	struct launch l;
	int e;

	plan(&l, "true");
	l.exe = "/no/such/program";
	ck_assert_int_eq(fails_at(&l, &e), STEP_EXEC);
	ck_assert_int_eq(e, ENOENT);
	plan(&l, "true");
	l.directory = "/no/such/folder";
	ck_assert_int_eq(fails_at(&l, &e), STEP_DIRECTORY);
	ck_assert_int_eq(e, ENOENT);
	plan(&l, "true");
	CPU_SET(CPU_SETSIZE - 1, &l.cpus);
	ck_assert_int_eq(fails_at(&l, &e), STEP_AFFINITY);
	ck_assert_str_eq(launch_step_names[STEP_AFFINITY], "affinity");
}
END_TEST

/* --- the same by a zygote ---------------------------------------------------------------- */

/* False: this kernel or what confines us has no such clone, and all are forked. */
static bool open_zygote(struct zygote *z)
{
	bool is_open = zygote_open(z, NULL);

	ck_assert_int_eq(is_open, desk_can_clone());
	return is_open;
}

START_TEST(a_zygotes_process_starts_like_a_forked_one_and_is_our_child)
{
	int leak = open("/dev/null", O_RDWR);
	char out[256], want[64];
	struct zygote z;
	struct launch l;

	ck_assert_int_ge(leak, 0);
	signal(SIGTERM, SIG_IGN);
	if (!open_zygote(&z))
		return;
	/* The zygote's priority, where it has one, is its own. */
	for (int i = 0; i < 3; i++) {
		plan(&l, "echo $((`ls /proc/self/fd | wc -l`)) `umask` $PPID "
			 "`grep SigIgn /proc/self/status`; ulimit -n; "
			 "cut -d' ' -f40,41 /proc/self/stat; cat /proc/self/timerslack_ns; "
			 "exit 7");
		launch_limit(&l, RLIMIT_NOFILE, 99, 99);
		l.zygote = &z;
		l.wants_go = true;
		ck_assert_int_eq(WEXITSTATUS(run(&l, out, sizeof(out))), 7);
		snprintf(want, sizeof(want),
			"4 0077 %d SigIgn: 0000000000000000\n99\n0 0\n%d\n", (int)getpid(),
			prctl(PR_GET_TIMERSLACK));
		ck_assert_str_eq(out, want);
	}
	zygote_close(&z);
}
END_TEST

START_TEST(a_zygotes_failed_start_names_its_step)
{
	struct zygote z;
	struct launch l;
	char out[64];
	int e;

	if (!open_zygote(&z))
		return;
	plan(&l, "true");
	l.zygote = &z;
	l.exe = "/no/such/program";
	ck_assert_int_eq(fails_at(&l, &e), STEP_EXEC);
	ck_assert_int_eq(e, ENOENT);
	plan(&l, "true");
	l.zygote = &z;
	l.directory = "/no/such/folder";
	ck_assert_int_eq(fails_at(&l, &e), STEP_DIRECTORY);
	ck_assert_int_eq(e, ENOENT);
	/* And goes on with the next. */
	plan(&l, "echo well");
	l.zygote = &z;
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "well\n");
	zygote_close(&z);
}
END_TEST

/* As supervise does: the next is asked for while this one runs. */
static void run_and_foresee(const struct launch *l)
{
	struct child c;

	ck_assert_int_eq(launch_start(l, &c, &err), OK);
	ck_assert_int_eq(launch_go(l, &c, &err), OK);
	launch_foresee(l, &c);
	ck_assert_int_eq(waitpid(c.pid, NULL, __WALL), c.pid);
	child_close(&c);
}

START_TEST(where_a_process_stands_by_does_not_bind_its_program)
{
	char out[64], want[32];
	cpu_set_t all, one;
	struct zygote z;
	struct launch l;
	int cpu = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(zygote_open(&z, &one), desk_can_clone());
	snprintf(want, sizeof(want), "%d\n", CPU_COUNT(&all));
	for (int i = 0; z.pid && i < 3; i++) {
		plan(&l, "nproc");
		l.cpus = all;
		l.zygote = &z;
		l.wants_go = l.foresees = true;
		ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
		ck_assert_str_eq(out, want);
		run_and_foresee(&l);
	}
	zygote_close(&z);
}
END_TEST

START_TEST(what_we_grow_to_is_no_floor_for_a_zygotes_process)
{
	enum { GROWTH = 128 * 1024 * 1024 };
	struct zygote z;
	struct launch l;
	struct child c;
	char *much;

	if (!open_zygote(&z))
		return;
	much = xmalloc(GROWTH);
	memset(much, 1, GROWTH);
	plan(&l, "true");
	l.zygote = &z;
	ck_assert_int_eq(launch_start(&l, &c, &err), OK);
	ck_assert_int_eq(launch_go(&l, &c, &err), OK);
	ck_assert_int_gt(c.usage.maxrss_kib, 0);
	ck_assert_int_lt(c.usage.maxrss_kib, GROWTH / 1024 / 2);
	ck_assert_int_eq(waitpid(c.pid, NULL, __WALL), c.pid);
	child_close(&c);
	zygote_close(&z);
	free(much);
}
END_TEST

START_TEST(a_zygote_is_no_stray_and_without_it_processes_are_forked)
{
	struct zygote z;
	struct launch l;
	siginfo_t si;
	char out[64];

	if (!open_zygote(&z))
		return;
	ck_assert(sweep_has_nothing());
	ck_assert_int_eq(sweep_descendants(NULL, 0, NS_PER_S, NULL), 0);
	ck_assert_int_eq(kill(z.pid, 0), 0);
	plan(&l, "echo by it");
	l.zygote = &z;
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_int_eq(kill(z.pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)z.pid, &si, WEXITED | WNOWAIT | __WALL), 0);
	plan(&l, "echo without");
	l.zygote = &z;
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "without\n");
	zygote_close(&z);
}
END_TEST

static void foresee_late(const struct launch *l)
{
	struct child c;

	ck_assert_int_eq(launch_start(l, &c, &err), OK);
	ck_assert_int_eq(launch_go(l, &c, &err), OK);
	ck_assert_int_eq(waitpid(c.pid, NULL, __WALL), c.pid);
	while (__atomic_load_n(&l->zygote->desk->ended, __ATOMIC_SEQ_CST) != c.pid)
		(void)poll(NULL, 0, 1);
	launch_foresee(l, &c);
	child_close(&c);
}

START_TEST(one_that_stands_by_takes_the_next_program_or_goes)
{
	struct zygote z;
	struct launch l;
	char out[64];
	pid_t ahead;

	if (!open_zygote(&z))
		return;
	plan(&l, "echo first");
	l.zygote = &z;
	l.wants_go = l.foresees = true;
	run_and_foresee(&l);
	ck_assert(z.is_standing);
	ck_assert(sweep_has_nothing());
	plan(&l, "echo second");
	l.zygote = &z;
	l.wants_go = l.foresees = true;
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "second\n");
	ck_assert(!z.is_standing);
	/* It would start in another folder. */
	plan(&l, "echo third");
	l.zygote = &z;
	l.wants_go = l.foresees = true;
	run_and_foresee(&l);
	l.directory = "/usr";
	l.argv[2] = (char *)"pwd";
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "/usr\n");
	/* Nothing of it is left. */
	run_and_foresee(&l);
	while (!__atomic_load_n(&z.desk->pid, __ATOMIC_ACQUIRE))
		(void)poll(NULL, 0, 1);
	zygote_dismiss();
	ahead = z.next.pid;
	ck_assert_int_gt(ahead, 0);
	ck_assert_int_eq(kill(ahead, 0), -1);
	/* It had ended before it was asked for. */
	foresee_late(&l);
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "/usr\n");
	/* Before there is one. */
	zygote_foresee(&z, &l, 1);
	zygote_dismiss();
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	run_and_foresee(&l);
	zygote_close(&z);
	ck_assert_int_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}
END_TEST

static int count_once(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What of ours is open. The zygote may be at closing something: want, or what it is after a
 * while. */
static int count_open(int want)
{
	for (int i = 0; i < 5000 && count_once() != want; i++)
		(void)poll(NULL, 0, 1);
	return count_once();
}

START_TEST(a_zygote_leaves_nothing_open_in_the_table_that_it_shares)
{
	int n_before = count_once(), n_open, e;
	struct zygote z;
	struct launch l;
	char out[64];

	if (!open_zygote(&z))
		return;
	plan(&l, "echo well");
	l.zygote = &z;
	l.wants_go = l.wants_result = true;
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	n_open = n_before + 2; /* a bell, /dev/null */
	ck_assert_int_eq(count_open(n_open), n_open);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
		l.foresees = true;
		run_and_foresee(&l);
		ck_assert_int_eq(run(&l, out, sizeof(out)), 0); /* taken */
		run_and_foresee(&l);
		zygote_dismiss();
		l.foresees = false;
		plan(&l, "true");
		l.zygote = &z;
		l.exe = "/no/such/program";
		ck_assert_int_eq(fails_at(&l, &e), STEP_EXEC);
		plan(&l, "echo well");
		l.zygote = &z;
		l.wants_go = l.wants_result = true;
	}
	ck_assert_int_eq(count_open(n_open), n_open);
	zygote_close(&z);
	ck_assert_int_eq(count_open(n_before), n_before);
}
END_TEST

START_TEST(a_plan_that_was_made_ready_is_not_read_again)
{
	struct zygote z;
	struct launch l;
	char out[64];

	if (!open_zygote(&z))
		return;
	plan(&l, "echo first");
	l.zygote = &z;
	l.wants_go = l.foresees = true;
	l.serial = 1;
	run_and_foresee(&l);
	l.argv[2] = (char *)"echo other";
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "first\n");
	run_and_foresee(&l);
	l.argv[2] = (char *)"echo next";
	l.serial = 2;
	ck_assert_int_eq(run(&l, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "next\n");
	zygote_close(&z);
}
END_TEST

struct ends {
	int n_ending, n_after;
	bool in_order;
};

static void note_ending(void *arg)
{
	((struct ends *)arg)->n_ending++;
}

static void note_after(void *arg, pid_t pid)
{
	struct ends *e = arg;

	e->in_order = kill(pid, 0) == 0 && e->n_ending == 1;
	e->n_after++;
}

/* Foreseen too early, right, and never. */
START_TEST(an_end_that_is_looked_out_for_is_the_same_end)
{
	static const int64_t windows[][2] = { { NS_PER_MS, 2 * NS_PER_MS },
		{ NS_PER_MS, 10 * NS_PER_S }, { 0, 0 } };
	struct supervised s;
	struct channel ch;
	struct zygote z;
	struct launch l;
	int pair[2];

	if (!open_zygote(&z))
		return;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	channel_init(&ch, pair[0], job, 1);
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		struct ends e = { 0 };
		const struct supervise_hooks hooks = {
			.ending = note_ending, .after = note_after, .arg = &e
		};

		plan(&l, "exec sleep 0.03");
		l.zygote = &z;
		l.wants_go = true;
		l.ends_from_ns = windows[i][0];
		l.ends_until_ns = windows[i][1];
		ck_assert_int_eq(supervise(&ch, &l, 0, 4096, NULL, &hooks, &s, &err), OK);
		ck_assert_int_eq(s.termination, T_EXIT);
		ck_assert_int_eq(s.exit, 0);
		ck_assert_int_ge(s.account.wall_ns, 30 * NS_PER_MS);
		ck_assert_int_eq(e.n_after, 1);
		if (i == 1 && s.account.is_stamped)
			ck_assert(e.in_order);
		else
			ck_assert_int_eq(e.n_ending, 0);
		supervised_done(&s);
	}
	zygote_close(&z);
	channel_done(&ch);
}
END_TEST

START_TEST(programs_are_found_as_a_shell_would)
{
	char *path;

	make_folder();
	path = xasprintf("%s/prog", folder);
	ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0755)), 0);
	free(path);
	path = launch_find("prog", "/no/such:/usr/bin", folder);
	ck_assert_ptr_null(path);
	ck_assert_int_eq(errno, ENOENT);
	path = launch_find("./prog", "/usr/bin", folder);
	ck_assert_ptr_nonnull(path);
	ck_assert_int_eq(access(path, X_OK), 0);
	free(path);
	path = launch_find("sh", "/usr/bin:/bin", folder);
	ck_assert_ptr_nonnull(strstr(path, "/sh"));
	free(path);
	ck_assert_int_eq(dir_remove(folder, &err), OK);
}
END_TEST

/* --- ending ------------------------------------------------------------------------------ */

/* A child that has a child in a session of its own; both wait for ever. */
static pid_t start_family(int out)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (fork() == 0) {
			setsid();
			signal(SIGTERM, SIG_IGN);
			(void)!write(out, "x", 1);
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	return pid;
}

START_TEST(a_sweep_ends_children_and_orphans_but_those_that_are_spared)
{
	int p[2], left = -1;
	pid_t gone, spared;
	char both[2];

	sweep_prepare();
	ck_assert(sweep_has_nothing());
	ck_assert_int_eq(pipe(p), 0);
	gone = start_family(p[1]);
	spared = start_family(p[1]);
	for (int n = 0; n < 2; n++)
		ck_assert_int_eq(read(p[0], both, 1), 1);
	ck_assert_int_eq(sweep_count_children(gone), 1);
	ck_assert_int_eq(sweep_descendants(&spared, 1, 10 * NS_PER_S, &left), 2);
	ck_assert_int_eq(left, 0);
	ck_assert_int_lt(kill(gone, 0), 0);
	ck_assert_int_eq(kill(spared, 0), 0);
	ck_assert_int_eq(sweep_count_children(spared), 1);
	ck_assert_int_eq(sweep_descendants(NULL, 0, 10 * NS_PER_S, NULL), 2);
	ck_assert(sweep_has_nothing());
}
END_TEST

/* --- the two lines ----------------------------------------------------------------------- */

static void say(int fd, const char *line)
{
	ck_assert_int_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
}

START_TEST(a_runner_hears_the_worst_reason_to_stop)
{
	struct channel c;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	channel_init(&c, pair[0], job, 1);
	ck_assert(!channel_must_stop(&c));
	say(pair[1], "{\"type\":\"cancel\",\"reason\":\"timed_out\"}\n");
	ck_assert(channel_sleep(&c, 10 * NS_PER_S));
	ck_assert_int_eq(c.stop, STOP_TIMED_OUT);
	say(pair[1], "{\"type\":\"cancel\",\"reason\":\"superseded\"}\n");
	channel_poll(&c, NULL, 0, clock_monotonic_ns());
	ck_assert_int_eq(c.stop, STOP_TIMED_OUT);
	ck_assert(!channel_in_a_hurry(&c));
	close(pair[1]);
	channel_poll(&c, NULL, 0, clock_monotonic_ns());
	ck_assert_int_eq(c.stop, STOP_LOST);
	ck_assert(channel_in_a_hurry(&c));
	channel_done(&c);
}
END_TEST

START_TEST(a_passed_deadline_is_a_timeout_of_its_own)
{
	struct channel c;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	channel_init(&c, pair[0], job, 1);
	c.deadline_ns = clock_monotonic_ns();
	ck_assert(channel_sleep(&c, 10 * NS_PER_S));
	ck_assert_int_eq(c.stop, STOP_TIMED_OUT);
	ck_assert(c.deadline_hit);
	channel_done(&c);
	close(pair[1]);
}
END_TEST

START_TEST(messages_carry_job_and_attempt_and_text_is_clean)
{
	struct channel c;
	struct link l;
	json_t *m;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	channel_init(&c, pair[0], job, 3);
	link_init(&l, pair[1], false);
	channel_log(&c, "stderr", "caf\xff\n", 5);
	channel_flush(&c);
	link_read(&l);
	m = link_next(&l, &err);
	ck_assert_str_eq(json_get_str(m, "type", ""), "log");
	ck_assert_str_eq(json_get_str(m, "job", ""), job);
	ck_assert_int_eq(json_get_int(m, "attempt", 0), 3);
	ck_assert_str_eq(json_get_str(m, "data", ""), "caf\xef\xbf\xbd\n");
	json_decref(m);
	channel_done(&c);
	link_done(&l);
}
END_TEST

static size_t n_arrived(struct link *l)
{
	json_t *m;
	size_t n = 0;

	link_read(l);
	for (; (m = link_next(l, &err)); n++)
		json_decref(m);
	return n;
}

static void add_progress(void *arg)
{
	struct channel *c = arg;

	channel_queue(c, channel_message(c, "progress"));
}

START_TEST(messages_that_may_wait_go_out_together)
{
	struct channel c;
	struct link l;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	channel_init(&c, pair[0], job, 1);
	link_init(&l, pair[1], false);
	channel_send_soon(&c, channel_message(&c, "first"));
	ck_assert_uint_eq(n_arrived(&l), 1); /* nothing went out for long */
	c.written_ns = INT64_MAX / 2;	     /* now something did, as the clock sees it */
	for (int i = 1; i < CHANNEL_TOGETHER; i++)
		channel_send_soon(&c, channel_message(&c, "process"));
	ck_assert_uint_eq(n_arrived(&l), 0);
	c.newest = add_progress;
	c.newest_arg = &c;
	channel_send_soon(&c, channel_message(&c, "process"));
	ck_assert_uint_eq(n_arrived(&l), CHANNEL_TOGETHER + 1);
	c.written_ns = INT64_MAX / 2;
	channel_send_soon(&c, channel_message(&c, "process"));
	channel_send(&c, channel_message(&c, "phase")); /* in their order */
	ck_assert_uint_eq(n_arrived(&l), 3);
	c.written_ns = clock_monotonic_ns();
	channel_send_soon(&c, channel_message(&c, "process"));
	channel_poll(&c, NULL, 0, clock_monotonic_ns() + 10 * CHANNEL_PATIENCE_NS);
	ck_assert_uint_eq(n_arrived(&l), 2); /* whoever waits sees to it */
	channel_done(&c);
	link_done(&l);
}
END_TEST

START_TEST(a_link_drops_broken_lines_and_sees_its_end)
{
	struct link l;
	json_t *m;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	link_init(&l, pair[0], false);
	say(pair[1], "no json\n{\"type\":\"welcome\"}\n{\"half\":");
	link_read(&l);
	err = (struct error){ 0 };
	m = link_next(&l, &err);
	ck_assert_ptr_null(m);
	ck_assert_int_lt(err.code, 0);
	ck_assert_ptr_nonnull(strstr(err.text, "JSON"));
	err = (struct error){ 0 };
	m = link_next(&l, &err);
	ck_assert_str_eq(json_get_str(m, "type", ""), "welcome");
	json_decref(m);
	ck_assert_ptr_null(link_next(&l, &err));
	ck_assert_int_eq(err.code, OK);
	close(pair[1]);
	link_read(&l);
	ck_assert(l.is_broken);
	link_done(&l);
}
END_TEST

SUITE("worker_process", ordinary_calls_pass_the_filter,
	calls_that_reach_others_or_the_kernel_are_refused,
	processes_and_threads_are_made_but_no_namespaces, sockets_are_for_the_network_inside,
	calls_by_other_numbers_are_unknown, a_process_writes_only_where_its_rules_say,
	a_lock_names_its_holder_and_dies_with_it, a_program_starts_with_nothing_of_ours,
	a_limit_holds_and_an_exit_status_comes_back, a_failed_start_names_its_step,
	a_zygotes_process_starts_like_a_forked_one_and_is_our_child,
	a_zygotes_failed_start_names_its_step,
	what_we_grow_to_is_no_floor_for_a_zygotes_process,
	where_a_process_stands_by_does_not_bind_its_program,
	a_zygote_is_no_stray_and_without_it_processes_are_forked,
	one_that_stands_by_takes_the_next_program_or_goes,
	a_zygote_leaves_nothing_open_in_the_table_that_it_shares,
	a_plan_that_was_made_ready_is_not_read_again,
	an_end_that_is_looked_out_for_is_the_same_end, programs_are_found_as_a_shell_would,
	a_sweep_ends_children_and_orphans_but_those_that_are_spared,
	a_runner_hears_the_worst_reason_to_stop, a_passed_deadline_is_a_timeout_of_its_own,
	messages_carry_job_and_attempt_and_text_is_clean,
	messages_that_may_wait_go_out_together, a_link_drops_broken_lines_and_sees_its_end)
