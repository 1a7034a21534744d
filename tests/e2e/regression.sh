#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A real repository, its commits built and measured one after the other by the real programs. A
# planted slowdown gives exactly one alert, confirmed by re-runs of head and base in interleaved
# blocks, and resolved behind the commit that fixes it; commits of documents give none.
# The slow commit takes three times as long, so that a loaded host tells it from noise in seconds.
# The long form is `make bench-alerts`: TRIALS=N commits of documents, STRESS=N processes of
# stress-ng beside, REAL=1 the slowdown of examples/make-history.sh (about 10 %).
. "${top_srcdir:-.}/tests/lib/story.sh"
PYTHON3=${PYTHON3:-$(command -v python3)}
[ -n "$PYTHON3" ] && [ "$PYTHON3" != no ] || skip_all "python3 is not installed"
command -v curl >/dev/null || skip_all "curl is not installed"
command -v git >/dev/null || skip_all "git is not installed"
command -v make >/dev/null || skip_all "make is not installed"
[ -x "$top_builddir/benchd-worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock HOME=$tmp
export BENCHD_LOCK_DIR HOME
mkdir "$tmp/lock"
trials=${TRIALS:-2} steps=30 processes=6 most=20
[ -z "${REAL:-}" ] || { steps=11; processes=10; most=40; }
P=/v0/projects/orbit
get() { curl -s -m 60 "$url$1"; }
# json EXPRESSION : of the document d on stdin
json() { "$PYTHON3" -c "import json,sys; d=json.load(sys.stdin); print($1)" 2>&1; }

# --- the repository ---
git init -q -b main "$tmp/work"
cp "$top_srcdir"/examples/orbit/* "$tmp/work"
chmod -R u+w "$tmp/work"
commit() { # SUBJECT ; $head is its hash
	git -C "$tmp/work" add -A
	git -C "$tmp/work" -c user.name=Ada -c user.email=ada@example.org commit -qm "$1"
	head=$(git -C "$tmp/work" rev-parse HEAD)
}
docs() { echo "Line $1." >>"$tmp/work/README.md"; commit "docs: line $1"; }
newton() { # STEPS
	sed "s/KEPLER_STEPS .*/KEPLER_STEPS $1/" "$tmp/work/kepler.h" >"$tmp/kepler.h"
	cat "$tmp/kepler.h" >"$tmp/work/kepler.h"
	commit "kepler: $1 steps"
}
cat >"$tmp/benchd.yaml" <<YAML
workloads:
  orbit:
    kind: build
    repository: file://$tmp/work
    build: [[make]]
    benchmarks:
      - {name: kepler, command: [./bench, kepler]}
      - {name: wave, command: [./bench, wave]}
    protocol: {processes: $processes, samples: 3, max_processes: $most, idle_wait: 0}
YAML
over() { [ "$(get "/v0/queue" | json 'len(d["running"]) + len(d["waiting"])')" = 0 ]; }
# measure [COMMIT] : it or the newest one, and every question that it raises
measure() {
	job=$(curl -s -m 60 -H 'Content-Type: application/json' --data "{\"workload\":\"orbit\",\"head\":\"${1:-main}\"}" "$url$P/jobs" | json 'd["uuid"]')
	wait_for 600 over && [ "$(get "$P/jobs/$job" | json 'd["state"]')" = succeeded ]
}
n_alerts() { get "$P/alerts?limit=1000&state=$1" | json 'len(d)'; }
n_jobs() { get "$P/jobs?limit=1000" | json "sum(j['trigger'] == '$1' for j in d)"; }

check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
if [ "${STRESS:-0}" -gt 0 ]; then
	command -v stress-ng >/dev/null || { fail "stress-ng is not installed"; done_testing; }
	spawn "$tmp/stress.log" stress-ng --quiet --cpu "$STRESS" --cpu-load 60 --vm 1 --vm-bytes 64M
fi
commit "first"
check "the first commit is built and measured" measure
for k in 1 2 3; do docs "$k"; measure || diag "commit $k was not measured"; done
check_equal "commits of documents give no alert" "$(n_alerts confirmed)" 0
before=$head
newton $steps; slow=$head
check "a slower commit is measured" measure
k=4; while [ "$(n_alerts confirmed)" = 0 ] && [ $k -lt 14 ]; do docs "$k"; measure; k=$((k + 1)); done
diag "$((k - 4)) commits later it is confirmed"
get "$P/alerts?state=confirmed" >"$tmp/alert"
check_equal "it gives exactly one alert" "$(json 'len(d)' <"$tmp/alert")" 1
check_equal "of the benchmark that got slower, at its commit" \
	"$(json 'd[0]["benchmark"]["name"] + " " + d[0]["hash"]' <"$tmp/alert")" "kepler $slow"
check_equal "which says what it was before" "$(get "$P/alerts/$(json 'd[0]["uuid"]' <"$tmp/alert")" | json 'd["base"]["hash"]')" "$before"
get "$P/alerts/$(json 'd[0]["uuid"]' <"$tmp/alert")" >"$tmp/whole"
check_equal "who made which commit, with its subject" \
	"$(json '[(c["hash"], c["author"], c["subject"]) for c in [d["base"]] + d["commits"]]' <"$tmp/whole")" \
	"[('$before', '$(git -C "$tmp/work" log -1 --format=%an "$before")', 'docs: line 3'), ('$slow', '$(git -C "$tmp/work" log -1 --format=%an "$slow")', 'kepler: $steps steps')]"
check_equal "that the environment is the same on both sides" \
	"$(json 'd["environments"]["same"], bool(d["environments"]["base"]), d["environments"]["difference"]' <"$tmp/whole")" "True True []"
check_equal "and which jobs measured both again" \
	"$(json 'len(d["reruns"]) >= 2 and d["reruns"][-1]["base"]["hash"], d["reruns"][-1]["head"]["hash"]' <"$tmp/whole")" "$before $slow"
check_equal "and the least change that they could have seen" \
	"$(json 'isinstance(d["detectable"], float) and 0 < d["detectable"] < d["effect"] or d["detectable"]' <"$tmp/whole")" True
curl -s -m 60 "$url/projects/orbit/alerts/$(json 'd[0]["uuid"]' <"$tmp/alert")" >"$tmp/page"
check_match "its page has the subject of the commit" "$(cat "$tmp/page")" "kepler: $steps steps"
check_match "and the command to see it again" "$(cat "$tmp/page")" "benchctl submit orbit -p orbit --base $before --head $slow"
reruns=$(n_jobs confirm)
check "re-runs confirmed it" test "$reruns" -ge 2
get "$P/jobs?limit=1000" | json "' '.join(j['uuid'] for j in d if j['trigger'] == 'confirm' and (j['base']['hash'], j['head']['hash'], j['outcome']) == ('$before', '$slow', 'slower'))" >"$tmp/reruns"
check_match "of head and base" "$(cat "$tmp/reruns")" '^[0-9a-f-]{36}'
for rerun in $(get "$P/jobs?limit=1000" | json "' '.join(j['uuid'] for j in d if j['trigger'] == 'confirm' and j['state'] == 'succeeded')"); do
	get "$P/jobs/$rerun/processes" | json '[[p["arm"] for p in d if (p["cell"], p["block"]) == b] for b in sorted({(p["cell"], p["block"]) for p in d})]'
done >"$tmp/blocks"
check_equal "in interleaved blocks, one process of each, in both orders" \
	"$("$PYTHON3" -c 'import ast,sys; print(sorted({tuple(b) for line in sys.stdin for b in ast.literal_eval(line)}))' <"$tmp/blocks")" "[('base', 'head'), ('head', 'base')]"

docs after; measure
check_equal "the next commit adds no second one" "$(n_alerts confirmed)" 1
docs skipped; skipped=$head
docs later; measure; later=$head
check "a commit that was left out is measured after a later one" measure "$skipped"
check_equal "and stands before it, where git has it" \
	"$(get "$P/series?branch=main&testbed=$(get "$P/testbeds" | json 'd[0]["slug"]')&benchmark=kepler&measure=latency" |
		json '[p["hash"] for p in d["points"]][-2:]')" "['$skipped', '$later']"
check_equal "the alert is the same one" "$(get "$P/alerts?state=confirmed" | json '[a["hash"] for a in d]')" "['$slow']"
newton 10; fix=$head
measure
k=1; while [ "$(n_alerts confirmed)" != 0 ] && [ $k -lt 12 ]; do docs "back $k"; measure; k=$((k + 1)); done
check_equal "behind the fix no alert is open" "$(n_alerts confirmed)" 0
check_match "it is resolved as fixed" "$(get "$P/alerts?state=resolved")" '"reason":"fixed"'
check_match "and the improvement is a change, at the commit of the fix" "$(get "$P/changes")" "$fix"

alerts=$(get "$P/alerts?limit=1000" | json 'sum(a["state"] == "confirmed" or a["reason"] == "fixed" for a in d)')
k=1; while [ $k -le "$trials" ]; do docs "trial $k"; measure || diag "trial $k was not measured"; k=$((k + 1)); done
check_equal "and none of $trials commits of documents gives an alert" \
	"$(get "$P/alerts?limit=1000" | json 'sum(a["state"] == "confirmed" or a["reason"] == "fixed" for a in d)')" "$alerts"
diag "$(n_jobs confirm) re-runs of $(get "$P/jobs?limit=1000" | json 'len(d)') jobs"
done_testing
