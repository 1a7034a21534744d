#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench-kernels [PARTS="stream gemm fft bars curves cdo scipy"]: the CPU kernels beside their
# peers, on one core and on all, each goal with its ratio and whether it was met.
# Usage: kernels.sh BUILD-FOLDER SOURCE-FOLDER [PART...]
# OpenBLAS is shown with the core type it picks and, where the processor has AVX-512, with its
# AVX-512 kernels. CDO, where it is installed, as a whole process and for one field more with
# weights stored, each named so; SciPy in process. These are not the same work.
set -eu
build=$1
source=${2:-.}
[ $# -le 2 ] || { shift 2; parts=$*; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-kernels.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
# More work than processors and our own threads: what is found on all cores says little then.
load() {
	echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)$(awk -v n="$(nproc)" '$1 > n + 1 { print ", busy: figures of all cores say little" }' /proc/loadavg)"
}
peers() { "$build/bench/kernels" "$@"; }
counts=1
[ "$(nproc)" -lt 2 ] || counts="1 $(nproc)"
core=
! grep -qw avx512f /proc/cpuinfo || core=SkylakeX

part_stream() { for n in $counts; do peers "$n" stream; done; }
part_gemm() {
	for n in $counts; do
		peers "$n" gemm
		[ -z "$core" ] || { echo "--- OPENBLAS_CORETYPE=$core"; OPENBLAS_CORETYPE=$core peers "$n" gemm; }
	done
}
part_fft() { for n in $counts; do peers "$n" fft; done; }
part_bars() { for n in $counts; do OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE-$core} peers "$n" bars; done; }
part_curves() {
	for backend in "--backend simd" "--threads all"; do
		echo "--- benchd-kernel run ... $backend"
		# shellcheck disable=SC2086
		"$build/benchd-kernel" run reduce.sum,scan.incl,transpose,histogram.256,sort.radix,spmv.csr,nbody,stencil2d,stencil3d.7pt --samples 15 $backend
	done
}

# --- CDO: best of five, it gets its best
microseconds() { # COMMAND... : wall time of the fastest of five runs
	best=
	for _ in 1 2 3 4 5; do
		start=$(date +%s%N)
		"$@" >/dev/null
		took=$((($(date +%s%N) - start) / 1000))
		if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
	done
	echo "$best"
}
cdo_one() { # REMAP GEN KERNEL
	whole=$(microseconds cdo -s -P 1 -b F64 -f nc5 "$1,r500x250" "$tmp/in.nc" "$tmp/out.nc")
	cdo -s -P 1 -b F64 -f nc5 "$2,r500x250" "$tmp/in.nc" "$tmp/weights.nc"
	few=$(microseconds cdo -s -P 1 -b F64 -f nc5 "remap,r500x250,$tmp/weights.nc" "$tmp/in.nc" "$tmp/out.nc")
	many=$(microseconds cdo -s -P 1 -b F64 -f nc5 "remap,r500x250,$tmp/weights.nc" "$tmp/in21.nc" "$tmp/out.nc")
	ours=$(microseconds "$build/benchd-kernel" verify "$3" --size 500x1000 --backend simd --dtype f64)
	echo "$1 500x1000 -> 250x500: whole process (start, reading, weights, writing) $whole us;" \
		"a field more with weights stored (reading and writing included) $(((many - few) / 20)) us"
	echo "$3 500x1000: whole process (start, input, weights, proof; nothing read or written) $ours us"
}
part_cdo() {
	command -v cdo >/dev/null 2>&1 || { echo "CDO is not installed"; return; }
	echo "--- $(cdo --version 2>&1 | head -n 1), best of 5"
	cdo -s -f nc5 -b F64 -expr,'f=sin(rad(clat(const)))*cos(rad(clon(const)))' -const,1,r1000x500 "$tmp/in.nc"
	cdo -s -duplicate,21 "$tmp/in.nc" "$tmp/in21.nc"
	cdo_one remapnn gennn regrid.nearest
	cdo_one remapbil genbil regrid.bilinear
	cdo_one remapcon gencon regrid.conservative
	echo "Ours in process, no reading or writing: weights of the two axes, then explicit links as CDO has them;"
	echo "CDO's weights take longer because it solves the general sphere, ours the product of two axes:"
	"$build/benchd-kernel" run regrid --size 500x1000 --dtype f64 --backend simd --samples 15
	"$build/benchd-kernel" run regrid --size 500x1000 --dtype f64 --backend simd --weights csr --samples 15
}
part_scipy() {
	for python in python3 /usr/bin/python3; do
		"$python" -c 'import scipy' 2>/dev/null || continue
		echo "--- SciPy in process, node grids, weights made in each call"
		"$python" "$source/bench/regrid.py"
		echo "--- ours in process, node grids, weights kept"
		"$build/benchd-kernel" run nearest,bilinear --grid node --size 100x200,500x1000,3600x7200 --dtype f64 --backend simd --samples 15
		return
	done
	echo "SciPy is not installed"
}

uname -sm
sed -n 's/^model name[[:space:]]*: /cpu /p' /proc/cpuinfo | head -n 1
load
for part in ${parts:-stream gemm fft bars curves cdo scipy}; do
	echo "=== $part"
	{ "part_$part" 2>&1 || : >"$tmp/failed"; } | tee "$tmp/$part.out"
	[ ! -e "$tmp/failed" ] || { echo "part $part failed"; exit 1; }
	load
done
met=$(cat "$tmp"/*.out | grep -o '[:0-9] met' | wc -l)
cat "$tmp"/*.out | grep 'NOT met' >"$tmp/not" || true
echo "=== goals: $met met, $(cat "$tmp/not" | grep -o 'NOT met' | wc -l) not met"
cat "$tmp/not"
