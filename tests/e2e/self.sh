#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd-self: the job service as a benchmark, on a second daemon; the suite names its cases.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "no python3"
[ -x "$top_builddir/benchd" ] || skip_all "benchd is not built"
self() { "$PYTHON3" "$top_builddir/benchd-self" "$@"; }

for case in $(self --list); do
	check "the suite has $case" grep -qw "$case" "$top_srcdir/suites/self.yml"
done
check_equal "and no other" "$(grep -o '\(sched\|dag\)\.[a-z_0-9]*' "$top_srcdir/suites/self.yml" | sort -u | wc -l)" "$(self --list | wc -l)"

export BENCHD_SAMPLES=1 BENCHD_WARMUP=1 BENCHD_RESULT_FD=3
for case in sched.sequential_tasks_10 dag.complex; do
	self $case 3>"$tmp/lines" 2>"$tmp/err"; got=$?
	check_equal "$case runs through a daemon of its own" "$got" 0
	check_match "and reports its times" "$(cat "$tmp/lines")" "\"benchmark\": \"self.$case\", \"measure\": \"latency\".*\"samples\": \[[0-9]"
	check_match "ends with done" "$(tail -n 1 "$tmp/lines")" '"done": true'
done
self sched.sequential_tasks_10 --benchd /bin/false 3>"$tmp/lines" 2>"$tmp/err"; got=$?
check_equal "a daemon that does not start is an error" "$got" 1
check "and no time" sh -c "! grep -q samples '$tmp/lines'"
check_match "that is said" "$(cat "$tmp/err")" "'/bin/false' does not start"
self sched.nonsense 3>"$tmp/lines" 2>"$tmp/err"; got=$?
check_equal "an unknown case is refused" "$got" 64
check_match "with those there are" "$(cat "$tmp/err")" "give one case: sched.sequential_tasks_10"
done_testing
