#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that measures nothing: told_worker.py SOCKET FILE
Every process takes the number of nanoseconds that FILE holds, and every run has the noise verdict
behind it ("1000 clean"); FILE.NAME, where it is there, speaks for the workload NAME. For stories
about what the daemon does with a verdict."""
import hashlib
import json
import os
import socket
import sys
import threading
import time

link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
link.connect(sys.argv[1])
lock = threading.Lock()


def send(kind, **members):
    with lock:
        link.sendall((json.dumps({"type": kind, **members}) + "\n").encode())


def beat():
    while True:
        time.sleep(2)
        send("heartbeat", jobs=[], state={})


def measure(job, attempt, spec):
    own = f"{sys.argv[2]}.{spec['name']}"
    value, verdict = open(own if os.path.exists(own) else sys.argv[2]).read().split()
    seq = len(spec["have"])
    cells = []
    for cell in spec["cells"]:
        have = [h for h in spec["have"] if h["cell"] == cell["id"]]
        kept = sum(h["noise"] != "noisy" for h in have)
        index = max((h["index"] + 1 for h in have), default=0)
        for n in range(spec["protocol"]["processes"] - kept):
            seq += 1
            send("process", job=job, attempt=attempt, process={
                "seq": seq, "cell": cell["id"], "arm": "head", "index": index + n, "block": index + n,
                "noise": verdict, "replaced": False, "steady": True, "termination": "exit",
                "results": [{"benchmark": None, "measure": "latency", "unit": "ns", "better": "lower",
                             "samples": [float(value) * (1 + 0.001 * (n % 4))]}]})
        cells.append({"cell": cell["id"], "stop_reason": "fixed", "verdict": verdict, "steady": True,
                      "processes": spec["protocol"]["processes"], "replaced": 0})
    send("done", job=job, attempt=attempt, status="succeeded", cells=cells, started_busy=False, layers={})


identity = {"host": "told"}
text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
send("hello", protocol=1, version="told", pid=1, host="told", slots={"exclusive": 1, "shared": 0},
     environment={"id": hashlib.sha256(text.encode()).hexdigest(), "identity": identity, "state": {}}, devices=[])
threading.Thread(target=beat, daemon=True).start()
for line in link.makefile():
    message = json.loads(line)
    if message["type"] == "job":
        measure(message["job"], message["attempt"], message["spec"])
    elif message["type"] == "shutdown":
        break
