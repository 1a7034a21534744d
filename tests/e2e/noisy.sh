#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Noisy runs: measured again at most twice, after a pause, with all raw data kept; never an alarm.
# The worker is one that is told its verdicts, and the story moves the clock over the pauses.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
BENCHD_TEST_CLOCK=$tmp/clock
export BENCHD_TEST_CLOCK
echo 0 >"$tmp/clock"
cat >"$tmp/benchd.yaml" <<EOF
worker: {embedded: false, socket: $tmp/worker.sock}
workloads:
  w: {kind: command, command: ["true"], protocol: {processes: 4, adaptive: false}}
  hasty: {kind: command, command: ["true"], protocol: {processes: 4, adaptive: false, idle_wait: 0}}
EOF
post() { curl -s -m 60 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
field() { grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/.*[":]//'; }
P=/v0/projects/p
state() { get "$P/jobs/$job" | field state; }
is() { [ "$(state)" = "$1" ]; }
attempt_is() { [ "$(get "$P/jobs/$job" | field attempt)" = "$1" ]; }
told() { echo "$1 $2" >"$tmp/told.new" && mv "$tmp/told.new" "$tmp/told"; }
move() { echo "$1" >"$tmp/clock.new" && mv "$tmp/clock.new" "$tmp/clock"; }
told 1000 clean
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
spawn "$tmp/worker.log" "$python" "$top_srcdir/tests/lib/told_worker.py" "$tmp/worker.sock" "$tmp/told"
check "a worker connects" wait_for 20 sh -c "curl -s $url/v0/testbeds/live | grep -q told"
for k in 1 2 3 4 5 6 7 8 9 10 11 12; do
	told $((1000000 + k % 3 * 1000)) clean
	last=$(post "$P/jobs?wait=30s" '{"workload":"w"}')
done
check_equal "twelve quiet runs succeed at once" "$(echo "$last" | field state)/$(echo "$last" | field attempt)" succeeded/1

told 1500000 noisy
job=$(post "$P/jobs" '{"workload":"w"}' | field uuid)
check "a noisy run is put off" wait_for 20 is retry_wait
check_match "with its reason" "$(get "$P/jobs/$job")" "the run was noisy in 1 of 1 benchmarks; they are measured again \(1 of 2\)"
sleep 0.5
check_equal "and not before its pause is over" "$(state)" retry_wait
move 31
second() { get "$P/jobs/$job" | grep -q '(2 of 2)'; }
check "noisy again, it is put off once more" wait_for 20 second
move 62
sleep 0.5
check_equal "for twice as long" "$(state)" retry_wait
move 100
check "the third time counts as it is" wait_for 20 is succeeded
check "at the third attempt" attempt_is 3
check_equal "all that was measured is kept" "$(get "$P/jobs/$job/processes" | grep -o '"termination"' | wc -l)" 12
report=$(get "$P/jobs/$job" | field report)
check_match "the report is marked noisy" "$(get "$P/reports/$report")" '"noise":"noisy"'
check_match "its text concludes nothing" "$(curl -s -H 'Accept: text/plain' "$url$P/reports/$report")" "noisy host, nothing is concluded"
check_equal "no alarm, though it was half as slow again" "$(get "$P/alerts")" "[]"
check_match "the gate is unknown" "$(get "$P/gate?report=$report")" '"outcome":"unknown"'
series=$(get "$P/series" | grep -o '"id":[0-9]*' | head -n 1 | cut -d: -f2)
check_match "its point is no baseline" "$(get "$P/series/$series")" '"flags":\["noisy"\]'

told 1001000 noisy
job=$(post "$P/jobs" '{"workload":"w"}' | field uuid)
check "another noisy run is put off" wait_for 20 is retry_wait
told 1001000 clean
move 140
check "a quiet second run ends it" wait_for 20 is succeeded
check_equal "with its own values only" "$(get "$P/reports/$(get "$P/jobs/$job" | field report)" | field n_processes)" 4
told 1001000 noisy
job=$(post "$P/jobs" '{"workload":"hasty"}' | field uuid)
check "a job that takes the host as it is is measured once" wait_for 20 is succeeded
check "in one attempt" attempt_is 1
told 1500000 clean
post "$P/jobs?wait=30s" '{"workload":"w"}' >/dev/null
check_match "the same slowness in a quiet run is a suspect" "$(get "$P/alerts")" '"state":"suspect"'
done_testing
