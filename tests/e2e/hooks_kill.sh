#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Deliveries against kill -9 at random instants, and a forge that fails, hangs and loses its answers:
# every delivery that was acknowledged becomes one job, and every status reaches the forge once.
# CYCLES=N kills N times (default 5; `make check-deliveries` 60). SEED=N repeats the choices.
. "${top_srcdir:-.}/tests/lib/story.sh"
PYTHON3=${PYTHON3:-$(command -v python3)}
[ -n "$PYTHON3" ] && [ "$PYTHON3" != no ] || skip_all "python3 is not installed"
command -v curl >/dev/null || skip_all "curl is not installed"
CYCLES=${CYCLES:-5} SEED=${SEED:-1}
mkdir "$tmp/forge"
printf 'a token of the forge\n' >"$tmp/token"
printf "It's a Secret to Everybody\n" >"$tmp/secret"
chmod 600 "$tmp/token" "$tmp/secret"
spawn "$tmp/forge.log" "$PYTHON3" "$top_srcdir/tests/lib/forge.py" "$tmp/forge" "$(cat "$tmp/token")" none
wait_for 30 grep -q 'listening on [0-9]' "$tmp/forge.log" || skip_all "the forge does not start"
forge=http://127.0.0.1:$(awk '{print $3}' "$tmp/forge.log")
cat >"$tmp/benchd.yaml" <<YAML
workloads:
  orbit: {kind: build, repository: /nowhere, build: [[make]], benchmarks: [{name: k, command: [./b]}]}
hooks:
  orbit:
    repository: ada/orbit
    secret_file: secret
    rules: [{workload: orbit, project: orbit, supersede: false}]
    answers: {api: "$forge", token_file: token}
outgoing: {allow: [127.0.0.1], timeout: 3s, first_retry: 0.1s, attempts: 100}
YAML
"$PYTHON3" - "$SEED" "$CYCLES" >"$tmp/plan" <<'PY'
import random, sys
r = random.Random(int(sys.argv[1]))
for i in range(int(sys.argv[2])):
    print(r.randint(1, 4), f"{r.random() * 0.6:.3f}", *r.choices(["500", "429", "hang", "lost", "ok"], k=r.randint(0, 3)))
PY
: >"$tmp/acknowledged"
n=0
while read -r count pause words; do
	echo "$words" >"$tmp/forge/fail"
	start_daemon --no-worker --config "$tmp/benchd.yaml" || { fail "the daemon starts again"; done_testing; }
	"$PYTHON3" - "$url" "$n" "$count" "$pause" "$daemon" >>"$tmp/acknowledged" 2>/dev/null <<'PY' || true
import hashlib, hmac, http.client, json, os, signal, sys, threading
url, first, count, pause, pid = sys.argv[1], *map(float, sys.argv[2:6])
threading.Timer(pause, lambda: (os.kill(int(pid), signal.SIGKILL), sys.stdout.flush(), os._exit(0))).start()
c = http.client.HTTPConnection(url.split("//")[1])
for i in range(int(first), int(first + count)):
    raw = json.dumps({"ref": f"refs/heads/b{i}", "before": "1" * 40, "after": f"{i + 16:040x}", "commits": [],
                      "repository": {"full_name": "ada/orbit", "default_branch": "main"}}).encode()
    c.request("POST", "/v0/hooks/orbit", raw, {
        "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": f"d{i}",
        "X-Hub-Signature-256": "sha256=" + hmac.new(b"It's a Secret to Everybody", raw, hashlib.sha256).hexdigest()})
    r = c.getresponse()
    r.read()
    if r.status == 202:
        print(f"{i + 16:040x}", flush=True)
PY
	wait "$daemon" 2>/dev/null # dash names the killed one on stderr
	n=$((n + count))
done <"$tmp/plan"
: >"$tmp/forge/fail"
start_daemon --no-worker --config "$tmp/benchd.yaml" || { fail "the daemon starts"; done_testing; }
quiet() { ! curl -s "$url/v0/deliveries?limit=1000" | grep -Eq '"state":"(waiting|sending)"' && ! curl -s "$url/v0/hooks/deliveries?limit=1000" | grep -q '"state":"received"'; }
check "everything leaves in the end ($CYCLES kills)" wait_for 120 quiet
curl -s "$url/v0/projects/orbit/jobs?limit=1000" >"$tmp/jobs"
"$PYTHON3" - "$tmp" >"$tmp/wrong" <<'PY'
import collections, json, sys
tmp = sys.argv[1]
acknowledged = open(tmp + "/acknowledged").read().split()
jobs = json.load(open(tmp + "/jobs"))
count = collections.Counter(j["head"]["hash"] for j in jobs) if isinstance(jobs, list) else {}
told = {k: [s["state"] for s in v] for k, v in json.load(open(tmp + "/forge/state.json"))["statuses"].items()}
for h in acknowledged:
    if count.get(h, 0) != 1:
        print(h, "has", count.get(h, 0), "jobs")
for h in count:
    if count[h] != 1 or told.get(h) != ["pending"]:
        print(h, count[h], "jobs, statuses", told.get(h))
PY
check "deliveries were acknowledged" test -s "$tmp/acknowledged"
check_equal "each acknowledged delivery is one job, each job one status" "$(cat "$tmp/wrong")" ""
diag "$(wc -l <"$tmp/acknowledged") acknowledged, $(grep -c '^POST' "$tmp/forge/requests") requests for $(curl -s "$url/v0/deliveries?limit=1000" | grep -o '"uuid"' | wc -l) messages"
done_testing
