#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the measurements be trusted? Campaigns against the real daemon, each with its figure and target.

Usage: measurement.py BUILD-FOLDER [PART[=TRIALS]...]   parts: aa detect noise hyperfine (default all)

aa         identical arms while stress-ng disturbs one cpu: share of `slower` or `faster` verdicts
           interleaved (target at most 6 %), beside the same processes run one arm after the other,
           judged by process (Mann-Whitney) and with pooled samples (t) at 5 %.
detect     3 % more loop turns compiled in: share called `slower` (target 90 %), and how often the
           interval covers the truth, which is the turns themselves (target 93 %).
noise      share of jobs flagged noisy or suspect under stress-ng on every cpu (target 95 %) and
           without (target at most 5 %; what else ran on the host is printed beside).
hyperfine  spread of the reported median over repetitions of a whole measurement, what a process more
           costs beyond the program's own time, and the whole of it, beside hyperfine -N.
"""
import json, math, os, re, shutil, statistics, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

DEFAULTS = {"aa": 200, "detect": 100, "noise": 100, "hyperfine": 20}
PROGRAM = """
#include <stdlib.h>
/* A chain of dependent multiplications: its time is its turns. */
int main(void)
{
	volatile unsigned long long out;
	unsigned long long x = 3;
	for (long i = 0; i < TURNS; i++)
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
	out = x;
	return out == 42;
}
"""
TURNS = 1_000_000


class Host:
    def __init__(self, build):
        self.dir = tempfile.mkdtemp(prefix="benchd-measurement.")
        self.build = build
        env = dict(os.environ, BENCHD_LOCK_DIR=self.dir)
        self.p = subprocess.Popen([f"{build}/benchd", "--listen", "127.0.0.1:0", "--state",
                                   f"{self.dir}/state"], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, env=env, text=True)
        self.url = re.search(r"http://\S+", self.p.stdout.readline()).group(0)
        while self.ask("GET", "/v0/testbeds/live") == []:
            time.sleep(0.05)

    def ask(self, method, where, body=None):
        words = ["curl", "-sS", "-m", "300", "-X", method, self.url + where]
        if body is not None:
            words += ["-H", "Content-Type: application/json", "--data-binary", json.dumps(body)]
        return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    def job(self, body):
        j = self.ask("POST", "/v0/projects/m/jobs?wait=300s", body)
        if j.get("state") != "succeeded":
            sys.exit(f"measurement.py: a job ended as {j}")
        return j

    def program(self, turns):
        path = os.path.join(self.dir, f"turns-{turns}")
        if not os.path.exists(path):
            with open(path + ".c", "w") as f:
                f.write(PROGRAM)
            subprocess.run(["cc", "-O2", f"-DTURNS={turns}L", "-o", path, path + ".c"], check=True)
        return path

    def close(self):
        self.p.terminate()
        self.p.wait()
        shutil.rmtree(self.dir)


def load():
    return open("/proc/loadavg").read().split()[0]


def wilson(k, n, z=1.96):
    p = k / n
    d = 1 + z * z / n
    c = p + z * z / (2 * n)
    h = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return f"{100 * p:.1f} % [{100 * (c - h) / d:.1f}, {100 * (c + h) / d:.1f}] ({k} of {n})"


class Stress:
    def __init__(self, *words):
        self.p = subprocess.Popen(["stress-ng", "--quiet", *words], start_new_session=True)
        time.sleep(0.5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()


def rank_p(x, y):
    """Mann-Whitney, normal tails: enough for 20 against 20."""
    every = sorted((v, 0) for v in x) + sorted((v, 1) for v in y)
    every.sort()
    u = sum(i + 1 for i, (_, side) in enumerate(every) if side == 0) - len(x) * (len(x) + 1) / 2
    m, n = len(x), len(y)
    z = (u - m * n / 2) / math.sqrt(m * n * (m + n + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def welch_p(x, y):
    se = math.sqrt(statistics.variance(x) / len(x) + statistics.variance(y) / len(y))
    return math.erfc(abs((statistics.mean(x) - statistics.mean(y)) / se) / math.sqrt(2)) if se else 1.0


def values(h, body):
    j = h.job(body)
    ps = h.ask("GET", f"/v0/projects/m/jobs/{j['uuid']}/processes")
    return [r["value"] for p in ps for r in p["results"] if r["measure"] == "latency" and not p["replaced"]]


PAIRS = {"processes": 10, "max_processes": 20, "idle_wait": 0}


def aa(h, trials):
    a = h.program(TURNS)
    b = h.program(TURNS + 1)  # another file with the same work, as two builds are
    seen = {"slower": 0, "faster": 0, "same": 0, "unknown": 0}
    sequential = pooled = n = 0
    fixed = {"processes": 20, "max_processes": 20, "adaptive": False, "idle_wait": 0}
    with Stress("--cpu", "1", "--cache", "1"):
        for i in range(trials):
            j = h.job({"base_argv": [a], "head_argv": [b], "protocol": PAIRS})
            seen[j["outcome"] or "unknown"] += 1
            if i % 4 == 0:
                one = {"definition": {"kind": "command", "command": [a], "protocol": fixed}}
                other = {"definition": {"kind": "command", "command": [b], "protocol": fixed}}
                x, y = values(h, one), values(h, other)
                n += 1
                sequential += rank_p(x, y) < 0.05
                pooled += welch_p(x, y) < 0.05
    wrong = seen["slower"] + seen["faster"]
    print(f"aa: interleaved, identical arms, one cpu disturbed: false verdicts {wilson(wrong, trials)}"
          f"   target at most 6 %   {'met' if wrong <= 0.06 * trials else 'NOT met'}; {seen}")
    print(f"aa: one arm after the other, same processes: Mann-Whitney at 5 % {wilson(sequential, n)}, "
          f"t at 5 % {wilson(pooled, n)}", flush=True)


def detect(h, trials):
    # Long enough that the start of a process is a small part of it.
    turns = 10 * TURNS
    a, b = h.program(turns), h.program(turns * 103 // 100)
    found = covered = told = 0
    # What the processes spend beside their turns: the start of a process with no turns.
    empty = h.program(1)
    start = statistics.median(values(h, {"definition": {"kind": "command", "command": [empty],
                                                        "protocol": {"processes": 40, "max_processes": 40, "adaptive": False, "idle_wait": 0}}}))
    level = statistics.median(values(h, {"definition": {"kind": "command", "command": [a],
                                                        "protocol": {"processes": 40, "max_processes": 40, "adaptive": False, "idle_wait": 0}}}))
    truth = 0.03 * (level - start) / level
    protocol = {"processes": 10, "max_processes": 50, "idle_wait": 0}
    for _ in range(trials):
        j = h.job({"base_argv": [a], "head_argv": [b], "protocol": protocol})
        found += j["outcome"] == "slower"
        c = h.ask("GET", f"/v0/projects/m/compare?job={j['uuid']}")
        row = [r for r in c["rows"] if r["measure"].lower() == "latency"][0]
        if row["interval"]:
            told += 1
            covered += row["interval"][0] <= truth <= row["interval"][1]
    print(f"detect: 3 % more turns ({100 * truth:.2f} % of a process): called slower {wilson(found, trials)}"
          f"   target 90 %   {'met' if found >= 0.9 * trials else 'NOT met'}")
    print(f"detect: the interval covers it in {wilson(covered, max(told, 1))}   target 93 %   "
          f"{'met' if covered >= 0.93 * told else 'NOT met'}", flush=True)


def noise(h, trials):
    a = h.program(TURNS)
    body = {"definition": {"kind": "command", "command": [a], "protocol": {
        "processes": 5, "max_processes": 5, "adaptive": False, "idle_wait": 0}}}

    def flagged(n):
        k = 0
        for _ in range(n):
            j = h.job(body)
            r = h.ask("GET", f"/v0/projects/m/reports/{j['report']}")
            k += r["noise"] != "clean"
        return k
    quiet_load = load()
    k = flagged(trials)
    print(f"noise: without stress (load {quiet_load} to {load()}) flagged {wilson(k, trials)}   target at most 5 %"
          f"   {'met' if k <= 0.05 * trials else 'NOT met'}")
    with Stress("--cpu", str(os.cpu_count() * 2)):
        k = flagged(trials)
    print(f"noise: under stress-ng on every cpu flagged {wilson(k, trials)}   target 95 %   "
          f"{'met' if k >= 0.95 * trials else 'NOT met'}", flush=True)


def our_run(h, program, runs):
    """One job: its processes' values, the kernel's exec-to-exit times, seconds for the whole of it."""
    body = {"definition": {"kind": "command", "command": [program], "protocol": {
        "processes": runs, "max_processes": runs, "adaptive": False, "idle_wait": 0}}}
    t = time.perf_counter()
    j = h.job(body)
    t = time.perf_counter() - t
    ps = h.ask("GET", f"/v0/projects/m/jobs/{j['uuid']}/processes")
    v = [r["value"] for p in ps for r in p["results"] if r["measure"] == "latency" and not p["replaced"]]
    return v, [p["wall_ns"] for p in ps], t


def their_run(h, program, runs):
    """The same by hyperfine: its times of the processes, seconds for the whole of it."""
    out = os.path.join(h.dir, "hyperfine.json")
    t = time.perf_counter()
    subprocess.run(["hyperfine", "-N", "--runs", str(runs), "--export-json", out, program],
                   check=True, capture_output=True)
    t = time.perf_counter() - t
    return json.load(open(out))["results"][0]["times"], t


def beta_share(a, b, x):
    """The regularised incomplete beta function (continued fraction, Lentz; DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
                     + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for i in range(1, 500):
        for step in (i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i)),
                     -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1))):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return front * value


def f_quantile(p, n, m):
    """Of the F distribution with n and m degrees of freedom, by bisection."""
    low, high = 0.0, 1e6
    for _ in range(200):
        x = (low + high) / 2
        if beta_share(n / 2, m / 2, n * x / (n * x + m)) < p:
            low = x
        else:
            high = x
    return high


def spread_interval(x, y):
    """95 % interval of the ratio of two standard deviations, for normal values."""
    r = statistics.stdev(x) / statistics.stdev(y)
    n, m = len(x) - 1, len(y) - 1
    return r / math.sqrt(f_quantile(0.975, n, m)), r * math.sqrt(f_quantile(0.975, m, n))


def ratio(ours, theirs):
    return f"{ours:.2f} ms, hyperfine -N {theirs:.2f} ms: ratio {ours / theirs:.2f}"


def met(ours, theirs):
    return f"target at most 1   {'met' if ours <= theirs else 'NOT met'}"


def hyperfine(h, trials):
    """Both run the same program, first `few` times, then `many`, in turns as to who begins; neither warms it up.
    The spread is that of the median of the short runs, of which each follows on a pause. What a process more costs is
    the difference of the two, by the clock on the wall, so that starting the tool, the client or the job plays no
    part, less the program's own time (exec to exit as the kernel stamps it, median): the same for both, so noise
    that a process meets burdens both alike. A short run that is not measured comes before the two, since what a
    system does once after a pause is not a process's. The whole of the short run, start-up and all, is told beside it."""
    if not shutil.which("hyperfine"):
        print("hyperfine: not installed, skipped")
        return
    a = h.program(TURNS)
    few, many = 50, 250
    runs = {"we": our_run, "they": their_run}
    medians, more, whole = ({who: [] for who in runs} for _ in range(3))
    own = []
    our_run(h, a, few)  # what a fresh daemon measures once (the cost of /bin/true) is not a process's
    their_run(h, a, few)
    for k in range(trials):
        for who in sorted(runs, reverse=k % 2):
            first, *_, begun = runs[who](h, a, few)
            *_, ran_few, t = runs[who](h, a, few)  # with those that were replaced: they ran, too
            *_, ran_many, u = runs[who](h, a, many)
            own += ran_many if who == "we" else []
            medians[who].append(statistics.median(first))
            whole[who].append(1e3 * begun)
            more[who].append((u - t) * 1e3 / (len(ran_many) - len(ran_few)))
    ours, theirs = [v / 1e6 for v in medians["we"]], [v * 1e3 for v in medians["they"]]
    so, st = statistics.stdev(ours), statistics.stdev(theirs)
    lower, upper = spread_interval(ours, theirs)
    print(f"hyperfine: median {statistics.median(ours):.3f} ms, spread of it {so:.4f} ms; hyperfine -N "
          f"{statistics.median(theirs):.3f} ms, {st:.4f} ms: ratio {so / st:.2f} [{lower:.2f}, {upper:.2f}] (95 %, F)   {met(so, st)}")
    ran = statistics.median(own) / 1e6
    oo, ot = (statistics.median(more[who]) - ran for who in ("we", "they"))
    print(f"hyperfine: a process more, beyond the program's own {ran:.2f} ms (exec to exit, by the kernel): "
          f"{ratio(oo, ot)}   {met(oo, ot)}")
    wo, wt = statistics.median(whole["we"]), statistics.median(whole["they"])
    print(f"hyperfine: {few} processes, the job filed by curl, judged and stored: {ratio(wo, wt)} (no target)",
          flush=True)


def main():
    parts = dict(DEFAULTS)
    if len(sys.argv) > 2:
        asked = [w.split("=") for w in sys.argv[2:]]
        parts = {w[0]: int(w[1]) if len(w) > 1 else DEFAULTS[w[0]] for w in asked}
    if {"aa", "noise"} & set(parts) and not shutil.which("stress-ng"):
        print("measurement.py: stress-ng is not installed (package stress-ng)")
        sys.exit(77)
    h = Host(os.path.abspath(sys.argv[1]))
    try:
        print(f"load {load()} at start, {os.cpu_count()} cpus", flush=True)
        for name, trials in parts.items():
            globals()[name](h, trials)
        print(f"load {load()} at the end")
    finally:
        h.close()


if __name__ == "__main__":
    main()
