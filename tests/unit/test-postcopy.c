/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end's walk of postcopy against a real userfaultfd: the test is the front-end, and brings the pages that it took out of the guest's memory before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vhost/memory.h>

#include "daemon-host.h"
#include "memory/joined.h"
#include "src/backend/postcopy.h"
#include "tests/suite.h"

#define PAGE 4096u
#define MOST_SECONDS 20

enum { FE_POSTCOPY_ADVISE = 28, FE_POSTCOPY_LISTEN = 29, FE_POSTCOPY_END = 30 };

#define PROTOCOL_PAGEFAULT (1u << 8)
#define PROTOCOL_WANTED (PROTOCOL_PAGEFAULT | PROTOCOL_REPLY_ACK | PROTOCOL_MQ)

static struct test_device device, neighbour;
static struct host host;
static struct rig rig, other;
static uint8_t taken[PAGE];	/* the page that is missing */

/* --- the bench --- */

/* A daemon of two devices, a worker each, and a front-end of the first. */
static void
bench_open (void)
{
	struct vh_endpoint e = { .size = sizeof (e), .ring_workers = (const unsigned[]){ 1 }, .n_ring_workers = 1 };

	host_open (&host, 2);
	test_device_init (&device);
	device.device.protocol_features = VH_BIT (VH_P_PAGEFAULT);
	test_device_init (&neighbour);
	CU_ASSERT_TRUE (host_listen (&host, &device, "s"));
	e.socket_path = host_path (&host, "n");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &neighbour.device, &e), 0);
	host_run (&host);
	host_connect (&host, &rig, "s");
}

static void
bench_close (void)
{
	rig_close (&rig);
	host_close (&host);
}

static bool
negotiate (void)
{
	uint64_t offered;

	return rig_alive (&rig) && rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered) && (offered & PROTOCOL_WANTED) == PROTOCOL_WANTED &&
	       !(offered & PROTOCOL_SLOTS) && rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_WANTED) == ACK &&
	       rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30) == ACK;
}

/* The fd that POSTCOPY_ADVISE gives; -1: it gives none. */
static int
advise (void)
{
	struct reply reply;

	rig_send (&rig, FE_POSTCOPY_ADVISE, FLAG_VERSION, "", 0, NULL, 0);
	CU_ASSERT_EQUAL_FATAL (rig_receive (&rig, FE_POSTCOPY_ADVISE, &reply), ANSWER);
	CU_ASSERT_EQUAL (reply.size, 0);
	return reply.n_fds == 1 ? reply.fds[0] : -1;
}

/* A table of one region; returns where the back-end says that it has it. */
static uint64_t
announce (void)
{
	struct piece whole = rig_whole ();
	struct {
		uint32_t n, padding;
		struct piece piece;
	} body = { 1, 0, whole }, answer;
	struct reply reply;

	rig_send (&rig, FE_SET_MEM_TABLE, FLAG_VERSION, &body, sizeof (body), &rig.guest.fd, 1);
	CU_ASSERT_EQUAL_FATAL (rig_receive (&rig, FE_SET_MEM_TABLE, &reply), ANSWER);
	CU_ASSERT_EQUAL_FATAL (reply.size, sizeof (answer));
	CU_ASSERT_EQUAL (reply.n_fds, 0);
	memcpy (&answer, reply.body, sizeof (answer));
	CU_ASSERT_EQUAL (answer.n, 1);
	CU_ASSERT_EQUAL (answer.piece.guest, whole.guest);
	CU_ASSERT_EQUAL (answer.piece.size, whole.size);
	CU_ASSERT_EQUAL (answer.piece.offset, whole.offset);
	return answer.piece.user;
}

/* QEMU acknowledges with eight bytes of zero, the specification with none.  Neither has an answer. */
static void
acknowledge (uint32_t size)
{
	static const uint8_t zeroes[8];

	rig_send (&rig, FE_SET_MEM_TABLE, FLAG_VERSION, zeroes, size, NULL, 0);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* Up to a ring at work on memory of which all that it has met is there.  Returns the userfaultfd, and where the back-end has the guest. */
static int
ready (uint64_t *where)
{
	int uffd;

	CU_ASSERT_TRUE_FATAL (negotiate ());
	uffd = advise ();
	CU_ASSERT_TRUE_FATAL (uffd >= 0);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	*where = announce ();
	acknowledge (8);
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	return uffd;
}

/* --- the source of pages --- */

/* Takes the page with the requests of ring 0 out of the guest's memory. */
static void
take_page (void)
{
	memcpy (taken, rig.guest.bytes + GUEST_BUFFERS, PAGE);
	CU_ASSERT_EQUAL (fallocate (rig.guest.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, GUEST_BUFFERS, PAGE), 0);
}

/* Waits for a fault; the address. */
static uint64_t
wait_fault (int uffd)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	struct uffd_msg m;

	CU_ASSERT_EQUAL_FATAL (poll (&p, 1, MOST_SECONDS * 1000), 1);
	CU_ASSERT_EQUAL_FATAL (read (uffd, &m, sizeof (m)), sizeof (m));
	CU_ASSERT_EQUAL (m.event, UFFD_EVENT_PAGEFAULT);
	return m.arg.pagefault.address;
}

static void
bring_page (int uffd, uint64_t address)
{
	struct uffdio_copy c = { .dst = address & ~(uint64_t) (PAGE - 1), .src = (uintptr_t) taken, .len = PAGE };

	CU_ASSERT_EQUAL (ioctl (uffd, UFFDIO_COPY, &c), 0);
}

/* A request whose buffers are missing, and the ring's thread waits for them. */
static uint64_t
stall (int uffd)
{
	/* The page goes first: the thread may still be looking for more than it has done. */
	driver_prepare (&rig.drivers[0], 1);
	take_page ();
	driver_offer (&rig.drivers[0], 2);
	driver_kick (&rig.drivers[0]);
	return wait_fault (uffd);
}

/* Until ring 0 has used something; an earlier call may still be in its eventfd. */
static void
wait_call (void)
{
	struct pollfd p = { .fd = rig.drivers[0].call, .events = POLLIN };

	while (driver_pending (&rig.drivers[0]) == 0) {
		CU_ASSERT_EQUAL_FATAL (poll (&p, 1, MOST_SECONDS * 1000), 1);
		driver_signals (p.fd);
	}
}

/* The page comes, and with it the request's answer. */
static void
end_stall (int uffd, uint64_t address)
{
	bring_page (uffd, address);
	wait_call ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
}

/* --- what is offered --- */

static void
offered_to_devices_that_ask (void)
{
	uint64_t offered;

	bench_open ();
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
	CU_ASSERT_EQUAL (offered & (PROTOCOL_PAGEFAULT | PROTOCOL_SLOTS), PROTOCOL_PAGEFAULT);
	host_connect (&host, &other, "n");
	CU_ASSERT_TRUE (rig_ask_u64 (&other, FE_GET_PROTOCOL_FEATURES, &offered));
	CU_ASSERT_EQUAL (offered & (PROTOCOL_PAGEFAULT | PROTOCOL_SLOTS), PROTOCOL_SLOTS);
	rig_close (&other);
	bench_close ();
}

static void
not_offered_where_rings_share_the_connections_loop (void)
{
	uint64_t offered;

	test_device_init (&device);
	device.device.protocol_features = VH_BIT (VH_P_PAGEFAULT);
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
	CU_ASSERT_EQUAL (offered & (PROTOCOL_PAGEFAULT | PROTOCOL_SLOTS), PROTOCOL_SLOTS);
	rig_close (&rig);
}

/* --- the order --- */

static void
steps_out_of_order_are_refused (void)
{
	int uffd;

	bench_open ();
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), REFUSAL);	/* not negotiated */
	CU_ASSERT_TRUE (negotiate ());
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_END), REFUSAL);
	uffd = advise ();
	CU_ASSERT_TRUE (uffd >= 0);
	CU_ASSERT_EQUAL (advise (), -1);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_END), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_END), ACK);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_END), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
	close (uffd);
	/* Another migration, over the same connection. */
	uffd = advise ();
	CU_ASSERT_TRUE (uffd >= 0);
	close (uffd);
	bench_close ();
}

/* QEMU waits for it whether REPLY_ACK was negotiated or not. */
static void
listen_is_answered_without_reply_ack (void)
{
	int uffd;

	bench_open ();
	CU_ASSERT_TRUE (negotiate ());
	uffd = advise ();
	rig_send (&rig, FE_SET_PROTOCOL_FEATURES, FLAG_VERSION, &(uint64_t){ PROTOCOL_PAGEFAULT }, 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	rig_send (&rig, FE_SET_OWNER, FLAG_VERSION | FLAG_NEED_REPLY, "", 0, NULL, 0);
	CU_ASSERT_TRUE (rig_alive (&rig));	/* the next answer is not SET_OWNER's */
	close (uffd);
	bench_close ();
}

static void
nothing_comes_between_addresses_and_their_acknowledgement (void)
{
	int uffd;

	bench_open ();
	CU_ASSERT_TRUE (negotiate ());
	uffd = advise ();
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	announce ();
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_GET_FEATURES), CLOSED);
	close (uffd);
	bench_close ();
}

static void
an_acknowledgement_that_is_none (void)
{
	const uint64_t one = 1;
	int uffd;

	bench_open ();
	CU_ASSERT_TRUE (negotiate ());
	uffd = advise ();
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	announce ();
	rig_send (&rig, FE_SET_MEM_TABLE, FLAG_VERSION, &one, sizeof (one), NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_MEM_TABLE, NULL), CLOSED);
	close (uffd);
	bench_close ();
}

/* --- pages --- */

static void
memory_is_not_touched_before_its_time (void)
{
	struct stat st;
	uint64_t where;
	int uffd;

	bench_open ();
	CU_ASSERT_TRUE (negotiate ());
	uffd = advise ();
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	where = announce ();
	CU_ASSERT_EQUAL (where % PAGE, 0);
	acknowledge (0);
	/* Not a page of the file was made. */
	CU_ASSERT_EQUAL (fstat (rig.guest.fd, &st), 0);
	CU_ASSERT_EQUAL (st.st_blocks, 0);
	close (uffd);
	bench_close ();
}

static void
a_missing_page_is_brought (void)
{
	uint64_t where, address;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	address = stall (uffd);
	CU_ASSERT_EQUAL (address - where - GUEST_BUFFERS, address % PAGE);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	end_stall (uffd, address);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_END), ACK);
	close (uffd);
	bench_close ();
}

static void
nobody_else_waits_for_a_page (void)
{
	uint64_t where, address;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	address = stall (uffd);
	CU_ASSERT_TRUE (rig_alive (&rig));
	host_connect (&host, &other, "n");
	CU_ASSERT_TRUE (rig_ready (&other, 64));
	CU_ASSERT_TRUE (rig_serve (&other, 0, 0));
	rig_close (&other);
	end_stall (uffd, address);
	close (uffd);
	bench_close ();
}

static void
memory_that_was_there_before_listen (void)
{
	uint64_t address;
	int uffd;

	bench_open ();
	CU_ASSERT_TRUE (negotiate ());
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
	uffd = advise ();
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_LISTEN), ACK);
	address = stall (uffd);
	end_stall (uffd, address);
	close (uffd);
	bench_close ();
}

static void
memory_changes_while_pages_are_missing (void)
{
	uint64_t where, address;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	for (unsigned i = 0; i < 5; i++) {
		where = announce ();
		acknowledge (i % 2 ? 8 : 0);
	}
	address = stall (uffd);
	CU_ASSERT_EQUAL (address - where - GUEST_BUFFERS, address % PAGE);
	end_stall (uffd, address);
	close (uffd);
	bench_close ();
}

/* --- the end --- */

/* The front-end has closed nothing, and brings nothing any more. */
static void
after_the_end_nobody_waits (void)
{
	uint64_t where;
	uint32_t id, len;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_POSTCOPY_END), ACK);
	driver_prepare (&rig.drivers[0], 1);
	take_page ();
	driver_offer (&rig.drivers[0], 2);
	driver_kick (&rig.drivers[0]);
	wait_call ();
	CU_ASSERT_TRUE (driver_used (&rig.drivers[0], &id, &len));
	CU_ASSERT_EQUAL (id, 2);
	close (uffd);
	bench_close ();
}

/* Is the device free again, for a front-end that does not know of the one before? */
static void
next_front_end_is_served (void)
{
	CU_ASSERT_TRUE (host_counted (&device.departures, 1));
	rig_close (&rig);
	host_connect (&host, &rig, "s");
	CU_ASSERT_TRUE (negotiate ());
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (test_device_count (&device.starts), 2);
}

static void
the_front_end_dies_while_a_page_is_missing (void)
{
	uint64_t where;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	stall (uffd);
	close (uffd);
	rig_hang_up (&rig);
	next_front_end_is_served ();
	bench_close ();
}

static void
the_front_end_dies_while_a_ring_is_to_stop_that_waits (void)
{
	const uint32_t body[2] = { 0, 0 };
	uint64_t where;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	stall (uffd);
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, body, sizeof (body), NULL, 0);
	close (uffd);
	rig_hang_up (&rig);
	next_front_end_is_served ();
	bench_close ();
}

/* The front-end keeps the fd open, and does nothing: the daemon ends all the same. */
static void
the_daemon_ends_while_a_page_is_missing (void)
{
	uint64_t where;
	int uffd;

	bench_open ();
	uffd = ready (&where);
	stall (uffd);
	vh_daemon_stop (host.daemon);
	CU_ASSERT_TRUE (host_wait (&host));
	close (uffd);
	bench_close ();
}

/* Can two pages of a region be joined?  See memory/joined.h. */
static bool
can_be_joined (struct region *r)
{
	const struct joined_piece pieces[] = { { r, r->host + PAGE, PAGE }, { r, r->host, PAGE } };
	struct joined *j = NULL;
	int err = joined_new (pieces, 2, &j);

	CU_ASSERT_EQUAL (err, j ? 0 : -EFAULT);
	joined_free (j);
	return j;
}

/* A second mapping would have zeroes where pages are missing. */
static void
memory_is_mapped_once_until_the_end (void)
{
	struct vh_region spec = { .guest_addr = 0x10000, .size = 2 * PAGE, .user_addr = 0x10000, .fd = -1 };
	int fd = memfd_create ("test-postcopy", MFD_CLOEXEC);
	struct vh_memory *memory;
	struct postcopy *p;
	struct region *r;

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, 2 * PAGE), 0);
	CU_ASSERT_EQUAL_FATAL (region_new (&spec, fd, &r), 0);
	CU_ASSERT_EQUAL_FATAL (memory_new (&r, 1, &memory), 0);
	CU_ASSERT_TRUE (can_be_joined (r));
	CU_ASSERT_EQUAL_FATAL (postcopy_new (&p), 0);
	CU_ASSERT_EQUAL (postcopy_register (p, memory), 0);
	CU_ASSERT_FALSE (can_be_joined (r));
	postcopy_free (p);
	CU_ASSERT_TRUE (can_be_joined (r));
	vh_memory_unref (memory);
	region_unref (r);
	close (fd);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "offered to devices that ask", offered_to_devices_that_ask },
		{ "not offered where rings share the connection's loop", not_offered_where_rings_share_the_connections_loop },
		{ "POSTCOPY_ADVISE, POSTCOPY_LISTEN, POSTCOPY_END: steps out of order are refused", steps_out_of_order_are_refused },
		{ "listen is answered without REPLY_ACK", listen_is_answered_without_reply_ack },
		{ "nothing comes between addresses and their acknowledgement", nothing_comes_between_addresses_and_their_acknowledgement },
		{ "an acknowledgement that is none", an_acknowledgement_that_is_none },
		{ "memory is not touched before its time", memory_is_not_touched_before_its_time },
		{ "a missing page is brought", a_missing_page_is_brought },
		{ "nobody else waits for a page", nobody_else_waits_for_a_page },
		{ "memory that was there before listen", memory_that_was_there_before_listen },
		{ "memory changes while pages are missing", memory_changes_while_pages_are_missing },
		{ "memory is mapped once until the end", memory_is_mapped_once_until_the_end },
		{ "after the end nobody waits", after_the_end_nobody_waits },
		{ "the front-end dies while a page is missing", the_front_end_dies_while_a_page_is_missing },
		{ "the front-end dies while a ring is to stop that waits", the_front_end_dies_while_a_ring_is_to_stop_that_waits },
		{ "the daemon ends while a page is missing", the_daemon_ends_while_a_page_is_missing },
		CU_TEST_INFO_NULL,
	};

	vh_memory_guard ();
	if (!postcopy_protocol_features ()) {
		puts ("this kernel has no userfaultfd for us");
		return 77;
	}
	return suite_run ("postcopy", tests);
}
