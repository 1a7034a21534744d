/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kernels/math.h"
#include <math.h>
#include "kernels/code.h"

static void exps(void *out, const void *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((real *)out)[i] = (real)exp((double)((const real *)x)[i]);
}

static void logs(void *out, const void *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((real *)out)[i] = (real)log((double)((const real *)x)[i]);
}

static void rcps(void *out, const void *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((real *)out)[i] = 1 / ((const real *)x)[i];
}

CODE_EXPORT(math) = { exps, logs, logs, rcps };
