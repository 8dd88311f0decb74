/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Front-ends that do what none should: what every case shares.  See backend-hostile.h.
 */
#include "backend-hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <CUnit/Basic.h>

/* A case that hangs is a failed program, not a hung one. */
#define MOST_SECONDS 60

struct rig rig;
struct test_device device;

static int fds_before;

unsigned
guest_mappings (void)
{
	FILE *f = fopen ("/proc/self/maps", "r");
	char line[512];
	unsigned n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL (f);
	while (fgets (line, sizeof (line), f))
		n += strstr (line, "memfd:guest") != NULL;
	fclose (f);
	CU_ASSERT_TRUE (n > 0);
	return n;
}

static void
good_front_end (void)
{
	uint32_t base;

	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 1);
	rig_close (&rig);
}

static void
begin (void)
{
	alarm (MOST_SECONDS);
	fds_before = suite_open_fds ();
	test_device_init (&device);
	rig_open (&rig, &device, 0);
}

static void
end (void)
{
	rig_close (&rig);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
	CU_ASSERT_EQUAL (device.starts, device.stops);
	CU_ASSERT_EQUAL (device.n_held, 0);
	device.stubborn = device.drain = false;
	device.refuse_start = 0;
	device.device.protocol_features = 0;
	good_front_end ();
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
	CU_ASSERT_EQUAL (device.arrivals, device.departures);
	alarm (0);
}

static CU_SuiteInfo suites[] = {
	{ "framing", NULL, NULL, begin, end, framing_cases },
	{ "pace", NULL, NULL, begin, end, pace_cases },
	{ "file descriptors", NULL, NULL, begin, end, fd_cases },
	{ "features and order", NULL, NULL, begin, end, order_cases },
	{ "ring set-up", NULL, NULL, begin, end, vring_cases },
	{ "memory", NULL, NULL, begin, end, memory_cases },
	{ "memory under a running ring", NULL, NULL, begin, end, running_memory_cases },
	{ "configuration space", NULL, NULL, begin, end, config_cases },
	{ "rings", NULL, NULL, begin, end, ring_cases },
	{ "packed rings", NULL, NULL, begin, end, packed_cases },
	{ "states of rings and connections", NULL, NULL, begin, end, state_cases },
	{ "rings that begin again", NULL, NULL, begin, end, restart_cases },
	{ "in-flight areas", NULL, NULL, begin, end, inflight_cases },
	{ "dirty log", NULL, NULL, begin, end, log_cases },
	{ "I/O addresses", NULL, NULL, begin, end, iotlb_cases },
	{ "I/O addresses that are not known", NULL, NULL, begin, end, miss_cases },
	{ "areas in pieces", NULL, NULL, begin, end, piece_cases },
	CU_SUITE_INFO_NULL,
};

int
main (void)
{
	unsigned ran, failed;

	if (CU_initialize_registry () != CUE_SUCCESS || CU_register_suites (suites) != CUE_SUCCESS || vh_memory_guard () < 0) {
		fprintf (stderr, "backend-hostile: %s\n", CU_get_error_msg ());
		return 99;
	}
	CU_basic_set_mode (CU_BRM_VERBOSE);
	CU_basic_run_tests ();
	ran = CU_get_number_of_tests_run ();
	failed = CU_get_number_of_tests_failed () + CU_get_number_of_suites_failed ();
	CU_cleanup_registry ();
	return ran > 0 && failed == 0 ? 0 : 1;
}
