#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Another environment or definition, and another build of benchd-kernel under its own kernels, begin a
# history anew and are no regression; the report, the page of the history and the comparison say so, and
# what differs.
. "${top_srcdir:-.}/tests/lib/story.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
cpus=$("$python" -c 'import os; print(*sorted(os.sched_getaffinity(0)))')
first=${cpus%% *}
[ "$cpus" != "$first" ] || skip_all "this host has one processor"
BENCHD_LOCK_DIR=$tmp
export BENCHD_LOCK_DIR
cat >"$tmp/benchd.yaml" <<EOF
allow_adhoc_commands: true
worker: {embedded: false, socket: $tmp/worker.sock}
EOF
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
P=/v0/projects/p worker=
mkdir "$tmp/bin"
cp "$top_builddir/benchd-worker" "$top_builddir/benchd-kernel" "$tmp/bin"
start_worker() { # OPTION...: the worker is there anew
	[ -z "$worker" ] || { kill "$worker"; wait "$worker"; }
	spawn "$tmp/worker.log" "$tmp/bin/benchd-worker" --socket "$tmp/worker.sock" --state "$tmp/worker" "$@"
	worker=$spawned
}
commit() { printf '%08d%032d' "$1" 0; }
run() { # COMMIT [ARGUMENT]: its report
	curl -s -m 120 -H 'Content-Type: application/json' --data "{\"head\":\"$(commit "$1")\",\"definition\":{\"name\":\"same\",\"kind\":\"command\",\"command\":[\"sleep\",\"${2:-0.01}\"],\"isolation\":\"none\",\"slot\":\"shared\",\"protocol\":{\"processes\":2,\"adaptive\":false,\"idle_wait\":0}}}" "$url$P/jobs?wait=100s" | "$python" -c "import json,sys; print(json.load(sys.stdin)['report'])"
}
as() { curl -s -m 60 -H "Accept: $1" "$url$2"; }
series() { as application/json "$P/series" | "$python" -c 'import json,sys; print([s["id"] for s in json.load(sys.stdin) if s["measure"]["name"] == "Latency"][0])'; }
start_worker
run 1 >/dev/null
old=$(run 2)
check "in a history of one environment nothing is noted" sh -c "curl -s -H 'Accept: text/plain' '$url$P/reports/$old' >'$tmp/old' && grep -q Latency '$tmp/old' && ! grep -q 'is another one' '$tmp/old'"
start_worker --cpus "$first"
new=$(run 3)
what="from commit 00000003 on the environment is another one \(cpus: [0-9,-]+ -> $first\): what was measured before is no baseline"
for type in text/plain text/markdown text/html; do
	check_match "the report says so in $type" "$(as $type "$P/reports/$new" | sed 's/&gt;/>/g; s/\\//g')" "[nN]ote: $what"
done
check_match "the history too" "$(as text/plain "$P/series/$(series)")" "note: $what"
check_match "and its page" "$(as text/html "/projects/p/series/$(series)" | sed 's/&gt;/>/g')" "<p>Note: $what"
check_match "in JSON with its reason" "$(as application/json "$P/series/$(series)")" '"reason": *"environment", *"text": *"from commit 00000003'
check_match "a comparison across it decides nothing" "$(as text/plain "$P/compare?base=$(commit 2)&head=$(commit 3)")" "unknown: the two were measured in different environments"
check_match "and names the difference" "$(as text/plain "$P/compare?base=$(commit 2)&head=$(commit 3)")" "environments differ in: cpus"
check_match "the next report knows since when" "$(as text/plain "$P/reports/$(run 4)")" "note: from commit 00000003 on the environment"
check_match "another definition does the same" "$(as text/plain "$P/reports/$(run 5 0.02)")" "note: from commit 00000005 on the workload is defined otherwise"

# The program of the built-in kernels.
file() { # COMMIT DEFINITION: its report
	curl -s -m 120 -H 'Content-Type: application/json' --data "{\"head\":\"$(commit "$1")\",\"definition\":$2}" "$url/v0/projects/k/jobs?wait=100s" | "$python" -c "import json,sys; print(json.load(sys.stdin)['report'])"
}
quick='"isolation":"none","slot":"shared","protocol":{"processes":2,"samples":1,"warmup":0,"iterations":1,"adaptive":false,"idle_wait":0}'
kernel() { # COMMIT [MEMBERS]
	file "$1" "{\"kind\":\"kernel\",\"kernel\":\"reduce.sum\",\"parameters\":{\"size\":\"1Ki\"},$quick${2:-}}"
}
command() { file "$1" "{\"name\":\"c\",\"kind\":\"command\",\"command\":[\"true\"],$quick}"; }
program() { as application/json "/v0/projects/k/reports/$1" | "$python" -c 'import json,sys; d=json.load(sys.stdin); print(d["summary"].get("programs",{}).get("benchd-kernel"), *{m.get("program") for r in d["results"][0] for m in r["measures"]})'; }
other() { # TO N: benchd-kernel with another letter N of a text in it
	"$python" - "$tmp/bin/benchd-kernel" "$1" "$2" <<'END'
import os, sys
code = open(sys.argv[1], "rb").read()
at = code.lower().index(b"kernels are ids, aliases") + int(sys.argv[3])
open(sys.argv[2], "wb").write(code[:at] + bytes([code[at] ^ 32]) + code[at + 1:])
os.chmod(sys.argv[2], 0o755)
END
}
one=$(kernel 1) also=$(command 1)
check_match "a report has the program of its kernels" "$(program "$one")" "^([0-9a-f]{64}) \1\$"
check_equal "and of a command none" "$(program "$also")" "None None"
printf 'debug information' >>"$tmp/bin/benchd-kernel"
second=$(kernel 2)
check_equal "debug information is not the program" "$(program "$second")" "$(program "$one")"
check "so nothing begins" sh -c "! curl -s -H 'Accept: text/plain' '$url/v0/projects/k/reports/$second' | grep -q 'another build'"
other "$tmp/other" 0 && mv "$tmp/other" "$tmp/bin/benchd-kernel"
third=$(kernel 3)
what="from commit 00000003 on another build of benchd-kernel measures \([0-9a-f]{8} -> [0-9a-f]{8}\): what was measured before is no baseline"
for type in text/plain text/markdown text/html; do
	check_match "another program begins anew in $type" "$(as $type "/v0/projects/k/reports/$third" | sed 's/&gt;/>/g; s/\\//g')" "[nN]ote: $what"
done
k=$(as application/json /v0/projects/k/series | "$python" -c 'import json,sys; print([s["id"] for s in json.load(sys.stdin) if s["measure"]["name"] == "Latency" and "reduce" in s["benchmark"]["name"]][0])')
check_match "the history says so" "$(as text/plain "/v0/projects/k/series/$k")" "note: $what"
check_match "and its page" "$(as text/html "/projects/k/series/$k" | sed 's/&gt;/>/g')" "<p>Note: $what"
check_match "in JSON with its reason" "$(as application/json "/v0/projects/k/series/$k")" '"reason": *"program", *"text": *"from commit 00000003'
check_match "a comparison across it decides nothing" "$(as text/plain "/v0/projects/k/compare?base=$(commit 2)&head=$(commit 3)")" "measured by other builds of benchd-kernel"
also=$(command 3)
check "a command does not mind" sh -c "curl -s -H 'Accept: text/plain' '$url/v0/projects/k/reports/$also' >'$tmp/also' && grep -q Latency '$tmp/also' && ! grep -q 'another build' '$tmp/also'"
other "$tmp/other" 1
mixed=$(kernel 4 ",\"cleanup\":[],\"conclude\":[[\"sh\",\"-c\",\"mv $tmp/other $tmp/bin/benchd-kernel || :\"]]")
check_match "what two programs measured is measured again" "$(program "$mixed")" "^([0-9a-f]{64}) \1\$"
check "by the second" test "$(program "$mixed")" != "$(program "$third")"
# A job that goes on behind a restart of the worker, on another program.
hook="n=\$(cat $tmp/n 2>/dev/null || echo 0); echo \$((n + 1)) >$tmp/n; [ \$n -lt 2 ] || until [ -e $tmp/go ]; do sleep 0.05; done"
self=$(curl -s -m 60 -H 'Content-Type: application/json' --data "{\"head\":\"$(commit 4)\",\"definition\":{\"kind\":\"kernel\",\"kernel\":\"reduce.sum\",\"parameters\":{\"size\":\"1Ki\"},\"prepare\":[[\"sh\",\"-c\",\"$hook\"]],\"isolation\":\"none\",\"slot\":\"shared\",\"protocol\":{\"processes\":4,\"samples\":1,\"warmup\":0,\"iterations\":1,\"adaptive\":false,\"idle_wait\":0}}}" "$url/v0/projects/k/jobs" | "$python" -c 'import json,sys; print(json.load(sys.stdin)["links"]["self"])')
wait_for 30 sh -c "curl -s '$self' | $python -c 'import json,sys; sys.exit(json.load(sys.stdin)[\"progress\"][\"done\"] < 2)'"
kill -9 "$worker"; wait "$worker" 2>/dev/null; worker=
other "$tmp/other" 2 && mv "$tmp/other" "$tmp/bin/benchd-kernel"
: >"$tmp/go"
start_worker --cpus "$first"
report=$(curl -s -m 120 "$self?wait=100s" | "$python" -c 'import json,sys; print(json.load(sys.stdin)["report"])')
check_equal "what the earlier program measured does not count" "$(as application/json "/v0/projects/k/reports/$report?samples=1" | "$python" -c 'import json,sys; p=json.load(sys.stdin)["processes"]; print(len({x["program"] for x in p}), len({x["program"] for x in p if not x["replaced"]}), sum(not x["replaced"] for x in p))')" "2 1 4"

# The driver of a Vulkan device compiles the shaders: another one, played by what stands before the kernels.
real=$(realpath "$top_builddir/benchd-kernel")
if "$real" devices | grep -q '^vulkan .*llvmpipe'; then
	cat >"$tmp/other" <<EOF
#!/bin/sh
[ "\$1" = run ] || exec "$real" "\$@"
eval "exec 5>&\$BENCHD_RESULT_FD"
BENCHD_RESULT_FD=3 "$real" "\$@" 3>&1 >/dev/null | sed "s/\"driver_version\":\"[^\"]*\"/\"driver_version\":\"\$(cat "$tmp/driver")\"/" >&5
EOF
	chmod +x "$tmp/other" && mv "$tmp/other" "$tmp/bin/benchd-kernel"
	shader() { file "$1" "{\"kind\":\"kernel\",\"kernel\":\"reduce.sum\",\"parameters\":{\"backend\":\"vulkan\",\"device\":\"cpu\",\"size\":\"small\"},$quick}"; }
	echo 7.1 >"$tmp/driver"
	shader 5 >/dev/null
	same=$(as text/plain "/v0/projects/k/reports/$(shader 6)")
	echo 7.2 >"$tmp/driver"
	check_match "another Vulkan driver begins anew" "$(as text/plain "/v0/projects/k/reports/$(shader 7)")" "from commit 00000007 on another Vulkan driver runs the shaders \(llvmpipe.*, llvmpipe 7.1 \(.*\), Vulkan [0-9.]+ -> .* 7.2 "
	check "and the same does not" sh -c "printf '%s' \"\$1\" | grep -q Latency && ! printf '%s' \"\$1\" | grep -q 'another'" - "$same"
else
	skip "another Vulkan driver begins anew" "there is no software device"
fi
check_equal "nobody is alarmed about kernels" "$(as application/json /v0/projects/k/alerts)" "[]"
check_equal "nobody is alarmed" "$(as application/json "$P/alerts")" "[]"
done_testing
