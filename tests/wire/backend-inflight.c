/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-flight area on the wire: made, sent, kept over connections; and areas that are none.
 */
#include "backend-hostile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_GET_SEALS
#define F_GET_SEALS 1034
#endif

#define PROTOCOL_INFLIGHT (1u << 12)
#define PROTOCOL_SKIP_DRAIN (1u << 20 | 1u << 23)

#define RINGS 2
#define ENTRIES 128u
#define PART 2112u	/* 16 + 16 * 128, rounded up to a multiple of 64 */

/* A connection that has the feature. */
static void
begin_inflight (void)
{
	device.device.protocol_features = VH_BIT (VH_P_INFLIGHT_SHMFD);
	rig_reopen (&rig);
	CU_ASSERT_TRUE_FATAL (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_INFLIGHT), ACK);
}

/* ... and those with which a ring stops without having finished. */
static void
begin_skipping (void)
{
	begin_inflight ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_INFLIGHT | PROTOCOL_SKIP_DRAIN), ACK);
}

static void
describe (struct bytes *b, uint64_t size, uint64_t offset, unsigned rings, unsigned entries)
{
	b->n = 0;
	bytes_u64 (b, size);
	bytes_u64 (b, offset);
	bytes_u16 (b, (uint16_t) rings);
	bytes_u16 (b, (uint16_t) entries);
	bytes_u32 (b, 0);
}

/* GET_INFLIGHT_FD with the description cut to `bytes`. */
static enum outcome
ask_for (unsigned rings, unsigned entries, uint32_t bytes, struct reply *reply)
{
	static struct bytes b;

	describe (&b, 0, 0, rings, entries);
	rig_send (&rig, FE_GET_INFLIGHT_FD, FLAG_VERSION, b.data, bytes, NULL, 0);
	return rig_receive (&rig, FE_GET_INFLIGHT_FD, reply);
}

static uint64_t
word (const struct reply *r, unsigned i)
{
	uint64_t v;

	memcpy (&v, r->body + 8 * i, sizeof (v));
	return v;
}

/* An area; its fd, or -1. */
static int
get_area (unsigned rings, unsigned entries, uint32_t bytes, uint64_t *size)
{
	struct reply r;
	uint16_t numbers[2];

	if (ask_for (rings, entries, bytes, &r) != ANSWER || r.size != bytes || r.n_fds != 1)
		return -1;
	memcpy (numbers, r.body + 16, sizeof (numbers));
	*size = word (&r, 0);
	return word (&r, 1) == 0 && numbers[0] == rings && numbers[1] == entries ? r.fds[0] : -1;
}

static enum outcome
send_area (uint64_t size, uint64_t offset, unsigned rings, unsigned entries, int fd)
{
	static struct bytes b;

	describe (&b, size, offset, rings, entries);
	return rig_tell (&rig, FE_SET_INFLIGHT_FD, b.data, (uint32_t) b.n, &fd, 1);
}

/* Of an area that the back-end makes, the front-end keeps nothing. */
static void
make_area (unsigned rings, unsigned entries)
{
	uint64_t size;
	int fd = get_area (rings, entries, 24, &size);

	CU_ASSERT_FATAL (fd >= 0);
	close (fd);
}

/* An area for all rings of the device, with 64 entries each, that the back-end made and has got back: its fd. */
static int
share_area (uint64_t *size)
{
	int area = get_area (DEVICE_RINGS, 64, 24, size);

	CU_ASSERT_FATAL (area >= 0);
	CU_ASSERT_EQUAL (send_area (*size, 0, DEVICE_RINGS, 64, area), ACK);
	return area;
}

static void
an_area_is_made (void)
{
	uint64_t size;
	struct stat st;
	uint8_t zeroes[64], *bytes;

	begin_inflight ();
	for (uint32_t n = 20; n <= 24; n += 4) {	/* as the specification has it, and as it is sent */
		int fd = get_area (RINGS, ENTRIES, n, &size);

		CU_ASSERT_FATAL (fd >= 0);
		CU_ASSERT (size >= RINGS * PART && fstat (fd, &st) == 0 && (uint64_t) st.st_size == size);
		CU_ASSERT_EQUAL (fcntl (fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW);
		bytes = mmap (NULL, (size_t) size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		CU_ASSERT_FATAL (bytes != MAP_FAILED);
		memset (zeroes, 0, sizeof (zeroes));
		CU_ASSERT_EQUAL (memcmp (bytes, zeroes, sizeof (zeroes)), 0);
		munmap (bytes, (size_t) size);
		close (fd);
	}
}

/* Offered only by devices that can do a request twice. */
static void
not_without_the_device (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_INFLIGHT), REFUSAL);
}

/* Three requests, of which the second is done; then the connection is lost, and another one goes on. */
static void
requests_outlive_a_connection (void)
{
	uint64_t size;
	int area, memory;
	uint8_t *bytes;

	begin_inflight ();
	area = share_area (&size);
	device.hold = true;
	CU_ASSERT_TRUE_FATAL (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	for (unsigned n = 0; n < 3; n++)
		driver_request (&rig.drivers[0], n);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.n_held, 3);
	bytes = mmap (NULL, (size_t) size, PROT_READ | PROT_WRITE, MAP_SHARED, area, 0);
	CU_ASSERT_FATAL (bytes != MAP_FAILED);
	/* version 1, 64 entries; heads 0, 2 and 4 are in flight */
	CU_ASSERT (bytes[8] == 1 && bytes[10] == 64 && bytes[16] == 1 && bytes[48] == 1 && bytes[80] == 1 && bytes[32] == 0);
	/* What a process that was killed now leaves; this one must be rid of them. */
	memory = memfd_create ("copy", MFD_CLOEXEC);
	CU_ASSERT_FATAL (ftruncate (memory, (off_t) size) == 0 && pwrite (memory, bytes, (size_t) size, 0) == (ssize_t) size);
	munmap (bytes, (size_t) size);
	close (area);
	rig_hang_up (&rig);
	rig_pump (&rig);
	device.hold = false;
	test_device_release (&device, 3);
	rig_reopen (&rig);

	CU_ASSERT_TRUE_FATAL (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_INFLIGHT), ACK);
	CU_ASSERT_EQUAL (send_area (size, 0, DEVICE_RINGS, 64, memory), ACK);
	CU_ASSERT_TRUE_FATAL (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	for (unsigned n = 0; n < 4; n++)
		driver_request (&rig.drivers[0], n);
	/* Whatever base the front-end says: three are in flight, so the next to read is the fourth. */
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 0), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE (rig_pump (&rig));
	for (unsigned n = 0; n < 4; n++)
		CU_ASSERT_TRUE (driver_served (&rig.drivers[0], n));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT (driver_signals (rig.drivers[0].call) >= 1);
	close (memory);
}

/* A ring of three requests, none of them done, of which the second was given back just before: then nothing is waited for. */
static void
a_ring_stops_without_finishing (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t body[2] = { 0, 0 };
	struct reply reply;
	uint64_t size;
	int area;

	begin_skipping ();
	area = share_area (&size);
	device.hold = true;
	CU_ASSERT_TRUE_FATAL (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	for (unsigned n = 0; n < 3; n++)
		driver_request (d, n);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.n_held, 3);
	driver_signals (d->call);
	rig_send (&rig, FE_GET_VRING_BASE_SKIP_DRAIN, FLAG_VERSION, body, sizeof (body), NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE_SKIP_DRAIN, &reply), REFUSAL);	/* eight bytes, and not all are 0 */
	memcpy (body, reply.body, sizeof (body));
	CU_ASSERT (body[0] == 0 && body[1] == 3);
	/* The device was told to cancel; the guest was told of nothing. */
	CU_ASSERT_EQUAL (device.aborts, 1);
	CU_ASSERT_EQUAL (device.n_held, 0);
	CU_ASSERT_EQUAL (driver_pending (d), 0);
	CU_ASSERT_EQUAL (driver_signals (d->call), 0);
	/* Whoever starts it again does them, in their order. */
	device.hold = false;
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 3), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	for (unsigned n = 0; n < 3; n++)
		CU_ASSERT_TRUE (driver_served (d, n));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 3));
	/* GET_VRING_BASE waits, as ever. */
	device.hold = true;
	driver_ask (d, 4);
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, "\0\0\0\0\0\0\0\0", 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	CU_ASSERT_EQUAL (device.aborts, 1);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), REFUSAL);
	CU_ASSERT_TRUE (driver_served (d, 4));
	close (area);
}

/* Without records there is nobody who would do them: then it waits. */
static void
a_ring_without_records_is_drained (void)
{
	struct driver *d = &rig.drivers[0];

	begin_skipping ();
	device.hold = true;
	CU_ASSERT_TRUE_FATAL (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	driver_ask (d, 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	rig_send (&rig, FE_GET_VRING_BASE_SKIP_DRAIN, FLAG_VERSION, "\0\0\0\0\0\0\0\0", 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE_SKIP_DRAIN, NULL), SILENCE);
	CU_ASSERT_EQUAL (device.aborts, 0);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE_SKIP_DRAIN, NULL), REFUSAL);
	CU_ASSERT_TRUE (driver_served (d, 0));
}

/* A connection that ends afterwards drains its rings, as ever. */
static void
skipping_is_for_once (void)
{
	struct driver *d = &rig.drivers[0];
	uint64_t size;
	int area;

	begin_skipping ();
	area = share_area (&size);
	CU_ASSERT_TRUE_FATAL (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_GET_VRING_BASE_SKIP_DRAIN, "\0\0\0\0\0\0\0\0", 8, NULL, 0), REFUSAL);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	device.hold = true;
	driver_ask (d, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.aborts, 1);	/* of SKIP_DRAIN */
	CU_ASSERT_TRUE (driver_served (d, 1));
	close (area);
}

/*
 * GET_VRING_BASE_INFLIGHT as it was first (QEMU 11, yc-libvhost-server): a 1 in GET_VRING_BASE's payload allows not to drain.  It obliges nobody, and the
 * specification has taken it back for a message of its own, so it changes nothing.
 */
static void
a_base_that_need_not_be_drained (void)
{
	uint32_t body[2] = { 0, 1 };
	struct driver *d = &rig.drivers[0];
	struct reply reply;
	uint64_t size;
	int area;

	begin_inflight ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_INFLIGHT | 1u << 20), ACK);
	area = share_area (&size);
	CU_ASSERT_TRUE_FATAL (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	device.hold = true;
	driver_ask (d, 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, body, sizeof (body), NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, &reply), REFUSAL);	/* eight bytes, and not all are 0 */
	memcpy (body, reply.body, sizeof (body));
	CU_ASSERT (body[0] == 0 && body[1] == 1);
	CU_ASSERT_EQUAL (device.aborts, 0);
	CU_ASSERT_TRUE (driver_served (d, 0));
	close (area);
}

static void
hostile_59_areas_that_nobody_can_want (void)
{
	static const unsigned cases[][2] = { { 0, 128 }, { 1, 0 }, { DEVICE_RINGS + 1, 128 }, { 65535, 65535 }, { 1, 32769 } };
	struct reply r;

	begin_inflight ();
	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		CU_ASSERT_EQUAL (ask_for (cases[i][0], cases[i][1], 24, &r), ANSWER);
		CU_ASSERT (r.size == 24 && r.n_fds == 0 && word (&r, 0) == 0);
	}
	CU_ASSERT_EQUAL (ask_for (1, 128, 16, &r), ANSWER);
	CU_ASSERT (r.size == 24 && r.n_fds == 0 && word (&r, 0) == 0);
}

static void
hostile_60_many_areas (void)
{
	uint64_t size;

	begin_inflight ();
	for (unsigned i = 0; i < 64; i++) {
		int before = suite_open_fds (), fd = get_area (DEVICE_RINGS, 1024, 24, &size);

		CU_ASSERT_FATAL (fd >= 0);
		close (fd);
		CU_ASSERT_EQUAL (suite_open_fds (), before);
	}
}

static void
hostile_61_areas_that_are_none (void)
{
	int file = memfd_create ("area", MFD_CLOEXEC), read_only, kinds[2];
	uint64_t need = 2 * PART;
	struct bytes b;

	begin_inflight ();
	CU_ASSERT_EQUAL_FATAL (ftruncate (file, (off_t) need), 0);
	CU_ASSERT_EQUAL (send_area (0, 0, 2, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (64, 0, 2, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need - 1, 0, 2, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (UINT64_MAX, 0, 2, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, UINT64_MAX - 7, 2, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 1u << 30, 2, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 8, 2, ENTRIES, file), REFUSAL);	/* 63: the file is shorter */
	CU_ASSERT_EQUAL (send_area (PART, 4, 1, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 0, 0, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 0, DEVICE_RINGS + 1, 1, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 0, 1000, ENTRIES, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 0, 2, 0, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 0, 1, 65535, file), REFUSAL);
	CU_ASSERT_EQUAL (send_area (need, 0, 2, ENTRIES + 4, file), REFUSAL);
	describe (&b, need, 0, 2, ENTRIES);
	kinds[0] = kinds[1] = file;
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_INFLIGHT_FD, b.data, 24, NULL, 0), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_INFLIGHT_FD, b.data, 24, kinds, 2), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_INFLIGHT_FD, b.data, 22, kinds, 1), REFUSAL);
	read_only = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CU_ASSERT_EQUAL (send_area (need, 0, 2, ENTRIES, read_only), REFUSAL);
	close (read_only);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_INFLIGHT_FD, b.data, 20, kinds, 1), ACK);
	CU_ASSERT_EQUAL (send_area (PART, PART, 1, ENTRIES, file), ACK);
	close (file);
}

/* An area whose rings are smaller than the ring, or fewer: that ring does not start, and the others do. */
static void
hostile_62_areas_for_other_rings (void)
{
	begin_inflight ();
	make_area (1, 16);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 16, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 1, 16, 0) && rig_start_ring (&rig, 1));
	CU_ASSERT (driver_signals (rig.drivers[1].err) >= 1);
	CU_ASSERT_FALSE (rig_serve (&rig, 1, 0));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

static void
hostile_62_an_area_of_smaller_rings (void)
{
	begin_inflight ();
	make_area (DEVICE_RINGS, 32);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	CU_ASSERT (driver_signals (rig.drivers[0].err) >= 1);
	CU_ASSERT_TRUE (rig_place_ring (&rig, 1, 32, 0) && rig_start_ring (&rig, 1) && rig_serve (&rig, 1, 0));
}

/* 64: the ring stops, the connection goes on, and another area can be sent. */
static void
hostile_64_an_area_of_ones (void)
{
	int fd = memfd_create ("area", MFD_CLOEXEC);
	static uint8_t ones[DEVICE_RINGS * PART];
	uint32_t base;

	begin_inflight ();
	memset (ones, 0xff, sizeof (ones));
	CU_ASSERT_EQUAL_FATAL (write (fd, ones, sizeof (ones)), sizeof (ones));
	CU_ASSERT_EQUAL (send_area (sizeof (ones), 0, DEVICE_RINGS, ENTRIES, fd), ACK);
	close (fd);
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	CU_ASSERT (driver_signals (rig.drivers[0].err) >= 1);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	make_area (DEVICE_RINGS, ENTRIES);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

/* Under a ring that runs the area stays; one that is made then is for the next start. */
static void
areas_while_a_ring_runs (void)
{
	uint64_t size;
	uint32_t base;
	int fd;

	begin_inflight ();
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	fd = get_area (DEVICE_RINGS, ENTRIES, 24, &size);
	CU_ASSERT_FATAL (fd >= 0);
	CU_ASSERT_EQUAL (send_area (size, 0, DEVICE_RINGS, ENTRIES, fd), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_ask_base (&rig, 0, &base));
	CU_ASSERT_EQUAL (send_area (size, 0, DEVICE_RINGS, ENTRIES, fd), ACK);
	close (fd);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 1));
}

/* RESET_DEVICE forgets it: the ring that begins anew would not fit to what is noted down. */
static void
a_reset_forgets_the_area (void)
{
	uint64_t size;
	int fd;
	uint8_t version = 0;

	begin_inflight ();
	fd = get_area (DEVICE_RINGS, ENTRIES, 24, &size);
	CU_ASSERT_FATAL (fd >= 0);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_DEVICE), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
	CU_ASSERT (pread (fd, &version, 1, 8) == 1 && version == 0);
	close (fd);
}

CU_TestInfo inflight_cases[] = {
	CASE (an_area_is_made),
	CASE (not_without_the_device),
	CASE (requests_outlive_a_connection),
	CASE (a_ring_stops_without_finishing),
	CASE (a_ring_without_records_is_drained),
	CASE (skipping_is_for_once),
	CASE (a_base_that_need_not_be_drained),
	CASE (hostile_59_areas_that_nobody_can_want),
	CASE (hostile_60_many_areas),
	CASE (hostile_61_areas_that_are_none),
	CASE (hostile_62_areas_for_other_rings),
	CASE (hostile_62_an_area_of_smaller_rings),
	CASE (hostile_64_an_area_of_ones),
	CASE (areas_while_a_ring_runs),
	CASE (a_reset_forgets_the_area),
	CU_TEST_INFO_NULL,
};
