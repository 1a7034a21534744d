/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One source, many instruction sets, no ifuncs.
 *
 * The inner loops of a family live in kernels/scalar/FAMILY.c and kernels/simd/FAMILY.c. The
 * build compiles each of them several times with -DCODE_ISA=... -DCODE_BITS=32|64, and each
 * compilation exports one constant table `struct FAMILY_code FAMILY_ISA_BITS`. CODE_TABLES
 * collects them; code_pick takes the one for a run.
 *
 *   scalar   plain C, no vectorisation, no contraction: the reference's order of operations
 *   base     vectors of 16 bytes: SSE2 on x86-64, NEON on arm64, whatever the target has
 *   sse4.2   x86-64-v2: SSE4.2, POPCNT
 *   avx2     x86-64-v3: AVX2, FMA, BMI2
 *   avx512   x86-64-v4: AVX-512 F, BW, CD, DQ, VL
 *
 * CODE_BITS is the width of an element: 32 makes `real` float and `word` uint32_t, 64 makes
 * them double and uint64_t. */
#ifndef KERNELS_CODE_H
#define KERNELS_CODE_H

#include <stdint.h>
#include "kernels/kernels.h"

#ifdef CODE_BITS
#if CODE_BITS == 64
typedef double real;
typedef uint64_t word;
#define REAL_EPS 0x1p-52
#else
typedef float real;
typedef uint32_t word;
#define REAL_EPS 0x1p-23f
#endif
#define CODE_NAME3(family, isa, bits) family##_##isa##_##bits
#define CODE_NAME2(family, isa, bits) CODE_NAME3(family, isa, bits)
/* The name of this compilation's table: CODE(stream) is stream_avx2_64. */
#define CODE(family) CODE_NAME2(family, CODE_ISA, CODE_BITS)
#define CODE_EXPORT(family)                                                                    \
	extern const struct family##_code CODE(family);                                        \
	const struct family##_code CODE(family)
#endif

#ifdef __x86_64__
#define CODE_X86_(family, isa, bits) &family##_##isa##_##bits
#define CODE_X86_DECLARE(family)                                                               \
	extern const struct family##_code family##_sse42_32, family##_sse42_64,                \
		family##_avx2_32, family##_avx2_64, family##_avx512_32, family##_avx512_64;
#define CODE_X86_ROWS(family)                                                                  \
	[ISA_SSE42] = { &family##_sse42_32, &family##_sse42_64 },                              \
	[ISA_AVX2] = { &family##_avx2_32, &family##_avx2_64 },                                 \
	[ISA_AVX512] = { &family##_avx512_32, &family##_avx512_64 },
#else
#define CODE_X86_DECLARE(family)
#define CODE_X86_ROWS(family)
#endif

/* Declares the compiled forms of a family and the table FAMILY_codes[isa][64 bits?]. */
#define CODE_TABLES(family)                                                                    \
	extern const struct family##_code family##_scalar_32, family##_scalar_64,              \
		family##_base_32, family##_base_64;                                            \
	CODE_X86_DECLARE(family)                                                               \
	static const struct family##_code *const family##_codes[N_ISAS][2] = {                 \
		[ISA_SCALAR] = { &family##_scalar_32, &family##_scalar_64 },                   \
		[ISA_BASE] = { &family##_base_32, &family##_base_64 },                         \
		CODE_X86_ROWS(family)                                                          \
	}
/* The table for a run; never NULL, because params carry only an isa of this CPU. */
#define CODE_PICK(family, p)                                                                   \
	family##_codes[(p)->backend == BACKEND_SCALAR ? ISA_SCALAR : (p)->isa]                 \
		      [dtype_bytes((p)->dtype) == 8]

/* Best set this CPU runs, and whether it runs one. */
enum isa isa_best(void);
bool isa_is_supported(enum isa i);
const char *isa_name(enum isa i);

#endif
