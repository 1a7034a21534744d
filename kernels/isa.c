/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/code.h"

bool isa_is_supported(enum isa i)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (i == ISA_SSE42)
		return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
	if (i == ISA_AVX2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
		       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
	if (i == ISA_AVX512)
		return isa_is_supported(ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
		       __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512cd") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
	return i == ISA_SCALAR || i == ISA_BASE;
}

enum isa isa_best(void)
{
	int i = N_ISAS - 1;

	while (i > ISA_BASE && !isa_is_supported((enum isa)i))
		i--;
	return (enum isa)i;
}

const char *isa_name(enum isa i)
{
	static const char *const names[N_ISAS] = {
#ifdef __aarch64__
		"scalar", "neon",
#else
		"scalar", "base",
#endif
		"sse4.2", "avx2", "avx512"
	};

	return names[i];
}
