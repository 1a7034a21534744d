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
# --- a process that does not die
echo undead:12 >"$tmp/fault"
job=$(curl -s --json "{\"definition\":{\"name\":\"undead\",\"kind\":\"kernel\",\"kernel\":\"stream.triad\",\"parameters\":{\"size\":\"small\",$gpu},\"limits\":{\"time\":\"1s\"}},\"protocol\":{\"processes\":1,\"adaptive\":false,\"idle_wait\":0}}" "$url/v0/projects/demo/jobs?wait=110s")
rm "$tmp/fault"
check_equal "a process that does not die of SIGKILL fails its job for the device" "$(at "$job" fault)" device
check_match "and says so" "$(at "$job" reason)" "did not die of SIGKILL within 10 s"
check_match "the device is wedged" "$(curl -s "$url/v0/devices/$uuid")" '"kind": ?"wedged"'
recovered() { curl -s "$url/v0/devices/$uuid" | grep -q '"kind": *"recovered"'; }
check "until its lock is free and a probe finds it" wait_for 30 recovered
check_equal "then it is in order" "$(at "$(device)" state)" ok
check_match "a device that nobody knows cannot be cleared" "$(ctl devices clear 00112233445566778899aabbccddeeff 2>&1)" "no worker of .* has told of a device"
done_testing
