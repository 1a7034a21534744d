#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""benchd-self: benchd's own job service as a benchmark, for the suite self.

Usage: benchd-self CASE [--benchd PROGRAM]      benchd-self --list

Starts a second daemon with its own worker on a temporary folder and a free port, runs one case
through the real API, and reports it as self.CASE on BENCHD_RESULT_FD (or in words on standard
output). BENCHD_SAMPLES says how often (5), BENCHD_WARMUP how often before that (1). A job that does not
succeed, a step that runs twice or ahead of what it waits for, ends it with status 1 and no times.
"""
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

SENDERS = 16
PATIENCE = "60s"


def trivial(name="self", **more):
    return {"definition": {"name": name, "kind": "command", "command": ["true"],
                           "protocol": {"processes": 1, "max_processes": 1, "samples": 1, "warmup": 0,
                                        "adaptive": False, "idle_wait": 0}}, **more}


class Daemon:
    def __init__(self, program):
        self.dir = tempfile.mkdtemp(prefix="benchd-self.")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BENCHD_")}
        self.p = subprocess.Popen([program, "--listen", "127.0.0.1:0", "--state", f"{self.dir}/state"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  env=dict(kept, BENCHD_LOCK_DIR=self.dir))
        line = self.p.stdout.readline()
        found = re.search(r"listening on http://.*:(\d+)", line)
        if not found:
            raise RuntimeError(f"'{program}' does not start: {line.strip()}")
        self.port = int(found.group(1))
        self.n_projects = 0
        until = time.monotonic() + 60
        while not self.ask("GET", "/v0/testbeds/live"):
            if time.monotonic() > until:
                raise RuntimeError("the second daemon has no worker after 60 s")
            time.sleep(0.05)

    def ask(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            c.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            answer = c.getresponse()
            text = answer.read()
        finally:
            c.close()
        if answer.status not in (200, 202):
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text)

    def project(self):
        """A history of its own, with its first commit: judging long ones is no part of this."""
        self.n_projects += 1
        where = f"/v0/projects/p{self.n_projects}/jobs"
        succeeded([self.ask("POST", f"{where}?wait={PATIENCE}", trivial())])
        return where

    def end_of(self, where, uuid):
        while True:
            job = self.ask("GET", f"{where}/{uuid}?wait={PATIENCE}")
            if job["finished"]:
                return job

    def memory(self, name):
        with open(f"/proc/{self.p.pid}/status") as f:
            return int(re.search(name + r":\s+(\d+)", f.read()).group(1)) * 1024

    def close(self):
        self.p.terminate()
        self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def succeeded(jobs):
    for j in jobs:
        if j["state"] != "succeeded":
            raise RuntimeError(f"a job ended as {j['state']}: {j['reason']}")


# --- cases: each returns how long its work took -------------------------------------------------


def sequential(d, n):
    where = d.project()
    start = time.perf_counter()
    jobs = [d.ask("POST", f"{where}?wait={PATIENCE}", trivial()) for _ in range(n)]
    took = time.perf_counter() - start
    succeeded(jobs)
    return took


def at_once(d, n):
    where = d.project()
    with ThreadPoolExecutor(SENDERS) as pool:
        start = time.perf_counter()
        uuids = list(pool.map(lambda _: d.ask("POST", where, trivial())["uuid"], range(n)))
        jobs = [d.end_of(where, u) for u in uuids]
        took = time.perf_counter() - start
    succeeded(jobs)
    return took


def graph(d, layers, width):
    """Layers of jobs, each waiting for two of the layer before."""
    where = d.project()
    above, layer_of = [], {}
    start = time.perf_counter()
    for layer in range(layers):
        here = []
        for i in range(width):
            needs = [{"job": above[k % width]} for k in sorted({i, (i + 1) % width})] if above else []
            uuid = d.ask("POST", where, trivial(f"l{layer}", **({"depends_on": needs} if needs else {})))["uuid"]
            layer_of[uuid] = (layer, [n["job"] for n in needs])
            here.append(uuid)
        above = here
    jobs = {u: d.end_of(where, u) for u in layer_of}
    took = time.perf_counter() - start
    succeeded(jobs.values())
    for uuid, (_, needs) in layer_of.items():
        for n in needs:
            if jobs[uuid]["started"] < jobs[n]["finished"]:
                raise RuntimeError("a job began before what it waits for had ended")
    return took


def queued_bytes(d, n):
    """What a waiting job costs: memory grown for n of them behind a long one."""
    where = d.project()
    long = trivial()
    long["definition"]["command"] = ["sleep", "600"]
    first = d.ask("POST", where, long)["uuid"]
    time.sleep(0.5)
    before = d.memory("VmRSS")
    uuids = [d.ask("POST", where, trivial())["uuid"] for _ in range(n)]
    grown = d.memory("VmRSS") - before
    d.ask("DELETE", f"{where}/{first}")
    succeeded([d.end_of(where, u) for u in uuids])
    return max(grown, 0)


CASES = {
    "sched.sequential_tasks_10": lambda d: sequential(d, 10),
    "sched.parallel_tasks_10": lambda d: at_once(d, 10),
    "sched.scalability_20": lambda d: at_once(d, 20),
    "sched.scalability_50": lambda d: at_once(d, 50),
    "sched.high_concurrency_tasks_500": lambda d: at_once(d, 500),
    "dag.linear_10": lambda d: graph(d, 10, 1),
    "dag.parallel_10": lambda d: graph(d, 2, 10),
    "dag.complex": lambda d: graph(d, 4, 3),
    "dag.deep_sequential_100": lambda d: graph(d, 100, 1),
}


# --- report -------------------------------------------------------------------------------------


def report(line):
    fd = os.environ.get("BENCHD_RESULT_FD")
    if fd:
        os.write(int(fd), (json.dumps(line) + "\n").encode())
    elif "samples" in line:
        print(f"{line['benchmark']} {line['measure']}: {', '.join(f'{v:.4g}' for v in line['samples'])} {line['unit']}")


def run(case, program):
    warmup, samples = int(os.environ.get("BENCHD_WARMUP", 1)), int(os.environ.get("BENCHD_SAMPLES", 5))
    d = Daemon(program)
    try:
        if case == "sched.memory_usage":
            grown = queued_bytes(d, 1000)
            for measure, value in (("memory.queued_1000", grown), ("memory.rss", d.memory("VmRSS")),
                                   ("memory.vms", d.memory("VmSize")), ("memory.peak", d.memory("VmHWM"))):
                report({"benchmark": f"self.{case}", "measure": measure, "unit": "B", "better": "lower",
                        "samples": [value]})
            return
        times = []
        for i in range(warmup + samples):
            times.append(CASES[case](d) * 1e9)
            report({"progress": (i + 1) / (warmup + samples)})
        report({"benchmark": f"self.{case}", "measure": "latency", "unit": "ns", "better": "lower",
                "warmup": times[:warmup], "samples": times[warmup:]})
    finally:
        d.close()


def find_benchd():
    here = os.path.dirname(os.path.realpath(__file__))
    for path in (f"{here}/benchd", f"{here}/../sbin/benchd", shutil.which("benchd")):
        if path and os.access(path, os.X_OK):
            return path
    sys.exit("benchd-self: there is no benchd beside this program nor in PATH; use --benchd PROGRAM")


def main():
    words, names = sys.argv[1:], list(CASES) + ["sched.memory_usage"]
    if words == ["--list"]:
        print("\n".join(names))
        return
    program = None
    if "--benchd" in words[:-1]:
        at = words.index("--benchd")
        program = words[at + 1]
        del words[at:at + 2]
    if len(words) != 1 or words[0] not in names:
        print(f"benchd-self: give one case: {', '.join(names)}", file=sys.stderr)
        sys.exit(64)
    try:
        run(words[0], program or find_benchd())
    except (RuntimeError, OSError) as e:
        report({"error": str(e)})
        print(f"benchd-self: {e}", file=sys.stderr)
        sys.exit(1)
    report({"done": True})


main()
