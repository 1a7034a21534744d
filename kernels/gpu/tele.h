/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telemetry: clocks, power, temperature and neighbours of a GPU while it is measured, read ten
 * times a second by a thread of its own from NVML (NVIDIA, opened with dlopen) or sysfs
 * (amdgpu). Strictly read-only: clocks, power limits and persistence are never set. What a
 * source does not know is NAN; a device without a source has no telemetry, which is not an
 * error.
 *
 * start, mark, stop and format belong to the thread that owns the device. */
#ifndef KERNELS_GPU_TELE_H
#define KERNELS_GPU_TELE_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/cleanup.h"
#include "kernels/gpu/gpu.h"

struct gpu_reading {
	int64_t at_ns;		   /* CLOCK_MONOTONIC, as the samples */
	double sm_mhz, memory_mhz; /* clocks now */
	double temperature_c, power_w;
	double energy_j;    /* since the driver was loaded */
	double utilization; /* 0 to 1 */
	double memory_used_bytes;
	double ecc_errors; /* uncorrected, since the driver was loaded */
	double n_others;   /* processes of others on the device */
	uint64_t slowdown; /* bits of enum gpu_slowdown */
};

/* Why the clock is not higher; idle, application clocks, sync boost and display are no fault
 * and not listed. */
enum gpu_slowdown {
	GPU_SLOW_POWER_CAP = 1, /* software power cap */
	GPU_SLOW_THERMAL = 2,	/* software or hardware thermal slowdown */
	GPU_SLOW_HARDWARE = 4,	/* hardware slowdown, power brake */
};

struct gpu_limits { /* do not change during a run */
	double max_sm_mhz, power_limit_w, temperature_limit_c;
	double link_generation, link_width; /* PCI Express */
	char driver[80];
};

/* One way to read a device. read leaves NAN what it does not know. */
struct gpu_source {
	const char *name;
	void (*limits)(void *source, struct gpu_limits *ret);
	void (*read)(void *source, struct gpu_reading *ret);
	void (*close)(void *source);
};

/* The source of a device and its handle, NULL when there is none. sysfs is "/sys" outside of
 * tests. */
const struct gpu_source *gpu_source_open(
	const struct gpu_info *info, const char *sysfs, void **ret_handle);

struct gpu_tele;
/* NULL when the device has no source or no thread could be had. */
struct gpu_tele *gpu_tele_start(const struct gpu_info *info);
/* Samples are taken from here (begins) or no longer: only readings between are judged. */
void gpu_tele_mark(struct gpu_tele *t, bool begins); /* NULL is fine */
void gpu_tele_stop(struct gpu_tele *t);		     /* NULL is fine */
/* {source, limits, flags, readings: [...]}; NULL for NULL. The caller owns it. */
json_t *gpu_tele_format(struct gpu_tele *t);

/* What n readings of a busy device say; bits. Source: thresholds of NVML's reason bits. */
enum gpu_flag {
	GPU_FLAG_CLOCK_LOW = 1,	   /* SM clock < 95 % of the run's highest */
	GPU_FLAG_THROTTLED = 2,	   /* < 75 %, or thermal or hardware slowdown */
	GPU_FLAG_POWER_CAPPED = 4, /* software power cap */
	GPU_FLAG_SHARED = 8,	   /* another process on the device */
	GPU_FLAG_HOT = 16,	   /* within 5 K of the limit */
	GPU_FLAG_ECC = 32,	   /* uncorrected errors grew */
};
unsigned gpu_flags_judge(
	const struct gpu_reading *r, size_t n, const struct gpu_limits *limits);
json_t *gpu_flags_json(unsigned flags); /* array of names; the caller owns it */

void gpu_reading_clear(struct gpu_reading *r); /* all NAN */
void gpu_limits_clear(struct gpu_limits *l);

/* --- nvml.c --- */
struct nvml_memory {
	unsigned long long total, free, used;
};
struct nvml_process {
	unsigned int pid;
	unsigned long long used;
	unsigned int gpu_instance, compute_instance;
};
/* The functions of libnvidia-ml.so.1 that are used, by their name without "nvml"; any may be
 * NULL except the first three. A test fills the table with its own. */
#define NVML_FUNCTIONS(X)                                                                      \
	X(Init_v2, (void))                                                                     \
	X(Shutdown, (void))                                                                    \
	X(DeviceGetHandleByPciBusId_v2, (const char *, void **))                               \
	X(DeviceGetHandleByUUID, (const char *, void **))                                      \
	X(SystemGetDriverVersion, (char *, unsigned int))                                      \
	X(DeviceGetClockInfo, (void *, int, unsigned int *))                                   \
	X(DeviceGetMaxClockInfo, (void *, int, unsigned int *))                                \
	X(DeviceGetTemperature, (void *, int, unsigned int *))                                 \
	X(DeviceGetTemperatureThreshold, (void *, int, unsigned int *))                        \
	X(DeviceGetPowerUsage, (void *, unsigned int *))                                       \
	X(DeviceGetEnforcedPowerLimit, (void *, unsigned int *))                               \
	X(DeviceGetTotalEnergyConsumption, (void *, unsigned long long *))                     \
	X(DeviceGetCurrentClocksEventReasons, (void *, unsigned long long *))                  \
	X(DeviceGetCurrentClocksThrottleReasons, (void *, unsigned long long *))               \
	X(DeviceGetUtilizationRates, (void *, unsigned int[2]))                                \
	X(DeviceGetMemoryInfo, (void *, struct nvml_memory *))                                 \
	X(DeviceGetComputeRunningProcesses_v3,                                                 \
		(void *, unsigned int *, struct nvml_process *))                               \
	X(DeviceGetGraphicsRunningProcesses_v3,                                                \
		(void *, unsigned int *, struct nvml_process *))                               \
	X(DeviceGetTotalEccErrors, (void *, int, int, unsigned long long *))                   \
	X(DeviceGetCurrPcieLinkGeneration, (void *, unsigned int *))                           \
	X(DeviceGetCurrPcieLinkWidth, (void *, unsigned int *))

struct nvml {
	void *library; /* NULL in tests */
	void *device;
#define X(name, parameters) int(*name) parameters;
	NVML_FUNCTIONS(X)
#undef X
};
extern const struct gpu_source nvml_source; /* handle: struct nvml */
/* Load the library, initialise it and find the device; NULL when any of it fails. */
struct nvml *nvml_open(const struct gpu_info *info);
/* Find the device with the functions that are there; false: it is not NVML's. */
bool nvml_find(struct nvml *m, const struct gpu_info *info);
unsigned nvml_slowdown(unsigned long long reasons); /* reason bits -> enum gpu_slowdown */

/* --- sysfs.c --- */
struct sysfs_gpu;
extern const struct gpu_source sysfs_source; /* handle: struct sysfs_gpu */
struct sysfs_gpu *sysfs_open(const struct gpu_info *info, const char *root);

#endif
