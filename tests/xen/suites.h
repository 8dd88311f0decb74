/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running the same cases on a PV and on a PVH bare domain, in dom0.
 */
#ifndef TESTS_XEN_SUITES_H
#define TESTS_XEN_SUITES_H

#include <CUnit/CUnit.h>

#include "bare-domain.h"

/* The kind of domain that the running case is about. */
extern enum bare_kind suite_kind;

/*
 * The domain of the running case: made before it and freed after it, when the program gave a size to suites_run.  Bad luck in making it is a failed case.
 */
extern struct bare_domain *suite_domain;

/*
 * Runs the cases (the array ends with CU_TEST_INFO_NULL) once for each kind; each case gets a domain of `pieces` times 2 MiB and `grant_frames`, or none
 * when pieces is 0.  Prints what failed and the counts.  Returns the exit status: 0 only if at least one case ran and none failed.
 */
int suites_run (CU_TestInfo *cases, unsigned pieces, unsigned grant_frames);

#endif
