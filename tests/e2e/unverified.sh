#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A planted wrong answer, through worker and daemon: a kernel that is wrong, becomes wrong or proves
# nothing stores no time, whatever it reports and however it ends. The same program stores one when
# its answer is right.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"

# A worker takes the benchd-kernel beside it: here one that says what $tmp/says holds.
mkdir "$tmp/bin"
cp "$top_builddir/benchd-worker" "$tmp/bin/"
cat >"$tmp/bin/benchd-kernel" <<EOF
#!/bin/sh
cat "$tmp/says" >&3
exit \$(cat "$tmp/exits")
EOF
chmod +x "$tmp/bin/benchd-kernel"
cat >"$tmp/benchd.yaml" <<EOF
worker: {embedded: false, socket: $tmp/worker.sock}
workloads:
  k: {kind: kernel, kernel: stream.triad, isolation: none, protocol: {processes: 2, samples: 3, adaptive: false, iterations: 5, idle_wait: 0s}}
EOF
P=/v0/projects/p
hello='{"hello":{"protocol":1,"program":"benchd-kernel","version":"1"}}'
right='{"verify":{"ok":true,"n_outputs":5,"invariants":[],"digest":"00112233445566ff"}}'
wrong='{"verify":{"ok":false,"n_outputs":5,"invariants":[{"name":"elements out of tolerance","value":1,"limit":0,"ok":false}],"digest":"0"}}'
times='{"benchmark":"stream.triad","measure":"latency","unit":"ns","iterations":5,"samples":[1000,1001,1002]}'
# run STATUS LINE... : a job of a kernel that says these lines and ends so; its JSON is in $out
run() {
	echo "$1" >"$tmp/exits"; shift
	printf '%s\n' "$hello" "$@" >"$tmp/says"
	out=$(curl -s -m 90 -H 'Content-Type: application/json' --data '{"workload":"k"}' "$url$P/jobs?wait=60s")
}
series() { curl -s -m 30 "$url$P/series"; }
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
BENCHD_LOCK_DIR=$tmp spawn "$tmp/worker.log" "$tmp/bin/benchd-worker" --socket "$tmp/worker.sock" --state "$tmp/worker"
check "a worker connects" wait_for 30 sh -c "curl -s $url/v0/testbeds/live | grep -q environment"

run 0 "$wrong" "$times"
check_match "wrong before the first sample fails the job" "$out" '"state":"failed".*verification failed'
run 65 "$right" "$times" "$wrong"
check_match "so does wrong after the last one" "$out" '"state":"failed".*"fault":"program".*computed a wrong answer'
run 0 "$right" "$times" "$wrong"
check_match "even when the program ends well" "$out" '"state":"failed".*verification failed'
run 0 "$times"
check_match "and times without any proof" "$out" '"state":"failed".*no proof of its answer'
run 0 "$right" "$times" '{"error":"device lost"}'
check_match "and an error behind a proof" "$out" '"state":"failed".*device lost'
check_equal "no time of them was stored" "$(series)" "[]"
facts='{"metadata":{"stream.triad":{"roofline":{"percent":62,"bound_by":"memory"},"device":{"cpu":"a processor","software":false}}}}'
run 0 "$right" "$times" "$facts"
check_match "the same program with a right answer succeeds" "$out" '"state":"succeeded"'
check_match "and its time is stored" "$(series)" 'stream.triad'
report=$(printf '%s' "$out" | sed -n 's/.*"reports*":[^"]*"\([0-9a-f-]*\)".*/\1/p')
check_match "the report says that it was proven, and what bound it" "$(curl -s "$url$P/reports/$report")" '"kernels":\[\{"benchmark":"stream.triad[^"]*","verified":true,"n_processes":2,"digest":"00112233445566ff","of_ceiling":0.62,"bound_by":"memory","device":"a processor","software":false\}\]'
check_match "in its table too" "$(curl -s -H 'Accept: text/plain' "$url$P/reports/$report")" 'stream.triad +verified +62 % +memory +a processor'
done_testing
