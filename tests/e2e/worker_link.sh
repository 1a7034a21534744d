#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The worker behind its link: heartbeat, cancel, fencing, and that no kill leaves a process behind.
. "${top_srcdir:-.}/tests/lib/story.sh"
worker=$top_builddir/benchd-worker peer=$top_builddir/tests/lib/worker_peer
[ -x "$worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock BENCHD_OWNER=story
export BENCHD_LOCK_DIR BENCHD_OWNER
mkdir "$tmp/lock"
id=11111111-1111-4111-8111-111111111111
spec() { echo "{\"kind\":\"command\",\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":$1}],\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait_ns\":0}}"; }
job() { echo "send {\"type\":\"job\",\"job\":\"$id\",\"attempt\":${2:-1},\"spec\":$(spec "$1")}"; }
cancel() { echo "send {\"type\":\"cancel\",\"job\":\"$id\",\"attempt\":1,\"reason\":\"$1\"}"; }
stop() { printf 'send {"type":"shutdown"}\nexit\n'; }
run() { rm -f "$tmp"/up*; out=$("$peer" "$worker" --state "$tmp/state" ${options:-} <"$tmp/script" 2>"$tmp/log"); }
options=
gone() { ! ps -eo args | grep -v grep | grep -q -- "$1"; }
# $1 n: what runs; marks are unlike any other story's. It is up when there is the file $tmp/up.
busy() { echo "[\"sh\",\"-c\",\"(setsid sleep 7$1 &) ; : >$tmp/up; sleep 8$1; sleep 9$1\"]"; }

{ echo await hello; echo 'send {"type":"welcome","heartbeat_ns":50000000}'; echo await heartbeat 2; stop; } >"$tmp/script"; run
check_match "it says hello with its environment" "$out" '"type":"hello","protocol":1.*"environment":\{"id":"[0-9a-f]{64}"'
check_match "it beats" "$out" '"type":"heartbeat","jobs":\[\]'
check_match "it ends when told to" "$out" '^exit 0$'

{ echo await hello; echo 'send {"type":"future"}'; echo 'send nonsense'; job "$(busy 201)"; echo await phase; echo file "$tmp/up"; cancel canceled; echo await done; stop; } >"$tmp/script"; run
check_match "a cancel ends the job" "$out" '"status":"canceled".*"reason":"the job was canceled"'
check_match "its process was killed by us" "$out" '"termination":"killed"'
check "with all it started" gone "sleep [789]201"

start=$(date +%s%N)
{ echo await hello; job '["sleep","100"]'; echo await phase; cancel superseded; echo await done; stop; } >"$tmp/script"; run
took=$((($(date +%s%N) - start) / 1000000))
check_match "a superseded job says so" "$out" 'a newer job took the place'
check "soon, not after its time ($took ms)" test $took -lt 60000

{ echo await hello; job "$(busy 202)" 2; echo await phase; job '["true"]' 1; job '["true"]' 2; echo sleep 200; job '["true"]' 3; echo await done; stop; } >"$tmp/script"; run
check_match "a newer attempt takes the place of an older one" "$out" '"type":"done".*"attempt":3,"status":"succeeded"'
check_equal "the older one says nothing more" "$(echo "$out" | grep '"type":"done"' | grep -c '"attempt":2')" 0
check "stale attempts were dropped" grep -q "is not newer" "$tmp/log"

spec '["true"]' | tr -d '\n' >"$tmp/true.json"
{ echo await hello; echo "jobs 20 $tmp/true.json"; stop; } >"$tmp/script"; run
check_match "jobs one after another find the host free" "$out" '^jobs 20 in '

for options in "" --no-cgroup; do
	what=${options:-with cgroups}
	{ echo await hello; job "$(busy 203)"; echo await phase; echo file "$tmp/up"; echo kill runner; echo await done; stop; } >"$tmp/script"; run
	check_match "a killed runner is reported ($what)" "$out" '"fault":"runner","reason":"the runner of the job was ended by signal 9'
	check "and leaves nothing ($what)" gone "sleep [789]203"
	{ echo await hello; job "$(busy 204)"; echo await phase; echo file "$tmp/up"; echo kill worker; echo exit; } >"$tmp/script"; run
	check "a killed worker leaves nothing ($what)" wait_for 30 gone "sleep [789]204"
	{ echo await hello; job "$(busy 205)"; echo await phase; echo file "$tmp/up"; echo close; echo exit; } >"$tmp/script"; run
	check "a broken link ends what runs ($what)" gone "sleep [789]205"
	{ echo await hello; job "$(busy 206)"; echo await phase; echo file "$tmp/up"; echo kill both; echo exit; } >"$tmp/script"; run
	{ echo await hello; stop; } >"$tmp/script"; run
	check "what outlived both is ended at the next start ($what)" gone "sleep [789]206"
done
options=
check_equal "no job's folder is left" "$(ls "$tmp/state/jobs")" ""
printf 'await hello\nsleep 60000\n' >"$tmp/script"
spawn "$tmp/first.log" sh -c "exec '$peer' '$worker' --state '$tmp/state' <'$tmp/script'"
wait_for 30 grep -q hello "$tmp/first.log"
"$worker" --state "$tmp/state" --run "$tmp/true.json" >/dev/null 2>"$tmp/log"; status=$?
check_equal "a second worker on the same folder is refused" "$status" 2
check "and told why" grep -q "is in use by process" "$tmp/log"
done_testing
