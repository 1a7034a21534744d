/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of benchd-tune: what is written is read, and a damaged one gives back all that it
 * still knows, touches nothing else, and never passes for whole. */
#include "tests/lib/unit.h"

#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "tune/tuner.h"

#define TURBO "/sys/devices/system/cpu/intel_pstate/no_turbo"
#define WATCHDOG "/proc/sys/kernel/nmi_watchdog"
#define BALANCING "/proc/sys/kernel/numa_balancing"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static const char *const played[][2] = { { TURBO, "0" }, { WATCHDOG, "1" }, { BALANCING, "1" },
	{ BOOT_ID, "5d2f" }, { "/etc/passwd", "root" } };

static char root[64], journal[96];
static struct arena *mem;
static struct tune_host host;
static struct error err;

#define ok(call) ck_assert_msg((call) == OK, "%s", err.text)

static const char *at(const char *path)
{
	return arena_printf(mem, "%s%s", root, path);
}

static void put(const char *path, const char *value)
{
	const char *file = at(path);
	char *slash = strrchr(file, '/');

	*slash = 0;
	ok(dir_make(file, 0700, &err));
	*slash = '/';
	ok(file_write(file, value, strlen(value), 0600, &err));
}

static const char *value(const char *path)
{
	struct tune_host h = { .root = root };
	const char *v;

	ok(value_read(mem, &h, path, &v, &err));
	return v;
}

static void begin(void)
{
	strcpy(root, "/tmp/benchd-tune-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(journal, sizeof(journal), "%s/journal", root);
	mem = arena_new();
	host = (struct tune_host){ .root = root };
	for (size_t i = 0; i < ARRAY_SIZE(played); i++)
		put(played[i][0], played[i][1]);
}

static void finish(void)
{
	arena_free(mem);
	ok(dir_remove(root, &err));
}

static void apply(void)
{
	unsigned wanted = 1u << SET_TURBO | 1u << SET_NMI_WATCHDOG | 1u << SET_NUMA_BALANCING;
	struct tuned t;

	ok(tuner_apply(mem, &host, wanted, journal, &t, &err));
	ck_assert_uint_eq(t.n_changed, 3);
}

static int restore(void)
{
	struct tuned t;
	bool rebooted;
	int r = tuner_restore(mem, &host, journal, &t, &rebooted, &err);

	ck_assert_int_eq(rebooted, false);
	return r;
}

/* The journal as it is, and lines of it by number. */
static const char *text(size_t *ret_len)
{
	struct buf b = { 0 };
	const char *copy;

	ok(file_read(journal, MiB, &b, &err));
	copy = arena_strndup(mem, buf_str(&b), b.len);
	*ret_len = b.len;
	buf_done(&b);
	return copy;
}

static void damage(const char *bytes, size_t n)
{
	ok(file_write(journal, bytes, n, 0600, &err));
}

START_TEST(a_journal_is_read_as_it_was_written)
{
	struct journal_entry e[] = { { TURBO, "a \"quoted\" [word]", "1" },
		{ WATCHDOG, "", "\xc2\xb5\\n" } };
	struct journal got, j = { .boot = "7f", .entries = e, .n = 2 };
	struct stat st;

	begin();
	ok(journal_save(journal, &j, &err));
	ck_assert_int_eq(stat(journal, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ok(journal_load(mem, journal, &got, &err));
	ck_assert_uint_eq(got.n, 2);
	ck_assert_uint_eq(got.n_bad, 0);
	ck_assert_str_eq(got.boot, "7f");
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(got.entries[i].path, e[i].path);
		ck_assert_str_eq(got.entries[i].before, e[i].before);
		ck_assert_str_eq(got.entries[i].wanted, e[i].wanted);
	}
	finish();
}
END_TEST

START_TEST(a_journal_cut_anywhere_is_known_to_be_cut)
{
	size_t len, n_lines = 0;
	struct journal got;
	const char *whole;

	begin();
	apply();
	whole = text(&len);
	for (size_t n = 0; n < len; n++) {
		damage(whole, n);
		ok(journal_load(mem, journal, &got, &err));
		ck_assert_msg(got.n_bad > 0, "%zu of %zu bytes pass for whole", n, len);
		ck_assert_uint_eq(got.n, n_lines > 0 ? n_lines - 1 : 0);
		n_lines += whole[n] == '\n';
	}
	finish();
}
END_TEST

START_TEST(what_a_cut_journal_still_knows_is_given_back)
{
	const char *whole;
	size_t len;

	begin();
	apply();
	whole = text(&len);
	damage(whole, len - 5);
	ck_assert_int_eq(restore(), E_BAD_REQUEST);
	ck_assert_msg(strstr(err.text, "or missing") != NULL, "%s", err.text);
	ck_assert_str_eq(value(TURBO), "0");
	ck_assert_str_eq(value(WATCHDOG), "1");
	ck_assert_str_eq(value(BALANCING), "0"); /* its line is the one that was cut */
	ck_assert_int_eq(access(journal, F_OK), 0);
	finish();
}
END_TEST

START_TEST(a_journal_without_its_first_line_gives_back_too)
{
	const char *whole, *second;
	size_t len;

	begin();
	apply();
	whole = text(&len);
	second = strchr(whole, '\n') + 1;
	damage(second, len - (size_t)(second - whole));
	ck_assert_int_eq(restore(), E_BAD_REQUEST);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(value(played[i][0]), played[i][1]);
	ck_assert_int_eq(access(journal, F_OK), 0);
	finish();
}
END_TEST

START_TEST(a_flipped_bit_never_reaches_a_foreign_file)
{
	struct journal got;
	const char *whole;
	size_t len;

	begin();
	apply();
	whole = text(&len);
	for (size_t n = 0; n < len * 8; n++) {
		char *bad = arena_strndup(mem, whole, len);

		bad[n / 8] = (char)(bad[n / 8] ^ 1 << n % 8);
		damage(bad, len);
		ok(journal_load(mem, journal, &got, &err));
		ck_assert_uint_le(got.n, 3);
		ck_assert(got.n == 3 || got.n_bad > 0);
		for (size_t i = 0; i < got.n; i++)
			ck_assert_msg(
				setting_owns(got.entries[i].path), "%s", got.entries[i].path);
	}
	finish();
}
END_TEST

START_TEST(a_foreign_path_is_never_written)
{
	static const char *const foreign[] = { "/etc/passwd",
		"/proc/sys/kernel/../../../etc/passwd", "proc/sys/kernel/nmi_watchdog", "",
		"/proc/sys/kernel/nmi_watchdog/../../../../etc/passwd" };
	struct journal_entry e = { .before = "x", .wanted = "y" };
	struct journal j = { .boot = "5d2f", .entries = &e, .n = 1 };

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
		e.path = foreign[i];
		ok(journal_save(journal, &j, &err));
		ck_assert_int_eq(restore(), E_BAD_REQUEST);
		ck_assert_str_eq(value("/etc/passwd"), "root");
	}
	finish();
}
END_TEST

/* Restored from the last to the first: the value before the first writing is the one left. */
START_TEST(of_two_lines_of_one_file_the_earlier_value_stays)
{
	struct journal_entry e[] = { { TURBO, "0", "1" }, { TURBO, "1", "0" } };
	struct journal j = { .boot = "5d2f", .entries = e, .n = 2 };

	begin();
	put(TURBO, "1");
	ok(journal_save(journal, &j, &err));
	ok(restore());
	ck_assert_str_eq(value(TURBO), "0");
	ck_assert_int_ne(access(journal, F_OK), 0);
	finish();
}
END_TEST

START_TEST(a_journal_of_an_earlier_boot_writes_nothing)
{
	struct tuned t;
	bool rebooted;

	begin();
	apply();
	put(BOOT_ID, "77aa");
	ok(tuner_restore(mem, &host, journal, &t, &rebooted, &err));
	ck_assert_int_eq(rebooted, true);
	ck_assert_str_eq(value(TURBO), "1");
	ck_assert_int_ne(access(journal, F_OK), 0);
	finish();
}
END_TEST

SUITE("tune", a_journal_is_read_as_it_was_written, a_journal_cut_anywhere_is_known_to_be_cut,
	what_a_cut_journal_still_knows_is_given_back,
	a_journal_without_its_first_line_gives_back_too,
	a_flipped_bit_never_reaches_a_foreign_file, a_foreign_path_is_never_written,
	of_two_lines_of_one_file_the_earlier_value_stays,
	a_journal_of_an_earlier_boot_writes_nothing)
