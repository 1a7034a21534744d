/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RMSE and largest error of f1 at half resolution against f1 at the target points, f64. Below
 * 3600x7200 CDO 2.1.1 gives the same ten digits for bilinear and conservative and for nearest
 * on cell grids (three methods, cell and node, where it was run: 100x200 to 500x1000 and
 * 3600x7200). Large grids are compared to 1e-6 only: the rounding of the input shows there. */
#include "kernels/regrid.h"

#include <stddef.h>
#include "base/cleanup.h"

#define NN_CELL REGRID_NEAREST, REGRID_CELL
#define NN_NODE REGRID_NEAREST, REGRID_NODE
#define BIL_CELL REGRID_BILINEAR, REGRID_CELL
#define BIL_NODE REGRID_BILINEAR, REGRID_NODE
#define CON_CELL REGRID_CONSERVATIVE, REGRID_CELL

static const struct regrid_golden goldens[] = {
	{ 50, 100, BIL_CELL, 1.102221749e-03, 2.679853770e-03, 1e-9 },
	{ 50, 100, BIL_NODE, 8.292505037e-04, 2.384495704e-03, 1e-9 },
	{ 50, 100, CON_CELL, 3.447107038e-03, 1.712569372e-02, 1e-9 },
	{ 50, 100, NN_CELL, 3.1403010378e-02, 6.2728568156e-02, 1e-9 },
	{ 50, 100, NN_NODE, 1.7734030081e-02, 6.3362639366e-02, 1e-9 },
	{ 100, 200, BIL_CELL, 2.7578669822e-04, 6.7343810618e-04, 1e-9 },
	{ 100, 200, BIL_NODE, 2.0725475091e-04, 5.9150611218e-04, 1e-9 },
	{ 100, 200, CON_CELL, 1.2268405330e-03, 8.2779787424e-03, 1e-9 },
	{ 100, 200, NN_CELL, 1.5706348455e-02, 3.1403009421e-02, 1e-9 },
	{ 100, 200, NN_NODE, 8.8935295748e-03, 3.0837474892e-02, 1e-9 },
	{ 200, 400, BIL_CELL, 6.8961136131e-05, 1.6867993408e-04, 1e-9 },
	{ 200, 400, BIL_NODE, 5.1791067485e-05, 1.4718252876e-04, 1e-9 },
	{ 200, 400, CON_CELL, 4.3502592658e-04, 4.0416932095e-03, 1e-9 },
	{ 200, 400, NN_CELL, 7.8537797732e-03, 1.5706348425e-02, 1e-9 },
	{ 200, 400, NN_NODE, 4.4616934455e-03, 1.5596566279e-02, 1e-9 },
	{ 500, 1000, BIL_CELL, 1.1034429749e-05, 2.6997965327e-05, 1e-9 },
	{ 500, 1000, BIL_NODE, 8.2836384286e-06, 2.3471082429e-05, 1e-9 },
	{ 500, 1000, CON_CELL, 1.1023261420e-04, 1.5899817982e-03, 1e-9 },
	{ 500, 1000, NN_CELL, 3.1415797343e-03, 6.2830819536e-03, 1e-9 },
	{ 500, 1000, NN_NODE, 1.7879999755e-03, 6.2685239244e-03, 1e-9 },
	{ 1800, 3600, BIL_CELL, 8.514308374e-07, 2.083428766e-06, 1e-6 },
	{ 1800, 3600, BIL_NODE, 6.390452851e-07, 1.807669364e-06, 1e-6 },
	{ 1800, 3600, CON_CELL, 1.615026155e-05, 4.378435436e-04, 1e-6 },
	{ 1800, 3600, NN_CELL, 8.7266434909e-04, 1.7453270368e-03, 1e-6 },
	{ 1800, 3600, NN_NODE, 4.9709213286e-04, 1.7443148076e-03, 1e-6 },
	{ 3600, 7200, BIL_CELL, 2.128578e-07, 5.208598e-07, 1e-6 },
	{ 3600, 7200, BIL_NODE, 1.597551e-07, 4.517494e-07, 1e-6 },
	{ 3600, 7200, CON_CELL, 5.71078076e-06, 2.18545446e-04, 1e-6 },
	{ 3600, 7200, NN_CELL, 4.3633227839e-04, 8.7266434909e-04, 1e-6 },
	{ 3600, 7200, NN_NODE, 2.4858628035e-04, 8.7241661915e-04, 1e-6 },
};

/* Nearest on the sphere: what CDO 2.1.1 gives, in the digits that are known. */
static const struct regrid_golden chords[] = {
	{ 100, 200, NN_NODE, 9.1688e-03, 0, 1e-5 },
	{ 200, 400, NN_NODE, 4.5305e-03, 0, 2e-5 },
	{ 500, 1000, NN_NODE, 1.7990e-03, 0, 3e-5 },
	{ 3600, 7200, NN_NODE, 2.4880e-04, 0, 3e-5 },
};

static const struct regrid_golden *find(
	const struct regrid_state *s, const struct regrid_golden *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (g[i].h == s->h && g[i].w == s->w && g[i].method == s->method &&
			g[i].grid == s->grid)
			return &g[i];
	return NULL;
}

const struct regrid_golden *regrid_golden_find(const struct regrid_state *s)
{
	if (s->p->dtype != DT_F64 || params_option(s->p, "field") != 0 ||
		params_option(s->p, "values") != 0 || s->mask || s->levels != 1 ||
		s->th != s->h / 2 || s->tw != s->w / 2)
		return NULL;
	return s->is_chord ? find(s, chords, ARRAY_SIZE(chords))
			   : find(s, goldens, ARRAY_SIZE(goldens));
}
