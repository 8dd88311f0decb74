/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's link to its back-end: a back-end that comes late, dies, comes back, does not answer.  Guest memory is a memfd here; the rest is as in dom0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/socket.h>
#include <vhost/version.h>

#include "tests/suite.h"
#include "tests/xen/guest/link-backend.h"
#include "tools/guest.h"
#include "tools/queue.h"
#include "tools/xen-vhost-frontend/link.h"

/* How long to wait for what must come. */
#define PATIENCE_MS 10000

#define FEATURES (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX))

struct rig {
	char folder[64];
	char socket[100];
	int backend;		/* its process; 0: none */
	struct vh_loop *loop;
	struct link *link;
	struct guest guest;
	struct queue *queue;
	struct link_driver driver;
	int err;
	uint64_t in, out;	/* guest addresses of the number and of the answer */
	/* What the link told. */
	struct link_backend known;
	unsigned changed, resumed, failed, done, closed;
};

static struct rig rig;

/* --- what the link calls --- */

static void
on_changed (void *opaque, const struct link_backend *b)
{
	rig.known = *b;
	rig.changed++;
}

static void
on_resumed (void *opaque)
{
	static const uint64_t one = 1;

	rig.resumed++;
	CU_ASSERT_EQUAL (write (queue_kick_fd (rig.queue), &one, sizeof (one)), sizeof (one));
}

static void
on_failed (void *opaque, const char *why)
{
	rig.failed++;
}

static void
on_done (void *opaque)
{
	rig.done++;
}

static void
on_closed (void *opaque)
{
	rig.closed++;
}

static const struct link_ops ops = { .changed = on_changed, .resumed = on_resumed, .failed = on_failed, .done = on_done, .closed = on_closed };

static int
get_regions (void *opaque, const struct link_driver *driver, struct vh_region *regions, unsigned max)
{
	if (!driver)
		return 0;
	regions[0] = (struct vh_region){ .guest_addr = GUEST_BASE, .user_addr = GUEST_BASE, .size = rig.guest.size, .fd = dup (rig.guest.fd) };
	return 1;
}

static int
read_index (void *opaque, uint64_t addr, uint16_t *ret)
{
	*ret = __atomic_load_n ((uint16_t *) guest_at (&rig.guest, addr), __ATOMIC_ACQUIRE);
	return 0;
}

/* --- the rig --- */

/* Runs the loop until *value is at least `least`. */
static bool
wait_for (const unsigned *value, unsigned least)
{
	for (int left = PATIENCE_MS; *value < least && left > 0; left -= 10)
		vh_loop_dispatch (rig.loop, 10);
	return *value >= least;
}

static bool
wait_connected (bool connected)
{
	for (int left = PATIENCE_MS; rig.known.connected != connected && left > 0; left -= 10)
		vh_loop_dispatch (rig.loop, 10);
	return rig.known.connected == connected;
}

static void
start_backend_that (struct link_backend_options options)
{
	rig.backend = link_backend_start (rig.socket, &options);
	CU_ASSERT_FATAL (rig.backend > 0);
}

static void
start_backend (bool deaf, uint64_t features)
{
	start_backend_that ((struct link_backend_options){ .deaf = deaf, .features = features });
}

static void
kill_backend (void)
{
	if (rig.backend > 0)
		link_backend_kill (rig.backend);
	rig.backend = 0;
}

static void
make_queue (void)
{
	const struct queue_options options = { .size = 16, .features = FEATURES };
	struct vh_vring_addr a;

	CU_ASSERT_EQUAL_FATAL (guest_init (&rig.guest, 1 << 20, 1, 0), 0);
	CU_ASSERT_EQUAL_FATAL (queue_new (&rig.guest, &options, &rig.queue), 0);
	CU_ASSERT_EQUAL_FATAL (guest_alloc (&rig.guest, 4, 4, true, &rig.in), 0);
	CU_ASSERT_EQUAL_FATAL (guest_alloc (&rig.guest, 4, 4, true, &rig.out), 0);
	queue_addresses (rig.queue, &a);
	rig.err = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	rig.driver = (struct link_driver){ .features = FEATURES | VH_BIT (VH_F_ACCESS_PLATFORM),
					   .own = VH_BIT (VH_F_ACCESS_PLATFORM),
					   .call = queue_call_fd (rig.queue),
					   .err = rig.err,
					   .rings = 2 };
	rig.driver.ring[0] = (struct link_ring){ .ready = true,
						 .size = 16,
						 .desc = a.desc - (uintptr_t) rig.guest.host + GUEST_BASE,
						 .driver = a.avail - (uintptr_t) rig.guest.host + GUEST_BASE,
						 .device = a.used - (uintptr_t) rig.guest.host + GUEST_BASE,
						 .kick = queue_kick_fd (rig.queue) };
}

static void
open_rig (unsigned timeout_ms, bool xen)
{
	static const unsigned sizes[] = { 64, 8, 4, 0 };
	struct link_options options = { .socket = rig.socket,
					.config_sizes = sizes,
					.timeout_ms = timeout_ms,
					.memory = { .xen = xen, .regions = get_regions, .read_index = read_index } };

	memset (&rig, 0, sizeof (rig));
	strcpy (rig.folder, "/tmp/libvhost-link-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL (mkdtemp (rig.folder));
	snprintf (rig.socket, sizeof (rig.socket), "%s/s", rig.folder);
	make_queue ();
	CU_ASSERT_EQUAL_FATAL (vh_loop_new (&rig.loop), 0);
	CU_ASSERT_EQUAL_FATAL (link_new (rig.loop, &options, &ops, NULL, &rig.link), 0);
}

static void
close_rig (void)
{
	link_close (rig.link);
	CU_ASSERT_TRUE_FATAL (wait_for (&rig.closed, 1));
	link_free (rig.link);
	kill_backend ();
	queue_free (rig.queue);
	guest_free (&rig.guest);
	close (rig.err);
	vh_loop_free (rig.loop);
	unlink (rig.socket);
	rmdir (rig.folder);
}

/* --- requests --- */

static void
ask_at (uint32_t number, uint64_t in, uint64_t out)
{
	const struct queue_buffer buffers[] = { { in, 4 }, { out, 4 } };

	memcpy (guest_at (&rig.guest, in), &number, 4);
	memset (guest_at (&rig.guest, out), 0, 4);
	CU_ASSERT_EQUAL (queue_add (rig.queue, buffers, 1, 1, &rig), 0);
	CU_ASSERT_EQUAL (queue_publish (rig.queue), 0);
}

static void
ask (uint32_t number)
{
	ask_at (number, rig.in, rig.out);
}

static uint32_t
get_answer (void)
{
	struct queue_done done = { 0 };
	uint32_t number = 0;
	int n = 0;

	for (int left = PATIENCE_MS; n == 0 && left > 0; left -= 10) {
		n = queue_reap (rig.queue, &done, 1);
		if (n == 0)
			queues_wait (&rig.queue, 1, 10);
		vh_loop_dispatch (rig.loop, 0);
	}
	CU_ASSERT_EQUAL (n, 1);
	CU_ASSERT_EQUAL (done.written, 4);
	memcpy (&number, guest_at (&rig.guest, rig.out), 4);
	return number;
}

static void
start (void)
{
	unsigned done = rig.done;

	link_start (rig.link, &rig.driver);
	CU_ASSERT_TRUE_FATAL (wait_for (&rig.done, done + 1));
}

static void
stop (void)
{
	unsigned done = rig.done;

	link_stop (rig.link);
	CU_ASSERT_TRUE_FATAL (wait_for (&rig.done, done + 1));
}

/* --- tests --- */

static void
test_a_backend_that_comes_late (void)
{
	open_rig (5000, false);
	for (int i = 0; i < 20; i++)
		vh_loop_dispatch (rig.loop, 10);
	CU_ASSERT_EQUAL (rig.changed, 0);
	start_backend (false, VH_BIT (9));
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	CU_ASSERT_EQUAL (rig.known.rings, 2);
	CU_ASSERT_NOT_EQUAL (rig.known.features & VH_BIT (9), 0);
	/* It has eight bytes, and refused the question for 64. */
	CU_ASSERT_TRUE (rig.known.has_config);
	CU_ASSERT_EQUAL (rig.known.config_size, 8);
	CU_ASSERT_EQUAL (rig.known.config[0], 10);
	close_rig ();
}

static void
test_rings_run_and_stop (void)
{
	open_rig (5000, false);
	start_backend (false, 0);
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	for (uint32_t i = 1; i < 100; i++) {
		ask (i);
		CU_ASSERT_EQUAL (get_answer (), i + 1);
	}
	stop ();
	CU_ASSERT_EQUAL (rig.failed, 0);
	CU_ASSERT_EQUAL (rig.resumed, 0);
	close_rig ();
}

/* A device whose driver is ready before its back-end. */
static void
test_a_start_without_backend_waits (void)
{
	open_rig (5000, false);
	start ();
	ask (41);
	start_backend (false, 0);
	CU_ASSERT_EQUAL (get_answer (), 42);
	CU_ASSERT_TRUE (wait_for (&rig.resumed, 1));
	stop ();
	close_rig ();
}

static void
test_a_backend_that_dies_and_comes_back (void)
{
	open_rig (5000, false);
	start_backend (false, 0);
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	for (uint32_t round = 1; round <= 10; round++) {
		/* So that the ring is never where it began. */
		for (uint32_t i = 0; i < 5; i++) {
			ask (100 * round + i);
			CU_ASSERT_EQUAL (get_answer (), 100 * round + i + 1);
		}
		kill_backend ();
		CU_ASSERT_TRUE_FATAL (wait_connected (false));
		/* Asked of nobody. */
		ask (7 * round);
		start_backend (false, 0);
		CU_ASSERT_EQUAL (get_answer (), 7 * round + 1);
		CU_ASSERT_TRUE_FATAL (wait_connected (true));
		CU_ASSERT_EQUAL (rig.resumed, round);
	}
	CU_ASSERT_EQUAL (rig.failed, 0);
	stop ();
	close_rig ();
}

static void
test_requests_in_flight_are_done_by_the_next_backend (void)
{
	open_rig (5000, false);
	start_backend (true, 0);
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	for (uint32_t i = 0; i < 8; i++)
		ask (i + 50);
	kill_backend ();
	CU_ASSERT_TRUE_FATAL (wait_connected (false));
	start_backend (false, 0);
	for (uint32_t i = 0; i < 8; i++)
		get_answer ();
	stop ();
	close_rig ();
}

/* The used index says that one request was done; only the records say which. */
static void
test_a_request_that_was_overtaken_is_done_by_the_next_backend (void)
{
	uint64_t in, out;
	uint32_t number = 70;

	open_rig (5000, false);
	CU_ASSERT_EQUAL_FATAL (guest_alloc (&rig.guest, 4, 4, true, &in), 0);
	CU_ASSERT_EQUAL_FATAL (guest_alloc (&rig.guest, 4, 4, true, &out), 0);
	start_backend_that ((struct link_backend_options){ .records = true, .holds = true });
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	for (unsigned round = 0; round < 3; round++) {
		ask_at (LINK_BACKEND_HOLD, in, out);
		ask (5);
		CU_ASSERT_EQUAL (get_answer (), 6);
		kill_backend ();
		CU_ASSERT_TRUE_FATAL (wait_connected (false));
		memcpy (guest_at (&rig.guest, in), &number, 4);
		start_backend_that ((struct link_backend_options){ .records = true, .holds = true });
		get_answer ();
		CU_ASSERT_EQUAL (memcmp (guest_at (&rig.guest, out), &(uint32_t){ 71 }, 4), 0);
		/* The other one is not done again. */
		ask (8);
		CU_ASSERT_EQUAL (get_answer (), 9);
	}
	stop ();
	close_rig ();
}

/* The next driver has nothing in flight, whatever the one before it left. */
static void
test_a_reset_forgets_requests_in_flight (void)
{
	open_rig (5000, false);
	start_backend_that ((struct link_backend_options){ .records = true, .holds = true });
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	ask (5);
	CU_ASSERT_EQUAL (get_answer (), 6);
	ask (LINK_BACKEND_HOLD);
	kill_backend ();
	CU_ASSERT_TRUE_FATAL (wait_connected (false));
	stop ();
	queue_free (rig.queue);
	guest_free (&rig.guest);
	close (rig.err);
	make_queue ();
	start_backend_that ((struct link_backend_options){ .records = true });
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	ask (11);
	CU_ASSERT_EQUAL (get_answer (), 12);
	ask (13);
	CU_ASSERT_EQUAL (get_answer (), 14);
	stop ();
	close_rig ();
}

static void
test_a_backend_of_another_kind_fails_the_device (void)
{
	open_rig (5000, false);
	start_backend (false, VH_BIT (9));
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	rig.driver.features |= VH_BIT (9);
	start ();
	kill_backend ();
	CU_ASSERT_TRUE_FATAL (wait_connected (false));
	start_backend (false, 0);
	CU_ASSERT_TRUE (wait_for (&rig.failed, 1));
	CU_ASSERT_EQUAL (rig.resumed, 0);
	/* A driver that starts anew, with what there is, is served. */
	stop ();
	rig.driver.features &= ~VH_BIT (9);
	start ();
	ask (1);
	CU_ASSERT_EQUAL (get_answer (), 2);
	stop ();
	close_rig ();
}

static void
test_a_ring_can_be_stopped_alone (void)
{
	unsigned done;

	open_rig (5000, false);
	start_backend (false, 0);
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	ask (5);
	CU_ASSERT_EQUAL (get_answer (), 6);
	done = rig.done;
	link_stop_ring (rig.link, 0);
	CU_ASSERT_TRUE_FATAL (wait_for (&rig.done, done + 1));
	link_stop_ring (rig.link, 77);
	CU_ASSERT_TRUE_FATAL (wait_for (&rig.done, done + 2));
	stop ();
	close_rig ();
}

static void
test_configuration (void)
{
	static const uint8_t written = 20;
	unsigned changed;

	open_rig (5000, false);
	start_backend (false, 0);
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	link_write_config (rig.link, 0, &written, 1);
	CU_ASSERT_TRUE_FATAL (wait_for (&rig.done, 1));
	CU_ASSERT_EQUAL (rig.known.config[0], 20);
	CU_ASSERT_EQUAL (rig.known.config[1], 21);
	start ();
	changed = rig.changed;
	ask (LINK_BACKEND_CHANGE);
	CU_ASSERT_EQUAL (get_answer (), LINK_BACKEND_CHANGE + 1);
	CU_ASSERT_TRUE (wait_for (&rig.changed, changed + 1));
	CU_ASSERT_EQUAL (rig.known.config[7], 1);
	stop ();
	close_rig ();
}

/* It accepts connections, and says nothing. */
static void
test_a_backend_that_does_not_answer (void)
{
	struct vh_listener *listener;

	open_rig (100, false);
	CU_ASSERT_EQUAL_FATAL (vh_listener_new (rig.socket, NULL, &listener), 0);
	start ();
	stop ();
	CU_ASSERT_FALSE (rig.known.connected);
	vh_listener_free (listener);
	start_backend (false, 0);
	CU_ASSERT_TRUE (wait_connected (true));
	close_rig ();
}

/* Stopped, as a debugger would: its answers do not come, and the driver's reset must not wait for ever. */
static void
test_a_backend_that_stops_answering (void)
{
	open_rig (200, false);
	start_backend (false, 0);
	CU_ASSERT_TRUE_FATAL (wait_connected (true));
	start ();
	kill (rig.backend, SIGSTOP);
	stop ();
	CU_ASSERT_TRUE (wait_connected (false));
	kill (rig.backend, SIGCONT);
	CU_ASSERT_TRUE (wait_connected (true));
	start ();
	CU_ASSERT_EQUAL (rig.failed, 0);
	stop ();
	close_rig ();
}

static void
test_a_backend_without_xen (void)
{
	open_rig (5000, true);
	start_backend (false, 0);
	for (int i = 0; i < 50; i++)
		vh_loop_dispatch (rig.loop, 10);
	CU_ASSERT_EQUAL (rig.changed, 0);
	close_rig ();
}

static void
test_no_fd_is_left (void)
{
	int before = suite_open_fds ();

	test_a_backend_that_dies_and_comes_back ();
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "a back-end that comes late", test_a_backend_that_comes_late },
		{ "rings run and stop", test_rings_run_and_stop },
		{ "a start without back-end waits", test_a_start_without_backend_waits },
		{ "a back-end that dies and comes back", test_a_backend_that_dies_and_comes_back },
		{ "requests in flight are done by the next back-end", test_requests_in_flight_are_done_by_the_next_backend },
		{ "a request that was overtaken is done by the next back-end", test_a_request_that_was_overtaken_is_done_by_the_next_backend },
		{ "a reset forgets requests in flight", test_a_reset_forgets_requests_in_flight },
		{ "a back-end of another kind fails the device", test_a_backend_of_another_kind_fails_the_device },
		{ "a ring can be stopped alone", test_a_ring_can_be_stopped_alone },
		{ "configuration", test_configuration },
		{ "a back-end that does not answer", test_a_backend_that_does_not_answer },
		{ "a back-end that stops answering", test_a_backend_that_stops_answering },
		{ "no fd is left", test_no_fd_is_left },
		/* In the Xen flavour there is no such back-end to be had. */
		{ "a back-end without Xen", test_a_backend_without_xen },
		CU_TEST_INFO_NULL,
	};

	link_backend_main (argc, argv);
	if (strcmp (vh_memory_model (), "xen") == 0)
		tests[sizeof (tests) / sizeof (tests[0]) - 2] = (CU_TestInfo) CU_TEST_INFO_NULL;
	return suite_run ("link to a back-end", tests);
}
