/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telemetry without a GPU: NVML behind a table of fakes, sysfs in a folder, flags on readings
 * of our own; and the lock of a device. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include "base/fs.h"
#include "kernels/gpu/tele.h"

static struct error err;

static struct gpu_reading reading(double mhz, double celsius)
{
	struct gpu_reading r;

	gpu_reading_clear(&r);
	r.sm_mhz = mhz;
	r.temperature_c = celsius;
	return r;
}

static struct gpu_limits limits(double celsius)
{
	struct gpu_limits l;

	gpu_limits_clear(&l);
	l.temperature_limit_c = celsius;
	return l;
}

START_TEST(a_steady_clock_raises_no_flag)
{
	struct gpu_reading r[] = { reading(1980, 60), reading(1950, 61), reading(1980, 61) };
	struct gpu_limits l = limits(87), unknown = limits(NAN);

	ck_assert_uint_eq(gpu_flags_judge(r, 3, &l), 0);
	ck_assert_uint_eq(gpu_flags_judge(r, 3, &unknown), 0);
	ck_assert_uint_eq(gpu_flags_judge(r, 0, &l), 0);
}
END_TEST

START_TEST(readings_that_know_nothing_raise_no_flag)
{
	struct gpu_reading r[] = { reading(NAN, NAN), reading(NAN, NAN) };
	struct gpu_limits l = limits(NAN);

	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), 0);
}
END_TEST

START_TEST(each_fault_has_its_flag)
{
	struct gpu_reading r[] = { reading(2000, 60), reading(2000, 60) };
	struct gpu_limits l = limits(87);

	r[1].sm_mhz = 1890;
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_CLOCK_LOW);
	r[1].sm_mhz = 1400;
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_CLOCK_LOW | GPU_FLAG_THROTTLED);
	r[1] = reading(2000, 82);
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_HOT);
	r[1] = reading(2000, 60);
	r[1].slowdown = GPU_SLOW_POWER_CAP;
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_POWER_CAPPED);
	r[1].slowdown = GPU_SLOW_THERMAL;
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_THROTTLED);
	r[1] = reading(2000, 60);
	r[0].n_others = 1;
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_SHARED);
	r[0].n_others = 0;
	r[0].ecc_errors = 3;
	r[1].ecc_errors = 4;
	ck_assert_uint_eq(gpu_flags_judge(r, 2, &l), GPU_FLAG_ECC);
}
END_TEST

START_TEST(flags_have_names)
{
	json_t *a = gpu_flags_json(GPU_FLAG_THROTTLED | GPU_FLAG_ECC);

	ck_assert_uint_eq(json_array_size(a), 2);
	ck_assert_str_eq(json_string_value(json_array_get(a, 0)), "throttled");
	ck_assert_str_eq(json_string_value(json_array_get(a, 1)), "ecc_errors");
	json_decref(a);
}
END_TEST

/* --- NVML --------------------------------------------------------------------------------- */

static char asked_uuid[48];
static int found = 0, unsupported = 3;

static int fake_no_bus(const char *id, void **device)
{
	return unsupported;
}

static int fake_by_uuid(const char *uuid, void **device)
{
	snprintf(asked_uuid, sizeof(asked_uuid), "%s", uuid);
	*device = &found;
	return 0;
}

static int fake_clock(void *device, int which, unsigned int *v)
{
	*v = which == 1 ? 1755 : 2619;
	return device == &found ? 0 : 1;
}

static int fake_power(void *device, unsigned int *v)
{
	*v = 421500;
	return 0;
}

static int fake_unsupported(void *device, int which, unsigned int *v)
{
	*v = 99;
	return unsupported;
}

static int fake_reasons(void *device, unsigned long long *v)
{
	*v = 0x1 | 0x4 | 0x40;
	return 0;
}

static int fake_processes(void *device, unsigned int *n, struct nvml_process *all)
{
	ck_assert_uint_ge(*n, 2);
	all[0].pid = (unsigned int)getpid();
	all[1].pid = 1;
	*n = 2;
	return 0;
}

START_TEST(nvml_is_read_through_what_functions_there_are)
{
	struct nvml m = { .DeviceGetHandleByPciBusId_v2 = fake_no_bus,
		.DeviceGetHandleByUUID = fake_by_uuid,
		.DeviceGetClockInfo = fake_clock,
		.DeviceGetPowerUsage = fake_power,
		.DeviceGetTemperature = fake_unsupported,
		.DeviceGetCurrentClocksThrottleReasons = fake_reasons,
		.DeviceGetComputeRunningProcesses_v3 = fake_processes };
	struct gpu_info info = { .pci = "0000:01:00.0",
		.uuid = "00112233445566778899aabbccddeeff" };
	struct gpu_reading r;
	struct gpu_limits l;

	ck_assert(nvml_find(&m, &info));
	ck_assert_str_eq(asked_uuid, "GPU-00112233-4455-6677-8899-aabbccddeeff");
	gpu_reading_clear(&r);
	nvml_source.read(&m, &r);
	ck_assert_double_eq(r.sm_mhz, 1755);
	ck_assert_double_eq(r.memory_mhz, 2619);
	ck_assert_double_eq(r.power_w, 421.5);
	ck_assert_double_nan(r.temperature_c);
	ck_assert_double_nan(r.energy_j);
	ck_assert_double_eq(r.n_others, 1);
	ck_assert_uint_eq(r.slowdown, GPU_SLOW_POWER_CAP | GPU_SLOW_THERMAL);
	nvml_source.limits(&m, &l);
	ck_assert_double_nan(l.power_limit_w);
	ck_assert_str_eq(l.driver, "");
}
END_TEST

START_TEST(an_idle_clock_is_no_slowdown)
{
	ck_assert_uint_eq(nvml_slowdown(0x1 | 0x2 | 0x10 | 0x100), 0);
	ck_assert_uint_eq(nvml_slowdown(0x8), GPU_SLOW_HARDWARE);
	ck_assert_uint_eq(nvml_slowdown(0x80), GPU_SLOW_HARDWARE);
	ck_assert_uint_eq(nvml_slowdown(0x20), GPU_SLOW_THERMAL);
}
END_TEST

START_TEST(a_device_nvml_does_not_know_is_not_found)
{
	struct nvml m = { .DeviceGetHandleByPciBusId_v2 = fake_no_bus };
	struct gpu_info info = { .pci = "0000:01:00.0", .uuid = "00" };

	ck_assert(!nvml_find(&m, &info));
}
END_TEST

/* --- sysfs -------------------------------------------------------------------------------- */

static void put(const char *folder, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);

	ck_assert_msg(file_write(path, text, strlen(text), 0600, &err) == OK, "%s", err.text);
	free(path);
}

START_TEST(sysfs_is_read_with_its_units)
{
	char root[] = "/tmp/benchd-unit.XXXXXX";
	struct gpu_info info = { .pci = "0000:03:00.0", .vendor_id = 0x1002 };
	void *handle = NULL;
	const struct gpu_source *s;
	char *device, *hwmon;
	struct gpu_reading r;
	struct gpu_limits l;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_ptr_null(gpu_source_open(&info, root, &handle));
	device = xasprintf("%s/bus/pci/devices/0000:03:00.0", root);
	hwmon = xasprintf("%s/hwmon/hwmon4", device);
	ck_assert_int_eq(dir_make(hwmon, 0700, &err), OK);
	put(device, "gpu_busy_percent", "37\n");
	put(device, "pp_dpm_sclk", "0: 500Mhz\n1: 2105Mhz *\n2: 1800Mhz\n");
	put(hwmon, "temp1_input", "64000\n");
	put(hwmon, "temp1_crit", "100000\n");
	put(hwmon, "power1_average", "187000000\n");
	put(hwmon, "freq1_input", "1905000000\n");
	s = gpu_source_open(&info, root, &handle);
	ck_assert_ptr_nonnull(s);
	gpu_reading_clear(&r);
	s->read(handle, &r);
	s->limits(handle, &l);
	ck_assert_double_eq_tol(r.utilization, 0.37, 1e-12);
	ck_assert_double_eq_tol(r.temperature_c, 64, 1e-9);
	ck_assert_double_eq_tol(r.power_w, 187, 1e-9);
	ck_assert_double_eq_tol(r.sm_mhz, 1905, 1e-9);
	ck_assert_double_nan(r.memory_mhz);
	ck_assert_double_eq(l.max_sm_mhz, 2105);
	ck_assert_double_eq_tol(l.temperature_limit_c, 100, 1e-9);
	s->close(handle);
	free(hwmon);
	free(device);
	ck_assert_int_eq(dir_remove(root, &err), OK);
}
END_TEST

START_TEST(a_device_without_a_source_has_no_telemetry)
{
	struct gpu_info software = { .is_software = true }, unknown = { .vendor_id = 0x1234 };

	ck_assert_ptr_null(gpu_tele_start(&software));
	ck_assert_ptr_null(gpu_tele_start(&unknown));
	gpu_tele_mark(NULL, true);
	ck_assert_ptr_null(gpu_tele_format(NULL));
	gpu_tele_stop(NULL);
}
END_TEST

/* --- the lock ----------------------------------------------------------------------------- */

START_TEST(a_device_is_locked_once_and_the_holder_named)
{
	char dir[] = "/tmp/benchd-unit.XXXXXX", pid[32];
	struct gpu_info info = { .name = "a gpu", .uuid = "00ff" }, other = { .uuid = "01" };
	int fd = -1, second = -1;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("BENCHD_LOCK_DIR", dir, 1);
	ck_assert_int_eq(gpu_lock(&info, &fd, &err), OK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(gpu_lock(&info, &second, &err), E_UNAVAILABLE);
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	ck_assert_ptr_nonnull(strstr(err.text, "'a gpu' is in use by"));
	ck_assert_ptr_nonnull(strstr(err.text, pid));
	ck_assert_int_eq(gpu_lock(&other, &second, &err), OK);
	close(second);
	snprintf(pid, sizeof(pid), "%d", fd);
	setenv("BENCHD_GPU_LOCK_FD", pid, 1);
	ck_assert_int_eq(gpu_lock(&info, &second, &err), OK);
	ck_assert_int_eq(second, -1);
	setenv("BENCHD_GPU_LOCK_FD", "987654", 1); /* no descriptor */
	ck_assert_int_eq(gpu_lock(&info, &second, &err), E_UNAVAILABLE);
	unsetenv("BENCHD_GPU_LOCK_FD");
	close(fd);
	ck_assert_int_eq(gpu_lock(&info, &fd, &err), OK);
	close(fd);
	ck_assert_int_eq(dir_remove(dir, &err), OK);
}
END_TEST

START_TEST(a_software_device_takes_the_lock_of_the_processor)
{
	char dir[] = "/tmp/benchd-unit.XXXXXX";
	_cleanup_(free)
	char *path = NULL;
	struct gpu_info soft = { .name = "llvmpipe", .uuid = "02", .is_software = true };
	int fd = -1, host;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	setenv("BENCHD_LOCK_DIR", dir, 1);
	path = xasprintf("%s/host.lock", dir);
	host = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(write(host, "4711\n", 5), 5);
	ck_assert_int_eq(flock(host, LOCK_EX | LOCK_NB), 0);
	ck_assert_int_eq(gpu_lock(&soft, &fd, &err), E_UNAVAILABLE);
	ck_assert_str_eq(
		err.text, "'llvmpipe' is in use by process 4711, which measures on this host");
	setenv("BENCHD_JOB", "x", 1); /* a job of the worker, which holds the host */
	ck_assert_int_eq(gpu_lock(&soft, &fd, &err), OK);
	ck_assert_int_eq(fd, -1);
	unsetenv("BENCHD_JOB");
	close(host);
	ck_assert_int_eq(gpu_lock(&soft, &fd, &err), OK);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(dir_remove(dir, &err), OK);
}
END_TEST

SUITE("gpu telemetry", a_steady_clock_raises_no_flag, readings_that_know_nothing_raise_no_flag,
	each_fault_has_its_flag, flags_have_names,
	nvml_is_read_through_what_functions_there_are, an_idle_clock_is_no_slowdown,
	a_device_nvml_does_not_know_is_not_found, sysfs_is_read_with_its_units,
	a_device_without_a_source_has_no_telemetry,
	a_device_is_locked_once_and_the_holder_named,
	a_software_device_takes_the_lock_of_the_processor)
