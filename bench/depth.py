#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job service in depth, through the whole daemon with its own worker.

Usage: depth.py BUILD-FOLDER [--graph 500] [--jobs 10000] [--kills 10] [--tap]

graph   so many jobs in layers, each waiting for two of the layer before, filed over 16 connections:
        every one runs once, after what it waits for
jobs    so many trivial jobs one after the other in the queue, after 400 that warm up: how much daemon and
        worker grow, and how much the daemon has grown since its start
kills   so often the worker is killed in the middle of a job: every job still ends with all its results
        (benchd waits longer after each, up to 30 s, before it starts the worker again)

--tap speaks TAP for the story; figures are of this machine and moment.
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE_S = 600
REST_S = 5.5  # benchd gives back what it needs no more on its next tick, every 5 s
WARM_UP = 400  # jobs until SQLite's page caches are full and each thread has run each kind of work


def process(command, n=1, **more):
    return {"definition": {"name": "depth", "kind": "command", "command": command, **more,
                           "protocol": {"processes": n, "max_processes": n, "samples": 1, "warmup": 0,
                                        "adaptive": False, "idle_wait": 0}}}


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


class Daemon:
    def __init__(self, build):
        self.dir = tempfile.mkdtemp(prefix="benchd-depth.")
        with open(f"{build}/benchd", "rb") as f:  # a sanitizer keeps what is freed
            self.is_sanitized = re.search(rb"__(asan|tsan|msan)_init", f.read()) is not None
        env = dict(os.environ, BENCHD_LOCK_DIR=self.dir)
        self.p = subprocess.Popen([f"{build}/benchd", "--listen", "127.0.0.1:0", "--state", f"{self.dir}/state"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True)
        self.port = int(re.search(r"listening on http://.*:(\d+)", self.p.stdout.readline()).group(1))
        self.c = self.connect()
        self.until(lambda: self.get("/v0/testbeds/live"))

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method, path, body=None, c=None):
        c = c or self.c
        c.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = c.getresponse()
        text = answer.read()
        if answer.status not in (200, 202):
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text)

    def get(self, path):
        return self.ask("GET", path)

    def file(self, body, c=None):
        return self.ask("POST", "/v0/projects/p/jobs", body, c)["uuid"]

    def wait(self, uuid):
        start = time.monotonic()
        while time.monotonic() < start + PATIENCE_S:
            j = self.get(f"/v0/projects/p/jobs/{uuid}?wait=60s")
            if j["finished"]:
                return j
        raise RuntimeError(f"job {uuid} does not end: {j['state']} {j['reason']}")

    def until(self, ready):
        start = time.monotonic()
        while not ready():
            if time.monotonic() > start + 60:
                raise RuntimeError("nothing happens")
            time.sleep(0.02)

    def worker(self):
        with open(f"/proc/{self.p.pid}/task/{self.p.pid}/children") as f:
            children = f.read().split()
        return int(children[0]) if children else None

    def close(self):
        self.p.terminate()
        self.p.wait()
        shutil.rmtree(self.dir)


def together(n_threads, work, items):
    """work(connection-less item) for all items over some threads; the first error is raised."""
    items, lock, failed = list(items), threading.Lock(), []

    def run():
        while True:
            with lock:
                if not items or failed:
                    return
                item = items.pop(0)
            try:
                work(item)
            except Exception as e:
                failed.append(e)

    threads = [threading.Thread(target=run) for _ in range(n_threads)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if failed:
        raise failed[0]


def graph(d, n):
    width = max(n // 10, 1)
    layers, local = [], threading.local()
    base = rss_kib(d.p.pid)
    start = time.perf_counter()
    while sum(map(len, layers)) < n:
        above, here = layers[-1] if layers else [], {}

        def add(i):
            if not hasattr(local, "c"):
                local.c = d.connect()
            body = process(["true"], slot="shared")
            if above:
                needs = {above[i % len(above)], above[(i + 1) % len(above)]}
                body["depends_on"] = [{"job": u, "on": "success"} for u in needs]
            here[i] = d.file(body, local.c), body.get("depends_on", [])

        together(16, add, range(min(width, n - sum(map(len, layers)))))
        layers.append([here[i][0] for i in sorted(here)])
        d.edges = getattr(d, "edges", {}) | {u: [x["job"] for x in on] for u, on in here.values()}
    filed = time.perf_counter() - start
    done = {u: d.wait(u) for layer in layers for u in layer}
    took = time.perf_counter() - start
    wrong = [u for u, j in done.items() if j["state"] != "succeeded" or j["attempt"] != 1 or
             any(j["started"] < done[on]["finished"] for on in d.edges[u])]
    grown = (rss_kib(d.p.pid) - base) / 1024
    return not wrong, f"{n} jobs with dependencies: filed in {filed:.2f} s, done in {took:.2f} s, daemon +{grown:.1f} MB, {len(wrong)} wrong"


def many(d, n):
    def run(count):
        left = count
        while left:
            batch = min(left, 200)
            left -= batch
            uuids = [d.file(process(["true"])) for _ in range(batch)]
            bad = [j for j in map(d.wait, uuids) if j["state"] != "succeeded"]
            if bad:
                raise RuntimeError(f"a job ended as {bad[0]['state']}: {bad[0]['reason']}")

    def at_rest():
        time.sleep(REST_S)
        return rss_kib(d.p.pid), rss_kib(d.worker())

    first = at_rest()[0]
    run(WARM_UP)
    (daemon, worker), pid = at_rest(), d.worker()
    start = time.perf_counter()
    run(n)
    took = time.perf_counter() - start
    busy, (after, worker_after) = rss_kib(d.p.pid), at_rest()
    grown = (after - daemon) / 1024, (worker_after - worker) / 1024
    return (d.is_sanitized or max(grown) < 2) and pid == d.worker(), (
        f"{n} jobs in {took:.1f} s ({n / took:.0f}/s): daemon {grown[0]:+.2f} MB, worker {grown[1]:+.2f} MB (bar 2 MB); "
        f"the {WARM_UP} before that: daemon {(daemon - first) / 1024:+.2f} MB; "
        f"at rest {after / 1024:.1f} MB, at the end of the work {busy / 1024:.1f} MB")


def kills(d, n):
    lost = []
    for k in range(n):
        uuid = d.file(process(["sleep", "0.02"], 5))
        d.until(lambda: d.get(f"/v0/projects/p/jobs/{uuid}")["progress"]["done"] >= 1 + k % 3)
        os.kill(d.worker(), signal.SIGKILL)
        j = d.wait(uuid)
        if j["state"] != "succeeded":
            lost.append(f"{j['state']}: {j['reason']}")
            continue
        records = d.get(f"/v0/projects/p/jobs/{uuid}/processes")
        if sum(not r["replaced"] for r in records) < 5:
            lost.append(f"{len(records)} records")
    return not lost, f"{n} kills of the worker in the middle of a job: {n - len(lost)} jobs recovered whole {lost[:2] or ''}"


def main():
    a = argparse.ArgumentParser()
    a.add_argument("build")
    for name, n in (("graph", 500), ("jobs", 10000), ("kills", 10)):
        a.add_argument("--" + name, type=int, default=n)
    a.add_argument("--tap", action="store_true")
    a = a.parse_args()
    d = Daemon(os.path.abspath(a.build))
    all_well, parts = True, [(graph, a.graph), (many, a.jobs), (kills, a.kills)]
    if a.tap:
        print(f"1..{len(parts)}", flush=True)
    try:
        for k, (part, n) in enumerate(parts):
            good, text = part(d, n)
            all_well &= good
            print(f"{'ok' if good else 'not ok'} {k + 1} - {text}" if a.tap else f"{text}   {'met' if good else 'NOT met'}", flush=True)
    finally:
        d.close()
    return 0 if all_well else 1


sys.exit(main())
