/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in kernels as the daemon needs to know them, which runs none and links none: what a
 * job may ask of each. tests/e2e/kernel_ids.sh compares the table with `benchd-kernel list`.
 * X(id, dtypes, backends, classes of sizes, what the dims are, number of dims, may some be left
 * out, bits of those that must be powers of two, least and greatest value of a dim). */
#ifndef DAEMON_MODEL_KERNEL_TABLE_H
#define DAEMON_MODEL_KERNEL_TABLE_H

/* clang-format off */
#define KERNELS(X) \
	X("dispatch.latency", "u32", "scalar,simd,threads,vulkan", "small,medium,large", "workgroups", 1, 0, 0, 1, 16777216) \
	X("dispatch.void", "u32", "scalar,simd,threads,vulkan", "small,medium,large", "workgroups", 1, 0, 0, 1, 16777216) \
	X("fft.c2c", "f32,f64", "scalar,simd,threads,vulkan,fftw", "small,medium,large", "points x sequences", 2, 1, 1, 1, 16777216) \
	X("fma_peak", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "elements x iterations", 2, 1, 0, 1, 1073741824) \
	X("gemm", "f32,f64", "scalar,simd,threads,vulkan,blas", "small,medium,large,tiny", "m x n x k", 3, 1, 0, 1, 131072) \
	X("histogram.256", "u8", "scalar,simd,threads,vulkan", "small,medium,large", "keys", 1, 0, 0, 1, 4294967295) \
	X("histogram.4096", "u32", "scalar,simd,threads,vulkan", "small,medium,large", "keys", 1, 0, 0, 1, 4294967295) \
	X("nbody", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "bodies", 1, 0, 0, 2, 16777216) \
	X("phys.ice_adjust", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large,repro", "columns x levels", 2, 1, 0, 1, 4294967296) \
	X("phys.rain_ice", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large,repro", "columns x levels", 2, 1, 0, 1, 4294967296) \
	X("phys.satad", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "columns x levels", 2, 1, 0, 1, 4294967296) \
	X("reduce.argmax", "f32,f64,i32", "scalar,simd,threads,vulkan", "small,medium,large", "elements", 1, 0, 0, 2, 68719476736) \
	X("reduce.min", "f32,f64,i32", "scalar,simd,threads,vulkan", "small,medium,large", "elements", 1, 0, 0, 2, 68719476736) \
	X("reduce.sum", "f32,f64,i32", "scalar,simd,threads,vulkan", "small,medium,large", "elements", 1, 0, 0, 2, 68719476736) \
	X("regrid.bilinear", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large,3km", "rows x columns of the source grid", 2, 0, 0, 4, 1048576) \
	X("regrid.conservative", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large,3km", "rows x columns of the source grid", 2, 0, 0, 4, 1048576) \
	X("regrid.nearest", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large,3km", "rows x columns of the source grid", 2, 0, 0, 4, 1048576) \
	X("scan.excl", "u32,u64", "scalar,simd,threads,vulkan", "small,medium,large", "elements", 1, 0, 0, 1, 68719476736) \
	X("scan.incl", "u32,u64", "scalar,simd,threads,vulkan", "small,medium,large", "elements", 1, 0, 0, 1, 68719476736) \
	X("sort.radix", "u32,u64", "scalar,simd,threads,vulkan", "small,medium,large", "keys", 1, 0, 0, 2, 2147483648) \
	X("spmv.csr", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "edge of the cube; its third power are the rows", 1, 0, 0, 3, 1024) \
	X("stencil2d.5pt", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "rows x columns", 2, 1, 0, 3, 1048576) \
	X("stencil3d.27pt", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "planes x rows x columns", 3, 1, 0, 3, 1048576) \
	X("stencil3d.7pt", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "planes x rows x columns", 3, 1, 0, 3, 1048576) \
	X("stream.add", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "bytes of each array", 1, 0, 0, 64, 68719476736) \
	X("stream.copy", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "bytes of each array", 1, 0, 0, 64, 68719476736) \
	X("stream.dot", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "bytes of each array", 1, 0, 0, 64, 68719476736) \
	X("stream.scale", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "bytes of each array", 1, 0, 0, 64, 68719476736) \
	X("stream.triad", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "bytes of each array", 1, 0, 0, 64, 68719476736) \
	X("transfer.d2d", "u32", "scalar,simd,threads,vulkan", "small,medium,large", "bytes", 1, 0, 0, 64, 68719476736) \
	X("transfer.d2h", "u32", "scalar,simd,threads,vulkan", "small,medium,large", "bytes", 1, 0, 0, 64, 68719476736) \
	X("transfer.h2d", "u32", "scalar,simd,threads,vulkan", "small,medium,large", "bytes", 1, 0, 0, 64, 68719476736) \
	X("transpose", "f32,f64", "scalar,simd,threads,vulkan", "small,medium,large", "rows x columns", 2, 1, 0, 1, 1048576)
/* clang-format on */

#endif
