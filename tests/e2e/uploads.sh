#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Uploads: Bencher's exchange as it goes over the wire and `benchctl run` store the same things;
# nothing is lost or stored twice when the daemon dies or is away; who may upload.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd" ] && [ -x "$top_builddir/benchctl" ] || skip_all "benchd or benchctl is not built"
unset http_proxy https_proxy BENCHD_HOST BENCHD_TOKEN BENCHD_TOKEN_FILE BENCHD_PROJECT BENCHD_TESTBED
export XDG_STATE_HOME="$tmp/xdg" XDG_CONFIG_HOME="$tmp/config"
tools=$(cd "$top_srcdir/tests/golden/tools" && pwd)
ctl=$(cd "$top_builddir" && pwd)/benchctl
H1=1111111111111111111111111111111111111111

# post PATH BODYFILE [CURL-OPTION...]: sets $status, $body; the headers are the bencher client's.
post() {
	post_path=$1 post_file=$2
	shift 2
	status=$(curl -sS -m 60 -X POST -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' \
		-H 'Accept: application/json' -H 'Content-Type: application/json' -H 'api-version: 0.6.12' \
		--data-binary "@$post_file" "$@" "$url$post_path")
	body=$(cat "$tmp/body")
}
get() { curl -sS -m 60 "$@"; }
# json FILE EXPRESSION: in Python, with d for the document.
json() { "$PYTHON3" -c "import json,sys; d=json.load(open(sys.argv[1])); print($2)" "$1" 2>&1; }
# new_run FILE ADAPTER PROJECT BRANCH KEY [MORE-MEMBERS]: a JsonNewRun of a tool's file.
new_run() {
	"$PYTHON3" - "$@" <<'PY'
import json, sys
file, adapter, project, branch, key = sys.argv[1:6]
body = {"project": project, "branch": branch, "testbed": "host", "idempotency_key": key, "hash": "1" * 40,
        "start_time": "2026-11-21T09:00:00.123456789Z", "end_time": "2026-11-21T09:00:01Z",
        "results": [open(file).read()], "settings": {"adapter": adapter, "average": None, "fold": None},
        "start_point": None, "spec_reset": None, "context": {"bencher.dev/v0/testbed/os": "Linux"}}
body.update(json.loads(sys.argv[6]) if len(sys.argv) > 6 else {})
print(json.dumps(body))
PY
}
# What two uploads must agree on, whatever their ids and times are.
cat >"$tmp/essence.py" <<'PY'
import json, sys
def essence(d):
    rows = []
    for iteration in d["results"]:
        for b in iteration:
            for m in b["measures"]:
                rows.append([b["iteration"], b["benchmark"]["name"], m["measure"]["slug"], m["measure"]["units"],
                             m["metric"]["value"], m["metric"].get("lower_value"), m["metric"].get("upper_value"),
                             m.get("boundary"), (m.get("threshold") or {}).get("model", {}).get("test")])
    alerts = [[a["benchmark"]["name"], a["limit"], a["status"], a["boundary"]] for a in d["alerts"]]
    return json.dumps([d["adapter"], d["counts"], rows, alerts], sort_keys=True, indent=1)
for path in sys.argv[1:]:
    print(essence(json.load(open(path))))
PY
essence() { "$PYTHON3" "$tmp/essence.py" "$@"; }

start_daemon --no-worker || { fail "the daemon starts"; done_testing; }
port=${url##*:}

# --- the exchange of the bencher client, byte by byte where it matters ---
check_match "it asks for the version first" "$(get -H 'api-version: 0.6.12' "$url//v0/server/version")" '"version": *"0\.6\.12"'
models='{"thresholds": {"models": {"latency": {"test": "percentage", "max_sample_size": 64, "upper_boundary": 0.1}}, "reset": null}}'
n=0
for file in pytest.json google.json google_single.json hyperfine.json; do
	case $file in
	pytest*) adapter=python_pytest ;;
	google*) adapter=cpp_google ;;
	*) adapter=shell_hyperfine ;;
	esac
	for slow in 1 2; do
		n=$((n + 1))
		# The second upload is twice as slow: a limit of 10 % has something to say.
		"$PYTHON3" - "$tools/$file" "$slow" >"$tmp/tool.json" <<'PY'
import json, sys
scale = int(sys.argv[2])
def walk(x, key=""):
    if isinstance(x, dict):
        return {k: walk(v, k) for k, v in x.items()}
    if isinstance(x, list):
        return [walk(v, key) for v in x]
    timed = ("mean", "median", "real_time", "cpu_time", "times", "data", "min", "max", "stddev", "iqr", "user", "system")
    return x * scale if isinstance(x, float) and key in timed else x
print(json.dumps(walk(json.load(open(sys.argv[1])))))
PY
		new_run "$tmp/tool.json" $adapter wire "$file" "00000000-0000-4000-8000-00000000000$n" "$models" >"$tmp/run.json"
		post //v0/run "$tmp/run.json"
		cp "$tmp/body" "$tmp/wire$n.json"
		check_equal "$file, upload $slow: the exchange is taken" "$status" 201
		"$ctl" run --host "$url" -p ours --branch "$file" --hash $H1 --testbed host --adapter $adapter --file "$tmp/tool.json" \
			--threshold-measure latency --threshold-test percentage --threshold-max-sample-size 64 \
			--threshold-upper-boundary 0.1 --format json >"$tmp/ours$n.json" 2>"$tmp/ours.err"
		check_equal "$file, upload $slow: benchctl run gives equal metrics, limits and alerts" "$(essence "$tmp/ours$n.json")" "$(essence "$tmp/wire$n.json")"
		test -s "$tmp/ours.err" && diag "$(cat "$tmp/ours.err")"
	done
done
for n_even in 2 4 6 8; do
	check "the slow upload $n_even has limits and alerts" "$PYTHON3" -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["counts"]["alerts"]["total"] > 0 and d["alerts"][0]["limit"] == "upper", d["counts"]
rows = [m for b in d["results"][0] for m in b["measures"] if m["measure"]["slug"] == "latency"]
assert rows and all(m["metric"]["value"] > m["boundary"]["upper_limit"] > m["boundary"]["baseline"] for m in rows), rows' "$tmp/wire$n_even.json"
done
post //v0/run "$tmp/run.json"
check_equal "the same key gives the same report" "$(json "$tmp/body" 'd["uuid"]')" "$(json "$tmp/wire$n.json" 'd["uuid"]')"
check "every value has its raw samples" "$PYTHON3" -c '
import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1]))
m = d["results"][0][0]["measures"][0]
assert len(m["samples"]) == m["n_samples"] > 2, m' "$url/v0/projects/wire/reports/$(json "$tmp/wire1.json" 'd["uuid"]')?samples=1"
curl -sS "$url/openapi.json" >"$tmp/openapi.json"
check "the answer is as its schema says" "$PYTHON3" "$top_srcdir/tests/lib/openapi.py" "$tmp/openapi.json" POST /v0/run 201 "$tmp/wire1.json"
printf '{"results":["x"],"start_time":"2026-11-21T09:00:00Z","end_time":"2026-11-21T09:00:00Z","project":"wire"}' >"$tmp/wrong.json"
post //v0/run "$tmp/wrong.json"
check_match "what nothing can read is 400, with Bencher's members" "$status $body" '^400 .*"request_id".*"message":"no benchmark results'
"$PYTHON3" -c 'import json; print(json.dumps({"project": "wire", "start_time": "2026-11-21T09:00:00Z", "end_time": "2026-11-21T09:00:00Z", "results": [json.dumps({"b": {"latency": {"value": 1}}}) + " " * (6 << 20)]}))' >"$tmp/large.json"
post /v0/run "$tmp/large.json"
check_equal "a body of 6 MiB is taken" "$status" 201

# --- benchctl run ---
run() { "$ctl" run --host "$url" -p cli --testbed t --branch main "$@" >"$tmp/out" 2>"$tmp/err"; code=$?; }
run --iter 3 --fold max --format json -q -- sh -c 'echo x >>'"$tmp"'/count; echo "{\"b\":{\"latency\":{\"value\":$(wc -l <'"$tmp"'/count)}}}"'
check_equal "a command runs three times and is folded" "$code $(json "$tmp/out" 'd["results"][0][0]["measures"][0]["metric"]["value"]')" "0 3.0"
run -- false
check_match "a command that fails is exit code 5" "$code $(cat "$tmp/err")" "^5 .*'false' ended with exit code 1"
run --allow-failure --build-time --file-size "$tools/pytest.json" --format json -- false
check_equal "time and size are results" "$code $(json "$tmp/out" 'sorted(b["benchmark"]["name"] + " " + b["measures"][0]["measure"]["slug"] for b in d["results"][0])')" \
	"0 ['false build-time', 'pytest.json file-size']"
echo '{"b":{"latency":{"value":1}}}' >"$tmp/bmf.json"
run --file "$tmp/bmf.json" --file "$tmp/bmf.json" --backdate 1000000000 --format json
check_equal "two files are two iterations, and the time is what one says" "$code $(json "$tmp/out" 'len(d["results"]), d["start_time"]')" "0 2 2001-09-09T01:46:40Z"
"$ctl" run --host "$url" -p cli --dry-run --start-point main --start-point-reset --threshold-measure latency --threshold-test iqr \
	--threshold-upper-boundary 1.5 --threshold-measure x --threshold-test z_score --threshold-upper-boundary _ --threshold-lower-boundary _ \
	--threshold-lower-boundary 0.9 --thresholds-reset <"$tmp/bmf.json" >"$tmp/out"
check_equal "a dry run shows the request" "$(json "$tmp/out" 'd["start_point"], d["thresholds"]')" \
	"{'branch': 'main', 'reset': True} {'models': {'latency': {'test': 'iqr', 'upper_boundary': 1.5}, 'x': {'test': 'z_score', 'lower_boundary': 0.9}}, 'reset': True}"
run --branch alerting --file "$tmp/bmf.json" --threshold-measure latency --threshold-test static --threshold-upper-boundary 1.5
sed 's/1/2/' "$tmp/bmf.json" >"$tmp/slow.json"
run --branch alerting --file "$tmp/slow.json"
check_equal "an alert alone is no failure" "$code" 0
run --branch alerting --file "$tmp/slow.json" --err
check_match "with --err it is exit code 3" "$code $(cat "$tmp/err")" "^3 .*1 alert"
run --threshold-test iqr --file "$tmp/bmf.json"
check_match "a threshold without a measure is a usage error" "$code $(cat "$tmp/err")" "^2 .*--threshold-measure"
run --file "$tmp/wrong.json"
check_match "what the daemon refuses is exit code 1, and kept" "$code $(cat "$tmp/err" | tr '\n' ' ')" "^1 .*nothing was stored"
check "aside, where nothing sends it again" test "$(find "$tmp/xdg/benchctl/spool" -name '*.json.refused' | wc -l)" = 1
check "one word is a line for the shell" sh -c "'$ctl' run --host '$url' -p up1 --testbed t --adapter json 'cat $tmp/bmf.json | cat' >'$tmp/out' 2>'$tmp/err'"
rm "$tmp/xdg/benchctl/spool/"*

# --- the daemon dies, the daemon is away ---
new_run "$tmp/bmf.json" json crash main 00000000-0000-4000-8000-0000000000ff >"$tmp/run.json"
post /v0/run "$tmp/run.json"
first=$(json "$tmp/body" 'd["uuid"]')
kill -KILL "$daemon"; wait "$daemon" 2>/dev/null
run --attempts 1 --file "$tmp/bmf.json"
check_match "without a daemon it is exit code 7, and kept" "$code $(cat "$tmp/err")" "^7 .*"
"$ctl" run --host "$url" -p away --testbed t --file "$tmp/bmf.json" --format json >"$tmp/away.json" 2>"$tmp/away.err" &
waiting=$!
wait_for 30 grep -q 'trying again' "$tmp/away.err"
spawn "$tmp/daemon2.log" ${BENCHD_WRAPPER:-} "$top_builddir/benchd" --no-worker --listen "127.0.0.1:$port" --state "$tmp/state"
daemon=$spawned
check "the daemon is back" wait_for 60 grep -q 'listening on http' "$tmp/daemon2.log"
wait $waiting
waited=$?
"$ctl" compare main main --host "$url" -p cli >"$tmp/out" 2>&1
check_match "compare asks the project of -p" "$(cat "$tmp/out")" "^head .* main"
"$ctl" -p cli --host "$url" gate main main >"$tmp/out" 2>&1
check_match "and so does gate" "$(cat "$tmp/out")" "pass|unknown: too few"
check_equal "results that waited for it arrive" "$waited $(json "$tmp/away.json" 'd["project"]["slug"]')" "0 away"
post /v0/run "$tmp/run.json"
check_equal "after kill -9 the same key gives the same report" "$status $(json "$tmp/body" 'd["uuid"]')" "201 $first"
check_match "and there is one" "$(get -D - -o /dev/null "$url/v0/projects/crash/reports" | tr -d '\r')" '^[Xx]-[Tt]otal-[Cc]ount: 1$'
"$ctl" run --host "$url" --resend >"$tmp/out" 2>"$tmp/err"
check_match "what was kept is sent" "$? $(cat "$tmp/out")" '^0 report '
check "and the spool is empty" test "$(find "$tmp/xdg/benchctl/spool" -name '*.json' | wc -l)" = 0
kill "$daemon"; wait "$daemon" 2>/dev/null

# --- who may: beyond loopback every request needs a token ---
printf 'listen: ["0.0.0.0:0"]\ntokens: { required: false }\n' >"$tmp/open.yaml"
if "$top_builddir/benchd" --config "$tmp/open.yaml" --state "$tmp/state3" --no-worker >"$tmp/open.log" 2>&1; then
	fail "a daemon open to the network without tokens does not start"
else
	check_match "a daemon open to the network without tokens does not start" "$(cat "$tmp/open.log")" "tokens.required"
fi
spawn "$tmp/daemon3.log" ${BENCHD_WRAPPER:-} "$top_builddir/benchd" --no-worker --listen 0.0.0.0:0 --state "$tmp/state3"
check "one with tokens starts" wait_for 60 grep -q 'listening on http' "$tmp/daemon3.log"
port=$(sed -n 's/.*listening on http:.*:\([0-9]*\).*/\1/p' "$tmp/daemon3.log" | head -n 1)
url=http://127.0.0.1:$port
check_equal "and writes the first one for its user alone" "$(stat -c %a "$tmp/state3/admin.token")" 600
admin=$(cat "$tmp/state3/admin.token")
post /v0/run "$tmp/run.json"
check_match "without a token it is 401, also from this host" "$status $body" '^401 .*"message"'
post /v0/run "$tmp/run.json" -H 'Authorization: Bearer bencher_user_000000000000000000000000000000'
check_equal "with a wrong one too" "$status" 401
check_equal "reading too" "$(get -o /dev/null -w '%{http_code}' "$url/v0/projects")" 401
post /v0/run "$tmp/run.json" -H "Authorization: Bearer $admin"
check_equal "the admin's makes the project" "$status" 201
# token SCOPE [PROJECT]
token() {
	get -H "Authorization: Bearer $admin" -H 'Content-Type: application/json' \
		-d "{\"name\":\"$1\",\"scopes\":[\"$1\"]${2:+,\"project\":\"$2\"}}" "$url/v0/tokens" | "$PYTHON3" -c 'import json,sys; print(json.load(sys.stdin)["key"])'
}
for row in read:403:200:403 submit:201:200:403 exec:201:200:403 admin:201:200:200; do
	scope=${row%%:*} rest=${row#*:}
	key=$(token "$scope")
	post /v0/run "$tmp/run.json" -H "Authorization: Bearer $key"
	got=$status:$(get -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $key" "$url/v0/projects/crash")
	got=$got:$(get -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $key" "$url/v0/tokens")
	check_equal "scope $scope: upload, read, administer" "$got" "$rest"
done
cp "$tmp/state3/admin.token" "$tmp/admin.key"
as_admin() { "$ctl" "$@" --host "$url" --token-file "$tmp/admin.key"; }
reads() { get -o "$tmp/body" -w '%{http_code}' -H "Authorization: Bearer $1" "$url/v0/projects/crash"; }
first=$(as_admin token --create reader --scope read --only crash --ttl 30d | head -n 1)
check_equal "a token with a lifetime reads" "$(reads "$first")" 200
second=$(as_admin token --rotate "$(printf %s "$first" | tail -c 4)" | head -n 1)
check_equal "its successor does, it does not any more" "$(reads "$second") $(reads "$first") $(json "$tmp/body" 'd["detail"]')" "200 401 the token 'reader' was revoked"
get -H "Authorization: Bearer $admin" "$url/v0/tokens" >"$tmp/body"
check_match "which has its project and lifetime, and was used" "$(json "$tmp/body" '[(t["project"], t["expiration"][:4] > "2000", bool(t["last_used"])) for t in d if t["name"] == "reader" and not t["revoked"]]')" "^\[\('crash', True, (True|False)\)\]"
check_match "-p binds a key, too" "$(as_admin -p crash token --create bound --scope read 2>&1)" "it is good for the project 'crash', until it is revoked"
check_match "one for all projects is told to be" "$(as_admin token --create wide --scope read --ttl 1h 2>&1)" "it is good for every project .--only PROJECT binds it to one., for 1h"
brief=$(as_admin token --create brief --scope read --ttl 1s | head -n 1)
has_expired() { [ "$(reads "$brief")" = 401 ] && grep -q "the token 'brief' has expired" "$tmp/body"; }
check "one of a second expires" wait_for 20 has_expired
check_match "an unknown one is named" "$(as_admin token --rotate none 2>&1)" "there is no token 'none'"
bound=$(token submit crash)
for key in "$admin" "$first" "$second" "$bound"; do
	if grep -rqF --exclude=admin.token -e "$key" "$tmp/state3" "$tmp/daemon3.log"; then fail "no key is stored or logged as it is"; else pass "no key is stored or logged as it is"; fi
done
check_match "a key of a project has Bencher's prefix and length" "$bound" '^bencher_run_[0-9A-Za-z]{30}$'
sed 's/"project": "crash", //' "$tmp/run.json" >"$tmp/unnamed.json"
post /v0/run "$tmp/unnamed.json" -H "Authorization: Bearer $bound"
check_equal "it uploads to its own project without a name" "$status $(json "$tmp/body" 'd["project"]["slug"]')" "201 crash"
sed 's/"project": "crash"/"project": "other"/' "$tmp/run.json" >"$tmp/other.json"
post /v0/run "$tmp/other.json" -H "Authorization: Bearer $admin"
post /v0/run "$tmp/other.json" -H "Authorization: Bearer $bound"
check_equal "and to no other" "$status" 401
BENCHD_TOKEN=$bound "$ctl" run --host "$url" -p other --attempts 1 --file "$tmp/bmf.json" >"$tmp/out" 2>"$tmp/err"
check_equal "which is exit code 6 of benchctl" "$?" 6
done_testing
