#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd-kernel on a software Vulkan device: what it reports, what it refuses, how it stops.
. "${top_srcdir:-.}/tests/lib/story.sh"
kernel=$top_builddir/benchd-kernel
export BENCHD_CACHE_DIR="$tmp/cache" BENCHD_LOCK_DIR="$tmp/lock"
mkdir "$tmp/lock"
run() { "$kernel" run "$@" 2>"$tmp/err" >"$tmp/out"; }
"$kernel" list stream.triad | grep -q vulkan || skip_all "built without Vulkan"

# --- no device: four ways, one calm answer
mkdir -p "$tmp/nolib"
: >"$tmp/nolib/libvulkan.so.1"
LD_LIBRARY_PATH=$tmp/nolib run stream.triad --backend vulkan --size small
check_equal "without a loader the status is 69" "$?" 69
check_match "and the reason is the loader" "$(cat "$tmp/err")" "no Vulkan loader"
echo '{"file_format_version":"1.0.0","ICD":{"library_path":"/nonexistent.so","api_version":"1.2.0"}}' >"$tmp/icd.json"
VK_DRIVER_FILES=$tmp/icd.json run stream.triad --backend vulkan --size small
status=$?
if grep -q 'no Vulkan loader' "$tmp/err"; then
	skip "without a driver the status is 69" "no Vulkan loader"
else
	check_equal "without a driver the status is 69" "$status" 69
	check_match "and the reason is the driver" "$(cat "$tmp/err")" "no Vulkan driver is installed"
	out=$(VK_DRIVER_FILES=$tmp/icd.json "$kernel" devices)
	check_equal "devices still succeeds" "$?" 0
	check_match "and says why there is none" "$out" "vulkan  none: no Vulkan driver"
fi
"$kernel" verify stream.triad --backend scalar --size small >/dev/null
check_equal "the CPU kernels still run" "$?" 0

icd=$(ls /usr/share/vulkan/icd.d/lvp_icd.*.json 2>/dev/null | head -n 1)
[ -n "$icd" ] || { skip "the software device" "mesa-vulkan-drivers is not installed"; done_testing; }
export VK_DRIVER_FILES="$icd"

# --- a measured process
check_match "the device is listed as software" "$("$kernel" devices --json)" '"software": ?true'
run stream.triad --backend vulkan --size small
check_equal "software is not chosen unasked" "$?" 69
check_match "and the way to ask is named" "$(cat "$tmp/err")" "--device cpu"
BENCHD_RESULT_FD=3 run stream.triad --backend vulkan --device cpu --size small --samples 3 3>"$tmp/lines"
check_equal "a measurement succeeds" "$?" 0
for word in '"hello"' '"measure": ?"latency"' '"measure": ?"host-latency"' '"verify"' '"software": ?true' '"time_source": ?"device timestamps"' '"first_dispatch"'; do
	check_match "its lines have $word" "$(cat "$tmp/lines")" "$word"
done
if [ "${PYTHON3:-no}" != no ]; then
	check "every line is one JSON object" "$PYTHON3" -c '
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1])]
assert len(lines) > 5 and all(isinstance(l, dict) for l in lines)
dev = [l for l in lines if l.get("measure") == "latency" and "samples" in l][0]["samples"]
host = [l for l in lines if l.get("measure") == "host-latency"][0]["samples"]
assert len(dev) == len(host) == 3 and min(dev) > 0
assert all(h >= 0.5 * d for d, h in zip(dev, host))' "$tmp/lines"
fi
check "the pipeline cache was written" sh -c "ls '$tmp'/cache/gpu/*.bin"
BENCHD_RESULT_FD=3 run stream.copy --backend vulkan --device cpu --size small --samples 2 3>"$tmp/lines"
check_equal "a second process reads it" "$?" 0

run stream.triad --backend vulkan --device cpu --size small --cold --json --samples 2 --no-ceiling
check_equal "cold caches are measured" "$?" 0
check_match "and are part of the series' name" "$(cat "$tmp/out")" '"caches": ?"cold"'
check_match "as is the device that was asked for" "$(cat "$tmp/out")" '"device": ?"cpu"'

check_equal "verify takes the CPU's backends and the device together" \
	"$("$kernel" verify scan,fft --backend all,vulkan --device cpu | grep -v ' fftw ' | grep -c 'verified$')" 24

out=$("$kernel" verify stream.copy --all --device cpu 2>&1)
check_equal "verify --all has every type on the device" "$(printf '%s\n' "$out" | grep ' vulkan ' | grep -c 'verified$')" 6
case "$out" in
*"left out: Vulkan under validation: the validation layer is not installed"*) skip "and under validation" "no validation layer" ;;
*) check_equal "and each once more under validation" "$(printf '%s\n' "$out" | grep ' vulkan ' | grep -c 'no message of the validation layer$')" 2 ;;
esac
check_match "the rows are counted" "$out" "26 of 26 outputs proven"
out=$(VK_LAYER_PATH=/nonexistent "$kernel" verify stream.copy --all --device cpu 2>&1)
check_match "a layer that is not there is said" "$out" "left out: Vulkan under validation: the validation layer is not installed"
check_match "where there is no GPU, so is what verify leaves out" "$("$kernel" verify stream.copy --all 2>&1)" "left out: the vulkan backend|vulkan .*verified"

# --- tuning
"$kernel" tune stream.scale --device cpu --size small --dtype f32 --samples 2 >"$tmp/out" 2>"$tmp/err"
check_equal "tuning succeeds" "$?" 0
check_match "a winner is kept" "$(cat "$tmp/out")" "fastest, kept"
run stream.scale --backend vulkan --device cpu --size small --dtype f32 --samples 2 --no-ceiling --json
check_match "and used by the next run" "$(cat "$tmp/out")" '"is_tuned": ?true'
for file in "$tmp"/cache/gpu/tune-*.json; do echo '{"stream.scale f32 vector":{"group":77' >"$file"; done
run stream.scale --backend vulkan --device cpu --size small --dtype f32 --samples 2 --no-ceiling --json
check_equal "a damaged file of winners is ignored" "$?" 0
check_match "and not believed" "$(cat "$tmp/out")" '"is_tuned": ?false'

# --- a probe, faults on demand, locks
out=$("$kernel" probe)
check_equal "a probe ends well" "$?" 0
check_equal "with one line" "$(printf '%s\n' "$out" | wc -l)" 1
check_match "that has the key of each device" "$out" '"uuid":"[0-9a-f]{32}".*"driver_id":[0-9]+'
BENCHD_RESULT_FD=3 BENCHD_KERNEL_FAULT=device_lost:12 run stream.triad --backend vulkan --device cpu --size small 3>"$tmp/lines"
check_equal "a lost device gives 76" "$?" 76
check_match "and is told as an error" "$(cat "$tmp/lines")" '"error":"vkQueueSubmit: the device was lost'
check_equal "no sample is told of it" "$(grep -c '"samples"' "$tmp/lines")" 0
BENCHD_KERNEL_FAULT=crash:12 run stream.triad --backend vulkan --device cpu --size small
check_equal "a crash is a signal" "$?" 139
BENCHD_RESULT_FD=3 BENCHD_KERNEL_FAULT=hang:12 "$kernel" run stream.triad --backend vulkan --device cpu --size small 3>"$tmp/lines" 2>/dev/null &
pid=$!
story_pids="$story_pids $pid"
beats() { test "$(grep -c '"progress"' "$tmp/lines")" -ge 4; }
check "a process whose driver hangs still gives signs of life" wait_for 20 beats
run stream.triad --backend vulkan --device cpu --size small
check_equal "another one is refused meanwhile" "$?" 69
check_match "and told who has the lock" "$(cat "$tmp/err")" "is in use by process $pid, which measures on this host"
kill -TERM "$pid"
wait "$pid"
check_equal "SIGTERM ends it all the same" "$?" 75

# --- options, under validation where the layer is installed
validate=--validate
"$kernel" verify stream.copy --backend vulkan --device cpu --validate >/dev/null 2>&1 || validate=
while read -r words; do
	# shellcheck disable=SC2086
	check "proven: $words ${validate:+validated}" "$kernel" verify $words --backend vulkan --device cpu $validate
done <<'END'
regrid.bilinear --weights csr --levels 3
regrid.bilinear --grid node --variant shared
regrid.nearest --grid node --levels 5
regrid.bilinear --turn 37 --latitude north-first
regrid.nearest --weights csr --distance chord --grid node
regrid.conservative --weights csr
regrid.conservative --weights csr --mask fracarea
regrid.conservative --weights csr --mask destarea --levels 2
regrid.bilinear --mode convergence
regrid.conservative --target-rows 37 --target-columns 73
regrid.conservative --target-rows 37 --target-columns 73 --variant direct
reduce.argmax --size 1000003 --variant subgroup
reduce.sum --size 2
stencil2d --size 131x77 --field sine --variant shared
stencil3d --size 37x21x53 --field linear --variant shared
gemm --size 37x101x53 --alpha 3 --beta -2
gemm --size 64 --input integer --variant naive
gemm --size 37x101x53 --dtype f32 --operands f16 --input integer
gemm --size 64 --dtype f32 --operands f16 --variant naive
transpose --size 37x131
scan.incl --size 1
scan.excl --size 1000003
histogram.256 --size 100003 --keys zipf
histogram.4096 --size 1 --keys constant
sort.radix --size 65537 --dtype u64 --what pairs
sort.radix --size 3 --what pairs
nbody --size 1001 --dtype f64
spmv.csr --size 16 --matrix power --values integer
spmv.csr --size 16 --matrix 5pt --variant scalar
fft.c2c --size 64x3 --dtype f32 --input tone
fft.c2c --size 2048x3
fft.c2c --size 8192x2 --input delta
phys.rain_ice --size 103x60 --input golden
phys.ice_adjust --iters 6
phys.ice_adjust --cloud cb02
phys.ice_adjust --cloud gauss --iters 2
END
run regrid.bilinear --backend vulkan --device cpu --weights regenerated --size small
check_equal "weights cannot be regenerated on the device" "$?" 69

# --- refused
run dispatch.latency --backend vulkan --device cpu --cold
check_equal "a submission cannot be timed with cold caches" "$?" 69
run stream.triad --cold
check_equal "on the CPU cold caches are a bad argument" "$?" 64
run fma_peak --backend vulkan --device cpu --size 1024x70000
check_equal "a loop over the device's limit is refused" "$?" 69
check_match "with both figures" "$(cat "$tmp/err")" "70000 loop turns.*cuts loops after"
run stream.triad --backend vulkan --device 00112233445566778899aabbccddeeff --size small
check_equal "an unknown device is refused" "$?" 69
check_match "and named" "$(cat "$tmp/err")" "00112233445566778899aabbccddeeff"
run stream.triad --backend vulkan --device cpu --variant nonsense --size small
check_equal "an unknown variant is a bad argument" "$?" 64
run stream.triad --backend vulkan --device cpu --size 1Ti
check "a size beyond the memory is refused" test "$?" -ge 64

# --- stopped inside a dispatch of many seconds
BENCHD_RESULT_FD=3 "$kernel" run fma_peak --backend vulkan --device cpu --size 4194304x60000 \
	>"$tmp/out" 2>"$tmp/err" 3>"$tmp/lines" &
pid=$!
story_pids="$story_pids $pid"
wait_for 20 grep -q hello "$tmp/lines"
sleep 1
start=$(date +%s)
kill -TERM "$pid"
wait "$pid"
check_equal "SIGTERM inside a long dispatch gives 75" "$?" 75
check "soon enough" test $(($(date +%s) - start)) -lt 60
done_testing
