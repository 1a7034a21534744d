#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchctl bench: one command, scans over parameters, two commands; hooks, input, output, page
# cache, exit codes and the export, each seen to do what it says.
. "${top_srcdir:-.}/tests/lib/story.sh"
python=$(command -v /usr/bin/python3 || command -v python3) || skip_all "python3 is not installed"
BENCHD_LOCK_DIR=$tmp/lock
mkdir "$tmp/lock"
export BENCHD_LOCK_DIR
ctl=$top_builddir/benchctl
echo "allow_adhoc_commands: true" >"$tmp/benchd.yaml"
check "the daemon starts" start_daemon --config "$tmp/benchd.yaml"
HOME=$tmp BENCHD_HOST=$url BENCHD_PROJECT=p
export HOME BENCHD_HOST BENCHD_PROJECT
bench() { "$ctl" bench --no-idle-wait "$@" 2>&1; }
P=/v0/projects/p
ask() { "$python" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
report_of() { "$ctl" jobs --json | ask 'max(d, key=lambda j: j["created"])["report"]'; }
last() { "$ctl" report --samples --json "$(report_of)" | ask "$1"; }

out=$(bench -n 3 -w 2 --setup "echo s >>$tmp/seen" --prepare "echo p >>$tmp/seen" --conclude "echo c >>$tmp/seen" --cleanup "echo e >>$tmp/seen" --export-json "$tmp/out.json" -- sh -c "echo x >>$tmp/seen")
# More than three where a noisy one was replaced.
check_match "setup, two runs thrown away, three that count, cleanup" "$(tr -d '\n' <"$tmp/seen")" "^s(pxc){5,6}e$"
check_match "the result is printed" "$out" "^command +Latency"
check_equal "the export has a time a run" "$(ask '[(len(r["times"]), r["exit_codes"]) for r in d["results"]]' <"$tmp/out.json")" "[(3, [0, 0, 0])]"

out=$(bench -n 1 --scan n=1:7:3 --list "w=a,b c" --prepare "echo {n}{w}'{x}' >>$tmp/hooks" --export-json "$tmp/out.json" -- test "{n}{w}" != "2a")
check_equal "ranges and lists multiply" "$(ask 'sorted((r["parameters"]["n"], r["parameters"]["w"]) for r in d["results"])' <"$tmp/out.json")" "[('1', 'a'), ('1', 'b c'), ('4', 'a'), ('4', 'b c'), ('7', 'a'), ('7', 'b c')]"
check_equal "prepare knows the parameters; other braces are the shell's" "$(sort "$tmp/hooks" | tr '\n' ',')" "1a{x},1b c{x},4a{x},4b c{x},7a{x},7b c{x},"
check_match "a range of fractions" "$(bench --dry-run --scan x=0.1:0.5:0.2 -- true)" '"from": 0.1'
bench -n 1 --scan x=0.1:0.5:0.2 -- test "{x}" != 0 >/dev/null
check_equal "its values are what was meant" "$(last 'sorted(b["parameters"]["x"] for b in d["results"][0])')" "[0.1, 0.3, 0.5]"
check_match "a range that leads nowhere" "$(bench --scan n=5:1 -- true)" "'matrix/n' must lead from 'from' to 'to' in 1 to 1000 steps"
check_match "a scan that cannot be read" "$(bench --scan n=5 -- true)" "NAME=FROM:TO"

bench -n 1 -- sh -c 'exit 3' >/dev/null
check_equal "a failing command fails" "$?" 5
bench -n 1 --exit-codes 0,3 -- sh -c 'exit 3' >/dev/null
check_equal "unless its status is allowed" "$?" 0
bench -n 1 -i -- sh -c 'exit 200' >/dev/null
check_equal "or all are" "$?" 0
check_equal "which is kept" "$(last '[p["exit"] for p in d["processes"]]')" "[200]"

echo "41 and one" >"$tmp/data"
bench -n 1 --input "$tmp/data" -- sh -c 'read a b c && [ "$a $b $c" = "41 and one" ]' >/dev/null
check_equal "input is read from a file" "$?" 0
bench -n 1 -- sh -c '! read a' >/dev/null
check_equal "without one there is nothing to read" "$?" 0
check_match "a file that is not there is named" "$(bench -n 1 --input "$tmp/none" -- cat)" "cannot start 'cat': input: No such file"
bench -n 1 -- sh -c '[ -p /proc/self/fd/1 ]' >/dev/null
check_equal "output is captured" "$?" 0
bench -n 1 --output discard -- sh -c '[ /proc/self/fd/1 -ef /dev/null ] && ! [ /proc/self/fd/2 -ef /dev/null ]' >/dev/null
check_equal "or discarded, but for complaints" "$?" 0

bench -n 1 --cache warm -- sh -c "echo x >>$tmp/warm" >/dev/null
check_equal "a warm cache takes one run first" "$(wc -l <"$tmp/warm")" 2
check_equal "and the record says so" "$(last '[p["cache"] for p in d["processes"]]')" "['warm']"
out=$(bench -n 1 --cache cold -- true)
if [ "$(id -u)" = 0 ] && [ -w /proc/sys/vm/drop_caches ]; then
	check_equal "cold is dropped before the run" "$(last '[p["cache"] for p in d["processes"]]')" "['cold']"
else
	check_match "cold needs root, and says so" "$out" "'cache' is cold, and the page cache cannot be dropped.*must run as root; or say warm"
fi
check_match "a word that it is not" "$(bench --cache hot -- true)" "'cache' must be 'any', 'warm' or 'cold'"

out=$(bench -n 10 -- sleep 0.01 --- sleep 0.05)
check_match "two commands are compared in blocks" "$out" "slower"
out=$(bench -n 6 --control -- sleep 0.01 --- sleep 0.02)
check_match "the control says what the host shows between equals" "$out" "^base against itself: largest difference [+-][0-9.]+ % over 1 benchmark, (none|1) called different"
job=$("$ctl" jobs --json | ask 'max(d, key=lambda j: j["created"])["uuid"]')
check_equal "in JSON too, from processes of its own" "$("$ctl" compare --job "$job" --json | ask '[(r["control"]["n"] >= 6, r["control"]["outcome"] in ("same", "unknown", "faster", "slower")) for r in d["rows"] if r["measure"] == "Latency"], d["control"]["rows"]')" "[(True, True)] 1"
check_match "it needs two commands" "$(bench --control -- true)" "control needs two commands"
check_match "nothing to run is said" "$(bench)" "give a command behind --"
done_testing
