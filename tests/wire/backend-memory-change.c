/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: memory that is taken away, or torn, under a ring that runs.
 */
#include "backend-hostile.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* A request that the device keeps. */
static void
put_in_flight (unsigned n)
{
	device.hold = true;
	driver_ask (&rig.drivers[0], n);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.n_held, 1);
	device.hold = false;
}

static enum outcome
empty_table (void)
{
	return rig_tell_table (&rig, NULL, 0, NULL, 0);
}

/* QEMU 7.2 brings and takes the memory of a network device once for each pair of its queues; no more often. */
static void
regions_come_once_for_each_pair_of_queues (void)
{
	struct piece whole = rig_whole ();

	device.device.queue_num = DEVICE_RINGS / 2;
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), ACK);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), ACK);
	CU_ASSERT_EQUAL (guest_mappings (), 1);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), REFUSAL);
	device.device.queue_num = 0;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), REFUSAL);
}

static void
hostile_47_no_regions_while_a_ring_runs (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (empty_table (), ACK);
	CU_ASSERT_EQUAL (device.stops, 1);
	CU_ASSERT_EQUAL (guest_mappings (), 1);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	/* Memory comes back, and the ring goes on where it was. */
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
}

static void
hostile_52_the_file_is_cut_off_under_the_ring (void)
{
	struct piece whole = rig_whole ();
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	driver_request (&rig.drivers[0], 1);
	CU_ASSERT_EQUAL (ftruncate (rig.guest.fd, 0), 0);
	/* From here on the test may not touch that memory either. */
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.broken, 1);
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &whole, 1, &rig.guest.fd, 1), REFUSAL);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	/* With memory again, the same connection is as good as new. */
	CU_ASSERT_EQUAL (ftruncate (rig.guest.fd, GUEST_SIZE), 0);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_52_the_file_is_cut_off_under_the_buffers (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	driver_request (&rig.drivers[0], 1);
	CU_ASSERT_EQUAL (ftruncate (rig.guest.fd, GUEST_BUFFERS), 0);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	/* Another kick: the ring must notice, at the latest now, that its memory is lost. */
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_52_the_file_is_cut_off_under_a_request_in_flight (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0);
	CU_ASSERT_EQUAL (ftruncate (rig.guest.fd, 0), 0);
	CU_ASSERT_EQUAL (test_device_release (&device, 1), 1);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* The other half of the guest's memory, at another place: nothing of the ring is in it. */
static struct piece
elsewhere (void)
{
	return (struct piece){ GUEST_ADDR + 4 * GUEST_SIZE, GUEST_SIZE / 2, GUEST_USER + 4 * GUEST_SIZE, GUEST_SIZE / 2 };
}

static void
hostile_54_a_table_without_the_ring (void)
{
	struct piece other = elsewhere ();

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &other, 1, &rig.guest.fd, 1), ACK);
	CU_ASSERT_EQUAL (device.stops, 1);
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
}

static void
hostile_54_a_table_without_the_ring_and_a_request_in_flight (void)
{
	struct piece other = elsewhere ();

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0);
	/* The answer has to wait for the request, and so has the old memory. */
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &other, 1, &rig.guest.fd, 1), SILENCE);
	CU_ASSERT_EQUAL (device.drains, 1);
	CU_ASSERT_EQUAL (device.stops, 0);
	CU_ASSERT_EQUAL (guest_mappings (), 3);
	CU_ASSERT_EQUAL (test_device_release (&device, 1), 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_MEM_TABLE, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	CU_ASSERT_EQUAL (device.stops, 1);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
}

static void
hostile_55_the_region_of_the_ring_is_removed (void)
{
	struct piece whole = rig_whole ();

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), SILENCE);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
	CU_ASSERT_EQUAL (test_device_release (&device, 1), 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_REM_MEM_REG, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	CU_ASSERT_EQUAL (guest_mappings (), 1);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

/* The rings and the buffers as two regions. */
static bool
give_rings_and_buffers (struct piece *buffers)
{
	struct piece rings = rig_whole ();

	rings.size = GUEST_BUFFERS;
	*buffers = rig_whole ();
	buffers->guest += GUEST_BUFFERS;
	buffers->user += GUEST_BUFFERS;
	buffers->offset += GUEST_BUFFERS;
	buffers->size -= GUEST_BUFFERS;
	return rig_tell_region (&rig, FE_ADD_MEM_REG, &rings, rig.guest.fd) == ACK &&
	       rig_tell_region (&rig, FE_ADD_MEM_REG, buffers, rig.guest.fd) == ACK;
}

static void
hostile_55_the_region_of_a_request_in_flight_is_removed (void)
{
	struct driver *d = &rig.drivers[0];
	struct piece buffers;
	uint32_t id, len;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (give_rings_and_buffers (&buffers));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	put_in_flight (0);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &buffers, -1), SILENCE);
	/* The ring runs on; what comes now has no memory to be in. */
	driver_ask (d, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.failed, 1);
	CU_ASSERT_TRUE (driver_used (d, &id, &len) && id == 2 && len == 0);
	CU_ASSERT_EQUAL (guest_mappings (), 3);
	/* What was there before is still served where it lies. */
	CU_ASSERT_EQUAL (test_device_release (&device, 1), 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_REM_MEM_REG, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (d, 0));
	CU_ASSERT_EQUAL (guest_mappings (), 2);
	CU_ASSERT_EQUAL (device.stops, 0);
}

static void
hostile_55_memory_comes_and_goes_while_the_ring_works (void)
{
	struct piece other = elsewhere ();

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	for (unsigned i = 0; i < 200; i++) {
		CU_ASSERT_EQUAL (rig_tell_region (&rig, i % 2 ? FE_REM_MEM_REG : FE_ADD_MEM_REG, &other, i % 2 ? -1 : rig.guest.fd), ACK);
		CU_ASSERT_TRUE (rig_serve (&rig, 0, i % 32));
	}
	CU_ASSERT_EQUAL (device.starts, 1);
	CU_ASSERT_EQUAL (guest_mappings (), 2);
}

/* Ring addresses are the front-end's own; what guest addresses they are may change under them. */
static void
hostile_54_the_ring_moves_with_its_memory (void)
{
	struct driver *d = &rig.drivers[0];
	struct piece rings, buffers;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (give_rings_and_buffers (&buffers));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
	put_in_flight (1);
	rings = rig_whole ();
	rings.size = GUEST_BUFFERS;
	rings.guest += 16 * GUEST_SIZE;
	CU_ASSERT_EQUAL (rig_tell_table (&rig, (struct piece[]){ rings, buffers }, 2, (int[]){ rig.guest.fd, rig.guest.fd }, 2), SILENCE);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_MEM_TABLE, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (d, 1));
	CU_ASSERT_TRUE (device.starts == 2 && device.stops == 1);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 2));
}

/* --- no memory for memory --- */

#define ROOM (UINT64_C (1) << 30)

static void
limit_address_space (struct rlimit *old)
{
	struct rlimit tight;
	unsigned long pages = 0;
	FILE *f = fopen ("/proc/self/statm", "r");

	CU_ASSERT_TRUE (f && fscanf (f, "%lu", &pages) == 1);
	if (f)
		fclose (f);
	getrlimit (RLIMIT_AS, old);
	tight = *old;
	tight.rlim_cur = pages * (uint64_t) sysconf (_SC_PAGESIZE) + ROOM;
	CU_ASSERT_EQUAL (setrlimit (RLIMIT_AS, &tight), 0);
}

static void
hostile_58_the_third_mapping_fails (void)
{
	struct piece pieces[3] = { rig_whole (), elsewhere (), { GUEST_ADDR + 64 * GUEST_SIZE, 4 * ROOM, GUEST_USER + 64 * GUEST_SIZE, 0 } };
	int huge = memfd_create ("huge", MFD_CLOEXEC), fds[3] = { rig.guest.fd, rig.guest.fd, huge };
	struct rlimit old;
	unsigned before;

	CU_ASSERT_EQUAL (ftruncate (huge, (off_t) (4 * ROOM)), 0);
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	before = guest_mappings ();
	limit_address_space (&old);
	CU_ASSERT_EQUAL (rig_tell_table (&rig, pieces, 3, fds, 3), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &pieces[2], huge), REFUSAL);
	setrlimit (RLIMIT_AS, &old);
	/* The old table is in force, and nothing of the new one is left. */
	CU_ASSERT_EQUAL (guest_mappings (), before);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (device.starts, 1);
	CU_ASSERT_EQUAL (rig_tell_table (&rig, pieces, 3, fds, 3), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	close (huge);
}

struct CU_TestInfo running_memory_cases[] = {
	CASE (regions_come_once_for_each_pair_of_queues),
	CASE (hostile_47_no_regions_while_a_ring_runs),
	CASE (hostile_52_the_file_is_cut_off_under_the_ring),
	CASE (hostile_52_the_file_is_cut_off_under_the_buffers),
	CASE (hostile_52_the_file_is_cut_off_under_a_request_in_flight),
	CASE (hostile_54_a_table_without_the_ring),
	CASE (hostile_54_a_table_without_the_ring_and_a_request_in_flight),
	CASE (hostile_54_the_ring_moves_with_its_memory),
	CASE (hostile_55_the_region_of_the_ring_is_removed),
	CASE (hostile_55_the_region_of_a_request_in_flight_is_removed),
	CASE (hostile_55_memory_comes_and_goes_while_the_ring_works),
	CASE (hostile_58_the_third_mapping_fails),
	CU_TEST_INFO_NULL,
};
