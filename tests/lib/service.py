#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""benchd as a service manager sees it: readiness, watchdog, reload, passed-in sockets, a worker of its
own unit, orderly stop. Speaks TAP. Usage: service.py BUILD-FOLDER"""
import http.client, json, os, re, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, threading, time

BUILD = os.path.abspath(sys.argv[1])
DIR = tempfile.mkdtemp(prefix="benchd-service.")
ENV = {**os.environ, "BENCHD_LOCK_DIR": DIR}
COMPLAINT = r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: "
N = FAILED = 0
STARTED = []


def ok(title, holds, detail=""):
    global N, FAILED
    N += 1
    FAILED += not holds
    print(("ok" if holds else "not ok") + f" {N} - {title}", flush=True)
    if not holds and detail != "":
        print("# " + str(detail).replace("\n", "\n# "), flush=True)


def until(f, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        value = f()
        if value:
            return value
        time.sleep(0.05)
    return None


def path(name):
    return os.path.join(DIR, name)


class Notify:
    """systemd's end of $NOTIFY_SOCKET."""

    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.s.bind(path("notify"))
        self.s.settimeout(0.05)
        self.got = []

    def poll(self, seconds=0.0):
        end = time.time() + seconds
        while True:
            try:
                self.got += [(time.time(), w) for w in self.s.recv(4096).decode().split("\n")]
            except TimeoutError:
                if time.time() >= end:
                    return
            except socket.timeout:
                if time.time() >= end:
                    return

    def has(self, word, seconds=60):
        def look():
            self.poll()
            return any(w.startswith(word) for _, w in self.got)
        return bool(until(look, seconds))

    def count(self, word, since):
        self.poll()
        return sum(1 for t, w in self.got if w.startswith(word) and t >= since)


# What systemd does between fork and exec: the sockets become 3, 4, ... of this very process.
PASS = """import os, sys
n = int(sys.argv[1])
for i in range(n):
    os.dup2(int(sys.argv[2 + i]), 100 + i)
for i in range(n):
    os.dup2(100 + i, 3 + i)
os.closerange(3 + n, 200)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(n))
os.execv(sys.argv[2 + n], sys.argv[2 + n:])
"""


def start(*options, env=None, sockets=()):
    words = [f"{BUILD}/benchd", "--state", path("state"), *options]
    fds = [s.fileno() for s in sockets]
    if fds:
        words = [sys.executable, "-c", PASS, str(len(fds)), *map(str, fds), *words]
    p = subprocess.Popen(words, stdout=open(path("out"), "w"), stderr=open(path("log"), "a"),
                         env={**ENV, **(env or {})}, pass_fds=fds)
    STARTED.append(p)
    return p


def listening():
    m = re.search(r"listening on http://[^ ]*:(\d+)", open(path("out")).read())
    return int(m.group(1)) if m else None


def ask(port, method, where, body=None, timeout=60):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    c.request(method, where, json.dumps(body) if body else None,
              {"Content-Type": "application/json"} if body else {})
    r = c.getresponse()
    data = r.read()
    c.close()
    is_json = (r.getheader("Content-Type") or "").startswith("application/json")
    return r.status, json.loads(data) if is_json else data


def log():
    return open(path("log")).read()


def job(seconds, processes=1, command=None):
    return {"definition": {"kind": "command", "command": command or ["sleep", str(seconds)], "protocol": {
        "processes": processes, "max_processes": processes, "samples": 1, "warmup": 0,
        "adaptive": False, "idle_wait": 0}}}


def held(name, processes=12):
    """A job whose processes wait from the fourth on, until let_go(name)."""
    script = (f"echo x >>{path(name)}; [ $(wc -l <{path(name)}) -le 3 ] || until [ -e {path(name)}.go ];"
              " do sleep 0.02; done")
    return job(0, processes, ["sh", "-c", script])


def let_go(name):
    open(path(name + ".go"), "w").close()


def stop(p):
    p.send_signal(signal.SIGTERM)
    return p.wait(60)


def config(text):
    with open(path("benchd.yaml"), "w") as f:
        f.write("allow_adhoc_commands: true\n" + text)
    return path("benchd.yaml")


def workload(name):
    return f"  {name}:\n    kind: command\n    command: ['true']\n"


def readiness_watchdog_reload():
    n = Notify()
    c = config("workloads:\n" + workload("one"))
    d = start("--config", c, "--listen", "127.0.0.1:0", env={
        "NOTIFY_SOCKET": path("notify"), "WATCHDOG_USEC": "400000"})
    ok("READY=1 is sent when it can take requests", n.has("READY=1") and listening())
    port = listening()
    since = time.time()
    ok("the watchdog is fed", until(lambda: n.count("WATCHDOG=1", since) >= 2), n.got)
    # A writer that cannot write is not alive, though the loop still turns.
    db = sqlite3.connect(path("state/benchd.db"), isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    for _ in range(3): # what was on its way may come late
        n.poll(0.8)
        since = time.time()
        n.poll(1.5)
        starved, status = n.count("WATCHDOG=1", since), ask(port, "GET", "/healthz")[0]
        if starved == 0:
            break
    db.execute("ROLLBACK")
    db.close()
    ok("but not while the writer cannot write", starved == 0 and status == 200, (starved, n.got))
    since = time.time()
    ok("and again when it can", until(lambda: n.count("WATCHDOG=1", since) >= 2))

    config("workloads:\n" + workload("one") + workload("two"))
    n.got = []
    d.send_signal(signal.SIGHUP)
    ok("SIGHUP tells of a reload", n.has("RELOADING=1") and n.has("MONOTONIC_USEC=") and n.has("READY=1"),
       n.got)
    names = lambda: [w["name"] for w in ask(port, "GET", "/v0/projects/p/workloads")[1]]
    ask(port, "POST", "/v0/projects/p/jobs", job(0))
    ok("and takes new workloads up", until(lambda: "two" in names()), names())
    config("workloads:\n  one:\n    kind: command\n    commend: ['true']\n")
    d.send_signal(signal.SIGHUP)
    ok("a wrong file is refused with its line", until(lambda: re.search(
        r"stay as they were: .*:5.*commend", log())), log()[-500:])
    ok("and the old rules stay in force", "two" in names(), names())
    n.got = []
    ok("SIGTERM ends it in order", stop(d) == 0 and n.has("STOPPING=1"), n.got)


def passed_in_sockets():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(16)
    port = s.getsockname()[1]
    w = socket.socket(socket.AF_UNIX)
    w.bind(path("worker.sock"))
    w.listen(4)
    c = config(f"worker:\n  embedded: false\n  socket: {path('worker.sock')}\n")
    d = start("--config", c, sockets=(s, w))
    ok("a passed-in socket is served", until(lambda: alive(port)), log()[-500:])
    worker = start_worker()
    ok("a worker of its own comes through the other one", until(
        lambda: ask(port, "GET", "/v0/testbeds/live")[1]), log()[-500:])
    status, j = ask(port, "POST", "/v0/projects/p/jobs?wait=60s", job(0))
    ok("and runs a job", j["state"] == "succeeded", j)

    # The worker is restarted in the middle of a job.
    _, j = ask(port, "POST", "/v0/projects/p/jobs", held("first"))
    where = f"/v0/projects/p/jobs/{j['uuid']}"
    until(lambda: len(ask(port, "GET", where + "/processes")[1]) >= 3)
    worker.kill()
    worker.wait()
    worker = start_worker()
    let_go("first")
    done = ask(port, "GET", where + "?wait=60s")[1]
    ok("a worker killed in the middle and started again goes on with its job",
       done["state"] == "succeeded" and done["attempt"] == 2, done)
    seen = [(p["cell"], p["index"]) for p in ask(port, "GET", where + "/processes")[1]]
    ok("with each process measured once", len(seen) >= 12 and len(seen) == len(set(seen)), seen)

    # The daemon stops in the middle of a job; a client that comes meanwhile waits in the socket.
    _, j = ask(port, "POST", "/v0/projects/p/jobs", held("second"))
    where = f"/v0/projects/p/jobs/{j['uuid']}"
    until(lambda: len(ask(port, "GET", where + "/processes")[1]) >= 3)
    ok("SIGTERM does not wait for a running job to end", stop(d) == 0)
    early = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    early.request("GET", "/healthz")
    d = start("--config", c, sockets=(s, w))
    ok("a request made while it was down is answered", early.getresponse().status == 200)
    early.close()
    ok("the worker comes back by itself", until(
        lambda: ask(port, "GET", "/v0/testbeds/live")[1]), log()[-500:])
    let_go("second")
    done = ask(port, "GET", where + "?wait=60s")[1]
    ok("and the job goes on", done["state"] == "succeeded", done)
    seen = [(p["cell"], p["index"]) for p in ask(port, "GET", where + "/processes")[1]]
    ok("with each process measured once", len(seen) >= 12 and len(seen) == len(set(seen)), seen)
    stop(worker)
    stop(d)


def submit(port, key, body, wait=None):
    """(status, was it replayed, document), or None when the daemon went away."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    head = {"Content-Type": "application/json", "Idempotency-Key": key}
    if wait:
        head["Prefer"] = f"wait={wait}"
    try:
        c.request("POST", "/v0/projects/p/jobs", json.dumps(body), head)
        r = c.getresponse()
        return r.status, r.getheader("Idempotency-Replayed"), json.loads(r.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        c.close()


def events(port, where, last=None, enough=None):
    """[(id, event, data)] after `last`, until the stream ends or `enough` have come."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request("GET", where + "/events", headers={"Last-Event-ID": str(last)} if last else {})
    r, got, one = c.getresponse(), [], {}
    while enough is None or len(got) < enough:
        line = r.readline().decode()
        if not line:
            break
        key, _, value = line.strip().partition(": ")
        if line.strip() and key:
            one[key] = value
        elif "id" in one:
            got.append((int(one["id"]), one.get("event"), one.get("data")))
            one = {}
        else:
            one = {}
    c.close()
    return got


def clients_across_a_kill():
    """A client that does what the manual says loses nothing when benchd is killed under it."""
    c = config("")
    d = start("--config", c, "--listen", "127.0.0.1:0")
    port = until(listening)
    until(lambda: ask(port, "GET", "/v0/testbeds/live")[1])
    body = held("third")
    _, replayed, j = submit(port, "k-1", body)
    where = f"/v0/projects/p/jobs/{j['uuid']}"
    ok("a first answer is no replay", replayed is None)
    until(lambda: len(ask(port, "GET", where + "/processes")[1]) >= 3)
    seen = events(port, where, enough=2)
    waiting = []
    t = threading.Thread(target=lambda: waiting.append(submit(port, "k-2", job(0), wait=60)))
    t.start()
    # The waiting one is filed before the blow: its answer is what gets lost.
    ok("a job that somebody waits for is filed", until(
        lambda: len(ask(port, "GET", "/v0/projects/p/jobs?state=queued")[1]) >= 1))
    d.kill()
    d.wait()
    t.join(60)
    ok("a wait is broken by a kill, not answered wrongly", waiting == [None], waiting)
    d = start("--config", c, "--listen", f"127.0.0.1:{port}")
    until(lambda: alive(port))
    again = submit(port, "k-1", body)
    ok("a repeated key gives the same job after a kill", again[1] and again[2]["uuid"] == j["uuid"], again)
    other = submit(port, "k-1", job(7))
    ok("the key with another body is refused", other[0] in (409, 422), other)
    let_go("third")
    rest = events(port, where, last=seen[-1][0])
    whole = events(port, where)
    ok("a stream goes on behind Last-Event-ID, without gap or repetition", seen + rest == whole
       and [e[0] for e in whole] == sorted({e[0] for e in whole}), (seen, rest, whole))
    ok("up to the end of the job", '"succeeded"' in (rest[-1][2] if rest else ""), rest)
    ended = submit(port, "k-2", job(0), wait=60)
    uuid = ended[2]["uuid"]
    ok("a broken wait is repeated with its key and finds its job", ended[1], ended)
    done = ask(port, "GET", f"/v0/projects/p/jobs/{uuid}?wait=60s")[1]
    ok("which is done", done["state"] == "succeeded", done)
    stop(d)


def alive(port):
    try:
        return ask(port, "GET", "/healthz", timeout=2)[0] == 200
    except OSError:
        return False


def start_worker():
    p = subprocess.Popen([f"{BUILD}/benchd-worker", "--socket", path("worker.sock"), "--state",
                          path("worker")], stderr=open(path("log"), "a"), env=ENV)
    STARTED.append(p)
    return p


def main():
    try:
        readiness_watchdog_reload()
        passed_in_sockets()
        clients_across_a_kill()
        ok("no sanitizer complains", not re.search(COMPLAINT, log()), log()[-2000:])
    finally:
        for p in STARTED:
            if p.poll() is None:
                p.kill()
                p.wait()
    print(f"1..{N}")
    if FAILED == 0:
        shutil.rmtree(DIR)
    else:
        print(f"# kept: {DIR}")
    sys.exit(FAILED > 0)


main()
