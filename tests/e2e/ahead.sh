#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Jobs given to the worker ahead of their turn: what is behind a long one is called back, waits in
# the queue again, gives way to what is more urgent, and is canceled like any other.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp
export BENCHD_LOCK_DIR
start_daemon || exit 1
wait_for 60 sh -c "curl -s $url/v0/testbeds/live | grep -q '\"host\"'"

body() { # NAME COMMAND-AS-JSON [MEMBERS]
	printf '{"definition":{"name":"%s","kind":"command","command":%s,"protocol":{"processes":1,"max_processes":1,"samples":1,"warmup":0,"adaptive":false,"idle_wait":0}}%s}' "$1" "$2" "${3:-}"
}
file() { curl -s -X POST -H 'Content-Type: application/json' -d "$(body "$@")" "$url/v0/projects/p/jobs" | sed 's/.*"uuid" *: *"\([0-9a-f-]*\)".*/\1/'; }
of() { curl -s "$url/v0/projects/p/jobs/$1${2:-}"; }
state() { of "$1" | tr -d ' \n' | sed 's/.*"state":"\([a-z_]*\)".*/\1/'; }
is() { [ "$(state "$1")" = "$2" ]; }
recalled() { curl -s "$url/metrics" | sed -n 's/^benchd_jobs_recalled_total //p'; }
short='["true"]'

# A machine that is busy otherwise may find no job short: then there is nothing to call back.
n=0 back=0
while [ $n -lt 30 ] && [ "$back" = 0 ]; do
	n=$((n + 1))
	for i in 1 2 3 4 5; do last=$(file short "$short"); done
	# Filed in one breath, so that the worker gets them together.
	rm -f "$tmp/go"
	long=$(file long "[\"sh\",\"-c\",\"until [ -e $tmp/go ]; do sleep 0.05; done\"]")
	a=$(file a "$short"); b=$(file b "$short"); c=$(file c "$short")
	wait_for 60 is "$last" succeeded
	wait_for 60 is "$long" running
	sleep 0.5
	back=$(recalled)
	[ "$back" != 0 ] || { : >"$tmp/go"; of "$long" '?wait=60s' >/dev/null; of "$c" '?wait=60s' >/dev/null; }
done
if [ "$back" = 0 ]; then
	skip "what waits behind a long job is called back" "no job was short enough on this machine"
	done_testing
fi
pass "what waits behind a long job is called back ($back, round $n)"
check "it is queued again" is "$a" queued
check_match "the long one runs on" "$(of "$long")" '"state": *"running"'
of "$b" >/dev/null; curl -s -X DELETE "$url/v0/projects/p/jobs/$b" >/dev/null
check "one of them is canceled at once" wait_for 30 is "$b" canceled
: >"$tmp/go"
for u in "$long" "$a" "$c"; do of "$u" '?wait=60s' >/dev/null; done
check "the long job succeeded" is "$long" succeeded
check "as did what was called back" is "$a" succeeded
check "and what was behind that" is "$c" succeeded
check_equal "each was measured once" "$(curl -s "$url/v0/projects/p/jobs/$a/processes" | tr -d ' \n' | grep -o '"seq":' | wc -l | tr -d ' ')" 1
check_match "the worker is free for the next" "$(curl -s -X POST -H 'Content-Type: application/json' -d "$(body last "$short")" "$url/v0/projects/p/jobs?wait=60s")" '"state": *"succeeded"'
done_testing
