#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the daemon disturb what is measured beside it?

Usage: observer.py BUILD-FOLDER [--blocks 60] [--rate 1000] [--kernel fma_peak] [--size small]

benchd (with its worker) and the load run on the first cpu of this process's set, the measured kernel on the
last. Each block is two fresh processes of a built-in kernel with one iteration count, calibrated once: one
with the daemon idle, one while it answers --rate requests a second (the queue, read from the store), in
random order. The shift is the Hodges-Lehmann estimate of the paired log ratios with its 95 % signed-rank
interval, target below 0.3 %; beside it the same with no load in either half, taken in the same blocks: what
this host shows when there is nothing to see. A third process of each block is that control.

A process is told by the lowest tenth of its samples. A sample takes 10 ms and more, in which ten requests
are answered, so that what the daemon does is in each of them; what else goes on in the host comes in
bursts, and is not. The shift of the medians, which has both, is printed too.
Exit: 0 met, 1 not met, 2 this host cannot tell.
"""
import argparse, json, math, os, random, re, shutil, statistics, subprocess, sys, tempfile, time

TARGET = 0.003


class Host:
    def __init__(self, build, cpu):
        self.build, self.cpu = build, cpu
        self.dir = tempfile.mkdtemp(prefix="benchd-observer.")
        self.first = ["nice", "-n", "-10"] if os.geteuid() == 0 else []
        self.p = subprocess.Popen([*self.first, "taskset", "-c", str(cpu), f"{build}/benchd", "--listen", "127.0.0.1:0", "--state",
                                   f"{self.dir}/state"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  env=dict(os.environ, BENCHD_LOCK_DIR=self.dir), text=True)
        self.port = re.search(r"listening on http://.*:(\d+)", self.p.stdout.readline()).group(1)

    def load(self, rate, seconds):
        return subprocess.Popen([*self.first, "taskset", "-c", str(self.cpu), f"{self.build}/bench/http-load", "--rate", str(rate),
                                 self.port, "/v0/queue", "8", f"{seconds:.2f}"], stdout=subprocess.PIPE, text=True)

    def close(self):
        self.p.terminate()
        self.p.wait()
        shutil.rmtree(self.dir)


class Kernel:
    def __init__(self, build, name, size, cpu, samples):
        # As root the kernel goes before whatever else runs on its cpu, in all halves alike.
        first = ["nice", "-n", "-20"] if os.geteuid() == 0 else []
        self.words = [*first, "taskset", "-c", str(cpu), f"{build}/benchd-kernel", "run", name, "--size", size, "--dtype", "f64",
                      "--backend", "scalar", "--no-ceiling", "--json"]
        self.samples = samples
        self.iterations = self.run("--samples", "5")["iterations"]

    def run(self, *more):
        out = subprocess.run([*self.words, *more], capture_output=True, text=True, check=True).stdout
        return json.loads(out)

    def measure(self):
        """Logarithms of the lowest tenth and of the median."""
        samples = sorted(self.run("--samples", str(self.samples), "--iterations", str(self.iterations))["samples_ns"])
        return math.log(samples[len(samples) // 10]), math.log(statistics.median(samples))


def shift(ratios):
    """Hodges-Lehmann and the signed-rank interval (normal ranks), as changes."""
    walsh = sorted((a + b) / 2 for i, a in enumerate(ratios) for b in ratios[i:])
    n, m = len(ratios), len(walsh)
    k = max(int(m / 2 - 1.96 * math.sqrt(n * (n + 1) * (2 * n + 1) / 24)), 0)
    return [math.expm1(x) for x in (statistics.median(walsh), walsh[k], walsh[m - 1 - k])]


def one_block(host, kernel, rate, seconds, rng, served):
    halves = ["idle", "loaded", "control"]
    rng.shuffle(halves)
    took = {}
    for half in halves:
        start = time.monotonic()
        load = host.load(rate, 10 * seconds) if half == "loaded" else None
        if load:
            time.sleep(0.05)  # until its connections are open
        took[half] = kernel.measure()
        if load:
            load.terminate()
            load.wait()
            served.append(time.monotonic() - start)
    return took


def served_by(host):
    """Requests answered so far, by the daemon's own count."""
    import urllib.request
    with urllib.request.urlopen(f"http://127.0.0.1:{host.port}/metrics") as f:
        return sum(float(v) for v in re.findall(r'benchd_http_requests_total\{[^}]*queue[^}]*2xx[^}]*\} ([\d.]+)', f.read().decode()))


def main():
    a = argparse.ArgumentParser()
    a.add_argument("build")
    a.add_argument("--blocks", type=int, default=60)
    a.add_argument("--rate", type=int, default=1000)
    a.add_argument("--kernel", default="fma_peak")
    a.add_argument("--size", default="small")
    a.add_argument("--samples", type=int, default=50)
    a.add_argument("--seed", type=int, default=int(time.time()))
    a = a.parse_args()
    cpus, rng = sorted(os.sched_getaffinity(0)), random.Random(a.seed)
    if len(cpus) < 2:
        sys.exit("observer.py: needs two cpus: one for the daemon, one for the measured process")
    build = os.path.abspath(a.build)
    host = Host(build, cpus[0])
    try:
        kernel = Kernel(build, a.kernel, a.size, cpus[-1], a.samples)
        served, blocks, before = [], [], served_by(host)
        for _ in range(a.blocks):
            blocks.append(one_block(host, kernel, a.rate, 5, rng, served))
        rate = (served_by(host) - before) / sum(served)
    finally:
        host.close()
    def of(half, which):
        return shift([b[half][which] - b["idle"][which] for b in blocks])

    effect, control, medians, control_medians = of("loaded", 0), of("control", 0), of("loaded", 1), of("control", 1)
    lowest, highest = effect[1:]
    # What the host does not resolve is neither met nor missed.
    if rate < 0.9 * a.rate:
        verdict = f"unknown: the daemon's cpu was so busy that only {rate:.0f} requests a second got through"
    elif -TARGET < lowest and highest < TARGET:
        verdict = "met"
    elif lowest >= TARGET or highest <= -TARGET:
        verdict = "NOT met"
    else:
        verdict = "unknown: the interval is wider than the target; a quieter host or more --blocks tell more"
    print(f"# {a.kernel} {a.size} on cpu {cpus[-1]}, {a.samples} samples of {kernel.iterations} iterations, {a.blocks} blocks, seed {a.seed}")
    print(f"daemon answering {rate:.0f} requests a second on cpu {cpus[0]}: {100 * effect[0]:+.3f} % "
          f"[{100 * lowest:+.3f}, {100 * highest:+.3f}] (target below {100 * TARGET:.1f} %)   {verdict}")
    for what, v in (("control, idle against idle in the same blocks", control), ("medians, loaded against idle", medians),
                    ("medians, control", control_medians)):
        print(f"{what}: {100 * v[0]:+.3f} % [{100 * v[1]:+.3f}, {100 * v[2]:+.3f}]")
    return {"met": 0, "NOT met": 1}.get(verdict, 2)


sys.exit(main())
