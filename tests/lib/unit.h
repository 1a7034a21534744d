/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One main for every unit-test program: runs the suite and speaks TAP on stdout, so that
 * automake counts each case. Names of tests are sentences (a_newer_database_is_refused). */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

#include <check.h>
#include <stdlib.h>

#define UNIT_MAIN(make_suite)                                                                  \
	int main(void)                                                                         \
	{                                                                                      \
		SRunner *sr = srunner_create(make_suite());                                    \
		int failed;                                                                    \
                                                                                               \
		srunner_set_tap(sr, "-");                                                      \
		srunner_run_all(sr, CK_SILENT);                                                \
		failed = srunner_ntests_failed(sr);                                            \
		srunner_free(sr);                                                              \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                   \
	}

/* Add test functions to the one case of a suite: SUITE("base", a_test, another_test) */
#define SUITE(title, ...)                                                                      \
	static Suite *make_suite(void)                                                         \
	{                                                                                      \
		const TTest *tests[] = { __VA_ARGS__ };                                        \
		Suite *s = suite_create(title);                                                \
		TCase *c = tcase_create(title);                                                \
                                                                                               \
		tcase_set_timeout(c, 300);                                                     \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                  \
			tcase_add_test(c, tests[i]);                                           \
		suite_add_tcase(s, c);                                                         \
		return s;                                                                      \
	}                                                                                      \
	UNIT_MAIN(make_suite)

#endif
