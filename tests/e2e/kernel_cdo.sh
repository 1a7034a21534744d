#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Weights and fields of regrid.* are those of CDO, where it is installed; a difference is seen.

. "${top_srcdir:-.}/tests/lib/story.sh"
command -v cdo >/dev/null 2>&1 || skip_all "CDO is not installed"
build=$top_builddir
source=$top_srcdir
[ -x "$build/bench/cdo" ] || skip_all "bench/cdo is not built"

out=$(sh "$source/bench/cdo.sh" "$build" 50x100 2>&1); got=$?
check_equal "weights and fields agree with CDO's" "$got" 0
check_equal "of four pairs of grids, both" "$(printf '%s\n' "$out" | grep -c 'largest difference')" 8

# CDO takes our weights
"$build/bench/cdo" grid 30x60 cell >"$tmp/source"
"$build/bench/cdo" grid 10x20 cell >"$tmp/target"
"$build/bench/cdo" field 30x60 cell >"$tmp/numbers"
cdo -s -f nc -b F64 "input,$tmp/source" "$tmp/in.nc" <"$tmp/numbers"
for id in regrid.nearest regrid.bilinear regrid.conservative; do
	"$build/benchd-kernel" weights "$id" --size 30x60 --target-rows 10 --target-columns 20 >"$tmp/ours.nc"
	cdo -s -f nc -b F64 "remap,$tmp/target,$tmp/ours.nc" "$tmp/in.nc" "$tmp/out.nc"
	got=0
	out=$("$build/bench/cdo" check "$id" 30x60 cell 10x20 "$tmp/ours.nc" "$tmp/out.nc" 2>&1) || got=$?
	check_equal "CDO applies our weights of $id and gets our field" "$got $(printf '%s\n' "$out" | grep -c 'largest difference')" "0 2"
done
got=0
"$build/benchd-kernel" weights bil --size 30x60 --target-rows 90 --pole mean >"$tmp/ours.nc" 2>"$tmp/err" || got=$?
check_equal "what is no link is not written" "$got" 64
check_match "and said" "$(cat "$tmp/err")" "use --pole clamp"
got=0
"$build/benchd-kernel" weights triad >"$tmp/ours.nc" 2>"$tmp/err" || got=$?
check_equal "only regridding has weights" "$got" 64

# bilinear beside the weights and the field of conservative, over four sources a side and target
"$build/bench/cdo" grid 40x80 cell >"$tmp/source"
"$build/bench/cdo" grid 10x20 cell >"$tmp/target"
"$build/bench/cdo" field 40x80 cell >"$tmp/numbers"
cdo -s -f nc -b F64 "input,$tmp/source" "$tmp/in.nc" <"$tmp/numbers"
cdo -s -f nc -b F64 "gencon,$tmp/target" "$tmp/in.nc" "$tmp/weights.nc"
cdo -s -f nc -b F64 "remap,$tmp/target,$tmp/weights.nc" "$tmp/in.nc" "$tmp/out.nc"
got=0
out=$("$build/bench/cdo" check regrid.bilinear 40x80 cell 10x20 "$tmp/weights.nc" "$tmp/out.nc" 2>&1) || got=$?
check_equal "another method's weights are a failure" "$got" 1
check_equal "in weights and in values" "$(printf '%s\n' "$out" | grep -c EXCEEDED)" 2
got=0
out=$("$build/bench/cdo" check regrid.bilinear 40x80 cell 10x20 "$tmp/numbers" "$tmp/out.nc" 2>&1) || got=$?
check_equal "a file that is no netCDF is refused" "$got" 2
check_match "and named" "$out" "numbers: not a netCDF classic file"
done_testing
