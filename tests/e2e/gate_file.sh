#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A suite is run by a real daemon and judged by gate files, the shipped ones too.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
ctl=$top_builddir/benchctl
cat >"$tmp/benchd.yaml" <<EOF
workloads:
  two-sizes:
    kind: kernel
    kernel: regrid.bilinear
    parameters: {backend: simd, dtype: f64}
    matrix: {size: [50x100, 100x200]}
    protocol: {processes: 2, samples: 2, adaptive: false, idle_wait: 0s}
  pair: {kind: suite, workloads: [two-sizes]}
EOF
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
export BENCHD_HOST="$url" BENCHD_PROJECT=p
"$ctl" submit pair --wait --timeout 300s >"$tmp/out" 2>&1
job=$(curl -s "$url/v0/projects/p/jobs?workload=pair" | sed -n 's/^\[{"uuid":"\([^"]*\)".*/\1/p')
check_match "the suite names its members and their reports" "$(curl -s "$url/v0/projects/p/jobs/$job")" '"awaits":\[\{"uuid":"[^"]*","workload":"two-sizes","state":"succeeded","report":"[0-9a-f-]{36}"'
out=$(curl -s -H 'Accept: text/plain' "$url/v0/projects/p/jobs/$job")
check_match "for people it carries what its members found" "$out" '^job [-0-9a-f]{36}  two-sizes  succeeded'
check_match "with their results" "$out" '^regrid.bilinear.* Latency '
check_match "the page of the suite links to its members" "$(curl -s "$url/projects/p/jobs/$job")" 'href="/projects/p/jobs/[-0-9a-f]{36}">two-sizes<'
gate() { # CODE TITLE RULES...
	want=$1 title=$2; shift 2
	{ echo "gate:"; for rule; do echo "  $rule"; done; } >"$tmp/gate.yml"
	"$ctl" gate --file "$tmp/gate.yml" --job "$job" >"$tmp/out" 2>&1; got=$?
	[ $got = "$want" ] || diag "$(cat "$tmp/out")"
	check_equal "$title (exit $want)" "$got" "$want"
}
gate 0 "limits that are kept pass" 'time: {benchmark: "regrid.bilinear[*size=100x200]", measure: latency, "<": 10s}' \
	'error: {benchmark: "regrid.bilinear[*size=100x200]", measure: accuracy.rmse, "<=": 2.757866985e-4}' \
	'regressions: {alerts: none}'
check_match "the last line is the verdict" "$(tail -n 1 "$tmp/out")" '^pass$'
gate 3 "a limit that is not kept fails" 'time: {measure: latency, "<": 1ns}'
check_match "with the value and the limit" "$(cat "$tmp/out")" 'time +fail +regrid.bilinear\[.*: Latency [0-9.]+ [mun]*s, not < 1'
gate 1 "a rule that matches nothing is an error" 'time: {benchmark: "bilinear_100x200", measure: latency, "<": 1s}'
gate 1 "a wrong rule is refused" 'time: {measure: latency, "<<": 1s}'
check_match "by name" "$(cat "$tmp/out")" "'<<' of the rule 'time' is not known here"
"$ctl" gate --file "$tmp/gate.yml" >"$tmp/out" 2>&1; got=$?
check_equal "a file alone judges nothing" "$got" 2
for file in "$top_srcdir"/suites/*.gate.yml; do
	"$ctl" gate --file "$file" --job "$job" >"$tmp/out" 2>&1
	check_match "$(basename "$file") can be read" "$(cat "$tmp/out")" '^rule +outcome +reason'
	check "and its suite is shipped" test -f "$(printf '%s' "$file" | sed 's/\(-tight\)\{0,1\}\.gate//')"
done
done_testing
