/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/model/model.h"

#include <string.h>
#include <strings.h>
#include "base/text.h"
#include "daemon/model/kernel_table.h"

const char *const kernel_ids[] = {
#define X(id, ...) id,
	KERNELS(X)
#undef X
		NULL,
};

const char *kernel_id_near(const char *name)
{
	for (size_t i = 0; kernel_ids[i]; i++) {
		const char *dot = strchr(kernel_ids[i], '.');

		if (dot && strcasecmp(dot + 1, name) == 0)
			return kernel_ids[i];
	}
	for (size_t i = 0; kernel_ids[i]; i++)
		if (strncasecmp(kernel_ids[i], name, strlen(name)) == 0 && *name)
			return kernel_ids[i];
	return nearest_name(name, kernel_ids);
}

json_t *workload_from_kernel(const char *id_or_glob)
{
	for (size_t i = 0; kernel_ids[i]; i++)
		if (glob_match(id_or_glob, kernel_ids[i]))
			return json_pack("{ss ss}", "kind", "kernel", "kernel", id_or_glob);
	return NULL;
}
