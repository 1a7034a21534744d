#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench-cdo: weights and fields of regrid.* beside CDO's (Debian: apt install cdo), from the same
# source field to half resolution. Fails where a weight differs by more than 1e-12 or a value by more
# than 1e-10. Usage: cdo.sh BUILD-FOLDER [HxW...]
set -eu
build=$1
shift
[ $# -gt 0 ] || set -- 50x100 100x200 200x400
command -v cdo >/dev/null 2>&1 || {
	echo "CDO is not installed; apt install cdo"
	exit 77
}
cdo --version 2>&1 | head -n 1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-cdo.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
status=0

# compare KERNEL OPERATOR SOURCE GRID TARGET
compare() {
	"$build/bench/cdo" grid "$3" "$4" >"$tmp/source"
	"$build/bench/cdo" grid "$5" "$4" >"$tmp/target"
	"$build/bench/cdo" field "$3" "$4" >"$tmp/numbers"
	cdo -s -f nc -b F64 "input,$tmp/source" "$tmp/in.nc" <"$tmp/numbers"
	cdo -s -f nc -b F64 "gen$2,$tmp/target" "$tmp/in.nc" "$tmp/weights.nc"
	cdo -s -f nc -b F64 "remap,$tmp/target,$tmp/weights.nc" "$tmp/in.nc" "$tmp/out.nc"
	"$build/bench/cdo" check "regrid.$1" "$3" "$4" "$5" "$tmp/weights.nc" "$tmp/out.nc" || status=1
}

for size; do
	h=${size%x*} w=${size#*x}
	compare bilinear bil "$size" cell $((h / 2))x$((w / 2))
	compare bilinear bil "$size" node $((h / 2))x$((w / 2))
	compare conservative con "$size" cell $((h / 2))x$((w / 2))
	# At half resolution each target of nearest is as far from four sources, and CDO takes another of
	# them; with three sources a side and target one is nearest.
	compare nearest nn $((h / 2 * 3))x$((w / 2 * 3)) cell $((h / 2))x$((w / 2))
done
[ $# -gt 1 ] || exit $status
compare bilinear bil 100x200 cell 37x73
compare conservative con 100x200 cell 37x73
compare conservative con 200x400 cell 73x145
exit $status
