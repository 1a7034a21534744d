/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel says about a GPU in /sys/bus/pci/devices/DDDD:BB:DD.F: amdgpu's files and the
 * first hwmon folder (also i915 and xe). Documentation: Linux, Documentation/gpu/amdgpu. */
#include "kernels/gpu/tele.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/fs.h"

struct sysfs_gpu {
	char *device; /* folder of the PCI device */
	char *hwmon;  /* NULL: it has none */
};

enum { FILE_MAX = 4096 };

static bool read_text(const char *folder, const char *name, struct buf *b)
{
	_cleanup_(free)
	char *path = folder ? xasprintf("%s/%s", folder, name) : NULL;

	return path && file_read(path, FILE_MAX, b, NULL) == OK;
}

/* A number in a file, scaled; NAN when it is not there. */
static double value(const char *folder, const char *name, double scale)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	char *end;
	double v;

	if (!read_text(folder, name, &b))
		return NAN;
	v = strtod(buf_str(&b), &end);
	return end == buf_str(&b) ? NAN : v * scale;
}

static double first_known(double a, double b)
{
	return isnan(a) ? b : a;
}

struct sysfs_gpu *sysfs_open(const struct gpu_info *info, const char *root)
{
	_cleanup_(free)
	char *device = NULL, *pattern = NULL;
	struct sysfs_gpu *s;
	glob_t found;

	if (!info->pci[0])
		return NULL;
	device = xasprintf("%s/bus/pci/devices/%s", root, info->pci);
	pattern = xasprintf("%s/hwmon/hwmon*", device);
	if (isnan(value(device, "gpu_busy_percent", 1)) &&
		glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	if (glob(pattern, 0, NULL, &found) == 0) {
		s->hwmon = xstrdup(found.gl_pathv[0]);
		globfree(&found);
	}
	s->device = TAKE(device);
	return s;
}

static void close_sysfs(void *source)
{
	struct sysfs_gpu *s = source;

	free(s->device);
	free(s->hwmon);
	free(s);
}

/* Highest clock of the table "0: 500Mhz\n1: 2100Mhz *\n" in MHz. */
static double highest_clock(const struct sysfs_gpu *s)
{
	_cleanup_(buf_done)
	struct buf b = { 0 };
	double most = NAN;

	if (!read_text(s->device, "pp_dpm_sclk", &b))
		return NAN;
	for (const char *line = buf_str(&b); line && *line;) {
		const char *colon = strchr(line, ':');
		double mhz = colon ? strtod(colon + 1, NULL) : 0;

		if (mhz > 0 && !(mhz <= most))
			most = mhz;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return most;
}

static void read_limits(void *source, struct gpu_limits *ret)
{
	struct sysfs_gpu *s = source;

	gpu_limits_clear(ret);
	ret->max_sm_mhz = highest_clock(s);
	ret->power_limit_w = value(s->hwmon, "power1_cap", 1e-6);
	ret->temperature_limit_c = value(s->hwmon, "temp1_crit", 1e-3);
	ret->link_width = value(s->device, "current_link_width", 1);
}

static void read_sysfs(void *source, struct gpu_reading *ret)
{
	struct sysfs_gpu *s = source;

	ret->utilization = value(s->device, "gpu_busy_percent", 0.01);
	ret->memory_used_bytes = value(s->device, "mem_info_vram_used", 1);
	ret->sm_mhz = value(s->hwmon, "freq1_input", 1e-6);
	ret->memory_mhz = value(s->hwmon, "freq2_input", 1e-6);
	ret->temperature_c = value(s->hwmon, "temp1_input", 1e-3);
	ret->power_w = first_known(
		value(s->hwmon, "power1_average", 1e-6), value(s->hwmon, "power1_input", 1e-6));
	ret->energy_j = value(s->hwmon, "energy1_input", 1e-6);
}

const struct gpu_source sysfs_source = {
	.name = "sysfs",
	.limits = read_limits,
	.read = read_sysfs,
	.close = close_sysfs,
};
