/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A CUnit program with one suite.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include "tests/suite.h"

int
suite_run_around (const char *name, void (*begin) (void), void (*end) (void), CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = { { name, NULL, NULL, begin, end, tests }, CU_SUITE_INFO_NULL };
	unsigned ran, failed;

	if (CU_initialize_registry () != CUE_SUCCESS || CU_register_suites (suites) != CUE_SUCCESS) {
		fprintf (stderr, "%s: %s\n", name, CU_get_error_msg ());
		return EXIT_FAILURE;
	}
	CU_basic_set_mode (CU_BRM_VERBOSE);
	CU_basic_run_tests ();
	ran = CU_get_number_of_tests_run ();
	failed = CU_get_number_of_tests_failed () + CU_get_number_of_failures ();
	CU_cleanup_registry ();
	return ran > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
suite_run (const char *name, CU_TestInfo *tests)
{
	return suite_run_around (name, NULL, NULL, tests);
}

int
suite_open_fds (void)
{
	DIR *dir = opendir ("/proc/self/fd");
	int n = 0;

	if (!dir)
		return -1;
	while (readdir (dir))
		n++;
	closedir (dir);
	return n - 3;	/* ".", ".." and the folder itself */
}

uint64_t
suite_signals (int fd)
{
	uint64_t n;

	return read (fd, &n, sizeof (n)) == sizeof (n) ? n : 0;
}
