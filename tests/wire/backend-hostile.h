/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Front-ends that do what none should.  Each case begins with a fresh connection to the one device of the program; after it, the process must have the fds
 * it had before, and a good front-end must be served.
 */
#ifndef TESTS_WIRE_BACKEND_HOSTILE_H
#define TESTS_WIRE_BACKEND_HOSTILE_H

#include <CUnit/CUnit.h>

#include "backend-rig.h"
#include "tests/suite.h"

/* The connection and the device of the running case. */
extern struct rig rig;
extern struct test_device device;

/* How many mappings of the guest's memory the process has; one is the test's own. */
unsigned guest_mappings (void);

#define CASE(fn) { #fn, fn }

extern struct CU_TestInfo framing_cases[];
extern struct CU_TestInfo pace_cases[];
extern struct CU_TestInfo fd_cases[];
extern struct CU_TestInfo order_cases[];
extern struct CU_TestInfo vring_cases[];
extern struct CU_TestInfo memory_cases[];
extern struct CU_TestInfo running_memory_cases[];
extern struct CU_TestInfo config_cases[];
extern struct CU_TestInfo ring_cases[];
extern struct CU_TestInfo packed_cases[];
extern struct CU_TestInfo state_cases[];
extern struct CU_TestInfo restart_cases[];
extern struct CU_TestInfo inflight_cases[];
extern struct CU_TestInfo log_cases[];
extern struct CU_TestInfo iotlb_cases[];
extern struct CU_TestInfo miss_cases[];
extern struct CU_TestInfo piece_cases[];

#endif
