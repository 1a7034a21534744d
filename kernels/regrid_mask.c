/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include "base/cleanup.h"
#include "kernels/input.h"
#include "kernels/regrid.h"

enum { BLOCKS_LON = 60 };

uint8_t *regrid_mask_make(const struct params *p, enum regrid_grid g, int64_t h, int64_t w)
{
	uint8_t *mask = xcalloc((size_t)(h * w), 1);
	uint64_t key = input_key(p->seed, 9);

	for (int64_t i = 0; i < h; i++)
		for (int64_t j = 0; j < w; j++) {
			int64_t row = (int64_t)floor((grid_lat(g, h, i) + 90) / 6);
			int64_t column = (int64_t)floor((grid_lon(g, w, j) + 180) / 6);

			mask[i * w + j] =
				input_uniform(key, (uint64_t)(row * BLOCKS_LON +
							      column % BLOCKS_LON)) < 0.3;
		}
	return mask;
}
