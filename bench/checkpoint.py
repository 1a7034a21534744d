#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sweep that is killed again and again measures each of its processes once.

Usage: checkpoint.py BUILD-FOLDER [--processes 200] [--kills 20] [--forms FORM,...] [--seed N] [--tap]

Forms: worker, daemon: kill -9 of either, with the worker that benchd starts itself; unit-worker,
unit-daemon: the same with the worker as its own unit on the unix socket; unit-restart: SIGTERM of the daemon
instead; unit-both: kill -9 of both, once. A unit's worker goes on while the daemon is away, so there nothing
may be begun again, and one attempt does it all. Each kill comes when the sweep
has passed a random number of processes (one more at least than at the last), and a random moment later. At the end of each form the job has
exactly so many process records, each (cell, arm, index) once, and what a client read before a kill is
still there. The measured program notes its beginnings and ends in a file of its own, so that the line
also says how many were interrupted by a kill and begun again, and how many had noted their end but were
not on disk yet when the kill came: those run again, as nobody has their result.

cost: the CPU time of benchd and its worker that each more process of a job costs (bar 1 ms), and what part
of a sweep's time (a quarter as many processes of a built-in kernel) the telling of finished processes held
the next ones up (bar 0.1 %). Also shown: after what time they were on disk, and what a bare fdatasync takes
here at that moment.
"""
import argparse, collections, http.client, json, os, random, re, shutil, signal, subprocess, sys, tempfile, time

FORMS = ("worker", "daemon", "unit-worker", "unit-daemon", "unit-restart", "unit-both")
UNDISTURBED = ("unit-daemon", "unit-restart")
PATIENCE_S = 300
PER_CELL = 10


class Host:
    """benchd and its worker on a folder of their own."""

    def __init__(self, build, is_unit, rng=random):
        self.build, self.is_unit, self.rng = build, is_unit, rng
        self.dir = tempfile.mkdtemp(prefix="benchd-checkpoint.")
        self.env = dict(os.environ, BENCHD_LOCK_DIR=self.dir)
        self.socket = f"{self.dir}/worker.sock"
        self.log = open(f"{self.dir}/log", "a")
        self.port, self.daemon, self.unit = 0, None, None
        with open(f"{self.dir}/benchd.yaml", "w") as f:
            f.write(f"allow_adhoc_commands: true\nworker:\n  embedded: {'false' if is_unit else 'true'}\n  socket: {self.socket}\n")
        self.start_daemon()
        if is_unit:
            self.start_unit()

    def start_daemon(self):
        self.daemon = subprocess.Popen(
            [f"{self.build}/benchd", "--config", f"{self.dir}/benchd.yaml", "--listen", f"127.0.0.1:{self.port}",
             "--state", f"{self.dir}/state"], stdout=subprocess.PIPE, stderr=self.log, env=self.env, text=True)
        m = re.search(r"listening on http://.*:(\d+)", self.daemon.stdout.readline())
        if not m:
            raise RuntimeError("benchd did not start: " + open(f"{self.dir}/log").read()[-1000:])
        self.port = int(m.group(1))

    def start_unit(self):
        self.unit = subprocess.Popen(
            [f"{self.build}/benchd-worker", "--socket", self.socket, "--state", f"{self.dir}/worker"],
            stdout=subprocess.DEVNULL, stderr=self.log, env=self.env)

    def worker_pid(self):
        if self.is_unit:
            return self.unit.pid
        with open(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children") as f:
            return next(map(int, f.read().split()), None)

    def kill(self, what):
        if what in ("daemon", "restart", "both"):
            (self.daemon.terminate if what == "restart" else self.daemon.kill)()
            self.daemon.wait()
            if what == "both":
                self.unit.kill()
                self.unit.wait()
                self.start_unit()
            time.sleep(self.rng.choice((0, 0, 0.3)))
            self.start_daemon()
            return
        pid = None
        while not pid:
            pid = self.worker_pid()
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
        if self.is_unit:
            self.unit.wait()
            self.start_unit()

    def ask(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        c.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        r = c.getresponse()
        text = r.read()
        c.close()
        if r.status not in (200, 202):
            raise RuntimeError(f"{method} {path}: {r.status} {text[:300]}")
        return text

    def get(self, path):
        return json.loads(self.ask("GET", path))

    def metric(self, name):
        return float(re.search(rf"^{name} ([\d.e+-]+)$", self.ask("GET", "/metrics").decode(), re.M).group(1))

    def close(self, keep):
        for p in (self.unit, self.daemon):
            if p:
                p.terminate()
                p.wait()
        if keep:
            print(f"# kept: {self.dir}", file=sys.stderr)
        else:
            shutil.rmtree(self.dir)


def sweep(n, **definition):
    per_cell = min(PER_CELL, n)
    protocol = {"processes": per_cell, "max_processes": per_cell, "samples": 1, "adaptive": False, "idle_wait": 0}
    return {"definition": dict(definition, name="sweep", matrix={"cell": list(range(n // per_cell))},
                               protocol=protocol)}


def file_told(host, n):
    """A sweep whose program notes when it begins and ends."""
    program = f"{host.dir}/told"
    with open(program, "w") as f:
        f.write(f'#!/bin/sh\necho "b $1" >>{host.dir}/told.log\nsleep 0.02\necho "e $1" >>{host.dir}/told.log\n')
    os.chmod(program, 0o755)
    body = sweep(n, kind="command", command=[program, "{cell}"], parameters={"cell": 0})
    return json.loads(host.ask("POST", "/v0/projects/p/jobs", body))["uuid"]


def essence(records):
    return {(r["attempt"], r["seq"]): (r["cell"], r["arm"], r["index"], json.dumps(r["results"])) for r in records}


def wait_past(host, uuid, n):
    start = time.monotonic()
    while time.monotonic() < start + PATIENCE_S:
        records = host.get(f"/v0/projects/p/jobs/{uuid}/processes")
        if len(records) >= n or host.get(f"/v0/projects/p/jobs/{uuid}")["finished"]:
            return records
        time.sleep(0.005)
    raise RuntimeError("the sweep stands still: " + host.ask("GET", f"/v0/projects/p/jobs/{uuid}").decode())


def wait_end(host, uuid):
    start = time.monotonic()
    while time.monotonic() < start + PATIENCE_S:
        j = host.get(f"/v0/projects/p/jobs/{uuid}?wait=60s")
        if j["finished"]:
            return j
    raise RuntimeError(f"the sweep does not end: {j['state']} {j['reason']}")


def judge(host, uuid, n, job, seen, form):
    records = host.get(f"/v0/projects/p/jobs/{uuid}/processes")
    counting = [r for r in records if not r["replaced"]]
    places = collections.Counter((r["cell"], r["arm"], r["index"]) for r in records)
    twice = [p for p, k in places.items() if k > 1]
    cells = collections.Counter(r["cell"] for r in counting)
    now = essence(records)
    lost = [k for k, v in seen.items() if now.get(k) != v]
    with open(f"{host.dir}/told.log") as f:
        told = collections.Counter(line[0] for line in f)
    wrong = []
    if job["state"] != "succeeded":
        wrong.append(f"the job {job['state']}: {job['reason']}")
    if len(counting) != n or set(cells.values()) != {min(PER_CELL, n)}:
        wrong.append(f"{len(counting)} records count, by cell {dict(cells)}")
    if twice:
        wrong.append(f"twice: {twice[:3]}")
    if lost:
        wrong.append(f"read before a kill and gone: {lost[:3]}")
    if form in UNDISTURBED and not told["b"] == told["e"] == len(records):
        wrong.append(f"{told['b']} begun, {told['e']} ended")
    if form in UNDISTURBED and job["attempt"] != 1:
        wrong.append("it did not go on where it was")
    return wrong, (f"{len(counting)} of {n} records, {len(twice)} twice, {len(records) - len(counting)} replaced as noisy; "
                   f"{told['b'] - told['e']} interrupted and begun again, {told['e'] - len(records)} noted their end but were not on disk; "
                   f"{job['attempt']} attempts")


def killed(build, form, n, kills, rng):
    host = Host(build, form.startswith("unit-"), rng)
    kills = 1 if form == "unit-both" else kills
    wrong = ["it broke off"]
    try:
        uuid = file_told(host, n)
        seen, last = {}, 0
        start = time.monotonic()
        for point in sorted(rng.sample(range(n), kills)):
            records = wait_past(host, uuid, max(point, last + 1))
            seen, last = seen | essence(records), len(records)
            time.sleep(rng.uniform(0, 0.05))
            host.kill(form.split("-")[-1])
        job = wait_end(host, uuid)
        took = time.monotonic() - start
        wrong, text = judge(host, uuid, n, job, seen, form)
        return not wrong, f"{form} killed {kills} times: {text}; {took:.1f} s" + "".join(f"; {w}" for w in wrong)
    finally:
        host.close(keep=bool(wrong))


def cpu_ns(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def sync_s(folder):
    """The median of a few bare fdatasync of 8 KiB."""
    took, fd = [], os.open(f"{folder}/sync", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for _ in range(21):
        os.write(fd, b"x" * 8192)
        start = time.perf_counter()
        os.fdatasync(fd)
        took.append(time.perf_counter() - start)
    os.close(fd)
    return sorted(took)[len(took) // 2]


def measure(host, n, **body):
    """Time and CPU time (of benchd and its worker, not of what they start) of a job of n processes."""
    body["protocol"] = {"processes": n, "max_processes": n, "adaptive": False, "idle_wait": 0}
    pids = host.daemon.pid, host.worker_pid()
    start, used = time.monotonic(), sum(map(cpu_ns, pids))
    job = wait_end(host, json.loads(host.ask("POST", "/v0/projects/p/jobs", body))["uuid"])
    if job["state"] != "succeeded":
        raise RuntimeError(f"the job {job['state']}: {job['reason']}")
    return time.monotonic() - start, sum(map(cpu_ns, pids)) - used


def cost(build, n):
    host = Host(build, False)
    try:
        while not host.get("/v0/testbeds/live"):
            time.sleep(0.02)
        short = {"definition": {"name": "short", "kind": "command", "command": ["true"]}}
        measure(host, 1, **short)
        each = (measure(host, 2 * n, **short)[1] - measure(host, n, **short)[1]) / n / 1e6
        before = host.metric("benchd_process_telling_seconds_total")
        took, _ = measure(host, max(n // 4, 1), workload="stream.triad", parameters={"size": "1Mi", "backend": "scalar"})
        telling = host.metric("benchd_process_telling_seconds_total") - before
        storing = host.metric("benchd_process_storing_seconds_total") / host.metric("benchd_processes_total")
        return each < 1 and telling < took / 1000, (
            f"{each:.3f} ms of CPU a stored process (bar 1 ms); telling of {max(n // 4, 1)} processes held a sweep up "
            f"{telling * 1e3:.1f} ms of its {took:.1f} s, {100 * telling / took:.3f} % (bar 0.1 %); on disk after "
            f"{storing * 1e3:.1f} ms, a bare fdatasync takes {sync_s(host.dir) * 1e3:.1f} ms")
    finally:
        host.close(keep=False)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("build")
    a.add_argument("--processes", type=int, default=200)
    a.add_argument("--kills", type=int, default=20)
    a.add_argument("--forms", default=",".join(FORMS) + ",cost")
    a.add_argument("--seed", type=int, default=int(time.time()))
    a.add_argument("--tap", action="store_true")
    a = a.parse_args()
    forms, rng, all_well = a.forms.split(","), random.Random(a.seed), True
    print((f"1..{len(forms)}\n" if a.tap else "") + f"# seed {a.seed}", flush=True)
    for k, form in enumerate(forms):
        if form == "cost":
            good, text = cost(os.path.abspath(a.build), a.processes)
        else:
            good, text = killed(os.path.abspath(a.build), form, a.processes, a.kills, rng)
        all_well &= good
        print(f"{'ok' if good else 'not ok'} {k + 1} - {text}" if a.tap else f"{text}   {'met' if good else 'NOT met'}", flush=True)
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
