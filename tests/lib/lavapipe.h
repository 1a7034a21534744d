/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests that need a Vulkan device run on lavapipe, Mesa's software device: pin it, or say why
 * the tests are skipped. The look is taken in a child, because nothing may fork once Vulkan is
 * up, and check runs each test in a child of its own. */
#ifndef TESTS_LIB_LAVAPIPE_H
#define TESTS_LIB_LAVAPIPE_H

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kernels/gpu/gpu.h"

/* 0 when a software device opens (under validation if asked for); else the reason in why. */
static inline int lavapipe_find(bool is_validated, char why[512])
{
	struct gpu_options o = { .device = "cpu", .is_validated = is_validated };
	struct error err = { 0 };
	struct gpu *g = NULL;
	glob_t found;
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (glob("/usr/share/vulkan/icd.d/lvp_icd.*.json", 0, NULL, &found) == 0) {
		setenv("VK_DRIVER_FILES", found.gl_pathv[0], 1);
		globfree(&found);
	}
	/* no cache of this user is read or written */
	unsetenv("BENCHD_CACHE_DIR");
	/* nor is the lock of this host's processor for tests */
	setenv("BENCHD_JOB", "unit", 1);
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
	if (pipe(fds) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		if (gpu_open(&o, &g, &err) < 0)
			(void)!write(fds[1], err.text, strlen(err.text));
		_exit(g ? 0 : 1);
	}
	close(fds[1]);
	n = read(fds[0], why, 511);
	why[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return status;
}

/* Drivers and layers keep memory, and a lost device is left to the end of the process: no leak
 * is looked for in suites of this kind. Read by the address sanitizer. */
const char *__asan_default_options(void);

#define LAVAPIPE_SUITE(title, is_validated, ...)                                               \
	const char *__asan_default_options(void)                                               \
	{                                                                                      \
		return "detect_leaks=0";                                                       \
	}                                                                                      \
	int main(void)                                                                         \
	{                                                                                      \
		const TTest *tests[] = { __VA_ARGS__ };                                        \
		char why[512];                                                                 \
		Suite *s = suite_create(title);                                                \
		TCase *c = tcase_create(title);                                                \
		SRunner *sr;                                                                   \
		int failed;                                                                    \
                                                                                               \
		if (lavapipe_find(is_validated, why)) {                                        \
			printf("1..0 # SKIP %s\n", why);                                       \
			return EXIT_SUCCESS;                                                   \
		}                                                                              \
		tcase_set_timeout(c, 120);                                                     \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                  \
			tcase_add_test(c, tests[i]);                                           \
		suite_add_tcase(s, c);                                                         \
		sr = srunner_create(s);                                                        \
		srunner_set_tap(sr, "-");                                                      \
		srunner_run_all(sr, CK_SILENT);                                                \
		failed = srunner_ntests_failed(sr);                                            \
		srunner_free(sr);                                                              \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                   \
	}

#endif
