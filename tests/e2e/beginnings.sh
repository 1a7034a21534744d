#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Another environment or definition begins a history anew and is no regression; the report, the page
# of the history and the comparison say so, and what differs.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
cpus=$("$python" -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
first=${cpus%% *}
[ "$cpus" != "$first" ] || skip_all "this host has one processor"
BENCHD_LOCK_DIR=$tmp
export BENCHD_LOCK_DIR
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
worker: {embedded: false, socket: $tmp/worker.sock}
EOF
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
P=/v0/projects/p worker=
start_worker() { # OPTION...: the worker is there anew
	[ -z "$worker" ] || { kill "$worker"; wait "$worker"; }
	spawn "$tmp/worker.log" "$top_builddir/benchd-worker" --socket "$tmp/worker.sock" --state "$tmp/worker" "$@"
	worker=$spawned
}
commit() { printf '%08d%032d' "$1" 0; }
run() { # COMMIT [ARGUMENT]: its report
	curl -s -m 120 -H 'Content-Type: application/json' --data "{\"head\":\"$(commit "$1")\",\"definition\":{\"name\":\"same\",\"kind\":\"command\",\"command\":[\"sleep\",\"${2:-0.01}\"],\"isolation\":\"none\",\"slot\":\"shared\",\"protocol\":{\"processes\":2,\"adaptive\":false,\"idle_wait\":0}}}" "$url$P/jobs?wait=100s" | "$python" -c "import json,sys; print(json.load(sys.stdin)['report'])"
}
as() { curl -s -m 60 -H "Accept: $1" "$url$2"; }
series() { as application/json "$P/series" | "$python" -c 'import json,sys; print([s["id"] for s in json.load(sys.stdin) if s["measure"]["name"] == "Latency"][0])'; }
start_worker
run 1 >/dev/null
old=$(run 2)
check "in a history of one environment nothing is noted" sh -c "curl -s -H 'Accept: text/plain' '$url$P/reports/$old' >'$tmp/old' && grep -q Latency '$tmp/old' && ! grep -q 'is another one' '$tmp/old'"
start_worker --cpus "$first"
new=$(run 3)
what="from commit 00000003 on the environment is another one \(cpus: [0-9,-]+ -> $first\): what was measured before is no baseline"
for type in text/plain text/markdown text/html; do
	check_match "the report says so in $type" "$(as $type "$P/reports/$new" | sed 's/&gt;/>/g; s/\\//g')" "[nN]ote: $what"
done
check_match "the history too" "$(as text/plain "$P/series/$(series)")" "note: $what"
check_match "and its page" "$(as text/html "/projects/p/series/$(series)" | sed 's/&gt;/>/g')" "<p>Note: $what"
check_match "in JSON with its reason" "$(as application/json "$P/series/$(series)")" '"reason": *"environment", *"text": *"from commit 00000003'
check_match "a comparison across it decides nothing" "$(as text/plain "$P/compare?base=$(commit 2)&head=$(commit 3)")" "unknown: the two were measured in different environments"
check_match "and names the difference" "$(as text/plain "$P/compare?base=$(commit 2)&head=$(commit 3)")" "environments differ in: cpus"
check_match "the next report knows since when" "$(as text/plain "$P/reports/$(run 4)")" "note: from commit 00000003 on the environment"
check_match "another definition does the same" "$(as text/plain "$P/reports/$(run 5 0.02)")" "note: from commit 00000005 on the workload is defined otherwise"
check_equal "nobody is alarmed" "$(as application/json "$P/alerts")" "[]"
done_testing
