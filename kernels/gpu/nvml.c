/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NVIDIA's management library, with prototypes of our own: a symbol that is missing or a value
 * the device does not have (NVML_ERROR_NOT_SUPPORTED) is simply absent. */
#include "kernels/gpu/tele.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>

enum { SUCCESS = 0, CLOCK_SM = 1, CLOCK_MEMORY = 2, SENSOR_GPU = 0, THRESHOLD_SLOWDOWN = 1 };
enum { ECC_UNCORRECTED = 1, ECC_VOLATILE = 0, MAX_PROCESSES = 64 };

/* Reason bits of nvmlDeviceGetCurrentClocksEventReasons. */
enum {
	REASON_POWER_CAP = 0x4,
	REASON_HARDWARE = 0x8,
	REASON_SOFT_THERMAL = 0x20,
	REASON_HARD_THERMAL = 0x40,
	REASON_POWER_BRAKE = 0x80,
};

unsigned nvml_slowdown(unsigned long long reasons)
{
	unsigned bits = 0;

	if (reasons & REASON_POWER_CAP)
		bits |= GPU_SLOW_POWER_CAP;
	if (reasons & (REASON_SOFT_THERMAL | REASON_HARD_THERMAL))
		bits |= GPU_SLOW_THERMAL;
	if (reasons & (REASON_HARDWARE | REASON_POWER_BRAKE))
		bits |= GPU_SLOW_HARDWARE;
	return bits;
}

/* "GPU-" and the UUID of Vulkan with dashes. */
static void format_uuid(const char uuid[33], char out[48])
{
	snprintf(out, 48, "GPU-%.8s-%.4s-%.4s-%.4s-%.12s", uuid, uuid + 8, uuid + 12, uuid + 16,
		uuid + 20);
}

bool nvml_find(struct nvml *m, const struct gpu_info *info)
{
	char uuid[48];

	if (info->pci[0] && m->DeviceGetHandleByPciBusId_v2 &&
		m->DeviceGetHandleByPciBusId_v2(info->pci, &m->device) == SUCCESS)
		return true;
	format_uuid(info->uuid, uuid);
	return m->DeviceGetHandleByUUID &&
	       m->DeviceGetHandleByUUID(uuid, &m->device) == SUCCESS;
}

static void close_nvml(void *source)
{
	struct nvml *m = source;

	if (m->Shutdown)
		m->Shutdown();
	if (m->library)
		dlclose(m->library);
	free(m);
}

struct nvml *nvml_open(const struct gpu_info *info)
{
	void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
	struct nvml *m;

	if (!library)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->library = library;
#define X(name, parameters) m->name = (int(*) parameters)dlsym(library, "nvml" #name);
	NVML_FUNCTIONS(X)
#undef X
	if (m->Init_v2 && m->Init_v2() == SUCCESS) {
		if (nvml_find(m, info))
			return m;
	} else {
		m->Shutdown = NULL;
	}
	close_nvml(m);
	return NULL;
}

/* A function of one unsigned result, scaled; NAN when it is absent or fails. */
static double value(int (*f)(void *, unsigned int *), void *device, double scale)
{
	unsigned int v = 0;

	return f && f(device, &v) == SUCCESS ? (double)v * scale : NAN;
}

static double value_of(
	int (*f)(void *, int, unsigned int *), void *device, int which, double scale)
{
	unsigned int v = 0;

	return f && f(device, which, &v) == SUCCESS ? (double)v * scale : NAN;
}

static void read_limits(void *source, struct gpu_limits *ret)
{
	struct nvml *m = source;

	gpu_limits_clear(ret);
	ret->max_sm_mhz = value_of(m->DeviceGetMaxClockInfo, m->device, CLOCK_SM, 1);
	ret->power_limit_w = value(m->DeviceGetEnforcedPowerLimit, m->device, 1e-3);
	ret->temperature_limit_c =
		value_of(m->DeviceGetTemperatureThreshold, m->device, THRESHOLD_SLOWDOWN, 1);
	ret->link_generation = value(m->DeviceGetCurrPcieLinkGeneration, m->device, 1);
	ret->link_width = value(m->DeviceGetCurrPcieLinkWidth, m->device, 1);
	if (!m->SystemGetDriverVersion ||
		m->SystemGetDriverVersion(ret->driver, sizeof(ret->driver)) != SUCCESS)
		ret->driver[0] = '\0';
}

/* Processes of others in one list; Vulkan's may stand in the list of graphics or of compute. In
 * a container pids are of another namespace, and our own may then be counted. */
static double count_others(
	int (*list)(void *, unsigned int *, struct nvml_process *), void *device)
{
	struct nvml_process all[MAX_PROCESSES];
	unsigned int n = MAX_PROCESSES;
	double others = 0;

	if (!list || list(device, &n, all) != SUCCESS)
		return NAN;
	for (unsigned int i = 0; i < n && i < MAX_PROCESSES; i++)
		others += all[i].pid != (unsigned int)getpid();
	return others;
}

static double sum_known(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a + b;
}

static unsigned read_slowdown(struct nvml *m)
{
	unsigned long long reasons = 0;

	if (m->DeviceGetCurrentClocksEventReasons &&
		m->DeviceGetCurrentClocksEventReasons(m->device, &reasons) == SUCCESS)
		return nvml_slowdown(reasons);
	if (m->DeviceGetCurrentClocksThrottleReasons &&
		m->DeviceGetCurrentClocksThrottleReasons(m->device, &reasons) == SUCCESS)
		return nvml_slowdown(reasons);
	return 0;
}

static void read_counters(struct nvml *m, struct gpu_reading *ret)
{
	struct nvml_memory memory;
	unsigned long long v;
	unsigned int rates[2] = { 0, 0 };

	if (m->DeviceGetTotalEnergyConsumption &&
		m->DeviceGetTotalEnergyConsumption(m->device, &v) == SUCCESS)
		ret->energy_j = (double)v * 1e-3;
	if (m->DeviceGetUtilizationRates &&
		m->DeviceGetUtilizationRates(m->device, rates) == SUCCESS)
		ret->utilization = rates[0] / 100.;
	if (m->DeviceGetMemoryInfo && m->DeviceGetMemoryInfo(m->device, &memory) == SUCCESS)
		ret->memory_used_bytes = (double)memory.used;
	if (m->DeviceGetTotalEccErrors && m->DeviceGetTotalEccErrors(m->device, ECC_UNCORRECTED,
						  ECC_VOLATILE, &v) == SUCCESS)
		ret->ecc_errors = (double)v;
}

static void read_nvml(void *source, struct gpu_reading *ret)
{
	struct nvml *m = source;

	ret->sm_mhz = value_of(m->DeviceGetClockInfo, m->device, CLOCK_SM, 1);
	ret->memory_mhz = value_of(m->DeviceGetClockInfo, m->device, CLOCK_MEMORY, 1);
	ret->temperature_c = value_of(m->DeviceGetTemperature, m->device, SENSOR_GPU, 1);
	ret->power_w = value(m->DeviceGetPowerUsage, m->device, 1e-3);
	ret->slowdown = read_slowdown(m);
	ret->n_others =
		sum_known(count_others(m->DeviceGetComputeRunningProcesses_v3, m->device),
			count_others(m->DeviceGetGraphicsRunningProcesses_v3, m->device));
	read_counters(m, ret);
}

const struct gpu_source nvml_source = {
	.name = "nvml",
	.limits = read_limits,
	.read = read_nvml,
	.close = close_nvml,
};
