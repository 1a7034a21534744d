/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/model/model.h"

#include <string.h>
#include "base/text.h"

/* The daemon runs no kernel and links none, so it keeps their names; tests/e2e/kernel_ids.sh
 * compares the list with what `benchd-kernel list` prints. */
const char *const kernel_ids[] = {
	"regrid.bilinear",
	"regrid.conservative",
	"regrid.nearest",
	"stream.add",
	"stream.copy",
	"stream.dot",
	"stream.scale",
	"stream.triad",
	NULL,
};

json_t *workload_from_kernel(const char *id_or_glob)
{
	for (size_t i = 0; kernel_ids[i]; i++)
		if (glob_match(id_or_glob, kernel_ids[i]))
			return json_pack("{ss ss}", "kind", "kernel", "kernel", id_or_glob);
	return NULL;
}
