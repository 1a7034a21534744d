#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# benchd-kernel as people and the worker meet it: table, JSON, CSV, errors, the result protocol.
. "${top_srcdir:-.}/tests/lib/story.sh"
K="$top_builddir/benchd-kernel"
[ -x "$K" ] || skip_all "benchd-kernel is not built"
unset BENCHD_RESULT_FD BENCHD_SAMPLES BENCHD_ITERATIONS BENCHD_WARMUP BENCHD_SEED
quick="--min-time 100us --samples 3 --size small"

# status COMMAND... : the exit status, output in $out
status() { out=$("$@" 2>&1); got=$?; }
refused() { # TITLE STATUS REGEX ARGUMENT...
	title=$1 want=$2 regex=$3; shift 3
	status "$K" "$@"
	check_equal "$title (status)" "$got" "$want"
	check_match "$title" "$out" "$regex"
}

out=$("$K" list); check_match "list shows kernels" "$out" '^stream\.triad +f32 f64 '
check_match "list shows aliases" "$out" 'nn nearest remapnn'
out=$("$K" list regrid.bilinear); check_match "one kernel is shown in full" "$out" '3km +6001x12001'
out=$("$K" devices); check_match "devices names the processor" "$out" '^cpu +.* CPUs'
check_match "devices says what Vulkan has, or calmly why not" "$out" '^vulkan  .+'
check_equal "devices ends well" "$("$K" devices >/dev/null; echo $?)" 0
check_match "help names the commands" "$("$K" help)" 'benchd-kernel verify'
check_match "the version is shown" "$("$K" --version)" '^benchd-kernel [0-9]'

# shellcheck disable=SC2086
out=$("$K" run stream.triad,bil --backend simd,threads --threads 2 $quick)
check_match "the table has a head" "$out" '^KERNEL +BACKEND +DTYPE +SIZE +MEDIAN'
check_match "the table has a row per backend" "$out" '^stream.triad +threads:2 .*GB/s.*verified'
check_match "accuracy stands beside speed" "$out" '^regrid.bilinear +simd .*Mcells/s.*0\.0002758 +verified'
# shellcheck disable=SC2086
out=$("$K" run 'regrid.*' --csv $quick); check_equal "a glob selects a family" "$(printf '%s\n' "$out" | grep -c '^regrid')" 3

# shellcheck disable=SC2086
json=$("$K" run triad --json --seed 7 $quick)
if command -v jq >/dev/null 2>&1; then
	check_equal "JSON: one object, verified" "$(printf '%s' "$json" | jq -r '[.kernel, .backend, .dtype, .size, .verified, .seed, (.samples_ns | length)] | map(tostring) | join(" ")')" \
		"stream.triad simd f64 1Mi true 7 3"
	check_equal "JSON: throughput is bytes over the median" "$(printf '%s' "$json" | jq '(.throughput.value - .bytes / .median_ns) | fabs < 1e-9')" true
	check_equal "JSON: the ceiling and what binds" "$(printf '%s' "$json" | jq '.roofline.percent > 0 and (.roofline.bound_by | IN("memory", "compute"))')" true
	check_equal "JSON: digest, warm-up and counts" "$(printf '%s' "$json" | jq '(.digest | length == 16) and (.warmup_ns | length > 0) and .flops == 262144 and .bytes == 3145728')" true
	a=$("$K" run bil --json $quick | jq -c '[.digest, .accuracy.rmse]')
	b=$("$K" run bil --json $quick --threads 2 | jq -c '[.digest, .accuracy.rmse]')
	check_equal "threads give the same digest and accuracy" "$a" "$b"
else
	skip "JSON members" "jq is not installed"
fi

# --- one process, one object, for people and scripts
json=$("$K" run regrid.bilinear --size 500x1000 --backend simd --dtype f64 --samples 3 --min-time 1ms --json)
if command -v jq >/dev/null 2>&1; then
	check_equal "one object with the speed, the proof and the errors" "$(printf '%s' "$json" | jq -sc '[length, (.[0] | .kernel, .backend, .dtype, .size, (.samples_ns | length), .median_ns > 0, .throughput.value > 0, .throughput.unit, .verified, (.accuracy.rmse * 1e9 | round), (.digest | length), (.roofline | has("percent") and has("bound_by")))]')" \
		'[1,"regrid.bilinear","simd","f64","500x1000",3,true,true,"source Mcells/s",true,11034,16,true]'
	check_equal "more than 110 % of a ceiling is called doubtful, less is not" "$(printf '%s' "$json" | jq '.roofline | (.percent > 110) == (.ceiling_doubtful == true)')" true
fi

# --- accuracy beyond one grid, fields with holes
if command -v jq >/dev/null 2>&1; then
	for want in nearest:1 bilinear:2 conservative:1.5; do
		order=$("$K" verify "regrid.${want%:*}" --size 200x400 --dtype f64 --backend simd --mode convergence --json | jq .accuracy.order)
		check "the order of ${want%:*} is ${want#*:}" awk "BEGIN { exit !($order > ${want#*:} - 0.02 && $order < ${want#*:} + 0.02) }"
	done
	check_equal "cells cut in four and put together are what they were" "$("$K" verify regrid.nearest,regrid.conservative --size 50x100 --target-rows 100 --target-columns 200 --dtype f64 --backend all --mode roundtrip --json | jq -c '[.verified, .accuracy.rmse < 1e-15]' | sort -u)" '[true,true]'
	check_equal "the way back of a coarser grid is not" "$("$K" verify bil --size 100x200 --dtype f64 --backend simd --mode roundtrip --json | jq -c '[.verified, .accuracy.rmse > 1e-4]')" '[true,true]'
	check_equal "targets without a source have no value, and are counted" "$("$K" verify con --weights csr --mask fracarea --dtype f64 --backend all --json | jq -c '[.verified, .accuracy.n_total, .accuracy.n_valid]' | sort -u)" '[true,5000,4276]'
fi
check "both ways to divide under a mask are proven" "$K" verify bil,con --weights csr --mask destarea --field const --levels 2
check "a constant stays constant under a mask" "$K" verify bil,con --weights csr --mask fracarea --field const --target-rows 37 --target-columns 73
refused "a mask needs explicit links" 64 "use --weights csr" verify con --mask fracarea
refused "convergence halves the grids" 64 "multiples of 4" run bil --mode convergence --size 102x200
refused "exact means have no order" 64 "no order is left to see" run con --mode convergence --values mean

if command -v jq >/dev/null 2>&1; then
	# 0..360 from the north is what -180..180 from the south is, to the bit
	for id in nn bil con; do
		check_equal "the order of the source does not matter to $id" \
			"$("$K" verify $id --turn 100 --latitude north-first --dtype f64 --backend all --json | jq -r .digest)" \
			"$("$K" verify $id --dtype f64 --backend all --json | jq -r .digest)"
	done
	check_equal "nearest on the sphere has CDO's errors" "$("$K" verify nn --grid node --weights csr --distance chord --backend simd --dtype f64 --json | jq -c '[.verified, (.accuracy.rmse * 1e7 | round)]')" '[true,91688]'
fi
check "the mean at the pole is proven" "$K" verify bil --pole mean --target-rows 300 --latitude north-first --turn 7
refused "nodes stand at the pole" 64 "nodes have a row at the pole" run bil --pole mean --grid node
refused "a turn is less than a turn" 64 "--turn 200: the source has 200 columns" run bil --size small --turn 200
refused "distance on the sphere needs links" 64 "with --weights csr" run nn --distance chord

# --- ceilings and scaling
export BENCHD_CACHE_DIR="$tmp/cache"
json=$("$K" roofline stream.triad,fma_peak --size l1 --json --samples 3 --min-time 100us 2>&1); got=$?
check_equal "roofline measures" "$got" 0
if command -v jq >/dev/null 2>&1; then
	check_equal "its ceilings are there for three streams and two types" "$(printf '%s' "$json" | jq -c '[(.ceilings.bytes_per_s[0] | .level, ."stream.copy" > 0, ."stream.triad" > 0, ."stream.dot" > 0), .ceilings.flops_per_s.f32 > 0, .ceilings.flops_per_s.f64 > 0]')" '["l1",true,true,true,true,true]'
	check_equal "and kernels say what binds them" "$(printf '%s' "$json" | jq -c '[.results[].roofline.bound_by]')" '["memory","compute"]'
	check_equal "they are kept under the identity of the environment" "$(jq -r .identity "$tmp"/cache/ceilings-*.json)" "$(printf '%s' "$json" | jq -r .ceilings.identity)"
	sed -i 's/"f64":[0-9.e+]*/"f64":1e18/' "$tmp"/cache/ceilings-*.json
	json=$("$K" run fma_peak --dtype f64 --json --samples 3 --min-time 100us)
	check_equal "a higher ceiling that is remembered counts, and is named" "$(printf '%s' "$json" | jq -c '[.roofline.ceiling_remembered, .roofline.ceiling_flops_per_s == 1e18, .roofline.percent < 1]')" '[true,true,true]'
	echo '{"identity":' >"$(ls "$tmp"/cache/ceilings-*.json)"
	check_equal "a damaged file is ignored" "$("$K" run fma_peak --json --samples 3 --min-time 100us | jq -c '[.verified, .roofline.ceiling_remembered]')" '[true,null]'
fi
out=$("$K" roofline stream.copy,fma_peak --size l1 --svg --samples 3 --min-time 100us | tr '\n' ' ')
check_match "roofline draws" "$out" "^<svg .*</svg>"
check_match "with the size beside each point, and the processor" "$out" "<title>fma_peak simd f(32|64) [0-9x]+: .*Roofline, 1 thread, [^<]+<"
check_match "the ceilings end beyond the last point" "$out" "M80.0 [0-9.]+L610.0 "
check_match "what only moves data is said to be left out" "$("$K" roofline stream.copy --size l1 --svg --samples 2 --min-time 20us 2>&1 >/dev/null)" "not in the picture: stream.copy simd f64 only moves data"
check_match "the picture has the ceiling of the level and the point" "$out" "l1 [0-9.]+ GB/s.*fma_peak simd f"
out=$("$K" scaling stream.triad --size l1 --threads 1 --min-time 100us --csv)
check_match "with one thread efficiency is 1 by construction" "$out" "stream.triad,strong,1,.*,1.000,1.000,"
if [ "$(nproc)" -ge 2 ]; then
	json=$("$K" scaling gemm --size 64 --threads 1,2 --weak --min-time 100us --json)
	check_match "weak scaling keeps the work of a thread exactly" "$json" '"size":"64x64x64","work_per_thread":524288.0.*"size":"128x64x64","work_per_thread":524288.0'
	refused "work that cannot grow so is refused" 64 "does not grow by exactly 2" scaling nbody --weak --threads 1,2 --size small
	refused "speedup is against one thread" 64 "the first number of threads must be 1" scaling triad --threads 2,1
fi
out=$(BENCHD_CACHE_DIR=/dev/null/no "$K" roofline triad --size l1 --samples 2 --min-time 20us 2>&1); got=$?
check_equal "where nothing can be kept the answer is still given" "$got $(printf '%s\n' "$out" | grep -c '^stream.triad simd')" "0 1"
check_match "and said so" "$out" "the ceilings will not be remembered: "
refused "a picture and JSON exclude each other" 64 "exclude each other" roofline --svg --json
unset BENCHD_CACHE_DIR

check_equal "a kernel that is named twice is measured once" "$("$K" run triad 'stream.triad*' stream.triad --dry-run | wc -l)" 1
check_equal "a family is known in any case, and a kernel behind the name of its suite" "$("$K" run Scan babelstream rodinia.hotspot --dry-run | cut -d ' ' -f 1 | tr '\n' ' ')" "scan.incl scan.excl stream.copy stream.scale stream.add stream.triad stream.dot stencil2d.5pt "
check_equal "names of other suites mean what they mean there" "$("$K" run Mul,dispatch_void_shader,kernel_launch_latency,HotSpot3D,BusSpeedDownload,SHOC.Stencil2D,uVkCompute.matmul_tiled --dry-run | cut -d ' ' -f 1 | tr '\n' ' ')" "stream.scale dispatch.void dispatch.latency stencil3d.7pt transfer.h2d stencil2d.5pt gemm "
check_match "the transform in L1 is one that fits" "$("$K" run fft --size l1 --dtype f64 --dry-run)" 'fft.c2c simd f64 (256|512|1024|2048)x1 '
refused "a wrong kernel gets a suggestion" 64 "did you mean 'stream.triad'" run stream.tirad
refused "a wrong option gets a suggestion" 64 "did you mean '--dtype'" run triad --dtpe f32
refused "a wrong command gets a suggestion" 64 "did you mean 'verify'" verfy
refused "a wrong size names the kernel's" 64 "--size|is not a size of stream.triad" run triad --size 10x10
refused "a wrong dtype gets a suggestion" 64 "stream.triad: --dtype is .u32.; did you mean .f32" run triad --dtype u32
refused "an option of another kernel is refused" 64 "stream.triad has no option '--levels'" run triad --levels 2
refused "a number out of range names the limits" 64 "--samples is '0'; it must be a whole number from 1 to" run triad --samples 0
refused "more threads than CPUs are refused" 64 "more than the" run triad --threads 4096
refused "a library that does not compute a kernel is refused" 69 "stream.triad has no blas backend" run triad --backend blas
refused "an option of another command is refused, and whose it is said" 64 "--svg is not for this command; it is for roofline, scaling" run triad --svg
refused "so is a form that a command does not have" 64 "--csv is not for this command; it is for list, run, roofline, scaling, verify" devices --csv
refused "what only a device looks at needs one" 64 "--variant is for the vulkan backend; add --backend vulkan" run triad --variant tiled
refused "an empty list is refused by its name" 64 "--size is an empty list" run triad --size ,
refused "a level that would take hours is refused" 64 "nbody in dram: one iteration would take .* GFLOP" run nbody --size dram
refused "nothing to run is refused" 64 "no kernel given" run
refused "a glob that matches nothing is refused" 64 "no kernel 'nothing" run 'nothing.*'
refused "impossible options are refused" 64 "use --grid cell" run con --grid node
refused "too much memory is refused with both numbers" 69 "needs [0-9]+ MiB of memory, this host has [0-9]+ MiB" run triad --size 64Gi
refused "no arguments print help" 64 "Usage:"
check "where nothing was measured there is no table" sh -c "! '$K' run triad --backend blas 2>/dev/null | grep -q KERNEL"
out=$("$K" verify nbody --size all --dtype f32 --backend simd 2>&1); got=$?
check_equal "of all levels those are left out that would take too long" "$got $(printf '%s\n' "$out" | grep -c 'left out: nbody in dram')" "0 1"
check "and the others are proven" test "$(printf '%s\n' "$out" | grep -c 'verified$')" -ge 3
check "a level that one type cannot take does not stop the others" "$K" verify reduce.sum --dtype i32,f32 --size levels --backend simd --dry-run
refused "an option that no size makes right is refused" 64 "use --grid cell" run con --grid node --size levels
if [ "$(nproc)" -ge 2 ] && command -v jq >/dev/null 2>&1; then
	json=$("$K" run triad --threads 2 --size small --samples 2 --min-time 20us --no-ceiling --json)
	check_equal "each thread has a processor of its own, and it is named" "$(printf '%s' "$json" | jq -c '.device.placement | [.chosen_by, (.cpus | unique | length)]')" '["benchd-kernel",2]'
	json=$(OMP_PROC_BIND=true "$K" run triad --threads 2 --size small --samples 2 --min-time 20us --no-ceiling --json)
	check_equal "who binds threads is left alone" "$(printf '%s' "$json" | jq -r '.device.placement.chosen_by')" OMP_PROC_BIND
	export OMP_THREAD_LIMIT=1
	refused "fewer threads than asked for are no result" 69 "OpenMP gives 1 of 2 threads" run triad --threads 2 --size small
	unset OMP_THREAD_LIMIT
fi

# --- the result protocol on descriptor 3
run_protocol() { "$K" "$@" 3>"$tmp/lines" >"$tmp/stdout" 2>"$tmp/stderr"; }
export BENCHD_RESULT_FD=3
# shellcheck disable=SC2086
run_protocol run bil --size small --min-time 100us; got=$?
lines=$(cat "$tmp/lines")
check_equal "a run under the protocol ends well" "$got" 0
check_match "it says hello first" "$(head -n 1 "$tmp/lines")" '^\{"hello":\{"protocol":1'
check_match "it reports K" "$lines" '^\{"calibrated":\{"iterations":[0-9]+\}\}'
check_match "it proves its output" "$lines" '^\{"verify":\{"ok":true,"n_outputs":5000,"invariants":\['
check_match "it reports latency" "$lines" '"measure":"latency","unit":"ns".*"samples":\['
check_match "it reports warm-up apart" "$lines" '"measure":"latency".*"warmup":\['
check_match "it reports throughput, higher is better" "$lines" '"measure":"throughput".*"better":"higher"'
check_match "it reports accuracy as measures" "$lines" '"measure":"accuracy.rmse".*"samples":\[0.000275786698'
check_match "it keeps metadata" "$lines" '^\{"metadata":\{"regrid.bilinear":'
check_match "done comes last" "$(tail -n 1 "$tmp/lines")" '^\{"done":true\}'
if command -v jq >/dev/null 2>&1; then
	check "every line is one JSON object" sh -c "jq -es 'all(type == \"object\")' <'$tmp/lines'"
	check_equal "five samples unless told otherwise" "$(jq -s '[.[] | select(.measure == "latency" and .samples) | .samples | length] | add' <"$tmp/lines")" 5
fi
BENCHD_SAMPLES=2 BENCHD_ITERATIONS=40 BENCHD_SEED=99 run_protocol run bil --size small
check_match "a fixed K is kept" "$(cat "$tmp/lines")" '"iterations":40,"samples":\[[0-9.]+,[0-9.]+\]'
check "a fixed K is not calibrated" sh -c "! grep -q calibrated '$tmp/lines'"
check_match "the seed is stored" "$(cat "$tmp/lines")" '"seed":99'
BENCHD_SAMPLES=x run_protocol run bil; got=$?
check_equal "a wrong variable is refused" "$got" 64
check_match "as an error line too" "$(cat "$tmp/lines")" "^\{\"error\":\"BENCHD_SAMPLES is 'x'"
BENCHD_RESULT_FD=77 "$K" run bil >/dev/null 2>"$tmp/stderr"; got=$?
check_equal "a descriptor that is not open is refused" "$got" 64
check_match "and named" "$(cat "$tmp/stderr")" "BENCHD_RESULT_FD is '77', which is no open descriptor"

# --- SIGTERM and signs of life
spawn "$tmp/log" sh -c "exec '$K' run triad --size small --samples 10000 --min-time 10ms 3>'$tmp/lines'"
wait_for 20 grep -q progress "$tmp/lines"
check_match "progress shows life" "$(cat "$tmp/lines")" '\{"progress":0'
kill -TERM "$spawned"; wait "$spawned"; got=$?
check_equal "SIGTERM ends it with 75" "$got" 75
check_match "with an error line" "$(cat "$tmp/lines")" 'stopped by a signal'
check "and without samples" sh -c "! grep -q '\"samples\"' '$tmp/lines'"
unset BENCHD_RESULT_FD

# --- libraries of others
for pair in gemm:blas fft.c2c:fftw; do
	id=${pair%:*} backend=${pair#*:}
	if ! "$K" list "$id" | grep -q "backends.* $backend"; then
		skip "$backend computes $id" "this build found no headers of it"
		continue
	fi
	out=$("$K" run "$id" --backend "$backend" --size small --json --no-ceiling --min-time 100us 2>&1); got=$?
	if [ "$got" = 69 ]; then
		check_match "$backend says what is missing" "$out" "cannot load 'lib.*install it"
	else
		check_match "$backend computes $id and proves it" "$out" "\"backend\":\"$backend\".*\"verified\":true.*\"library\":\""
	fi
done

# --- one form for every kernel
if command -v jq >/dev/null 2>&1; then
	form='[(.samples_ns|length) > 0, .median_ns > 0, .throughput.value > 0, ((.throughput.unit|length) > 0), .roofline.percent > 0,
		((.roofline.bound_by|length) > 0), .verified, (.digest|length) == 16, (.backend == "simd"), ((.size|length) > 0), ((.dtype|length) > 0)] | all'
	"$K" run '*' --size small --json --samples 2 --min-time 20us >"$tmp/all.json" 2>"$tmp/stderr"
	check_equal "every kernel prints one object of the same form" "$(jq -s "map($form) | [length == $("$K" list | grep -c '^[a-z]'), all] | all" <"$tmp/all.json")" true
	check_equal "regridding states its errors" "$(jq -s '[.[] | select(.kernel | startswith("regrid.")) | .accuracy | .rmse > 0 and .max_error > 0 and .n_valid == .n_total] | [length, all]' -c <"$tmp/all.json")" "[3,true]"
fi

# With AddressSanitizer in the small sizes only: a row of the large ones takes a hundred times as long.
small=
grep -q __asan_init "$K" && small="--size small"
# shellcheck disable=SC2086 # nothing, or two words
out=$("$K" verify --all $small 2>&1); got=$?
check_equal "verify --all proves everything" "$got" 0
check_match "and says how many, and what it leaves out" "$(printf '%s' "$out" | grep '^benchd-kernel')" '[0-9]+ of [0-9]+ outputs proven'
check "no row of it is wrong" sh -c "! printf '%s' \"$out\" | grep -q WRONG"
check_match "verify covers the scalar backend in f32" "$out" 'stream.triad +scalar +f32 .*verified'
done_testing
