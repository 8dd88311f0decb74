/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dirty log on the wire: given, begun and ended while rings run, replaced, and logs that are none.
 */
#include "backend-hostile.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROTOCOL_LOG_SHMFD (1u << 1)
#define LOG_ALL (UINT64_C (1) << 26)
#define FEATURES (BIT_VERSION_1 | BIT30)

#define PAGE 4096u
#define FIRST_PAGE (GUEST_ADDR / PAGE)
#define PAGES (GUEST_SIZE / PAGE)
#define LOG_SIZE ((GUEST_ADDR + GUEST_SIZE) / PAGE / 8)

/* A log in a file of its own. */
struct log {
	int fd;
	uint8_t *bits;		/* of the guest's first page on */
};

static void
log_open (struct log *l)
{
	uint8_t *file;

	l->fd = memfd_create ("log", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (l->fd, LOG_SIZE), 0);
	file = mmap (NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
	CU_ASSERT_FATAL (file != MAP_FAILED);
	l->bits = file + FIRST_PAGE / 8;
}

static void
log_close (struct log *l)
{
	munmap (l->bits - FIRST_PAGE / 8, LOG_SIZE);
	close (l->fd);
}

static unsigned
log_count (const struct log *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGES / 8; i++)
		n += (unsigned) __builtin_popcount (l->bits[i]);
	return n;
}

static void
log_clear (struct log *l)
{
	memset (l->bits, 0, PAGES / 8);
}

static enum outcome
give_log (uint64_t size, uint64_t offset, int fd, struct reply *reply)
{
	static struct bytes b;

	b.n = 0;
	bytes_u64 (&b, size);
	bytes_u64 (&b, offset);
	rig_send (&rig, FE_SET_LOG_BASE, FLAG_VERSION, b.data, (uint32_t) b.n, &fd, 1);
	return rig_receive (&rig, FE_SET_LOG_BASE, reply);
}

/* SET_VRING_ADDR again, with the flag and the address of the log. */
static enum outcome
give_log_address (unsigned ring, uint32_t flags, uint64_t log)
{
	struct driver *d = &rig.drivers[ring];
	static struct bytes b;

	b.n = 0;
	bytes_u32 (&b, ring);
	bytes_u32 (&b, flags);
	bytes_u64 (&b, GUEST_USER + driver_desc_at (d));
	bytes_u64 (&b, GUEST_USER + driver_used_at (d));
	bytes_u64 (&b, GUEST_USER + driver_avail_at (d));
	bytes_u64 (&b, log);
	return rig_tell (&rig, FE_SET_VRING_ADDR, b.data, (uint32_t) b.n, NULL, 0);
}

static bool
ready (void)
{
	return rig_ready (&rig, 64) && rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_LOG_SHMFD) == ACK;
}

static void
the_answer_is_a_zero (void)
{
	struct reply r;
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, &r), ACK);
	CU_ASSERT (r.size == 8 && r.n_fds == 0);
	log_close (&l);
}

/* A migration: begun under a ring that runs, called off, and begun again. */
static void
a_log_under_a_ring_that_runs (void)
{
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready () && rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (log_count (&l), 0);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (device.features, BIT_VERSION_1);	/* the device knows nothing of it */
	CU_ASSERT_EQUAL (device.feature_sets, 1);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 2));
	CU_ASSERT_EQUAL (log_count (&l), 1);	/* the data; what the ring writes needs the flag */
	log_clear (&l);
	CU_ASSERT_EQUAL (give_log_address (0, 1, GUEST_ADDR + 0x80000), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 3));
	CU_ASSERT (log_count (&l) == 2 && l.bits[0x80 / 8] == 1);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (give_log_address (0, 0, 0), ACK);
	log_clear (&l);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 4));
	CU_ASSERT_EQUAL (log_count (&l), 0);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 5));
	CU_ASSERT_EQUAL (log_count (&l), 1);
	log_close (&l);
}

/* The log begins when what was in flight before is done: nobody knows what those requests write. */
static void
a_log_waits_for_requests_in_flight (void)
{
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	device.hold = true;
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.n_held, 1);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), SILENCE);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_EQUAL (test_device_release (&device, 1), 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_FEATURES, NULL), ACK);
	CU_ASSERT_EQUAL (log_count (&l), 0);
	/* The other one was taken with the log. */
	CU_ASSERT_EQUAL (device.n_held, 1);
	/* Ending it, or another one, waits for nobody. */
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (device.n_held, 1);
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0) && driver_served (&rig.drivers[0], 1));
	log_close (&l);
}

/* Memory grows: a larger log first. After its answer the old one is not written to. */
static void
a_log_is_replaced (void)
{
	struct log old, new;

	log_open (&old);
	log_open (&new);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, old.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (give_log_address (0, 1, GUEST_ADDR), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (log_count (&old), 2);
	device.hold = true;
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	log_clear (&old);
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, new.fd, NULL), ACK);
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	CU_ASSERT (log_count (&old) == 0 && log_count (&new) == 2);
	log_close (&old);
	log_close (&new);
}

/* 67: too small for the memory, empty, with sums that wrap, of a file that is shorter, of no file. */
static void
hostile_67_logs_that_are_none (void)
{
	static const struct {
		uint64_t size, offset;
	} cases[] = { { 0, 0 }, { LOG_SIZE, UINT64_MAX - 10 }, { UINT64_MAX, 1 }, { LOG_SIZE, 1 }, { LOG_SIZE + 1, 0 }, { LOG_SIZE - 1, 0 } };

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		struct log l;

		log_open (&l);
		CU_ASSERT_TRUE (ready ());
		CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
		/* The answer has no form that says "failed". */
		CU_ASSERT_EQUAL (give_log (cases[i].size, cases[i].offset, l.fd, NULL), CLOSED);
		log_close (&l);
		rig_reopen (&rig);
	}
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, rig.drivers[0].kick, NULL), CLOSED);
}

/* A log may be given before it is kept and before there is memory; what counts is that it fits when it is. */
static void
hostile_67_a_log_that_is_too_small_later (void)
{
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE - 1, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	log_close (&l);
}

/* Without any log LOG_ALL has nothing to keep. */
static void
log_all_without_a_log (void)
{
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
hostile_68_memory_beyond_the_log (void)
{
	struct piece above = { GUEST_ADDR + GUEST_SIZE, PAGE, GUEST_USER + GUEST_SIZE, 0 };
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &above, rig.guest.fd), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &above, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), REFUSAL);
	log_close (&l);
}

/* The used area's address has no bit: it is refused, whichever of the two comes first. */
static void
hostile_a_used_area_beyond_the_log (void)
{
	const uint64_t end = GUEST_ADDR + GUEST_SIZE, used_size = 6 + 8 * 64;
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (give_log_address (0, 1, UINT64_MAX - 3), REFUSAL);
	CU_ASSERT_EQUAL (give_log_address (0, 1, end), REFUSAL);
	CU_ASSERT_EQUAL (give_log_address (0, 1, end - used_size + 1), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (give_log_address (0, 1, end - used_size), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (give_log_address (0, 0, end), ACK);	/* it is not used */
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (give_log_address (0, 1, end), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 2));
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 0);
	log_close (&l);
}

static void
hostile_a_log_that_shrinks (void)
{
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (ftruncate (l.fd, 0), 0);
	rig_serve (&rig, 0, 0);
	CU_ASSERT (driver_signals (rig.drivers[0].err) >= 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
	log_close (&l);
}

static void
an_eventfd_for_the_log (void)
{
	int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct log l;

	log_open (&l);
	CU_ASSERT_TRUE (ready ());
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_LOG_FD, "", 0, &fd, 1), REFUSAL);	/* not before LOG_ALL */
	CU_ASSERT_EQUAL (give_log (LOG_SIZE, 0, l.fd, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_LOG_FD, "", 0, &l.fd, 1), REFUSAL);	/* a file */
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_LOG_FD, "", 0, &fd, 1), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (driver_signals (fd), 1);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_LOG_FD, "", 0, &fd, 1), ACK);
	log_clear (&l);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (driver_signals (fd), 1);
	log_close (&l);
	close (fd);
}

CU_TestInfo log_cases[] = {
	CASE (the_answer_is_a_zero),
	CASE (a_log_under_a_ring_that_runs),
	CASE (a_log_waits_for_requests_in_flight),
	CASE (a_log_is_replaced),
	CASE (hostile_67_logs_that_are_none),
	CASE (hostile_67_a_log_that_is_too_small_later),
	CASE (log_all_without_a_log),
	CASE (hostile_68_memory_beyond_the_log),
	CASE (hostile_a_used_area_beyond_the_log),
	CASE (hostile_a_log_that_shrinks),
	CASE (an_eventfd_for_the_log),
	CU_TEST_INFO_NULL,
};
