/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's readers of /proc and /sys on folders that play other machines. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fs.h"
#include "worker/counters.h"
#include "worker/energy.h"
#include "worker/fingerprint.h"
#include "worker/noise.h"
#include "worker/program.h"
#include "worker/sensors.h"
#include "worker/tree.h"

#define CPU "/sys/devices/system/cpu/cpu0/"
#define RAPL "/sys/class/powercap/intel-rapl:"

static char root[32];

static void play(void)
{
	strcpy(root, "/tmp/benchd-unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	tree_use(root);
}

static void stop_playing(void)
{
	struct error err;

	tree_use("");
	ck_assert_int_eq(dir_remove(root, &err), OK);
}

static void put(const char *path, const char *text)
{
	char *full = xasprintf("%s%s", root, path);
	char *dir = xstrndup(full, (size_t)(strrchr(full, '/') - full));
	struct error err;
	FILE *f;

	ck_assert_int_eq(dir_make(dir, 0700, &err), OK);
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	free(dir);
	free(full);
}

static void put_package(const char *number, const char *name, const char *uj)
{
	char *domain = xasprintf(RAPL "%s", number);
	char *paths[] = { xasprintf("%s/name", domain),
		xasprintf("%s/max_energy_range_uj", domain),
		xasprintf("%s/energy_uj", domain) };

	put(paths[0], name);
	put(paths[1], "262143328850\n");
	if (uj)
		put(paths[2], uj);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		free(paths[i]);
	free(domain);
}

/* --- the program that measures --- */

static void look(struct program *p, const char *name)
{
	char *path = xasprintf("%s/%s", root, name);

	program_look(p, path);
	free(path);
}

START_TEST(a_program_is_what_is_in_it)
{
	struct program p = { .id = "" };
	char hash[SHA256_HEX];

	play();
	look(&p, "none");
	ck_assert_str_eq(p.id, "");
	put("/script", "#!/bin/sh\n");
	look(&p, "script");
	ck_assert_str_eq(p.id, sha256_hex("#!/bin/sh\n", 10, hash));
	put("/script", "#!/bin/sh\ntrue\n");
	look(&p, "script");
	ck_assert_str_eq(p.id, sha256_hex("#!/bin/sh\ntrue\n", 15, hash));
	put("/broken", "\177ELF\2\1\1 and no more");
	look(&p, "broken");
	ck_assert_uint_eq(strlen(p.id), 64);
	stop_playing();
}
END_TEST

START_TEST(what_the_loader_does_not_take_is_not_the_program)
{
	struct program p = { .id = "" }, longer = { .id = "" }, whole = { .id = "" };
	char *path;
	struct error err;
	struct buf b = { 0 };
	FILE *f;

	play();
	ck_assert_int_eq(file_read("/proc/self/exe", 64 << 20, &b, &err), OK);
	put("/program", "");
	path = xasprintf("%s/program", root);
	f = fopen(path, "w");
	ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
	fputs("debug information", f);
	fclose(f);
	program_look(&p, "/proc/self/exe");
	program_look(&longer, path);
	ck_assert_uint_eq(strlen(p.id), 64);
	ck_assert_str_eq(p.id, longer.id);
	f = fopen(path, "r+");
	ck_assert_int_eq(fseek(f, 4096, SEEK_SET), 0);
	fputs("another instruction", f);
	fclose(f);
	program_look(&whole, path);
	ck_assert_str_ne(p.id, whole.id);
	free(path);
	buf_done(&b);
	stop_playing();
}
END_TEST

/* --- energy --- */

START_TEST(packages_are_summed_and_their_parts_are_not)
{
	int64_t before[ENERGY_MAX], after[ENERGY_MAX];
	struct energy e;

	play();
	put_package("0", "package-0\n", "1000000\n");
	put_package("0:0", "core\n", "400000\n");
	put_package("1", "package-1\n", "5000000\n");
	put_package("2", "psys\n", "9000000\n");
	energy_open(&e);
	ck_assert_str_eq(e.status, "readable");
	ck_assert_int_eq(e.n, 2);
	energy_read(&e, before);
	put_package("0", "package-0\n", "3500000\n");
	put_package("0:0", "core\n", "900000\n");
	put_package("1", "package-1\n", "5250000\n");
	put_package("2", "psys\n", "99000000\n");
	energy_read(&e, after);
	ck_assert_int_eq(energy_spent_uj(&e, before, after, NS_PER_S), 2750000);
	stop_playing();
}
END_TEST

START_TEST(a_counter_that_came_round_is_followed_once)
{
	int64_t before[ENERGY_MAX], after[ENERGY_MAX];
	struct energy e;

	play();
	put_package("0", "package-0\n", "262143000000\n");
	energy_open(&e);
	energy_read(&e, before);
	put_package("0", "package-0\n", "71150\n");
	energy_read(&e, after);
	ck_assert_int_eq(energy_spent_uj(&e, before, after, NS_PER_S), 400000);
	/* After 263 s a package of 1 kW may have come round twice. */
	ck_assert_int_eq(energy_spent_uj(&e, before, after, 262 * NS_PER_S), 400000);
	ck_assert_int_eq(energy_spent_uj(&e, before, after, 263 * NS_PER_S), -1);
	stop_playing();
}
END_TEST

START_TEST(energy_that_cannot_be_read_is_unknown_and_never_0)
{
	int64_t before[ENERGY_MAX], after[ENERGY_MAX];
	struct energy e;

	play();
	energy_open(&e);
	ck_assert_str_eq(e.status, "unavailable");
	ck_assert_int_eq(energy_spent_uj(&e, before, after, 1), -1);
	put_package("0", "package-0\n", NULL);
	energy_open(&e);
	ck_assert_str_eq(e.status, "forbidden");
	ck_assert_int_eq(e.n, 0);
	/* Half of the packages is no figure of the machine. */
	put_package("1", "package-1\n", "5000000\n");
	energy_open(&e);
	ck_assert_str_eq(e.status, "partial");
	energy_read(&e, before);
	ck_assert_int_eq(energy_spent_uj(&e, before, before, 1), -1);
	put_package("0", "package-0\n", "1\n");
	energy_open(&e);
	energy_read(&e, before);
	memcpy(after, before, sizeof(after));
	after[1] = -1;
	ck_assert_int_eq(energy_spent_uj(&e, before, after, 1), -1);
	stop_playing();
}
END_TEST

/* --- heat and clock --- */

static struct host played_host(void)
{
	struct host h = { .loadavg = -1,
		.psi_cpu = -1,
		.psi_io = -1,
		.psi_memory = -1,
		.stat = -1,
		.vmstat = -1 };

	CPU_SET(0, &h.allowed);
	sensors_open(&h);
	return h;
}

START_TEST(the_processors_own_sensor_is_found_and_its_critical_point)
{
	struct noise_snapshot s;
	struct host h;

	play();
	put("/sys/class/thermal/thermal_zone0/type", "acpitz\n");
	put("/sys/class/thermal/thermal_zone0/temp", "27800\n");
	put("/sys/class/hwmon/hwmon0/name", "nvme\n");
	put("/sys/class/hwmon/hwmon0/temp1_input", "35850\n");
	h = played_host();
	noise_snapshot_take(&h, &s);
	ck_assert_int_eq(s.temp_mc, 35850); /* better than nothing */
	ck_assert_int_eq(h.hot_mc, 85000);
	put("/sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n");
	put("/sys/class/thermal/thermal_zone1/temp", "51000\n");
	h = played_host();
	noise_snapshot_take(&h, &s);
	ck_assert_int_eq(s.temp_mc, 51000);
	put("/sys/class/hwmon/hwmon3/name", "coretemp\n");
	put("/sys/class/hwmon/hwmon3/temp1_input", "52000\n");
	put("/sys/class/hwmon/hwmon3/temp1_crit", "105000\n");
	h = played_host();
	noise_snapshot_take(&h, &s);
	ck_assert_int_eq(s.temp_mc, 52000);
	ck_assert_int_eq(h.hot_mc, 95000);
	stop_playing();
}
END_TEST

START_TEST(a_host_without_sensors_tells_nothing)
{
	struct noise_snapshot s;
	struct account a = { .wall_ns = 1000, .runq_wait_ns = -1, .migrations = -1 };
	struct noise n, *group[] = { &n };
	struct host h;

	play();
	h = played_host();
	noise_snapshot_take(&h, &s);
	ck_assert_int_eq(s.temp_mc, -1);
	ck_assert_int_eq(s.freq_khz, -1);
	ck_assert_int_eq(s.throttled, -1);
	noise_collect(&h, &s, &s, &a, &n);
	noise_judge(group, 1);
	ck_assert_int_eq(n.signals, 0);
	stop_playing();
}
END_TEST

START_TEST(what_waits_for_disks_is_looked_at_once_in_ten_milliseconds)
{
	struct account a = { .wall_ns = NS_PER_MS, .runq_wait_ns = -1, .migrations = -1 };
	struct noise_snapshot before, after;
	struct noise n;
	struct host h;
	char *path;

	play();
	h = played_host();
	put("/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000\n");
	path = xasprintf("%s/io", root);
	h.psi_io = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	noise_snapshot_take(&h, &before);
	ck_assert_int_eq(before.psi_io_us, 1000);
	put("/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9000\n");
	before.ticked_ns = INT64_MAX / 2;
	noise_snapshot_next(&h, &before, &after);
	ck_assert_int_eq(after.psi_io_us, 1000);
	/* Their rate is that of the time since the look before: 8 ms in 20, or in 10. */
	before.ticked_ns = before.taken_ns - 20 * NS_PER_MS;
	noise_snapshot_next(&h, &before, &after);
	ck_assert_int_eq(after.psi_io_us, 9000);
	after.ticked_ns = before.ticked_ns + 20 * NS_PER_MS;
	noise_collect(&h, &before, &after, &a, &n);
	noise_judge_one(NULL, 0, &n);
	ck_assert_uint_eq(n.signals, 0); /* ten times the floor while habits are not known */
	after.ticked_ns = before.ticked_ns + 10 * NS_PER_MS;
	noise_collect(&h, &before, &after, &a, &n);
	noise_judge_one(NULL, 0, &n);
	ck_assert_uint_eq(n.signals, 1U << N_PSI_IO);
	close(h.psi_io);
	stop_playing();
}
END_TEST

/* One process of 100 ms on the cpu all the time, on a host with these values behind it. */
static struct noise played_process(
	const struct host *h, const char *khz, const char *mc, const char *throttled)
{
	struct account a = { .wall_ns = 100 * NS_PER_MS, .user_us = 100000 };
	struct noise_snapshot before, after;
	struct noise n;

	noise_snapshot_take(h, &before);
	put(CPU "cpufreq/scaling_cur_freq", khz);
	put("/sys/class/hwmon/hwmon0/temp1_input", mc);
	put(CPU "thermal_throttle/core_throttle_count", throttled);
	noise_snapshot_take(h, &after);
	noise_collect(h, &before, &after, &a, &n);
	return n;
}

START_TEST(a_lower_clock_heat_and_throttling_are_evidence)
{
	static const struct {
		const char *khz, *mc, *throttled;
		uint32_t signals;
		enum noise_class class;
	} rows[] = {
		/* Set to two thirds of its full clock: a habit, no signal. */
		{ "2000000\n", "60000\n", "7\n", 0, NOISE_CLEAN },
		{ "2010000\n", "60000\n", "7\n", 0, NOISE_CLEAN },
		{ "1990000\n", "61000\n", "7\n", 0, NOISE_CLEAN },
		{ "2000000\n", "61000\n", "7\n", 0, NOISE_CLEAN },
		{ "1980000\n", "62000\n", "7\n", 0, NOISE_CLEAN },
		{ "2000000\n", "62000\n", "7\n", 0, NOISE_CLEAN },
		{ "1500000\n", "62000\n", "7\n", 1U << N_FREQUENCY, NOISE_SUSPECT },
		{ "2000000\n", "90500\n", "7\n", 1U << N_HOT, NOISE_SUSPECT },
		/* Still hot when it begins. */
		{ "1500000\n", "80000\n", "7\n", 1U << N_FREQUENCY | 1U << N_HOT, NOISE_NOISY },
		{ "2000000\n", "62000\n", "8\n", 1U << N_THROTTLED, NOISE_NOISY },
	};
	struct noise v[ARRAY_SIZE(rows)], *p[ARRAY_SIZE(rows)];
	struct host h;

	play();
	put(CPU "cpufreq/scaling_max_freq", "3000000\n");
	put(CPU "cpufreq/scaling_cur_freq", "800000\n");
	put(CPU "thermal_throttle/package_throttle_count", "100\n");
	put(CPU "thermal_throttle/core_throttle_count", "7\n");
	put("/sys/class/hwmon/hwmon0/name", "k10temp\n");
	put("/sys/class/hwmon/hwmon0/temp1_input", "60000\n");
	put("/sys/class/hwmon/hwmon0/temp1_crit", "100000\n");
	h = played_host();
	ck_assert_int_eq(h.full_khz, 3000000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		v[i] = played_process(&h, rows[i].khz, rows[i].mc, rows[i].throttled);
		p[i] = &v[i];
	}
	noise_judge(p, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_msg(v[i].signals == rows[i].signals, "row %zu: signals %x", i,
			v[i].signals);
		ck_assert_msg(v[i].class == rows[i].class, "row %zu: class %d", i, v[i].class);
	}
	stop_playing();
}
END_TEST

/* --- hardware events --- */

static void check_hardware(struct counters *c, const char *word, int64_t instructions)
{
	const struct account a = { .user_us = 1 };
	json_t *o = counters_json(c, &a);

	ck_assert_str_eq(json_get_str(o, "hardware", ""), word);
	ck_assert_int_eq(json_get_int(o, "instructions", -1), instructions);
	json_decref(o);
}

START_TEST(events_that_were_not_counted_all_the_time_are_no_events)
{
	const uint64_t all[] = { 1234, 1000, 1000 }, half[] = { 617, 1000, 500 };
	const uint64_t never[] = { 0, 0, 0 }, none[] = { 0, 1000, 1000 };
	struct counters c = { 0 };

	check_hardware(&c, "", -1);
	c.is_asked = true;
	check_hardware(&c, "unavailable", -1);
	counters_take(&c, C_INSTRUCTIONS, never);
	check_hardware(&c, "unavailable", -1);
	counters_take(&c, C_INSTRUCTIONS, half);
	check_hardware(&c, "multiplexed", -1);
	counters_take(&c, C_INSTRUCTIONS, all);
	check_hardware(&c, "counted", 1234);
	counters_take(&c, C_INSTRUCTIONS, none);
	check_hardware(&c, "counted", 0);
}
END_TEST

/* --- identity and state --- */

static void put_machine(const char *governor)
{
	put("/proc/cpuinfo",
		"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
		"model name\t: Some Xeon\nstepping\t: 8\nmicrocode\t: 0x2b\nflags\t\t: fpu "
		"vme\n");
	put("/proc/meminfo", "MemTotal:       131584000 kB\nMemFree: 1 kB\n");
	put("/proc/sys/kernel/osrelease", "6.1.0-25-amd64\n");
	put("/proc/sys/kernel/randomize_va_space", "2\n");
	put("/sys/devices/system/cpu/online", "0-3\n");
	put("/sys/devices/system/cpu/smt/control", "on\n");
	put("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	put(CPU "cpufreq/scaling_governor", governor);
	for (int i = 0; i < 4; i++) {
		char path[128], id[8];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/core_id",
			i);
		snprintf(id, sizeof(id), "%d\n", i % 2);
		put(path, id);
		snprintf(path, sizeof(path),
			"/sys/devices/system/cpu/cpu%d/topology/physical_package_id", i);
		put(path, "0\n");
	}
	put("/sys/devices/system/node/node0/cpulist", "0-1\n");
	put("/sys/devices/system/node/node1/cpulist", "2-3\n");
	put(CPU "cache/index0/level", "1\n");
	put(CPU "cache/index0/type", "Data\n");
	put(CPU "cache/index0/size", "48K\n");
	put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("/proc/driver/nvidia/version", "NVRM version: NVIDIA 550.90\n");
	put("/sys/class/drm/renderD128/device/vendor", "0x10de\n");
	put("/sys/class/drm/renderD128/device/device", "0x2330\n");
	put("/sys/module/nvidia/version", "550.90.07\n");
	put("/sys/devices/system/cpu/vulnerabilities/mds", "Not affected\n");
	put("/sys/fs/cgroup/system.slice/ssh.service/cgroup.procs", "1\n");
	put("/sys/fs/cgroup/system.slice/cron.service/cgroup.procs", "2\n");
}

static void check_text(const struct host *h, const char *fact, const char *expected)
{
	char *copy = xstrdup(fact), *rest = copy, *key;
	json_t *v = h->identity;
	char *text;

	while ((key = strsep(&rest, "/")))
		v = key[0] >= '0' && key[0] <= '9' ? json_array_get(v, (size_t)atoi(key))
						   : json_object_get(v, key);
	text = v ? json_dumps(v, JSON_ENCODE_ANY) : xstrdup("absent");
	ck_assert_msg(!strcmp(text, expected), "%s: %s, not %s", fact, text, expected);
	free(text);
	free(copy);
}

static void link_driver(void)
{
	char *path = xasprintf("%s/sys/class/drm/renderD128/device/driver", root);

	ck_assert_int_eq(symlink("../../../bus/pci/drivers/nvidia", path), 0);
	free(path);
}

static void forget(struct host *h)
{
	json_decref(h->identity);
	json_decref(h->devices);
	free((char *)h->clock_source);
}

START_TEST(all_that_makes_another_machine_is_in_its_identity)
{
	static const char *const facts[][2] = { { "kernel", "\"6.1.0-25-amd64\"" },
		{ "cpu/vendor", "\"GenuineIntel\"" }, { "cpu/family", "\"6\"" },
		{ "cpu/model", "\"143\"" }, { "cpu/stepping", "\"8\"" },
		{ "topology/sockets", "1" }, { "topology/cores", "2" },
		{ "topology/threads", "4" }, { "topology/numa_nodes", "2" },
		{ "topology/smt", "\"on\"" }, { "caches/L1 Data", "\"48K\"" },
		{ "memory_gib", "125" }, { "policies/governor", "\"powersave\"" },
		{ "policies/no_turbo", "\"1\"" }, { "policies/aslr", "\"2\"" },
		{ "policies/thp", "\"madvise\"" }, { "virtual", "false" }, { "cpus", "\"0\"" },
		{ "nvidia", "\"NVRM version: NVIDIA 550.90\"" },
		{ "devices/0/vendor", "\"0x10de\"" }, { "devices/0/device", "\"0x2330\"" },
		{ "devices/0/driver", "\"nvidia\"" },
		{ "devices/0/driver_version", "\"550.90.07\"" } };
	struct host h;

	play();
	put_machine("powersave\n");
	link_driver();
	h = played_host();
	fingerprint_make(&h);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		check_text(&h, facts[i][0], facts[i][1]);
	forget(&h);
	stop_playing();
}
END_TEST

static void identify(char id[65])
{
	struct host h = played_host();

	fingerprint_make(&h);
	strcpy(id, h.id);
	forget(&h);
}

START_TEST(what_changes_by_itself_is_state_and_changes_no_identity)
{
	char first[65], id[65];
	struct host h;
	json_t *state;

	play();
	put_machine("powersave\n");
	identify(first);
	put(CPU "microcode/version", "0x2c\n");
	put("/sys/class/hwmon/hwmon0/temp1_input", "70000\n");
	put(CPU "cpufreq/scaling_cur_freq", "1200000\n");
	put("/sys/devices/system/cpu/vulnerabilities/mds", "Mitigation: Clear CPU buffers\n");
	identify(id);
	ck_assert_str_eq(id, first);
	h = played_host();
	fingerprint_make(&h);
	state = host_state(&h, false);
	ck_assert_str_eq(json_get_str(state, "microcode", ""), "0x2c");
	ck_assert_int_eq(json_get_int(state, "temp_mc", 0), 70000);
	ck_assert_int_eq(json_get_int(state, "freq_khz", 0), 1200000);
	ck_assert_int_eq(json_get_int(state, "services", 0), 2);
	ck_assert_str_eq(json_get_str(state, "energy", ""), "unavailable");
	ck_assert_str_eq(json_get_str(json_object_get(state, "mitigations"), "mds", ""),
		"Mitigation: Clear CPU buffers");
	json_decref(state);
	forget(&h);
	put_machine("performance\n");
	identify(id);
	ck_assert_str_ne(id, first);
	stop_playing();
}
END_TEST

SUITE("worker_host", a_program_is_what_is_in_it,
	what_the_loader_does_not_take_is_not_the_program,
	packages_are_summed_and_their_parts_are_not, a_counter_that_came_round_is_followed_once,
	energy_that_cannot_be_read_is_unknown_and_never_0,
	the_processors_own_sensor_is_found_and_its_critical_point,
	a_host_without_sensors_tells_nothing,
	what_waits_for_disks_is_looked_at_once_in_ten_milliseconds,
	a_lower_clock_heat_and_throttling_are_evidence,
	events_that_were_not_counted_all_the_time_are_no_events,
	all_that_makes_another_machine_is_in_its_identity,
	what_changes_by_itself_is_state_and_changes_no_identity)
