#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Instructions counted by valgrind's cachegrind: a measure of its own, judged by `exact` in
# comparisons and against the history; without valgrind one sentence and nothing lost.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
for tool in git cc; do command -v $tool >/dev/null || skip_all "$tool is not installed"; done
repo=$tmp/repo
git init -q -b main "$repo"
commit() { # TURNS: a program that does so many
	printf '#include <stdio.h>\nint main(void){unsigned s=0;for(volatile unsigned i=0;i<%s;i++)s+=i;printf("%%u\\n",s);return 0;}\n' "$1" >"$repo/p.c"
	git -C "$repo" add p.c
	git -C "$repo" -c user.name=a -c user.email=a@b commit -q --allow-empty -m "$1 turns"
	git -C "$repo" rev-parse HEAD
}
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
workloads:
  p:
    kind: build
    repository: $repo
    build: [[cc, -O1, -o, p, p.c]]
    benchmarks: [{name: turns, command: [./p]}]
    isolation: none
    slot: shared
    protocol: {processes: 2, adaptive: false, idle_wait: 0s, counters: {cachegrind: true}}
EOF
# Below the size of the worker peak memory is not told; with AddressSanitizer that is much.
memory=", 'memory-peak'"
grep -q __asan_init "$top_builddir/benchd-worker" && memory=
post() { curl -s -m 240 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
as() { curl -s -m 60 -H "Accept: $1" "$url$2"; }
P=/v0/projects/p
ask() { "$python" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
instructions='[m for b in d["results"][0] for m in b["measures"] if m["measure"]["slug"] == "instructions"]'
measured() { # HASH: its report, on main
	post "$P/jobs?wait=200s" "{\"workload\":\"p\",\"branch\":\"main\",\"head\":\"$1\"}" | ask 'd["report"]'
}

one=$(commit 100000) same=$(commit 100000) slow=$(commit 102000) fixed=$(commit 100000)

check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
report=$(measured "$one")
if ! command -v valgrind >/dev/null; then
	check_match "without valgrind one sentence says so" "$(as text/plain "$P/reports/$report")" "^note: instructions are not counted: valgrind is not installed on this host; everything else was measured"
	check_equal "and the rest is there" "$(get "$P/reports/$report" | ask 'sorted(m["measure"]["slug"] for b in d["results"][0] for m in b["measures"])')" "['cpu-time', 'latency'$memory]"
	done_testing
fi
check_equal "instructions stand beside the times" "$(get "$P/reports/$report" | ask 'sorted(m["measure"]["slug"] for b in d["results"][0] for m in b["measures"])')" "['cpu-time', 'instructions', 'latency'$memory]"
check_equal "two runs, more than the turns" "$(get "$P/reports/$report" | ask "[(m['n_processes'], 100000 < m['metric']['value'] < 10000000) for m in $instructions]")" "[(2, True)]"
check_equal "that say the same within 0.05 %" "$(get "$P/reports/$report?samples=1" | ask '(lambda v: len(v) == 2 and max(v) <= min(v) * 1.0005)([r["value"] for p in d["processes"] if p.get("tool") == "cachegrind" for r in p["results"]])')" True
check_equal "they are no times: those have two processes of their own" "$(get "$P/reports/$report?samples=1" | ask 'len([p for p in d["processes"] if not p.get("tool") and not p["replaced"]])')" 2

report=$(measured "$same")
check_equal "the next commit is judged by exact" "$(get "$P/reports/$report" | ask "[(m['change']['test'], m['change']['outcome']) for m in $instructions]")" "[('exact', 'same')]"
check_equal "no alert" "$(get "$P/alerts" | ask '[a for a in d if a["measure"]["slug"] == "instructions"]')" "[]"
report=$(measured "$slow")
check_equal "2 % more turns are seen at once" "$(get "$P/reports/$report" | ask "[(m['change']['test'], m['change']['outcome']) for m in $instructions]")" "[('exact', 'slower')]"
check_equal "and are an alert, with the commit" "$(get "$P/alerts" | ask '[(a["state"], a["hash"], 0.001 < a["effect"] < 0.03) for a in d if a["measure"]["slug"] == "instructions"]')" "[('confirmed', '$slow', True)]"
measured "$fixed" >/dev/null
check_equal "back at the old level it is resolved" "$(get "$P/alerts?state=resolved" | ask '[(a["state"], a["reason"]) for a in d if a["measure"]["slug"] == "instructions"]')" "[('resolved', 'fixed: counted at the old level again')]"

job=$(post "$P/jobs?wait=200s" "{\"workload\":\"p\",\"branch\":\"x\",\"base\":\"$one\",\"head\":\"$slow\"}" | ask 'd["uuid"]')
check_equal "base and head are compared exactly" "$(get "$P/compare?job=$job" | ask '[(r["method"], r["outcome"], r["n_base"], r["n_head"]) for r in d["rows"] if r["measure"] == "Instructions"]')" "[('exact', 'slower', 2, 2)]"

answer=$(post "$P/jobs?wait=100s" '{"definition":{"kind":"command","name":"c","slot":"shared","command":["sh","-c","case $LD_PRELOAD in *vgpreload*) exit 3;; esac"],"protocol":{"processes":1,"adaptive":false,"idle_wait":0,"counters":{"cachegrind":true}}}}')
check_match "what valgrind cannot run fails nothing" "$answer" '"state":"succeeded"'
check_match "and says why" "$(as text/plain "$P/reports/$(echo "$answer" | ask 'd["report"]')")" "^note: instructions of 'c' are not counted: under valgrind it exited with 3"
check_match "kernels are not for it" "$(post "$P/jobs" '{"workload":"stream.triad","protocol":{"counters":{"cachegrind":true}}}')" "it is for commands and builds"
done_testing
