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

/* The domain of the running case: made before it and freed after it. */
extern struct bare_domain *suite_domain;

/* The kinds to run the cases on, as bits. */
#define SUITES_PV 1u
#define SUITES_PVH 2u
#define SUITES_BOTH (SUITES_PV | SUITES_PVH)

/*
 * Runs the cases (the array ends with CU_TEST_INFO_NULL) once for each of the kinds, on a fresh domain of `pieces` times 2 MiB and with `grant_frames` for
 * each case.  Prints what failed, the counts, and what
 * this process has mapped in the end.  Returns the exit status: 0 only if at least one case ran and none failed.  Without a domain it exits.
 */
int suites_run (CU_TestInfo *cases, unsigned kinds, unsigned pieces, unsigned grant_frames);

#endif
