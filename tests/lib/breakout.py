#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A measured program that tries to get out. Run by tests/e2e/isolation.sh in each profile.

Usage: breakout.py TCP-PORT SOCKET PID FOLDER STATE ATTEMPT...

Prints a line an attempt: "NAME open" when it got through, "NAME blocked: why" when it did not.
"""
import ctypes, errno, os, resource, signal, socket, sys

port, unix, pid, folder, state = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS, SYS_CLONE = 0x10000000, 0x00020000, {"x86_64": 56, "aarch64": 220}[os.uname().machine]


def call(result):
    if result < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))
    return result


def write(path):
    with open(path, "w") as f:
        f.write("out")


def connect(family, where):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(3)
    s.connect(where)


def clone():
    child = call(libc.syscall(SYS_CLONE, CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0))
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def fork_bomb():
    """Open when 3000 processes live at once."""
    children = []
    try:
        while len(children) < 3000:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    finally:
        print(f"# {len(children)} processes", flush=True)
        for child in children:
            os.kill(child, signal.SIGKILL)


def fill_memory():
    block = bytearray(1 << 30)
    block[::4096] = b"x" * len(block[::4096])


def fill_tmp():
    """Open when a private folder in memory may take more than a quarter of it."""
    s = os.statvfs("/tmp")
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if s.f_blocks * s.f_frsize < total / 4:
        raise OSError(errno.ENOSPC, f"{s.f_blocks * s.f_frsize >> 20} MiB at most")


ATTEMPTS = {
    "write-etc": lambda: write("/etc/benchd-breakout"),
    "write-folder": lambda: write(f"{folder}/breakout"),
    "write-sysctl": lambda: write("/proc/sys/kernel/core_pattern"),
    "read-state": lambda: os.listdir(state) and open(f"{state}/lock").close(),
    "loopback": lambda: connect(socket.AF_INET, ("127.0.0.1", port)),
    "unix": lambda: connect(socket.AF_UNIX, unix),
    "signal": lambda: os.kill(pid, 0),
    "see": lambda: os.stat(f"/proc/{pid}"),
    "ptrace": lambda: call(libc.ptrace(0, 0, 0, 0)),
    "mount": lambda: call(libc.mount(b"none", b"/mnt", b"tmpfs", 0, None)),
    "unshare": lambda: call(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS)),
    "clone": clone,
    "setuid": lambda: os.setuid(0),
    "fork-bomb": fork_bomb,
    "memory": fill_memory,
    "tmp": fill_tmp,
}

for name in sys.argv[6:]:
    try:
        ATTEMPTS[name]()
        print(f"{name} open", flush=True)
    except (OSError, MemoryError) as e:
        print(f"{name} blocked: {e}", flush=True)
