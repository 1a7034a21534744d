#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Scaling sweeps: `scaling` of a workload makes a cell for each number of threads, the worker lets
# them take turns, and the report says what follows, in JSON, text, Markdown and HTML.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
# Work of 240 ms that p threads share; told the threads in both ways.
cat >"$tmp/work" <<'EOF'
#!/bin/sh
[ "$OMP_NUM_THREADS" = "$1" ] || exit 9
exec sleep "$(printf '0.%03d' $(($2 / $1)))"
EOF
chmod +x "$tmp/work"
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
workloads:
  strong:
    kind: command
    command: [$tmp/work, "{threads}", "{ms}"]
    parameters: {ms: 240}
    scaling: {kind: strong, threads: [4, 1, 2]}
    isolation: none
    slot: shared
    protocol: {processes: 12, adaptive: false, idle_wait: 0s} # six that count, on a busy host too
  weak:
    kind: command
    command: [$tmp/work, "{threads}", "{ms}"]
    matrix: {ms: [40, 60]}
    exclude: [{ms: 60, threads: 2}]
    scaling: {kind: weak, threads: [1, 2], size: ms}
    isolation: none
    slot: shared
    protocol: {processes: 1, adaptive: false, idle_wait: 0s}
  kernels:
    kind: kernel
    kernel: stream.triad
    parameters: {size: small}
    scaling: {kind: weak}
    slot: shared
    protocol: {processes: 1, samples: 2, adaptive: false, idle_wait: 0s}
EOF
post() { curl -s -m 120 -H 'Content-Type: application/json' --data "$2" "$url$1"; }
get() { curl -s -m 60 "$url$1"; }
as() { curl -s -m 60 -H "Accept: $1" "$url$2"; }
field() { grep -o "\"$1\": *\"\{0,1\}[^\",}]*" | head -n 1 | sed 's/.*[":]//'; }
P=/v0/projects/p
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
ask() { get "$P/reports/$1?samples=1" | "$python" -c "import json,sys; d=json.load(sys.stdin); print($2)"; }
run() { # WORKLOAD: its report
	answer=$(post "$P/jobs?wait=100s" "{\"workload\":\"$1\"}")
	printf '%s\n' "$answer" | field report
}

tried=0 # an interval needs six processes that count of each number of threads
while [ $tried -lt 3 ]; do
	tried=$((tried + 1))
	report=$(run strong)
	[ "$(ask "$report" "all(t['speedup_interval'] for t in d['scaling'][0]['threads'][1:])")" != True ] || break
done
check_equal "a cell for each number of threads" "$(ask "$report" "[t['threads'] for t in d['scaling'][0]['threads']]")" "[1, 2, 4]"
check_equal "the sweep is named without them" "$(ask "$report" "d['scaling'][0]['benchmark'], d['scaling'][0]['kind'], d['scaling'][0]['measure']")" "strong[ms=240] strong latency"
check_equal "every cell is a benchmark of its own" "$(ask "$report" "sorted(b['benchmark']['name'] for b in d['results'][0])")" "['strong[ms=240,threads=1]', 'strong[ms=240,threads=2]', 'strong[ms=240,threads=4]']"
check_equal "more threads are faster, with intervals around it" "$(ask "$report" "all(1 < t['speedup'] < 8 and t['speedup_interval']['low'] <= t['speedup'] <= t['speedup_interval']['high'] and abs(t['efficiency'] - t['speedup'] / t['threads']) < 1e-12 for t in d['scaling'][0]['threads'][1:])")" True
check_equal "the base has none" "$(ask "$report" "[d['scaling'][0]['threads'][0][k] for k in ('speedup', 'speedup_interval', 'karp_flatt')]")" "[1.0, None, None]"
check_equal "a thread's share of the work" "$(ask "$report" "[t['work_per_worker'] for t in d['scaling'][0]['threads']]")" "[1.0, 0.5, 0.25]"
check_equal "Amdahl and the universal law" "$(ask "$report" "d['scaling'][0]['law']['name'], 0 <= d['scaling'][0]['law']['serial_fraction'] < .9, sorted(d['scaling'][0]['usl'])")" "amdahl True ['kappa', 'kappa_interval', 'peak', 'rms', 'sigma', 'sigma_interval']"
turns='[[p["cell"] for p in sorted(d["processes"], key=lambda p: p["started_ns"])][i:i + 3] for i in range(0, 36, 3)]'
check_equal "cells take turns: each round has all" "$(ask "$report" "{tuple(sorted(r)) for r in $turns}")" "{('0', '1', '2')}"
check_equal "in an order that changes" "$(ask "$report" "len({tuple(r) for r in $turns}) > 1")" True
text=$(as text/plain "$P/reports/$report")
check_match "text has the table" "$text" "^threads +median +speed-up +95 % interval +efficiency % +work/thread +Karp-Flatt"
check_match "and the laws in a sentence" "$text" "mean efficiency [0-9.]+ % \((excellent|good|poor)\).*; Amdahl: .* serial.*; USL: contention .* coherence"
check_match "Markdown has it" "$(as text/markdown "$P/reports/$report")" "^### Scaling of \`strong\[ms=240\]\` \(strong\)"
html=$(as text/html "$P/reports/$report")
check_match "HTML has the chart" "$html" "<title>Speed-up of strong\[ms=240\] over threads</title>"
check_equal "with whole threads on its axis" "$(echo "$html" | grep -c 'y="278.0" text-anchor="[a-z]*" fill="currentColor">[0-9]*\.[0-9]')" 0
check_match "those that were measured" "$html" 'y="278.0" text-anchor="middle" fill="currentColor">2</text>'
check_match "and the table in a region" "$html" 'aria-label="strong\[ms=240\], strong scaling"'

report=$(run weak)
check_equal "weak scaling multiplies the size, after the exclusions" "$(ask "$report" "sorted(b['benchmark']['name'] for b in d['results'][0])")" "['weak[ms=40,threads=1]', 'weak[ms=60,threads=1]', 'weak[ms=80,threads=2]']"
check_equal "Gustafson's law, and no interval of one process" "$(ask "$report" "[(s['benchmark'], s.get('law', {}).get('name'), s['threads'][-1]['speedup_interval']) for s in d['scaling']]")" "[('weak[ms=40]', 'gustafson', None), ('weak[ms=60]', None, None)]"
check_equal "the work of a thread stays" "$(ask "$report" "[t['work_per_worker'] for t in d['scaling'][0]['threads']]")" "[1.0, 1.0]"
check_match "one number of threads is no sweep" "$(as text/plain "$P/reports/$report")" "one number of threads has no speed-up"

answer=$(post "$P/jobs?wait=100s" '{"workload":"kernels"}')
report=$(printf '%s\n' "$answer" | field report)
check_equal "kernels know how to grow" "$(ask "$report" "[(s['benchmark'], s['threads'][0]['threads'], s['threads'][0]['benchmark']) for s in d['scaling']]")" "[('stream.triad[size=small]', 1, 'stream.triad[backend=threads,size=small,threads=1,weak=true]')]"
check_equal "auto ends at all processors" "$(ask "$report" "d['scaling'][0]['threads'][-1]['threads'] == len(__import__('os').sched_getaffinity(0))")" True

refused() { # TITLE DEFINITION TEXT
	check_match "$1" "$(post "$P/jobs" "{\"definition\":{\"kind\":\"command\",\"command\":[\"true\"],$2}}")" "$3"
}
refused "the base is needed" '"scaling":{"kind":"strong","threads":[2,4]}' "lacks 1; the time with one thread is the base"
refused "twice is a mistake" '"scaling":{"kind":"strong","threads":[1,2,2]}' "has 2 twice"
refused "the threads are said once" '"matrix":{"threads":[1]},"scaling":{"kind":"strong"}' "'scaling' and 'matrix/threads' exclude each other"
refused "OMP_NUM_THREADS is ours" '"environment":{"OMP_NUM_THREADS":"1"},"scaling":{"kind":"strong"}' "OMP_NUM_THREADS' is what 'scaling' sets"
refused "weak needs something that grows" '"scaling":{"kind":"weak","threads":[1,2]}' "weak scaling multiplies the parameter 'size'"
check_match "a job cannot fix what varies" "$(post "$P/jobs" '{"workload":"strong","parameters":{"threads":2}}')" "'threads' is what 'scaling' of the workload 'strong' varies"
check_match "other backends have one thread" "$(post "$P/jobs" '{"workload":"kernels","parameters":{"backend":"simd"}}')" "needs the backend 'threads'"

kill "$daemon"
wait "$daemon"
printf '\nworker: {embedded: false, socket: %s/worker.sock}\n' "$tmp" >>"$tmp/benchd.yaml"
cpu=$("$python" -c 'import os; print(min(os.sched_getaffinity(0)))')
check "a daemon whose worker is another unit starts" start_daemon --config "$tmp/benchd.yaml"
spawn "$tmp/worker.log" "$top_builddir/benchd-worker" --socket "$tmp/worker.sock" --state "$tmp/worker" --cpus "$cpu"
check "the worker measures on one processor" wait_for 30 sh -c "curl -s '$url/v0/testbeds/live' | grep -q '\"cpus\":\"$cpu\"'"
report=$(post "$P/jobs?wait=100s" '{"workload":"kernels"}' | field report)
check_equal "auto counts the processors of the worker, not the daemon's" "$(ask "$report" "sorted(b['benchmark']['name'] for b in d['results'][0])")" "['stream.triad[backend=threads,size=small,threads=1,weak=true]']"
done_testing
