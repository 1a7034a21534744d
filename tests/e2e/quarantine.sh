#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A Vulkan device that is lost twice in a row is quarantined until an operator clears it.
. "${top_srcdir:-.}/tests/lib/story.sh"
benchctl=$top_builddir/benchctl kernel=$top_builddir/benchd-kernel
"$kernel" list stream.triad | grep -q vulkan || skip_all "built without Vulkan"
icd=$(ls /usr/share/vulkan/icd.d/lvp_icd.*.json 2>/dev/null | head -n 1)
[ -n "$icd" ] || skip_all "mesa-vulkan-drivers is not installed"
export VK_DRIVER_FILES="$icd" BENCHD_LOCK_DIR="$tmp/lock" BENCHD_FAULTS="$tmp/fault" BENCHD_CACHE_DIR="$tmp/cache"
mkdir "$tmp/lock"
start_daemon || { fail "the daemon starts"; done_testing; }
ctl() { BENCHD_HOST=$url "$benchctl" -p demo "$@"; }
body() { echo "{\"workload\":\"stream.triad\",\"parameters\":{\"size\":\"small\",$1},\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait\":0}}"; }
# file PARAMETERS : a job, waited for; sets $job (its document)
file() { job=$(curl -s --json "$(body "$1")" "$url/v0/projects/demo/jobs?wait=110s"); }
gpu='"backend":"vulkan","device":"cpu"'
at() { printf '%s' "$1" | tr -d '\n' | grep -o "\"$2\": *\(\"[^\"]*\"\|[0-9a-z]*\)" | head -n 1 | sed 's/^"[^"]*": *//; s/"//g'; }
device() { curl -s "$url/v0/devices"; }
known() { device | grep -q uuid; }
check "the probe at the start tells of the device" wait_for 60 known
uuid=$(at "$(device)" uuid)
check_equal "which is in order" "$(at "$(device)" state)" ok
check_match "a worker is shown with it" "$(curl -s "$url/v0/testbeds/live")" "\"uuid\": ?\"$uuid\".*\"state\": ?\"ok\""

# --- loss, success, loss
echo device_lost:12 >"$tmp/fault"
file "$gpu"
check_equal "a loss ends the job" "$(at "$job" state)" failed
check_equal "for the device" "$(at "$job" fault)" device
check_match "with its words" "$(at "$job" reason)" "lost the device llvmpipe.*VK_ERROR_DEVICE_LOST"
first=$(at "$job" uuid)
check_equal "which is counted" "$(at "$(device)" losses)" 1
rm "$tmp/fault"
file "$gpu"
check_equal "a success in between" "$(at "$job" state)" succeeded
check_equal "starts the count anew" "$(at "$(device)" losses)" 0
echo device_lost:12 >"$tmp/fault"
file "$gpu"
check_equal "one loss after it does not quarantine" "$(at "$(device)" state)" ok
second=$(at "$job" uuid)

# --- a crash is no loss, but is noted
echo crash:12 >"$tmp/fault"
file "$gpu"
check_equal "a crash ends the job for the device" "$(at "$job" fault)" device
check_match "with the signal" "$(at "$job" reason)" "was ended by signal 11 .*on llvmpipe"
check_match "and is in its history" "$(device)" '"kind": ?"crashed"'

# --- the second loss in a row
echo device_lost:12 >"$tmp/fault"
file "$gpu"
third=$(at "$job" uuid)
check_equal "two losses in a row quarantine" "$(at "$(device)" state)" quarantined
check_match "naming both jobs" "$(device)" "lost twice in a row: by job $second .* and by job $third"
check "not the one before the success" sh -c "! curl -s '$url/v0/devices' | grep -q 'by job $first'"
rm "$tmp/fault"
file "$gpu"
check_equal "the next job is refused" "$(at "$job" state)" failed
check_equal "for the device" "$(at "$job" fault)" device
check_match "naming it, why, and the way out" "$(at "$job" reason)" \
	"'llvmpipe.*' \\($uuid, .*\\) is quarantined since 20.*: lost twice in a row: by job $second .*benchctl devices clear $uuid"
file '"backend":"scalar"'
check_equal "jobs of the processor go on" "$(at "$job" state)" succeeded
check_match "benchctl server says so" "$(ctl server)" "llvmpipe.* \\($uuid\\) is quarantined since 20"
check_match "as does a table" "$(ctl devices)" "$uuid .*quarantined .*lost twice"
check_match "and the dashboard" "$(curl -s -H 'Accept: text/html' "$url/projects")" "quarantined"

# --- a worker asks again when it is told to
seen=$(at "$(device)" seen)
kill -HUP "$daemon"
again() { [ "$(at "$(device)" seen)" != "$seen" ]; }
check "SIGHUP has the worker probe again" wait_for 30 again
check_equal "which does not clear it" "$(at "$(device)" state)" quarantined

# --- a restart keeps it
kill "$daemon"; wait "$daemon" 2>/dev/null
start_daemon || { fail "the daemon starts again"; done_testing; }
check_equal "a restart of the daemon keeps it" "$(at "$(device)" state)" quarantined
file "$gpu"
check_match "and refuses still" "$(at "$job" reason)" "is quarantined since"

# --- an operator
out=$(ctl devices clear "$uuid" --note 'new power supply' 2>&1)
check_match "an operator clears it" "$out" "device $uuid \\(llvmpipe.*\\): ok"
check_match "who and why is kept" "$(curl -s "$url/v0/devices/$uuid")" '"kind": ?"cleared".*"by": ?"[a-z]+".*"text": ?"new power supply"'
file "$gpu"
check_equal "jobs may use it again" "$(at "$job" state)" succeeded
check_match "there is nothing more to clear" "$(ctl devices clear "$uuid" 2>&1)" "is in order: there is nothing to clear"
# --- a process that does not die; it has the lock that its job took
echo undead:1 >"$tmp/fault"
curl -s --json "{\"definition\":{\"name\":\"undead\",\"kind\":\"kernel\",\"kernel\":\"stream.triad\",\"parameters\":{\"size\":\"small\",\"isa\":\"base\",$gpu},\"limits\":{\"time\":\"5s\"}},\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait\":0}}" "$url/v0/projects/demo/jobs?wait=110s" >"$tmp/undead" &
asked=$!
lock_of() {
	for p in $(ps -eo pid,args | awk '/benchd-kernel run stream.triad/ && /--isa.base/ && !/awk/ { print $1 }'); do
		readlink "/proc/$p/fd/4" | grep -q "^$tmp/lock/host.lock$" && return
	done
	return 1
}
check "a process inherits the lock of its device" wait_for 30 lock_of
wait "$asked"
job=$(cat "$tmp/undead")
rm "$tmp/fault"
check_equal "a process that does not die of SIGKILL fails its job for the device" "$(at "$job" fault)" device
check_match "and says so" "$(at "$job" reason)" "did not die of SIGKILL within 10 s"
check_match "the device is wedged" "$(curl -s "$url/v0/devices/$uuid")" '"kind": ?"wedged"'
recovered() { curl -s "$url/v0/devices/$uuid" | grep -q '"kind": *"recovered"'; }
check "until its lock is free and a probe finds it" wait_for 30 recovered
check_equal "then it is in order" "$(at "$(device)" state)" ok
check_match "a device that nobody knows cannot be cleared" "$(ctl devices clear 00112233445566778899aabbccddeeff 2>&1)" "no worker of .* has told of a device"
kill "$daemon"; wait "$daemon" 2>/dev/null

# --- what the statuses of benchd-kernel mean, by one that says nothing else
mkdir "$tmp/bin"
cp "$top_builddir/benchd-worker" "$tmp/bin/"
cat >"$tmp/bin/benchd-kernel" <<'END'
#!/bin/sh
echo "said $STATUS" >&2
[ "$STATUS" -lt 128 ] || kill -s SEGV $$
exit "$STATUS"
END
chmod +x "$tmp/bin/benchd-kernel"
while read -r status ending fault words; do
	cat >"$tmp/job.json" <<END
{"type":"job","job":"11111111-1111-4111-8111-111111111111","attempt":1,"spec":{"kind":"kernel","environment":{"STATUS":"$status"},
"cells":[{"id":"0","benchmark":"b","argv":["benchd-kernel","run","gemm"]}],"protocol":{"processes":1,"adaptive":false,"idle_wait_ns":0}}}
END
	out=$("$tmp/bin/benchd-worker" --run "$tmp/job.json" 2>/dev/null | grep '"type":"done"')
	check_match "status $status: $ending, $fault" "$out" "\"status\":\"$ending\",\"fault\":\"?$fault\"?,\"reason\":\"'benchd-kernel' $words"
done <<'END'
64 failed kernel cannot do what it was asked for: said 64
65 failed program computed a wrong answer: said 65
69 failed unavailable cannot run here: said 69
70 failed kernel failed: said 70
75 timed_out null was stopped: said 75
76 failed device lost the device: said 76
128 failed kernel was ended by signal 11
END

# --- a probe that does not come back
cat >"$tmp/job.json" <<END
{"type":"job","job":"11111111-1111-4111-8111-111111111111","attempt":1,"spec":{"kind":"kernel",
"cells":[{"id":"0","benchmark":"b","argv":["benchd-kernel","run","gemm","--backend=vulkan","--device=cpu"]}],"protocol":{"processes":1,"adaptive":false,"idle_wait_ns":0}}}
END
begun=$(date +%s)
out=$(BENCHD_KERNEL_FAULT=hang:1 "$top_builddir/benchd-worker" --run "$tmp/job.json" 2>/dev/null | grep '"type":"done"')
check_match "a device that cannot be probed gets no job" "$out" '"fault":"device","reason":"the Vulkan devices of this host are not known: the probe (exited with 75: it )?was not over after 10 s"'
check "and is not waited for for ever" test $(($(date +%s) - begun)) -lt 120
done_testing
