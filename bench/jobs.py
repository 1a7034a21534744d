#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trivial jobs through the whole daemon: filed over HTTP, claimed, run as a fresh process, stored.

Usage: jobs.py BUILD-FOLDER [ROUNDS]

A job is one process of `true` without warm-up or idle wait, timed from the first byte of the first
request to the last byte of the last answer, which waits for the end of its job (?wait). Medians of
ROUNDS rounds (default 5) beside the bars, and the daemon's memory. The numbers are of this machine
and of this moment: the load is printed with them.
"""
import json, os, re, shutil, socket, statistics, subprocess, sys, tempfile, time

BARS = {"10 one after the other": 50, "10 at once": 30, "100 at once": 250}


class Connection:
    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        if data:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        self.s.sendall(head.encode() + b"\r\n" + data)

    def read(self):
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        n = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
        while len(self.rest) < n:
            self.more()
        body, self.rest = self.rest[:n], self.rest[n:]
        status = int(head.split()[1])
        if status not in (200, 202):
            sys.exit(f"jobs.py: status {status}: {body[:300]}")
        return json.loads(body)

    def more(self):
        data = self.s.recv(1 << 16)
        if not data:
            sys.exit("jobs.py: the daemon closed the connection")
        self.rest += data

    def ask(self, *request):
        self.send(*request)
        return self.read()


def job(slot="exclusive"):
    return {"definition": {"kind": "command", "command": ["true"], "slot": slot,
            "protocol": {"processes": 1, "max_processes": 1, "samples": 1, "warmup": 0,
                         "adaptive": False, "idle_wait": 0}}}


def rss_kib(pid, what="VmRSS"):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(what + r":\s+(\d+)", f.read()).group(1))


class Daemon:
    def __init__(self, build):
        self.dir = tempfile.mkdtemp(prefix="benchd-jobs.")
        env = dict(os.environ, BENCHD_LOCK_DIR=self.dir)
        self.p = subprocess.Popen([f"{build}/benchd", "--listen", "127.0.0.1:0", "--state",
                                   f"{self.dir}/state"], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, env=env, text=True)
        self.port = int(re.search(r"listening on http://.*:(\d+)", self.p.stdout.readline()).group(1))
        self.c = Connection(self.port)
        while not self.c.ask("GET", "/v0/testbeds/live"):
            time.sleep(0.05)

    def close(self):
        self.p.terminate()
        self.p.wait()
        shutil.rmtree(self.dir)


def check(done):
    bad = [d for d in done if d["state"] != "succeeded"]
    if bad:
        sys.exit(f"jobs.py: a job ended as {bad[0]['state']}: {bad[0]['reason']}")


def fresh_project(d):
    """Each round has a history of its own, a commit long: judging long ones is no part of this."""
    d.n = getattr(d, "n", 0) + 1
    where = f"/v0/projects/p{d.n}/jobs?wait=60s"
    check([d.c.ask("POST", where, job())])
    return where


def sequential(d, n):
    where = fresh_project(d)
    t = time.perf_counter()
    done = [d.c.ask("POST", where, job()) for _ in range(n)]
    t = time.perf_counter() - t
    check(done)
    return t * 1e3


def parallel(d, n):
    where = fresh_project(d)
    cs = [Connection(d.port) for _ in range(n)]
    t = time.perf_counter()
    for c in cs:
        c.send("POST", where, job())
    done = [c.read() for c in cs]
    t = time.perf_counter() - t
    check(done)
    return t * 1e3


def queued(d, n):
    """n jobs waiting behind one that runs long: what a waiting job costs."""
    long = job()
    long["definition"]["command"] = ["sleep", "600"]
    first = d.c.ask("POST", "/v0/projects/p/jobs", long)["uuid"]
    time.sleep(0.5)
    before = rss_kib(d.p.pid)
    t = time.perf_counter()
    uuids = [d.c.ask("POST", "/v0/projects/p/jobs", job())["uuid"] for _ in range(n)]
    t = time.perf_counter() - t
    grown = rss_kib(d.p.pid) - before
    d.c.ask("DELETE", f"/v0/projects/p/jobs/{first}")
    start = time.perf_counter()
    check([d.c.ask("GET", f"/v0/projects/p/jobs/{u}?wait=60s") for u in uuids])
    return grown, t, time.perf_counter() - start


def row(name, ms, bar):
    print(f"{name:<24} {statistics.median(ms):8.1f} ms  (fastest {min(ms):.1f}, slowest {max(ms):.1f})"
          f"   bar {bar} ms   {'met' if statistics.median(ms) <= bar else 'NOT met'}")


def main():
    build = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    d = Daemon(build)
    try:
        print(f"load {open('/proc/loadavg').read().split()[0]}, {os.cpu_count()} cpus, "
              f"daemon at start {rss_kib(d.p.pid) / 1024:.1f} MB")
        sequential(d, 3)
        row("10 one after the other", [sequential(d, 10) for _ in range(rounds)],
            BARS["10 one after the other"])
        row("10 at once", [parallel(d, 10) for _ in range(rounds)], BARS["10 at once"])
        row("100 at once", [parallel(d, 100) for _ in range(rounds)], BARS["100 at once"])
        # In a daemon of its own: the heap that 100 connections left behind would hide the growth.
        fresh = Daemon(build)
        try:
            sequential(fresh, 3)
            grown, filed, run = queued(fresh, 1000)
        finally:
            fresh.close()
        print(f"{'1,000 queued':<24} add {grown / 1024:.2f} MB (bar 1 MB, "
              f"{'met' if grown <= 1024 else 'NOT met'}), filed in {filed:.2f} s one by one, "
              f"then run in {run:.2f} s")
        rss, peak = rss_kib(d.p.pid) / 1024, rss_kib(d.p.pid, "VmHWM") / 1024
        print(f"daemon at the end {rss:.1f} MB, at most {peak:.1f} MB (bar 20 MB, "
              f"{'met' if rss < 20 else 'NOT met'}), load {open('/proc/loadavg').read().split()[0]}")
    finally:
        d.close()


main()
