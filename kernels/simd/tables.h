/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of 16 entries for exp and log in f64 where a table is two registers (AVX-512),
 * computed with 300 digits. Included by kernels/simd/math.h alone. */
#ifndef KERNELS_SIMD_TABLES_H
#define KERNELS_SIMD_TABLES_H

#include <stdint.h>

#define TABLE static const _Alignas(64)

/* Bits of 2^(j/16), less j << 48: adding n << 48 for n = 16 k + j makes 2^(n/16). */
TABLE int64_t exp2_table[16] = { 0x3ff0000000000000LL, 0x3fefb5586cf9890fLL,
	0x3fef72b83c7d517bLL, 0x3fef387a6e756238LL, 0x3fef06fe0a31b715LL, 0x3feedea64c123422LL,
	0x3feebfdad5362a27LL, 0x3feeab07dd485429LL, 0x3feea09e667f3bcdLL, 0x3feea11473eb0187LL,
	0x3feeace5422aa0dbLL, 0x3feec49182a3f090LL, 0x3feee89f995ad3adLL, 0x3fef199bdd85529cLL,
	0x3fef5818dcfba487LL, 0x3fefa4afa2a490daLL };

/* [3/4, 3/2) in 8 parts of 1/32 and 8 of 1/16: 1/c for the middle c of a part, and log c. */
TABLE double part_rcp[16] = { 0x1.4e5e0a72f0539p+0, 0x1.4141414141414p+0, 0x1.3521cfb2b78c1p+0,
	0x1.29e4129e4129ep+0, 0x1.1f7047dc11f70p+0, 0x1.15b1e5f75270dp+0, 0x1.0c9714fbcda3bp+0,
	0x1.0410410410410p+0, 0x1.f07c1f07c1f08p-1, 0x1.d41d41d41d41dp-1, 0x1.bacf914c1bad0p-1,
	0x1.a41a41a41a41ap-1, 0x1.8f9c18f9c18fap-1, 0x1.7d05f417d05f4p-1, 0x1.6c16c16c16c17p-1,
	0x1.5c9882b931057p-1 };
TABLE double part_log[16] = { -0x1.1178e8227e47ap-2, -0x1.d1037f2655e7bp-3,
	-0x1.823c16551a3c0p-3, -0x1.365fcb0159014p-3, -0x1.da7276384469ep-4,
	-0x1.4d3115d207eacp-4, -0x1.894aa149fb34bp-5, -0x1.0205658935837p-6,
	0x1.f829b0e7832f8p-6, 0x1.6f0d28ae56b4ep-4, 0x1.29552f81ff521p-3, 0x1.9525a9cf456b6p-3,
	0x1.fb9186d5e3e29p-3, 0x1.2e8e2bae11d31p-2, 0x1.5d1bdbf5809cap-2,
	0x1.89a3386c1425bp-2 };
#undef TABLE

#endif
