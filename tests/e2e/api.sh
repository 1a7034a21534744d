#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The HTTP API against a real daemon: every route answers, bad input gets the right status and
# the name of the culprit, a waiting request is woken, a real job ends in a verdict.
. "${top_srcdir:-.}/tests/lib/story.sh"
[ "${PYTHON3:-no}" != no ] || skip_all "python3 is not installed"
command -v curl >/dev/null || skip_all "curl is not installed"
[ -x "$top_builddir/benchd" ] || skip_all "benchd is not built"
unset http_proxy https_proxy
BENCHD_LOCK_DIR=$tmp/lock # other tests on this host do not wait for ours
mkdir -p "$BENCHD_LOCK_DIR"
export BENCHD_LOCK_DIR

# req METHOD PATH [BODY] [CURL-OPTION...]: sets $status, $body, $head.
req() {
	req_method=$1 req_path=$2 req_body=${3:-}
	[ $# -gt 2 ] && shift 3 || shift 2
	[ -z "$req_body" ] || set -- -H 'Content-Type: application/json' --data-binary "$req_body" "$@"
	status=$(curl -sS -g -m 60 -X "$req_method" -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' "$@" "$url$req_path")
	body=$(cat "$tmp/body" 2>/dev/null) head=$(tr -d '\r' <"$tmp/head")
}
# json EXPRESSION: of $body, in Python, with d for the document.
json() {
	printf '%s' "$body" | "$PYTHON3" -c "import json,sys; d=json.load(sys.stdin); print($1)" 2>&1
}
# expect TITLE STATUS [EXPRESSION VALUE]
expect() {
	if [ "$status" != "$2" ]; then
		fail "$1"; diag "status $status instead of $2: $body"
	elif [ $# -gt 2 ]; then
		check_equal "$1" "$(json "$3")" "$4"
	else
		pass "$1"
	fi
}

# valid TEMPLATE : the last answer is what the OpenAPI document says of it.
valid() {
	check "$req_method $1 is as its schema says" "$PYTHON3" "$top_srcdir/tests/lib/openapi.py" \
		"$tmp/openapi.json" "$req_method" "$(printf '%s' "$1" | sed 's,^P,/v0/projects/{project},')" "$status" "$tmp/body"
}

printf 'testbed: story\nallow_adhoc_commands: false\n' >"$tmp/benchd.yaml"
start_daemon --no-worker --config "$tmp/benchd.yaml" || { fail "the daemon starts"; done_testing; }
P=/v0/projects/demo

# --- every route answers, with a form its document names ---
curl -sS "$url/openapi.json" >"$tmp/openapi.json"
"$PYTHON3" - "$tmp/openapi.json" >"$tmp/operations" <<'PY'
import json, re, sys
doc = json.load(open(sys.argv[1]))
value = {"project": "demo", "series": "1", "permission": "view", "organization": "benchd", "id": "0" * 64}
for path, item in sorted(doc["paths"].items()):
    for method, op in item.items():
        nil = "00000000-0000-4000-8000-000000000000"
        print(method.upper(), re.sub(r"\{(\w+)\}", lambda m: value.get(m[1], nil if m[1] in ("job", "report", "alert", "token") else "nothing"), path), "body" if "requestBody" in op else "-")
PY
n=$(wc -l <"$tmp/operations")
check "the document has more than 60 operations ($n)" test "$n" -gt 60
req POST /v0/projects '{"name":"demo"}'
expect "a project is made" 201 'd["slug"]' demo
valid /v0/projects
echo '{"slug":"x"}' >"$tmp/planted"
if "$PYTHON3" "$top_srcdir/tests/lib/openapi.py" "$tmp/openapi.json" GET '/v0/projects/{project}' 200 "$tmp/planted" 2>/dev/null; then
	fail "a planted wrong answer is seen"
else
	pass "a planted wrong answer is seen"
fi
while read -r method path has_body; do
	data=
	case $method in
	DELETE) continue ;; # the rest of the story needs the project
	esac
	case $path in
	/login | /logout) continue ;; # forms of the dashboard: scopes.sh
	esac
	[ "$has_body" = - ] || data='{}'
	[ "$method" != POST ] || [ -n "$data" ] || data='{}'
	case $path in
	*/events) set -- -m 2 ;; # an answer without end
	*) set -- ;;
	esac
	req "$method" "$path" "$data" "$@" 2>"$tmp/curl"
	[ "$status" != 000 ] || req "$method" "$path" "$data" -m 30 2>"$tmp/curl" # nothing in two seconds
	case $status in
	2?? | 302 | 400 | 404 | 409 | 422) ;;
	*) echo "$method $path: $status $body" ;;
	esac
	case $status in
	4??) printf '%s' "$head" | grep -qi '^content-type: application/problem+json' || echo "$method $path: $status without problem+json" ;;
	esac
done <"$tmp/operations" >"$tmp/wrong"
check_equal "every route answers, errors as problem+json" "$(cat "$tmp/wrong")" ""
"$PYTHON3" - "$tmp/openapi.json" "$top_srcdir/docs/man/benchd-api.7" >"$tmp/missing" <<'PY'
import json, re, sys
page = open(sys.argv[2]).read()
page = re.sub(r"\.It Li (.*)", lambda m: m[0].replace(" Ar P Ns Li ", " P").replace(" Ar P", " P").replace(" Pa ", " "), page)
lines = [l for l in page.splitlines() if l.startswith(".It Li ")]
for path, item in json.load(open(sys.argv[1]))["paths"].items():
    path = path.replace("/v0/projects/{project}", "P")
    for method in item:
        if not any(method.upper() in l and l.split()[-1] == path for l in lines):
            print(method.upper(), path)
PY
check_equal "benchd-api(7) names every route" "$(cat "$tmp/missing")" ""

for noun in branch testbed benchmark measure; do
	many=$noun; [ $noun = branch ] && many=branche
	req POST "$P/${many}s" '{"name":"one"}'; valid "P/${many}s"
	req GET "$P/${many}s"; valid "P/${many}s"
	req PATCH "$P/${many}s/one" '{"archived":true}'; valid "P/${many}s/{$noun}"
done
req GET "$P/allowed/view"; valid 'P/allowed/{permission}'
req PUT "$P/workloads/w" '{"kind":"command","command":["true"]}'; valid 'P/workloads/{name}'
req GET "$P/workloads"; valid P/workloads
req GET "$P/workloads/w/cells"; valid 'P/workloads/{name}/cells'
req POST /v0/tokens '{"name":"t","project":"demo","scopes":["submit"]}'; valid /v0/tokens
req GET /v0/tokens; valid /v0/tokens
for path in /readyz /version /v0/server/config/console; do
	req GET $path; valid $path
done

# --- what Bencher's client asks first ---
req GET //v0/server/version '' -H 'api-version: 0.6.12'
expect "the client's version comes back through two slashes" 200 'd["version"]' 0.6.12
req GET //v0/server/config/console
expect "the console is an origin" 200 'd["url"].count("/")' 2

# --- bad input ---
# status|field|method|path|body
while IFS='|' read -r want field method path data; do
	req "$method" "$path" "$data"
	if [ "$status" = "$want" ] && { [ -z "$field" ] || [ "$(json 'd["errors"][0]["pointer"]')" = "$field" ]; }; then
		pass "$want $field for $method $path $data"
	else
		fail "$want $field for $method $path $data"; diag "$status $body"
	fi
done <<EOF
404||GET|/v0/nothing|
405||PUT|/v0/projects|{}
400||POST|/v0/projects|{"name":
400||POST|/v0/projects|{"name":"a","name":"b"}
422|/name|POST|/v0/projects|{"name":[]}
422|/name|POST|/v0/projects|{}
422|/slug|POST|/v0/projects|{"name":"a","slug":"../x"}
422|/workload|POST|$P/jobs|{"workload":5}
404||POST|$P/jobs|{"workload":"no.such.kernel"}
422|/wrkload|POST|$P/jobs|{"wrkload":"stream.triad"}
422|/protocol/processes|POST|$P/jobs|{"workload":"stream.triad","protocol":{"processes":0}}
422|/protocol/proceses|POST|$P/jobs|{"workload":"stream.triad","protocol":{"proceses":3}}
422|/parameters/sise|POST|$P/jobs|{"workload":"stream.triad","parameters":{"sise":"1Mi"}}
422|/priority|POST|$P/jobs|{"workload":"stream.triad","priority":"urgent"}
404||GET|$P/jobs/00000000-0000-4000-8000-000000000000|
400|state|GET|$P/jobs?state=qeued|
400|limit|GET|$P/jobs?limit=0|
400|per_page|GET|$P/branches?per_page=999|
400|base|GET|$P/compare|
404||GET|$P/compare?base=abcdef0&head=main|
400|fail_on|GET|$P/gate?base=a&head=b&fail_on=slowr|
400|failon|GET|$P/gate?base=a&head=b&failon=slower|
400|stat|GET|$P/jobs?stat=queued|
400|threshold|GET|$P/compare?base=a&head=b&threshold=x|
406||GET|$P/jobs?format=svg|
406||GET|$P/jobs?format=docx|
422|/kind|PUT|$P/workloads/w|{"kind":"comand"}
422|/comand|PUT|$P/workloads/w|{"kind":"command","comand":["true"]}
422|/scopes/0|POST|/v0/tokens|{"name":"x","scopes":["root"]}
404||GET|/v0/projects/nobody|
EOF
"$PYTHON3" -c 'print("{\"name\":\"" + "x" * 70000 + "\"}")' >"$tmp/large"
req POST /v0/projects '' -H 'Content-Type: application/json' --data-binary "@$tmp/large"
expect "a body over the limit is 413" 413
req POST /v0/projects '' -H 'Content-Type: text/yaml' --data-binary 'name: x'
expect "another media type is 415" 415
req GET '/v0/projects/%00'
expect "a NUL in the path is 400" 400
req POST $P/jobs '{"workload":"stream.triad","base_argv":["true"],"head_argv":["true"]}'
check_match "a command line needs the configuration's leave" "$status $body" '^(403|422).*allow_adhoc_commands'

# --- waiting and cancelling ---
req POST $P/jobs '{"workload":"stream.triad"}'
expect "a job is filed" 202 'd["workload"]' stream.triad
valid P/jobs
job=$(json 'd["uuid"]')
curl -sS -m 60 "$url$P/jobs/$job?wait=50s" >"$tmp/waited" &
waiter=$!
curl -sSN -m 60 "$url$P/jobs/$job/events" >"$tmp/events" &
listener=$!
wait_for 30 grep -q 'event: ' "$tmp/events"
req DELETE "$P/jobs/$job"
expect "it is cancelled" 202 'd["state"]' canceled
check "the waiting request ends" wait $waiter
check_match "and has the final state" "$(cat "$tmp/waited")" '"state": *"canceled"'
check "the event stream ends" wait $listener
req DELETE "$P/jobs/$job"
expect "a second time is 409" 409
req POST $P/jobs '{"workload":"stream.triad"}' -H 'Idempotency-Key: k'
first=$(json 'd["uuid"]')
req POST $P/jobs '{"workload":"stream.triad"}' -H 'Idempotency-Key: k'
check_equal "a key files once" "$(json 'd["uuid"]')" "$first"
req GET /v0/queue; valid /v0/queue
req GET '/v0/queue.txt'
check_match "the queue tells itself in text" "$body" '^0 running, 1 waiting$'
req GET /metrics
check_match "the metrics count it" "$body" '^benchd_jobs\{state="(queued|waiting_host)"\} 1$'
req GET /
check_match "curl gets help" "$body" "curl -H 'Accept: text/plain' --json"
kill "$daemon"; wait "$daemon" 2>/dev/null

# --- a real job ---
if [ ! -x "$top_builddir/benchd-worker" ] || [ ! -x "$top_builddir/benchd-kernel" ]; then
	skip "a real job ends in a verdict" "no worker or no kernels are built"
	done_testing
fi
tmp_state=$tmp/state2
mkdir -p "$tmp_state"
spawn "$tmp/daemon2.log" "$top_builddir/benchd" --listen 127.0.0.1:0 --state "$tmp_state"
wait_for 20 grep -q 'listening on http' "$tmp/daemon2.log"
url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$tmp/daemon2.log" | head -n 1)
req POST "$P/jobs?wait=120s" '{"workload":"stream.triad","parameters":{"size":"1Mi"},"protocol":{"processes":3,"max_processes":3,"samples":3,"idle_wait":0}}' -m 130
expect "a job runs while the request waits" 200 'd["state"]' succeeded
job=$(json 'd["uuid"]') report=$(json 'd["report"]')
req GET "$P/jobs/$job?format=text"
check_match "its text has a row for the kernel" "$body" '^stream\.triad.* [0-9.]+ (ns|us|ms|s) '
check_match "and ends in a verdict" "$(printf '%s\n' "$body" | tail -n 1)" '^(measured|same|slower|faster|unknown): '
req GET "$P/reports/$report?samples=1"
expect "its report has three processes" 200 'sum(not p["replaced"] for p in d["processes"])' 3
valid 'P/reports/{report}'
expect "and statistics" 200 'all(m["statistics"]["min"] <= m["metric"]["value"] <= m["statistics"]["max"] for b in d["results"][0] for m in b["measures"])' True
for form in md csv html openmetrics; do
	req GET "$P/reports/$report?format=$form"
	expect "its report comes as $form" 200
done
req GET "$P/reports/$report?format=hyperfine"
expect "and as hyperfine exports it, a time a process" 200 'len(d["results"][0]["times"]), len(d["results"][0]["exit_codes"])' '3 3'
expect "in seconds, with a mean that is the mean of them" 200 'abs(sum(d["results"][0]["times"]) / 3 / d["results"][0]["mean"] - 1) < 1e-12 and 1e-7 < d["results"][0]["mean"] < 10' True
req GET "$P/series?branch=main&testbed=$(curl -sS "$url/v0/testbeds/live" | "$PYTHON3" -c 'import json,sys; print(json.load(sys.stdin)[0]["testbed"])')&benchmark=stream.triad%5Bsize%3D1Mi%5D&measure=latency"
check_match "one history has its point" "$status $body" '^200 .*"points": *\[\{'
req GET "$P/series"; valid P/series
check_match "it has series" "$body" '"n_points": *1'
req GET "$P/series/$(json 'd[0]["id"]')"; valid 'P/series/{series}'
for path in jobs reports changes alerts; do
	req GET "$P/$path"; valid "P/$path"
done
req GET "$P/jobs/$job"; valid 'P/jobs/{job}'
req GET "$P/jobs/$job/processes"; valid 'P/jobs/{job}/processes'
req GET /v0/testbeds/live; valid /v0/testbeds/live
req GET "$P/environments/$(json 'd[0]["environment"]["id"]')"; valid 'P/environments/{id}'
req GET "$P/gate?job=$job&fail_on=slower"
expect "its gate is not slower" 200
valid P/gate
req GET "$P/compare?base=$report&head=$report"
expect "it compares with itself" 200 'd["counts"]["slower"] + d["counts"]["faster"]' 0
valid P/compare

# --- units ---
cat >"$tmp/units" <<'EOF'
#!/bin/sh
exec >&"$BENCHD_RESULT_FD"
echo '{"benchmark":"u","unit":"us","samples":[5]}'
echo '{"benchmark":"u","measure":"throughput","better":"higher","unit":"GB/s","samples":[50]}'
EOF
chmod +x "$tmp/units"
req PUT "$P/workloads/units" "{\"kind\":\"command\",\"command\":[\"$tmp/units\"],\"protocol\":{\"processes\":1,\"max_processes\":1,\"samples\":1,\"warmup\":0,\"idle_wait\":0}}"
expect "a workload that reports other units is saved" 200
req POST "$P/jobs?wait=60s" '{"workload":"units"}'
expect "it runs" 200 'd["state"]' succeeded
req GET "$P/reports/$(json 'd["report"]')"
expect "microseconds are kept in ns, GB/s beside ops/s" 200 'sorted((m["measure"]["name"], m["measure"]["units"], m["metric"]["value"]) for b in d["results"][0] for m in b["measures"] if m["measure"]["slug"][:6] in ("latenc", "throug"))' \
	"[('Latency', 'nanoseconds (ns)', 5000.0), ('Throughput (GB/s)', 'GB/s', 50.0)]"
done_testing
