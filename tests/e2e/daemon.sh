#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The life of a job against a real daemon with its embedded worker: filed by curl, measured, stored,
# read back; failures with their fault; two arms; cancel; orderly stop and a second start.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock # other tests on this host do not wait for ours
export BENCHD_LOCK_DIR
mkdir "$tmp/lock"

post() { curl -s -m 120 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
# field NAME: the first string or number member of that name on stdin
field() { grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/.*[":]//'; }
command_job() { # COMMAND-AS-JSON [more members]
	echo "{\"definition\":{\"name\":\"story\",\"kind\":\"command\",\"command\":$1,\"protocol\":{\"processes\":3,\"adaptive\":false,\"idle_wait\":0}${2:-}}}"
}

check "the daemon starts and says where it listens" start_daemon
check "a worker connects by itself" wait_for 20 sh -c "curl -s $url/v0/testbeds/live | grep -q embedded"
check_match "it is ready" "$(get /readyz)" '"worker"'
check_equal "the state folder is closed to others" "$(stat -c %a "$tmp/state")" 700
check_match "a second daemon on the same folder is refused" \
	"$("$top_builddir/benchd" --listen 127.0.0.1:0 --state "$tmp/state" 2>&1)" "another benchd uses the folder"

job=$(post '/v0/projects/p/jobs?wait=60s' "$(command_job '["true"]')")
check_equal "a command job succeeds" "$(echo "$job" | field state)" succeeded
report=$(echo "$job" | field report)
text=$(get "/v0/projects/p/reports/$report?samples=1")
check_match "its report has the wall time" "$text" '"latency"'
check "with all three processes (and what ran in place of noisy ones)" test "$(echo "$text" | grep -o '"termination":"exit"' | wc -l)" -ge 3
uuid=$(echo "$job" | field uuid)
events=$(curl -sN -m 10 "$url/v0/projects/p/jobs/$uuid/events")
check_match "its events tell its states" "$events" '"state":"succeeded"'

if [ -x "$top_builddir/benchctl" ]; then
	before=$(post '/v0/projects/p/jobs' "$(command_job '["sleep","60"]')" | field uuid)
	spawn "$tmp/err" sh -c "exec '$top_builddir/benchctl' --host '$url' -p p submit --wait --timeout 100s --no-idle-wait --fixed -n 3 -- sleep 0.1 >'$tmp/out' </dev/null"
	wait_for 60 grep -q '^queued' "$tmp/err"
	curl -s -X DELETE "$url/v0/projects/p/jobs/$before" >/dev/null
	wait "$spawned"
	check_equal "nothing is said about a project that was there" "$(grep -c 'has been made' "$tmp/err")" 0
	check_match "one that a mistyped name made is told" "$("$top_builddir/benchctl" --host "$url" -p pp submit --no-idle-wait -- true 2>&1)" "the project 'pp' was not there and has been made"
	check_match "a client that waits is told why it waits" "$(cat "$tmp/err")" '^queued.*\((it is the next one|1 job is before it)'
	check_match "and how far the job is" "$(cat "$tmp/err")" '^running: measure'
	check_match "until it has the result" "$(cat "$tmp/out")" '^sleep '
	check_match "a project with a job that runs cannot be removed" "$(post '/v0/projects/q/jobs' "$(command_job '["sleep","2"]')" >/dev/null; curl -s -X DELETE "$url/v0/projects/q")" 'cancel them first'
fi

job=$(post '/v0/projects/p/jobs?wait=60s' "$(command_job '["false"]')")
check_equal "a program that fails fails the job" "$(echo "$job" | field state)/$(echo "$job" | field fault)" failed/program
job=$(post '/v0/projects/p/jobs?wait=60s' "$(command_job '["/no/such/program"]')")
check_equal "a program that is not there fails the job" "$(echo "$job" | field state)" failed
check_match "the reason names it" "$job" "no/such/program"

if [ -x "$top_builddir/benchd-kernel" ]; then
	job=$(post '/v0/projects/p/jobs?wait=120s' '{"workload":"stream.triad","parameters":{"size":"256Ki"},"protocol":{"processes":3,"samples":3,"adaptive":false,"idle_wait":0}}')
	check_equal "a built-in kernel runs as a job" "$(echo "$job" | field state)" succeeded
	check_match "its result carries the parameters" "$(get "/v0/projects/p/reports/$(echo "$job" | field report)")" 'stream.triad\[.*size=256Ki'
else
	skip "a built-in kernel runs as a job" "benchd-kernel is not built"
fi
check_match "an unknown workload is a 404 with a hint" "$(post /v0/projects/p/jobs '{"workload":"stream.triat"}')" "did you mean 'stream.triad'"
check_match "an unknown member is refused with its nearest name" "$(post /v0/projects/p/jobs '{"workloat":"x"}')" "workload"

# As many as it takes on a busy host until eight pairs count.
job=$(until_decided 3 post '/v0/projects/p/jobs?wait=120s' '{"base_argv":["sh","-c","exit 0"],"head_argv":["sh","-c","i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"],"protocol":{"processes":10,"max_processes":100,"idle_wait":0}}')
check_equal "two commands are compared" "$(echo "$job" | field outcome)" slower
check_match "in pairs" "$(get "/v0/projects/p/compare?job=$(echo "$job" | field uuid)")" '"paired":true'

job=$(post /v0/projects/p/jobs "$(command_job '["sleep","60"]')")
uuid=$(echo "$job" | field uuid)
running() { get "/v0/projects/p/jobs/$uuid" | grep -q '"phase":"measure"'; }
check "a long job runs" wait_for 30 running
waiting=$(post /v0/projects/p/jobs "$(command_job '["true"]')" | field uuid)
curl -s -X DELETE "$url/v0/projects/p/jobs/$waiting" >/dev/null
check_equal "a waiting job is canceled at once" "$(get "/v0/projects/p/jobs/$waiting" | field state)" canceled
curl -s -X DELETE "$url/v0/projects/p/jobs/$uuid" >/dev/null
canceled() { [ "$(get "/v0/projects/p/jobs/$uuid" | field state)" = canceled ]; }
check "a running job is canceled soon" wait_for 30 canceled
check_match "and says by whom" "$(get "/v0/projects/p/jobs/$uuid" | field reason)" "canceled by"

job=$(post '/v0/projects/p/jobs?wait=60s' "$(command_job '["sleep","60"]' ',"limits":{"job_time":"2s"}')")
check_equal "a job that takes longer than its time is ended" "$(echo "$job" | field state)" timed_out

first=$(post /v0/projects/p/jobs "$(command_job '["true"]')" | field uuid)
second=$(post '/v0/projects/p/jobs?wait=60s' "{\"depends_on\":[{\"job\":\"$first\"}],$(command_job '["true"]' | cut -c2-)" | field state)
check_equal "a job that waits for another one runs after it" "$second" succeeded

copied=$("$top_builddir/benchd" --backup "$tmp/copy.db" --state "$tmp/state" 2>&1)
check_match "a running daemon's database is copied" "$copied" "^copied .*read through and whole"
check_equal "into one file that only we can read" "$(ls "$tmp" | grep -c '^copy\.db') $(stat -c %a "$tmp/copy.db")" "1 600"
check_match "never over one that is there" "$("$top_builddir/benchd" --backup "$tmp/copy.db" --state "$tmp/state" 2>&1)" "is there already; name another file"
check_match "nor from what is none" "$("$top_builddir/benchd" --backup "$tmp/none.db" --state "$tmp" 2>&1)" "no backup was made: cannot read the database"
check_equal "and nothing of that stays" "$(ls "$tmp" | grep -c '^none')" 0
mkdir "$tmp/restored"; cp "$tmp/copy.db" "$tmp/restored/benchd.db"
"$top_builddir/benchd" --listen "unix:$tmp/restored.sock" --state "$tmp/restored" --no-worker >"$tmp/restored.log" 2>&1 &
restored=$!
check "a daemon starts on the copy" wait_for 20 curl -sf -m 5 --unix-socket "$tmp/restored.sock" http://x/healthz
check_match "and finds everything there" "$(curl -s -m 30 --unix-socket "$tmp/restored.sock" "http://x/v0/projects/p/reports/$report")" "$report"
kill "$restored"; wait "$restored"

kill "$daemon"
ended() { ! kill -0 "$daemon" 2>/dev/null; }
check "it stops in order" wait_for 20 ended
check "it starts again" start_daemon
check_match "and finds everything" "$(get "/v0/projects/p/reports/$report")" "$report"
done_testing
