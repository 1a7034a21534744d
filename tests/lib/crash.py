#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of benchd, its worker, a runner or a measured process at random moments.

Usage: crash.py BUILD-FOLDER KILLS [SEED]

Clients file jobs all the while. Afterwards, with the daemon started again and all jobs final:
  - every job that was acknowledged (2xx) exists, and is succeeded, or failed with a fault and a reason;
  - every process record that a client has read is still there, unchanged;
  - no (cell, arm, index) of a job is recorded twice, and a succeeded job has all its processes;
  - a job whose measured process was killed, and no other, is the program's fault, and names the signal;
  - nothing that was started is left behind.
Prints one line a check, and exits 1 when one does not hold.
"""
import http.client, json, os, random, re, shutil, signal, subprocess, sys, tempfile, threading, time

PROCESSES = 4
FINAL = {"succeeded", "failed", "timed_out", "canceled", "superseded"}


class Campaign:
    def __init__(self, build, kills, seed):
        self.build, self.kills, self.rng = build, kills, random.Random(seed)
        self.dir = tempfile.mkdtemp(prefix="benchd-crash.")
        self.mark = os.path.basename(self.dir)
        self.env = dict(os.environ, BENCHD_LOCK_DIR=self.dir)
        self.acked, self.seen, self.hit, self.failures = {}, {}, set(), 0
        self.port, self.daemon, self.is_over = 0, None, False
        self.lock = threading.Lock()
        self.counts = {}
        self.write_programs()

    def write_programs(self):
        """The measured program: its path carries the mark, and it forks a child of its own."""
        self.bench = os.path.join(self.dir, "bench")
        with open(self.bench, "w") as f:
            f.write("#!/bin/sh\nsleep 0.0$1 &\nwait\n")
        os.chmod(self.bench, 0o755)
        self.repository = os.path.join(self.dir, "repo")
        run = lambda *a: subprocess.run(["git", "-C", self.repository, "-c", "user.name=t", "-c",
                                         "user.email=t@t", *a], check=True, capture_output=True)
        os.mkdir(self.repository)
        run("init", "-q", "-b", "main")
        shutil.copy(self.bench, os.path.join(self.repository, "bench"))
        run("add", "bench")
        run("commit", "-qm", "one")

    # --- the daemon ---

    def start(self):
        # The old one's port: clients find it again.
        self.daemon = subprocess.Popen(
            [f"{self.build}/benchd", "--listen", f"127.0.0.1:{self.port}", "--state",
             f"{self.dir}/state"], stdout=subprocess.PIPE,
            stderr=open(f"{self.dir}/log", "a"), env=self.env, text=True)
        line = self.daemon.stdout.readline()
        m = re.search(r"listening on http://[^ ]*:(\d+)", line)
        if not m:
            self.daemon.wait()
            sys.exit("crash.py: benchd did not start: " + open(f"{self.dir}/log").read()[-2000:])
        self.port = int(m.group(1))

    def ask(self, method, path, body=None, timeout=30):
        """(status, document), or (0, None) when the daemon went away."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, json.dumps(body) if body else None,
                      {"Content-Type": "application/json"} if body else {})
            r = c.getresponse()
            return r.status, json.loads(r.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            c.close()

    # --- clients ---

    def definition(self, n):
        protocol = {"processes": PROCESSES, "max_processes": PROCESSES, "samples": 1, "warmup": 0,
                    "adaptive": False, "idle_wait": 0}
        if n % 5 == 4:
            return {"definition": {"kind": "build", "name": "built", "repository": self.repository,
                                   "build": [["true"]], "protocol": protocol, "benchmarks": [
                                       {"name": "b", "command": ["./bench", str(n % 4)]}]},
                    "head": "main"}
        if n % 5 == 3:
            return {"workload": "stream.triad", "parameters": {"size": "64Ki", "backend": "scalar"},
                    "protocol": dict(protocol, samples=2)}
        return {"definition": {"kind": "command", "name": "told",
                               "command": [self.bench, str(n % 4)], "protocol": protocol}}

    def file_jobs(self):
        n = 0
        while not self.is_over:
            status, d = self.ask("POST", "/v0/projects/p/jobs", self.definition(n))
            if status in (200, 201, 202):
                with self.lock:
                    self.acked[d["uuid"]] = d
                n += 1
            with self.lock:
                waiting = len(self.acked) - len(self.seen_final)
            time.sleep(0.02 if waiting < 6 else 0.2)

    def read_processes(self):
        self.seen_final = set()
        while not self.is_over:
            with self.lock:
                open_jobs = [u for u in self.acked if u not in self.seen_final]
            for u in open_jobs[:8]:
                status, d = self.ask("GET", f"/v0/projects/p/jobs/{u}")
                if status == 200 and d["state"] in FINAL:
                    self.seen_final.add(u)
                status, d = self.ask("GET", f"/v0/projects/p/jobs/{u}/processes")
                if status == 200:
                    for p in d:
                        self.seen[(u, p["seq"], p["attempt"])] = self.essence(p)
            time.sleep(0.05)

    @staticmethod
    def essence(p):
        return json.dumps([p["cell"], p["arm"], p["index"], p["termination"],
                           [[r["measure"], r["samples"]] for r in p["results"]]])

    # --- the killer ---

    def processes(self):
        """All living processes of this campaign: (pid, ppid, what they were started as)."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                environ = open(f"/proc/{pid}/environ", "rb").read().decode(errors="replace")
                words = open(f"/proc/{pid}/cmdline", "rb").read().decode(errors="replace").split("\0")
                stat = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(pid) == os.getpid() or stat[0] == "Z":
                continue
            if self.mark in environ or any(self.mark in w for w in words):
                found.append((int(pid), int(stat[1]), words[0]))
        return found

    def victims(self):
        daemon = self.daemon.pid
        all_ = self.processes()
        workers = [p for p, parent, _ in all_ if parent == daemon]
        runners = [p for p, parent, w in all_ if parent in workers]
        measured = [p for p, parent, w in all_ if parent in runners and "benchd-worker" not in w]
        return {"benchd": [daemon], "worker": workers, "runner": runners, "measured": measured}

    def kill_one(self, what):
        deadline = time.time() + 5
        while time.time() < deadline:
            pids = self.victims()[what]
            if pids:
                pid = self.rng.choice(pids)
                job = self.job_of(pid) if what == "measured" else None
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.counts[what] = self.counts.get(what, 0) + 1
                if job:
                    self.hit.add(job)
                return
            time.sleep(0.002)

    @staticmethod
    def job_of(pid):
        try:
            environ = open(f"/proc/{pid}/environ", "rb").read().decode(errors="replace")
        except OSError:
            return None
        m = re.search(r"BENCHD_JOB=([0-9a-f-]{36})", environ)
        return m.group(1) if m else None

    def run(self):
        self.start()
        self.seen_final = set()
        threads = [threading.Thread(target=f) for f in (self.read_processes, self.file_jobs)]
        for t in threads:
            t.start()
        kinds = ["benchd", "worker", "runner", "measured"]
        for i in range(self.kills):
            time.sleep(self.rng.uniform(0.02, 0.6))
            what = kinds[i % len(kinds)]
            self.kill_one(what)
            if what == "benchd":
                self.daemon.wait()
                self.start()
        self.is_over = True
        for t in threads:
            t.join()
        self.settle()
        self.check_all()
        self.finish()

    def settle(self):
        """Until nothing is left, or nothing has moved for two minutes."""
        left, deadline = None, time.time() + 120
        while time.time() < deadline:
            status, d = self.ask("GET", "/v0/queue")
            if status == 200 and not d["running"] and not d["waiting"]:
                return
            now = [[j["uuid"] for j in d[k]] for k in ("running", "waiting")] if status == 200 else left
            if now != left:
                left, deadline = now, time.time() + 120
            time.sleep(0.2)

    # --- the checks ---

    def say(self, title, bad):
        print(("ok" if not bad else "not ok") + f" - {title}", flush=True)
        for b in bad[:5]:
            print(f"#   {b}", flush=True)
        self.failures += bool(bad)

    def check_all(self):
        jobs, records = {}, {}
        for u in self.acked:
            status, jobs[u] = self.ask("GET", f"/v0/projects/p/jobs/{u}")
            if status != 200:
                jobs[u] = None
            _, records[u] = self.ask("GET", f"/v0/projects/p/jobs/{u}/processes")
        n = len(self.acked)
        self.say(f"all {n} acknowledged jobs are there", [u for u in jobs if not jobs[u]])
        jobs = {u: j for u, j in jobs.items() if j}
        self.say("each is final", [f"{u} {j['state']} {j['reason']}" for u, j in jobs.items()
                                   if j["state"] not in FINAL])
        self.say("each has succeeded, or failed with fault and reason", [
            f"{u} {j['state']} {j['fault']} '{j['reason']}'" for u, j in jobs.items()
            if j["state"] != "succeeded" and not (j["state"] == "failed" and j["fault"] in
                                                  ("runner", "program", "kernel") and j["reason"])])
        self.say("only a killed measured process is the program's or the kernel's fault, with its signal", [
            f"{u} {j['reason']}" for u, j in jobs.items() if j["fault"] in ("program", "kernel") and
            (u not in self.hit or not re.search(r"signal|killed", j["reason"], re.I))])
        now = {(u, p["seq"], p["attempt"]): self.essence(p)
               for u, list_ in records.items() for p in list_ or []}
        self.say(f"all {len(self.seen)} process records that were read are there, unchanged", [
            f"{k} was {v}, is {now.get(k)}" for k, v in self.seen.items() if now.get(k) != v])
        twice, short = [], []
        for u, list_ in records.items():
            places = [(p["cell"], p["arm"], p["index"]) for p in list_ or []]
            twice += [f"{u} {p}" for p in set(places) if places.count(p) > 1]
            # Noisy ones are replaced by others, in each attempt at most half as many again.
            most = PROCESSES + jobs[u]["attempt"] * PROCESSES // 2
            counting = sum(not p["replaced"] for p in list_ or [])
            if jobs[u]["state"] == "succeeded" and not (
                    PROCESSES <= counting <= len(list_) <= most):
                short.append(f"{u} has {counting} of {PROCESSES}, {len(list_)} in all")
        self.say("no process is recorded twice", twice)
        self.say("each succeeded job has all its processes, and no more than replacements", short)
        states = {}
        for j in jobs.values():
            key = j["state"] + ("/" + j["fault"] if j["state"] == "failed" else "")
            states[key] = states.get(key, 0) + 1
        resumed = sum(1 for j in jobs.values() if j["state"] == "succeeded" and j["attempt"] > 1)
        print(f"# kills: {self.counts}; jobs: {states}; {resumed} succeeded in a later attempt; "
              f"{len(now)} process records", flush=True)

    def finish(self):
        self.daemon.terminate()
        self.daemon.wait()
        deadline = time.time() + 60
        while self.processes() and time.time() < deadline:
            time.sleep(0.1)
        with open(f"{self.dir}/log", errors="replace") as f:
            self.say("no sanitizer complains", [line.strip() for line in f if re.search(
                r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ", line)])
        self.say("no process is left behind", [str(p) for p in self.processes()])
        if self.failures == 0 and not os.environ.get("KEEP"):
            shutil.rmtree(self.dir)
        else:
            print(f"# kept: {self.dir}")


def main():
    seed = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else int(time.time())
    print(f"# seed {seed}", flush=True)
    c = Campaign(os.path.abspath(sys.argv[1]), int(sys.argv[2]), seed)
    try:
        c.run()
    finally:
        c.is_over = True
        if c.daemon and c.daemon.poll() is None:
            c.daemon.kill()
    sys.exit(c.failures > 0)


main()
