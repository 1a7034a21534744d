/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/simd/math.h"
#include "kernels/math.h"

#define LOOP(name, F)                                                                          \
	static void name(void *out, const void *x, size_t n)                                   \
	{                                                                                      \
		for (size_t i = 0; i < n; i += LANES) {                                        \
			size_t part = n - i < (size_t)LANES ? n - i : (size_t)LANES;           \
                                                                                               \
			v_store_n((real *)out + i, F(v_load_n((const real *)x + i, part)),     \
				part);                                                         \
		}                                                                              \
	}

LOOP(exps, v_exp)
LOOP(logs, v_log)
LOOP(logs_absolute, v_log_absolute)
LOOP(rcps, v_rcp)

CODE_EXPORT(math) = { exps, logs, logs_absolute, rcps };
