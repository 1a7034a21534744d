#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench-kernels: the CPU kernels beside their peers, one thread. Usage: kernels.sh BUILD-FOLDER
# OpenBLAS is shown with the core type it picks and, where the processor has AVX-512, with its
# AVX-512 kernels; CDO, where it is installed, as a whole process and named so.
set -eu
build=$1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/benchd-kernels.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
uname -srm
sed -n 's/^model name[[:space:]]*: /cpu /p' /proc/cpuinfo | head -n 1
echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"
"$build/bench/kernels"
if grep -qw avx512f /proc/cpuinfo; then
	echo "--- OPENBLAS_CORETYPE=SkylakeX"
	OPENBLAS_CORETYPE=SkylakeX "$build/bench/kernels" | grep -E '^(OpenBLAS|gemm)' || true
fi
echo "--- regrid"
"$build/benchd-kernel" run regrid --size 500x1000 --threads 1 --backend simd
if command -v cdo >/dev/null 2>&1; then
	echo "CDO as a whole process: start, input, weights, output (best of 5)"
	cdo -s -f nc5 -b F64 -expr,'f=sin(rad(clat(const)))*cos(rad(clon(const)))' -const,1,r1000x500 "$tmp/in.nc"
	for op in remapnn remapbil remapcon; do
		best=
		for _ in 1 2 3 4 5; do
			start=$(date +%s%N)
			cdo -s -P 1 -b F64 -f nc5 "$op,r500x250" "$tmp/in.nc" "$tmp/out.nc"
			took=$(($(date +%s%N) - start))
			if [ -z "$best" ] || [ "$took" -lt "$best" ]; then best=$took; fi
		done
		echo "$op $((best / 1000)) us"
	done
else
	echo "CDO is not installed"
fi
