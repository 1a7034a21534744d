#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A host that moves, faked by a worker that is told its numbers: a suite with a control. When the
# control moves along, the alert of the run is held, in JSON, text and the gate; when it does not, not.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
cat >"$tmp/benchd.yaml" <<EOF
worker: {embedded: false, socket: $tmp/worker.sock}
workloads:
  unchanging: {kind: command, tags: [control], command: ["true"], protocol: {processes: 3, adaptive: false}}
  work: {kind: command, command: ["true"], protocol: {processes: 3, adaptive: false}}
  night: {kind: suite, control: unchanging, workloads: [work]}
EOF
post() { curl -s -m 120 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
field() { grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/.*[":]//'; }
P=/v0/projects/p
night() { # CONTROL WORK
	echo "$1 clean" >"$tmp/told.unchanging"; echo "$2 clean" >"$tmp/told.work"
	post "$P/jobs?wait=60s" '{"workload":"night"}' | field state
}
work_report() { get "$P/jobs?workload=work&limit=1" | field report; }
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
spawn "$tmp/worker.log" "$python" "$top_srcdir/tests/lib/told_worker.py" "$tmp/worker.sock" "$tmp/told"
check "a worker connects" wait_for 20 sh -c "curl -s $url/v0/testbeds/live | grep -q told"
for k in 1 2 3 4 5 6 7 8 9 10 11; do state=$(night $((5000000 + k % 4 * 9000)) $((9000000 + k % 3 * 8000))); done
check_equal "eleven nights are measured" "$state" succeeded
check_equal "the control and the work in each" "$(get "$P/jobs?limit=1000" | grep -o '"kind":"command"' | wc -l)" 22
check_equal "no alert" "$(get "$P/alerts")" "[]"
night 5500000 9900000 >/dev/null
report=$(work_report)
check_match "when the control moved along, the alert of a slower night is held" "$(get "$P/alerts?state=suspect")" '"reason":"held: the control kernel moved by \+9\.[0-9] % on this host"'
check_match "in the text of the alerts too" "$(curl -s -H 'Accept: text/plain' "$url$P/alerts")" "held: the control kernel moved"
check_match "the report says so" "$(get "$P/reports/$report")" '"control":\{[^}]*"moved":true'
check_match "and ends with it" "$(curl -s -H 'Accept: text/plain' "$url$P/reports/$report" | tail -n 1)" '^held: the control kernel moved by \+9\.[0-9] % on this host'
check_match "the gate is unknown, with the reason" "$(get "$P/gate?report=$report")" '"outcome":"unknown".*the control kernel moved by'
check_match "its point is no baseline" "$(get "$P/series/$(get "$P/series" | grep -o '"id":[0-9]*' | sed -n 's/"id"://p' | tail -n 1)")" '"held"'
check_match "the control's own history is a suspect: a person sees that the host moved" "$(get "$P/alerts")" '"name":"unchanging"'
night 5010000 9900000 >/dev/null
check_match "as slow beside a steady control it is asked anew" "$(get "$P/alerts?state=resolved")" '"reason":"environment: the control kernel moved by'
check "and that suspect is not held" sh -c "! curl -s '$url$P/alerts?state=suspect' | grep -q held:"
check_match "it is about the work" "$(get "$P/alerts?state=suspect")" '"name":"work"'
check_match "the report says what the control said" "$(get "$P/reports/$(work_report)")" '"control":\{[^}]*"moved":false'
done_testing
