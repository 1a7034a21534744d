/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/model/model.h"

#include <string.h>
#include "base/text.h"

/* The daemon runs no kernel and links none, so it keeps their names; tests/e2e/kernel_ids.sh
 * compares the list with what `benchd-kernel list` prints. */
const char *const kernel_ids[] = {
	"dispatch.latency",
	"dispatch.void",
	"fft.c2c",
	"fma_peak",
	"gemm",
	"histogram.256",
	"histogram.4096",
	"nbody",
	"phys.ice_adjust",
	"phys.rain_ice",
	"phys.satad",
	"reduce.argmax",
	"reduce.min",
	"reduce.sum",
	"regrid.bilinear",
	"regrid.conservative",
	"regrid.nearest",
	"scan.excl",
	"scan.incl",
	"sort.radix",
	"spmv.csr",
	"stencil2d.5pt",
	"stencil3d.27pt",
	"stencil3d.7pt",
	"stream.add",
	"stream.copy",
	"stream.dot",
	"stream.scale",
	"stream.triad",
	"transfer.d2d",
	"transfer.d2h",
	"transfer.h2d",
	"transpose",
	NULL,
};

json_t *workload_from_kernel(const char *id_or_glob)
{
	for (size_t i = 0; kernel_ids[i]; i++)
		if (glob_match(id_or_glob, kernel_ids[i]))
			return json_pack("{ss ss}", "kind", "kernel", "kernel", id_or_glob);
	return NULL;
}
