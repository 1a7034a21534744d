#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A host that moves, faked: a suite with a control whose "measurements" are read from files. When the
# control moves along, the alert of the run is held, in JSON, text and the gate; when it does not, not.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock
export BENCHD_LOCK_DIR
mkdir "$tmp/lock"
cat >"$tmp/value.sh" <<'EOF'
# NAME FILE: reports the number in FILE as the time of NAME
n=$(cat "$2")
eval "printf '{\"benchmark\":\"%s\",\"measure\":\"latency\",\"unit\":\"ns\",\"samples\":[%s]}\n' \"$1\" \"$n\" >&$BENCHD_RESULT_FD"
EOF
chmod 755 "$tmp"
cat >"$tmp/benchd.yaml" <<EOF
workloads:
  unchanging: {kind: command, tags: [control], command: [sh, $tmp/value.sh, unchanging, $tmp/control], isolation: none,
    protocol: {processes: 1, samples: 1, adaptive: false, idle_wait: 0}}
  work: {kind: command, command: [sh, $tmp/value.sh, work, $tmp/work], isolation: none,
    protocol: {processes: 1, samples: 1, adaptive: false, idle_wait: 0}}
  night: {kind: suite, control: unchanging, workloads: [work]}
EOF
post() { curl -s -m 120 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
field() { grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/.*[":]//'; }
P=/v0/projects/p
night() { # CONTROL WORK
	echo "$1" >"$tmp/control"; echo "$2" >"$tmp/work"
	post "$P/jobs?wait=60s" '{"workload":"night"}' | field state
}
report_of() { get "$P/jobs?workload=$1&limit=1" | field report; }
work_report() { report_of work; }
n_history() { get "$P/reports/$(report_of "$1")" | field n_history; }
# A loaded host makes runs noisy, which do not count: again then.
quiet_night() {
	tries=0
	while [ $tries -lt 100 ]; do
		tries=$((tries + 1))
		night "$1" "$2" >/dev/null
		get "$P/reports/$(report_of work)" | grep -q '"noise":"noisy"' && continue
		get "$P/reports/$(report_of unchanging)" | grep -q '"noise":"noisy"' || return 0
	done
	return 1
}
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
k=0
while [ $k -lt 200 ]; do
	k=$((k + 1))
	state=$(night $((5000000 + k % 4 * 9000)) $((9000000 + k % 3 * 8000)))
	[ "$(n_history work)" -ge 10 ] && [ "$(n_history unchanging)" -ge 10 ] && break
done
check_equal "nights are measured until there is a history" "$state" succeeded
check_equal "no alert" "$(get "$P/alerts")" "[]"
quiet_night 5010000 9900000
check_match "a slower night beside a steady control is a suspect" "$(get "$P/alerts")" '"state":"suspect"'
check "which is not held" sh -c "! curl -s $url$P/alerts | grep -q held:"
check_match "the report says what the control said" "$(get "$P/reports/$(work_report)")" '"control":\{[^}]*"moved":false'
quiet_night 5500000 9900000
report=$(work_report)
check_match "when the control moved along, the report says so" "$(get "$P/reports/$report")" '"moved":true'
check_match "in text too" "$(curl -s -H 'Accept: text/plain' "$url$P/reports/$report")" 'held: the control kernel moved by \+9\.[0-9] % on this host'
check_match "the gate is unknown, with the reason" "$(get "$P/gate?report=$report")" '"outcome":"unknown".*the control kernel moved by'
check_match "the control's own history is a suspect: a person sees that the host moved" "$(get "$P/alerts")" '"name":"unchanging"'
done_testing
