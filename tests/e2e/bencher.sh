#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The unmodified bencher client against benchd. $BENCHER names it, else PATH is searched; pinned
# versions are in docs/bencher.md. A client that was built without the cargo feature `plus` knows
# public projects only, so all of this happens in one.
. "${top_srcdir:-.}/tests/lib/story.sh"
bencher=${BENCHER:-$(command -v bencher || true)}
[ -n "$bencher" ] || skip_all "there is no bencher client (set BENCHER)"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
[ -x "$top_builddir/benchd" ] || skip_all "benchd is not built"
unset http_proxy https_proxy CI BENCHER_HOST BENCHER_API_KEY BENCHER_API_TOKEN BENCHER_PROJECT BENCHER_BRANCH BENCHER_TESTBED BENCHER_ADAPTER
tools=$(cd "$top_srcdir/tests/golden/tools" && pwd)
H1=1111111111111111111111111111111111111111 H2=2222222222222222222222222222222222222222
diag "$("$bencher" --version)"

start_daemon --no-worker || { fail "the daemon starts"; done_testing; }
: >"$tmp/plan"
: >"$tmp/requests"
spawn "$tmp/proxy.log" "$PYTHON3" "$top_srcdir/tests/lib/flaky_proxy.py" "$url" "$tmp/requests" "$tmp/plan"
wait_for 30 grep -q 'proxy on' "$tmp/proxy.log"
proxy=$(sed -n 's/^proxy on //p' "$tmp/proxy.log")
curl -sS -H 'Content-Type: application/json' -d '{"name":"pub","visibility":"public"}' "$url/v0/projects" >/dev/null
cd "$tmp" || exit 1 # no repository: no context of one

# run ARGUMENT...: as one would, through the proxy, strictly; sets $code. Output in out and err.
run() {
	"$bencher" run --host "$proxy" --project pub --strict --quiet --testbed host "$@" >"$tmp/out" 2>"$tmp/err"
	code=$?
}
# cli ARGUMENT...: another subcommand.
cli() { cli_first=$1 cli_second=$2; shift 2; "$bencher" "$cli_first" "$cli_second" --host "$proxy" --key "$user_key" "$@" >"$tmp/out" 2>"$tmp/err"; code=$?; }
json() { "$PYTHON3" -c "import json,sys; d=json.load(open(sys.argv[1])); print($1)" "$tmp/out" 2>&1; }
# expect TITLE EXPRESSION VALUE: the last one went well and said so.
expect() {
	if [ $code != 0 ]; then
		fail "$1"; diag "exit code $code: $(cat "$tmp/err")"
	else
		check_equal "$1" "$(json "$2")" "$3"
	fi
}
value='d["results"][0][0]["measures"][0]["metric"]["value"]'
# feed VALUE ARGUMENT...: a run whose results come through a pipe.
feed() {
	bmf "$1" >"$tmp/in"
	shift
	run "$@" <"$tmp/in"
}
bmf() { printf '{"sum":{"latency":{"value":%s}}}' "$1"; }

# --- results ---
run --branch main --hash $H1 --adapter python_pytest --file "$tools/pytest.json" --format json
expect "a file of pytest-benchmark" '[b["benchmark"]["name"] for b in d["results"][0]]' "['test_b.py::test_sort[100]', 'test_b.py::test_sort[10]', 'test_b.py::test_sum']"
check_equal "its hash is the version" "$(json 'd["branch"]["head"]["version"]["number"], d["branch"]["head"]["version"]["hash"]')" "0 $H1"
run --branch main --adapter cpp_google --file "$tools/google.json" --file "$tools/google_single.json" --format json
expect "two files of Google Benchmark" 'len(d["results"]), d["adapter"]' "2 cpp_google"
run --branch main --adapter go_bench --file "$tools/go_bench.txt" --format json
expect "a file of go test" 'len(d["results"][0]), d["adapter"]' "4 go_bench"
run --branch main --file "$tools/rust_criterion.txt" --format json
expect "a file of Criterion, by magic" 'len(d["results"][0]), d["adapter"]' "3 magic"
run --branch main --adapter shell_hyperfine --file "$tools/hyperfine.json" --average median --format json
expect "a file of hyperfine" 'd["adapter"]' shell_hyperfine
feed 5 --branch main --format json
expect "a pipe" "$value" 5.0
run --branch main --format json -- "printf '%s' '$(bmf 7)'"
expect "a command" "$value" 7.0
for fold in min:1.0 max:6.0 mean:3.0 median:2.0; do
	: >"$tmp/turn"
	cat >"$tmp/bench.sh" <<'SH'
echo x >>turn
set -- 2 1 6
shift $(($(wc -l <turn) - 1))
printf '{"sum":{"latency":{"value":%s}}}' "$1"
SH
	run --branch main --iter 3 --fold "${fold%:*}" --format json -- "sh bench.sh"
	expect "three iterations, fold ${fold%:*}" "$value" "${fold#*:}"
done
run --branch main --build-time --file-size "$tools/pytest.json" --format json -- "true"
expect "build time and file size" 'sorted(m["measure"]["slug"] for b in d["results"][0] for m in b["measures"])' "['build-time', 'file-size']"
run --branch main --backdate 1000000000 --format json -- "printf '%s' '$(bmf 7)'"
expect "backdated" 'd["start_time"]' 2001-09-09T01:46:40Z
feed 5 --branch main --format human
check_match "the report for people" "$code $(cat "$tmp/out")" '^0 View report: '
feed 5 --branch main --format html
check_match "the comment" "$code $(cat "$tmp/out")" '^0 <h2>.*<div id="bencher.dev/projects/pub'
n=$(grep -c POST "$tmp/requests")
feed 5 --branch main --dry-run
check_equal "a dry run sends nothing" "$code $(grep -c POST "$tmp/requests")" "0 $n"
echo nonsense >"$tmp/in"
run --branch main <"$tmp/in"
check_match "nonsense is an error" "$code $(cat "$tmp/err")" '^1 .*'
check_match "that says why" "$(cat "$tmp/err")" 'right adapter'

# --- what goes over the wire: docs/bencher.md says the same ---
check_match "two slashes and api-version on uploads" "$(cat "$tmp/requests")" '^POST //v0/run api-version=0\.[0-9.]* key=no$'
check_match "the version is asked for first" "$(head -n 1 "$tmp/requests")" '^GET //v0/server/version api-version=0'

# --- thresholds: set, changed, reset, omitted ---
models() { curl -sS "$url/v0/projects/pub/thresholds?per_page=100" | "$PYTHON3" -c 'import json,sys
for t in sorted(json.load(sys.stdin), key=lambda t: (t["branch"]["slug"], t["measure"]["slug"])):
    m = t.get("model")
    print(t["branch"]["slug"], t["measure"]["slug"], m and m["test"], m and m["upper_boundary"])'; }
has_routes=$(curl -sS -o /dev/null -w '%{http_code}' "$url/v0/projects/pub/thresholds")
# check_models TITLE BRANCH EXPECTED: what is in force there.
check_models() {
	if [ "$has_routes" = 200 ]; then
		check_equal "$1" "$code $(models | grep "^$2 ")" "0 $2 $3"
	else
		skip "$1" "this benchd has no routes for thresholds"
	fi
}
upper='round(d["results"][0][0]["measures"][0]["boundary"]["upper_limit"], 6)'
T='--threshold-measure latency --threshold-test percentage --threshold-max-sample-size 64 --threshold-lower-boundary _ --threshold-upper-boundary 0.1'
# shellcheck disable=SC2086 # a list of words
feed 100 --branch limits $T --format json
check_models "a threshold is set" limits "latency percentage 0.1"
expect "the first value has no limit" 'd["results"][0][0]["measures"][0]["boundary"]["upper_limit"], d["counts"]["alerts"]["total"]' "None 0"
feed 100 --branch limits --format json
check_models "it stays when it is not named" limits "latency percentage 0.1"
expect "and has a limit" "$upper" 110.0
expect "by this model" 'd["results"][0][0]["measures"][0]["threshold"]["model"]["test"]' percentage
feed 120 --branch limits --format json
expect "a value beyond it is an alert" 'd["counts"]["alerts"]["total"], d["alerts"][0]["limit"], d["alerts"][0]["status"]' "1 upper active"
feed 130 --branch limits --err
check_equal "with --err it is a failure" "$code" 1
feed 100 --branch limits --err
check_equal "without one it is none" "$code" 0
printf '%s' "$(bmf 100 | sed 's/sum/sum_bencher_ignore/')" >"$tmp/in"
run --branch quiet --format json <"$tmp/in"
# shellcheck disable=SC2086
run --branch quiet $T --format json <"$tmp/in"
printf '%s' "$(bmf 500 | sed 's/sum/sum_bencher_ignore/')" >"$tmp/in"
run --branch quiet --format json <"$tmp/in"
expect "a name that asks for no alerts has a limit only" "$upper, d[\"counts\"][\"alerts\"][\"total\"], d[\"results\"][0][0][\"benchmark\"][\"name\"]" "110.0 0 sum"
feed 500 --branch limits --threshold-measure latency --threshold-test iqr --threshold-upper-boundary 1.5 --format json
check_models "a threshold is changed" limits "latency iqr 1.5"
feed 5 --branch cloned --start-point limits --start-point-clone-thresholds --format json
check_models "thresholds are cloned" cloned "latency iqr 1.5"
expect "and apply at once" 'd["results"][0][0]["measures"][0]["threshold"]["model"]["test"]' iqr
feed 100 --branch limits --thresholds-reset --format json
check_models "a reset takes the model away" limits "latency None None"
expect "and the limits" 'd["results"][0][0]["measures"][0].get("threshold")' None
bmf 100 >"$tmp/in"
bmf 200 >"$tmp/in2"
# shellcheck disable=SC2086
run --branch inside $T --file "$tmp/in" --file "$tmp/in2" --format json
expect "the second iteration sees the first" 'd["counts"]["alerts"]["total"], d["alerts"][0]["iteration"], d["alerts"][0]["boundary"]["baseline"]' "1 1 100.0"

# --- branches and start points ---
head_of='d["branch"]["head"]["uuid"], (d["branch"]["head"]["start_point"] or {}).get("version", {}).get("hash")'
feed 1 --branch base --hash $H1 --format json
feed 1 --branch topic --hash $H2 --start-point base --format json
expect "a new branch goes on from its start point" 'd["branch"]["head"]["version"]["number"], d["branch"]["head"]["start_point"]["version"]["hash"]' "1 $H1"
first=$(json "$head_of")
feed 1 --branch topic --hash $H2 --start-point base --start-point-hash 3333333333333333333333333333333333333333 --format json
expect "a hash that is not there means the newest" "$head_of" "$first"
feed 1 --branch base --hash $H2 --format json
feed 1 --branch topic --hash $H2 --start-point base --format json
expect "a start point that moved makes a new head" 'd["branch"]["head"]["start_point"]["version"]["hash"]' $H2
second=$(json "$head_of")
check "another one" test "$first" != "$second"
feed 1 --branch topic --hash $H2 --start-point nowhere --format json
expect "a start branch that is missing changes nothing" "$head_of" "$second"
feed 1 --branch topic --hash $H2 --start-point-reset --format json
expect "a reset begins anew" 'd["branch"]["head"]["version"]["number"], d["branch"]["head"]["start_point"]' "0 None"

# --- networks ---
count() { curl -sS -D - -o /dev/null "$url/v0/projects/pub/reports?branch=$1" | tr -d '\r' | sed -n 's/^[Xx]-[Tt]otal-[Cc]ount: //p'; }
echo "503 pass" >"$tmp/plan"
feed 1 --branch busy --retry-after 1 --format json
check_equal "503, then success: one report" "$code $(count busy) $(cat "$tmp/plan")" "0 1 "
echo "cut pass" >"$tmp/plan"
feed 1 --branch cut --retry-after 1 --format json
check_equal "cut after the commit: one report" "$code $(count cut) $(cat "$tmp/plan")" "0 1 "

# --- other subcommands ---
user_key=$(curl -sS -H 'Content-Type: application/json' -d '{"name":"me","scopes":["admin"]}' "$url/v0/tokens" | "$PYTHON3" -c 'import json,sys; print(json.load(sys.stdin)["key"])')
cli project view pub
expect "project view" 'd["slug"]' pub
cli report list pub
expect "report list" 'len(d)' 8
report=$(json 'd[0]["uuid"]')
cli report view pub "$report"
expect "report view" 'd["uuid"]' "$report"
for noun in branch testbed benchmark measure; do
	[ $noun = measure ] && units='--units s' || units=
	# shellcheck disable=SC2086 # a list of words
	cli $noun create --name "made $noun" --slug made-$noun $units pub
	[ $noun = branch ] && cli $noun create --name "made-$noun" pub
	expect "$noun create" 'd["slug"]' made-$noun
	cli $noun list pub
	expect "$noun list" 'len(d) > 0' True
	cli $noun view pub made-$noun
	expect "$noun view" 'd["slug"]' made-$noun
	cli $noun update --slug other-$noun pub made-$noun
	expect "$noun update" 'd["slug"]' other-$noun
	"$bencher" archive --host "$proxy" --key "$user_key" --project pub --$noun other-$noun >"$tmp/out" 2>"$tmp/err"
	check_equal "$noun is archived" "$?" 0
	"$bencher" unarchive --host "$proxy" --key "$user_key" --project pub --$noun other-$noun >"$tmp/out" 2>"$tmp/err"
	check_equal "and brought back" "$?" 0
	cli $noun delete pub other-$noun
	check_equal "$noun delete" "$code" 0
done
metric=$(curl -sS "$url/v0/projects/pub/reports/$report" | "$PYTHON3" -c 'import json,sys; print(json.load(sys.stdin)["results"][0][0]["measures"][0]["metric"]["uuid"])')
cli metric view pub "$metric"
expect "metric view" 'd["uuid"], d["report"]' "$metric $report"
uuid() { curl -sS "$url/v0/projects/pub/$1" | "$PYTHON3" -c 'import json,sys; print(json.load(sys.stdin)["uuid"])'; }
"$bencher" perf --host "$proxy" --branches "$(uuid branches/base)" --testbeds "$(uuid testbeds/host)" --benchmarks "$(uuid benchmarks/sum)" \
	--measures "$(uuid measures/latency)" pub >"$tmp/out" 2>"$tmp/err"
code=$?
expect "perf" '[(m["version"]["number"], m["metric"]["value"]) for m in d["results"][0]["metrics"]]' "[(0, 1.0), (1, 1.0)]"
# key VERB ARGUMENT...: bencher project key.
key() { key_verb=$1; shift; "$bencher" project key "$key_verb" --host "$proxy" --key "$user_key" "$@" >"$tmp/out" 2>"$tmp/err"; code=$?; }
key create --name ci --ttl 3600 pub
expect "project key create" 'd["key"][:12]' bencher_run_
run_key=$(json 'd["key"]') run_key_uuid=$(json 'd["uuid"]')
feed 3 --key "$run_key" --branch keyed --format json
expect "which uploads" "$value" 3.0
key update --name ci2 pub "$run_key_uuid"
expect "project key update" 'd["name"]' ci2
key list pub
expect "project key list" '[k["name"] for k in d]' "['ci2']"
key revoke pub "$run_key_uuid"
check_equal "project key revoke" "$code" 0
feed 3 --key "$run_key" --branch keyed --format json
check_equal "which then uploads no more" "$code" 1
cli report delete pub "$report"
check_equal "report delete" "$code" 0

# --- keys ---
kill "$daemon"; wait "$daemon" 2>/dev/null
printf 'tokens: { required: true }\n' >"$tmp/keys.yaml"
mv "$tmp/state" "$tmp/state_open"
start_daemon --no-worker --config "$tmp/keys.yaml" || { fail "the daemon starts again"; done_testing; }
proxy=$url
key=$(cat "$tmp/state/admin.token")
curl -sS -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d '{"name":"pub","visibility":"public"}' "$url/v0/projects" >/dev/null
feed 1 --key "$key" --branch main --format json
expect "the admin's key is taken" "$value" 1.0
feed 1 --key bencher_user_000000000000000000000000000000 --branch main --attempts 1
check_match "a wrong key is refused at once" "$code $(cat "$tmp/err")" '^1 '
feed 1 --branch main
check_match "and none" "$code $(cat "$tmp/err")" '^1 '
bound=$(curl -sS -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d '{"name":"ci","scopes":["submit"],"project":"pub"}' "$url/v0/tokens" | "$PYTHON3" -c 'import json,sys; print(json.load(sys.stdin)["key"])')
feed 2 --key "$bound" --branch main --format json
expect "the key of a project is taken" "$value" 2.0
done_testing
