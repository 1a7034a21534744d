#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench-kernels: the CPU kernels beside their peers, on one core and on all.
# Usage: kernels.sh BUILD-FOLDER SOURCE-FOLDER
# OpenBLAS is shown with the core type it picks and, where the processor has AVX-512, with its
# AVX-512 kernels; CDO, where it is installed, as a whole process and named so; SciPy in process.
set -eu
build=$1
source=${2:-.}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-kernels.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
load() { echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"; }
uname -sm
sed -n 's/^model name[[:space:]]*: /cpu /p' /proc/cpuinfo | head -n 1
load
counts=1
[ "$(nproc)" -lt 2 ] || counts="1 $(nproc)"
for threads in $counts; do
	"$build/bench/kernels" "$threads"
	if [ "$threads" = 1 ] && grep -qw avx512f /proc/cpuinfo; then
		echo "--- OPENBLAS_CORETYPE=SkylakeX"
		OPENBLAS_CORETYPE=SkylakeX "$build/bench/kernels" "$threads" | grep -E '^(OpenBLAS|gemm)' || true
	fi
	load
done
for backend in "--backend simd" "--threads all"; do
	echo "--- benchd-kernel run ... $backend"
	# shellcheck disable=SC2086
	"$build/benchd-kernel" run phys.ice_adjust,phys.rain_ice --dtype f64,f32 --size 10000x60 --samples 15 $backend
	# shellcheck disable=SC2086
	"$build/benchd-kernel" run regrid --size 100x200,500x1000,3600x7200 --samples 15 $backend
	# shellcheck disable=SC2086
	"$build/benchd-kernel" run reduce.sum,scan.incl,transpose,histogram.256,sort.radix,spmv.csr,nbody,stencil2d,stencil3d.7pt --samples 15 $backend
	load
done
if command -v cdo >/dev/null 2>&1; then
	echo "--- $(cdo --version 2>&1 | head -n 1), a whole process: start, input, weights, output (best of 5)"
	cdo -s -f nc5 -b F64 -expr,'f=sin(rad(clat(const)))*cos(rad(clon(const)))' -const,1,r1000x500 "$tmp/in.nc"
	for op in remapnn remapbil remapcon; do
		best=
		for _ in 1 2 3 4 5; do
			start=$(date +%s%N)
			cdo -s -P 1 -b F64 -f nc5 "$op,r500x250" "$tmp/in.nc" "$tmp/out.nc"
			took=$(($(date +%s%N) - start))
			if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
		done
		echo "$op 500x1000 -> 250x500: $((best / 1000)) us"
	done
	for op in nearest bilinear conservative; do
		best=
		for _ in 1 2 3 4 5; do
			start=$(date +%s%N)
			"$build/benchd-kernel" verify "regrid.$op" --size 500x1000 --backend simd --dtype f64 >/dev/null
			took=$(($(date +%s%N) - start))
			if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
		done
		echo "benchd-kernel verify regrid.$op, a whole process: start, input, weights, proof: $((best / 1000)) us"
	done
else
	echo "CDO is not installed"
fi
if python3 -c 'import scipy' 2>/dev/null; then
	echo "--- SciPy, node grids, weights made in each call"
	python3 "$source/bench/regrid.py"
elif /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
	echo "--- SciPy, node grids, weights made in each call"
	/usr/bin/python3 "$source/bench/regrid.py"
else
	echo "SciPy is not installed"
fi
load
