#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A worker of its own unit while the daemon is away: jobs end, are canceled and keep their files; what
# a daemon gave up is not taken up again. (That sweeps go on through many kills: checkpoint.sh.)
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
BENCHD_LOCK_DIR=$tmp
export BENCHD_LOCK_DIR
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
worker: {embedded: false, socket: $tmp/worker.sock}
EOF
P=/v0/projects/p
up() { start_daemon --config "$tmp/benchd.yaml"; }
down() { kill -9 "$daemon"; wait "$daemon" 2>/dev/null; }
file() { # SECONDS-OF-A-PROCESS PROCESSES
	curl -s -m 60 -H 'Content-Type: application/json' --data "{\"definition\":{\"name\":\"work\",\"kind\":\"command\",\"command\":[\"sh\",\"-c\",\"echo b >>$tmp/seen; echo pid-\$\$; head -c 3000000 /dev/zero >kept.bin; sleep $1\"],\"artifacts\":[\"kept.bin\"],\"isolation\":\"none\",\"protocol\":{\"processes\":$2,\"adaptive\":false,\"idle_wait\":0}}}" "$url$P/jobs" | get uuid
}
get() { "$python" -c "import json,sys; print(json.load(sys.stdin)['$1'])"; }
state() { curl -s -m 60 "$url$P/jobs/$1" | get state; }
is() { [ "$(state "$1")" = "$2" ]; }
seen() { [ "$(wc -l <"$tmp/seen")" -ge "$1" ]; }
records() { curl -s -m 60 "$url$P/jobs/$1/processes" | "$python" -c 'import json,sys; d=json.load(sys.stdin); print(len(d), len({p["seq"] for p in d}))'; }

check "the daemon starts" up
spawn "$tmp/worker.log" "$top_builddir/benchd-worker" --socket "$tmp/worker.sock" --state "$tmp/worker"
worker=$spawned

job=$(file 0.2 3)
check "it measures" wait_for 60 seen 1
down
check "the job ends while nobody is there" wait_for 60 sh -c "[ ! -e '$tmp/worker/jobs/$job.001' ]"
check "the daemon comes back" up
check "and hears of it" wait_for 60 is "$job" succeeded
n=$(wc -l <"$tmp/seen")
check_equal "each process was measured once" "$(records "$job")" "$n $n"
check_equal "in one attempt" "$(curl -s "$url$P/jobs/$job" | get attempt)" 1
check_equal "its files are whole" "$(curl -s "$url$P/jobs/$job/artifact?name=kept.bin" | wc -c)" 3000000
log=$(curl -s -m 60 -H 'Accept: text/plain' "$url$P/jobs/$job/log")
check_equal "its log has each once" "$(printf '%s\n' "$log" | grep -o 'pid-[0-9]*' | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" "$(yes 1 | head -n "$n" | tr '\n' ' ')"

: >"$tmp/seen"
job=$(file 60 1)
check "a long one begins" wait_for 60 seen 1
down
kill -STOP "$worker"
check "the daemon comes back, its worker not yet" up
check_equal "the job is still said to run" "$(state "$job")" running
curl -s -X DELETE "$url$P/jobs/$job" >/dev/null
kill -CONT "$worker"
check "canceled meanwhile it ends when the worker is back" wait_for 60 is "$job" canceled

: >"$tmp/seen"
job=$(file 3 2)
check "another one begins" wait_for 60 seen 1
kill -STOP "$worker"
check "a worker that falls silent loses it" wait_for 60 is "$job" queued
kill -CONT "$worker"
check "and begins it anew when it is back" wait_for 60 grep -q "does not go on with attempt 1" "$tmp/worker.log"
check "up to its end" wait_for 100 is "$job" succeeded
check_equal "in the second attempt" "$(curl -s "$url$P/jobs/$job" | get attempt)" 2
done_testing
