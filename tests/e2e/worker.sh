#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Measured processes in one-job mode: results, limits, failures with their reasons, confinement.
. "${top_srcdir:-.}/tests/lib/story.sh"
worker=$top_builddir/benchd-worker
[ -x "$worker" ] || skip_all "benchd-worker is not built"
BENCHD_LOCK_DIR=$tmp/lock # other tests on this host do not wait for ours
TMPDIR=$tmp/work
export BENCHD_LOCK_DIR TMPDIR
mkdir "$tmp/lock" "$tmp/work"

# job ARGV-AS-JSON [MORE-MEMBERS] : runs it; the messages are in $out, the exit status in $status
job() {
	printf '%s' "{\"kind\":\"command\",\"cells\":[{\"id\":\"0\",\"benchmark\":\"b\",\"argv\":$1${3:-}}],
	\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait_ns\":0}${2:-}}" >"$tmp/job.json"
	out=$("$worker" --run "$tmp/job.json" ${options:-} 2>&1); status=$?
}
# says LINE : a program that writes this line to its result descriptor
says() { printf "cat <<'X' >&3\n%s\nX\n" "$1" >"$tmp/says.sh"; job "[\"sh\",\"$tmp/says.sh\"]"; }
options=
ended() { echo "$out" | grep '"type":"done"' | sed 's/.*"status":"\([a-z_]*\)","fault":\("\([a-z_]*\)"\|null\).*/\1 \3/; s/ $//'; }
number() { echo "$out" | grep '"type":"process"' | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" | head -n 1; }
gone() { ! ps -eo args | grep -v grep | grep -q -- "$1"; }

job '["true"]'
check_equal "a command succeeds" "$(ended)/$status" succeeded/0
check_match "it is timed from outside" "$out" '"measure":"latency","unit":"ns"'

# --- the result protocol ---
echo 'echo "{\"benchmark\":\"sum\",\"measure\":\"latency\",\"unit\":\"ns\",\"warmup\":[9],\"samples\":[5,6]}" >&$BENCHD_RESULT_FD; echo noise' >"$tmp/prog.sh"
job "[\"sh\",\"$tmp/prog.sh\"]"
check_match "a shell program reports its samples" "$out" '"benchmark":"sum","measure":"latency","unit":"ns","samples":\[5.0,6.0\],"warmup":\[9.0\]'
check_match "its output is logged beside them" "$out" '"stream":"stdout","data":"noise\\n"'
job "[\"sh\",\"-c\",\"env; ls -l /proc/self/fd | wc -l\"]" ',"environment":{"OWN":"yes"}'
check_match "the environment is clean but for what the job names" "$out" 'OWN=yes'
check_equal "no variable of the worker leaks" "$(echo "$out" | grep -c BENCHD_LOCK_DIR)" 0
says '{"hello":{}}'
check_equal "a hello without a sample is no result" "$(ended)" "failed no_result"
says nonsense
check_match "a broken line is named" "$out" 'line 1 on BENCHD_RESULT_FD is wrong'
says '{"verify":{"ok":false}}'
check_match "a wrong answer fails" "$out" 'verification failed'
says '{"error":"no device"}'
check_match "an error in the program's words fails with exit status 0" "$out" 'reported an error: no device'
job '["sh","-c","echo printed"]' "" ',"adapter":"json"'
check_match "stdout goes into the record for an adapter" "$out" '"output":"printed\\n"'
job '["true"]' "" ',"adapter":"json"'
check_equal "an adapter with nothing to read is no result" "$(ended)" "failed no_result"

# --- failures name what to change ---
job '["/no/such/program"]'
check_match "a missing program" "$out" "failed_start.*cannot start '/no/such/program': No such file"
printf '\177ELF nonsense' >"$tmp/broken"; chmod +x "$tmp/broken"
job "[\"$tmp/broken\"]"
check_match "a file that is no program" "$out" '"failed_step":"exec","failed_errno":8'
job '["sh","-c","echo because >&2; exit 3"]'
check_equal "an exit status fails" "$(ended)/$status" "failed program/1"
check_match "with the last line it said" "$out" "exited with 3, which is not in exit_codes; it said: because"
job '["sh","-c","exit 3"]' ',"exit_codes":[0,3]'
check_equal "unless the job allows it" "$(ended)" succeeded
job '["sh","-c","kill -SEGV $$"]'
check_match "a signal is named" "$out" 'ended by signal 11'
job '["sh","-c","dd if=/dev/zero of=big bs=1024 count=64"]' ',"limits":{"file_size_bytes":4096}'
check_match "the file size limit" "$out" "(larger than limits.file_size|exited with 1)"
job '["true"]' ',"setup":[["sh","-c","echo no disk; exit 1"]]'
check_match "a setup step" "$out" "setup step 1 failed: 'sh' exited with 1: no disk"
job '["true"]' ',"limits":{"time_ns":"1s"}'
check_match "a wrong spec" "$out" "'time_ns' must be an integer"

# --- limits and what is left behind ---
job '["sh","-c","i=0; while [ $i -lt 3000 ]; do echo line-$i; i=$((i+1)); done"]' ',"limits":{"output_bytes":1000}'
check_match "a flood keeps its head" "$out" 'line-0\\n'
check_match "and its tail" "$out" 'line-2999\\n'
check_match "and says what is missing" "$out" 'bytes left out'
job '["sh","-c","(setsid sleep 7101 &) ; (setsid sh -c \"trap : TERM; sleep 7102; sleep 7103\" &) ; sleep 7104"]' ',"limits":{"time_ns":300000000}'
check_equal "a process that does not end is ended" "$(ended)/$status" timed_out/3
check_match "as a timeout that names the limit" "$out" "did not end within 300 ms; raise limits.time"
check "with all it started" gone "sleep 710[1-4]"
bomb='["sh","-c","i=0; while [ $i -lt 60 ]; do (setsid sh -c \"while :; do sleep 7.105 & sleep 0.01; done\" &); i=$((i+1)); done"]'
job "$bomb"
check_equal "forking strays do not fail a job" "$(ended)" succeeded
check "they are counted ($(number strays))" test "$(number strays)" -ge 60
check "they are gone (cgroup where there is one)" gone "sleep 7.105"
options=--no-cgroup
job "$bomb"
check "they are counted without a cgroup ($(number strays))" test "$(number strays)" -ge 60
check "they are gone without a cgroup" gone "sleep 7.105"
options=

# --- what an earlier attempt stored is not measured again ---
old='"noise":"clean","value":1000000.0'
job '["true"]' ",\"have\":[{\"cell\":\"0\",\"arm\":\"head\",\"index\":0,\"block\":0,$old}]"
check_equal "one of one is there: nothing runs" "$(ended)/$(echo "$out" | grep -c '"type":"process"')" succeeded/0
job '["true"]' ",\"have\":[{\"cell\":\"0\",\"arm\":\"head\",\"index\":4,\"block\":4,\"seq\":7,\"noise\":\"noisy\",\"replaced\":true,\"value\":1.0}]"
check_equal "a replaced one does not count; numbers go on" "$(number seq)/$(number index)" 8/5

# --- memory: the third reads as the first ---
if cc --version >/dev/null 2>&1; then
	printf '#include <stdlib.h>\n#include <string.h>\nint main(int c,char**v){size_t n=(size_t)atoi(v[1])<<20;char*p=malloc(n);memset(p,1,n);return c<0?p[n/2]:0;}\n' >"$tmp/mem.c"
	cc -O0 -o "$tmp/mem" "$tmp/mem.c"
	sed -n '/^```c$/,/^```$/p' "$top_srcdir/docs/result-protocol.md" | grep -v '^```' >"$tmp/example.c"
	cc -o "$tmp/example" "$tmp/example.c"
	job "[\"$tmp/example\"]"
	check_match "the C program of the protocol's page reports" "$out" '"benchmark":"loop","measure":"latency","unit":"ns","samples":\[[0-9]'
	cell() { echo "{\"id\":\"$1\",\"benchmark\":\"m\",\"argv\":[\"$tmp/mem\",\"$2\"]}"; }
	echo "{\"kind\":\"command\",\"cells\":[$(cell 0 10),$(cell 1 200),$(cell 2 10)],\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait_ns\":0}}" >"$tmp/job.json"
	out=$("$worker" --run "$tmp/job.json")
	check_match "memory is told" "$out" '"measure":"memory-peak","unit":"B"'
	check_match "how far the job is, and in which cell" "$(echo "$out" | grep '"type":"progress"')" '"done":3,"total":3,"cell":"[0-2]"'
	rss() { echo "$out" | grep "\"cell\":\"$1\"" | sed -n 's/.*"maxrss_kib":\([0-9]*\).*/\1/p'; }
	first=$(rss 0) second=$(rss 1) third=$(rss 2)
	check "a small one ran behind the large one" test "$(echo "$out" | sed -n 's/.*"type":"process".*"cell":"\([0-9]\)".*/\1/p' | tail -n 1)" != 1
	check "10 MiB read as 10 and a little ($first KiB)" test "$first" -ge 10240 -a "$first" -lt 20480
	check "200 MiB read as 200 ($second KiB)" test "$second" -ge 204800 -a "$second" -lt 225280
	check "10 MiB after it read as 10 again ($third KiB)" test "$third" -ge 10240 -a "$third" -lt 20480
	# Peak memory survives exec: what the worker has in memory at the fork is the least one sees.
	awk 'BEGIN { for (i = 0; i < 40000; i++) printf "%s{\"cell\":\"1\",\"arm\":\"head\",\"index\":%d,\"seq\":%d,\"block\":%d,\"noise\":\"clean\",\"value\":1e6}", (i ? "," : ""), i, i, i }' >"$tmp/have"
	echo "{\"kind\":\"command\",\"cells\":[$(cell 0 10),$(cell 1 200)],\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait_ns\":0},\"have\":[$(cat "$tmp/have")]}" >"$tmp/job.json"
	out=$("$worker" --run "$tmp/job.json")
	if grep -q __asan_init "$worker"; then
		skip "beside 40,000 processes of an earlier attempt 10 MiB are 10" "AddressSanitizer keeps what was freed"
	else
		check "beside 40,000 processes of an earlier attempt 10 MiB are 10 ($(rss 0) KiB)" test "$(rss 0)" -ge 10240 -a "$(rss 0)" -lt 20480
	fi
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	cells=$(for i in $(seq 0 149); do printf '%s{"id":"%s","benchmark":"m","argv":["true","%s"]}' "$([ "$i" = 0 ] || echo ,)" "$i" "$long"; done)
	printf '%s' "{\"kind\":\"command\",\"cells\":[$cells],\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait_ns\":0}}" >"$tmp/job.json"
	out=$("$worker" --run "$tmp/job.json")
	check "below the size of the worker ($(number maxrss_floor_kib) KiB) memory is not told" test "$(echo "$out" | grep -c '"measure":"memory-peak"')" = 0
	check_match "and the result says so" "$out" "\"notes\":\[\"peak memory of 'm' is not told where it is below what the worker itself had"
else
	skip "10, 200 and 10 MiB" "no C compiler"
fi

# --- confinement ---
job '["sh","-c","touch /etc/benchd-story 2>&1; touch $HOME/own && echo own-ok; cat /proc/net/dev | wc -l; grep NoNewPrivs /proc/self/status"]' ',"isolation":"strict"'
if [ "$(ended)" = succeeded ]; then
	check_match "strict: file systems are read-only" "$out" 'Read-only file system|Permission denied'
	check_match "strict: the scratch folder is writable" "$out" 'own-ok'
	check_match "strict: the layers are told" "$out" '"namespaces":true,"network_off":true,"seccomp":true'
else
	check_match "strict is refused where a layer is missing, and says which" "$out" "isolation strict needs the layer"
fi
job '["grep","NoNewPrivs","/proc/self/status"]'
check_match "basic: no new privileges" "$out" 'NoNewPrivs:\\t1'
check_equal "no folder of a job is left" "$(ls "$TMPDIR")" ""
done_testing
