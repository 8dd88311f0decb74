/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Worker threads: which ring runs where, lists of CPUs, and rings at full work while the control thread changes everything about them.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon-host.h"
#include "daemon/worker.h"
#include "tests/suite.h"

/* A device that notes where its rings run. */
struct noting_device {
	struct test_device device;	/* first: it is what the callbacks get */
	int (*ring_start) (void *opaque, struct vh_ring *ring);
	unsigned worker[DEVICE_RINGS];	/* atomic */
	unsigned cpus[DEVICE_RINGS];	/* how many CPUs that thread may use; atomic */
	bool signals_blocked;		/* atomic */
};

static struct noting_device noting;
static struct host host;

static int
note_start (void *opaque, struct vh_ring *ring)
{
	struct noting_device *d = opaque;
	unsigned index = vh_ring_index (ring), number = 99;
	cpu_set_t cpus;
	sigset_t blocked;
	char name[16];

	pthread_getname_np (pthread_self (), name, sizeof (name));
	sscanf (name, "vhost-worker-%u", &number);
	__atomic_store_n (&d->worker[index], number, __ATOMIC_RELEASE);
	sched_getaffinity (0, sizeof (cpus), &cpus);
	__atomic_store_n (&d->cpus[index], (unsigned) CPU_COUNT (&cpus), __ATOMIC_RELEASE);
	pthread_sigmask (SIG_BLOCK, NULL, &blocked);
	__atomic_store_n (&d->signals_blocked, sigismember (&blocked, SIGTERM) == 1 && sigismember (&blocked, SIGBUS) == 0, __ATOMIC_RELEASE);
	return d->ring_start (opaque, ring);
}

static void
note_device (void)
{
	test_device_init (&noting.device);
	noting.ring_start = noting.device.ops.ring_start;
	noting.device.ops.ring_start = note_start;
}

/* All rings of a device at work. */
static void
all_rings (struct rig *r)
{
	CU_ASSERT_TRUE (rig_negotiate (r) && rig_give_memory (r));
	for (unsigned i = 0; i < DEVICE_RINGS; i++)
		CU_ASSERT_TRUE (rig_place_ring (r, i, 64, 0) && rig_start_ring (r, i) && rig_serve (r, i, 0));
}

static void
rings_run_where (unsigned workers, const unsigned *map, unsigned n_map, const unsigned expected[DEVICE_RINGS])
{
	struct vh_endpoint e = { .size = sizeof (e), .ring_workers = map, .n_ring_workers = n_map };
	struct rig r;

	host_open (&host, workers);
	note_device ();
	e.socket_path = host_path (&host, "s");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &noting.device.device, &e), 0);
	host_run (&host);
	host_connect (&host, &r, "s");
	all_rings (&r);
	for (unsigned i = 0; i < DEVICE_RINGS; i++)
		CU_ASSERT_EQUAL (test_device_count (&noting.worker[i]), expected[i]);
	CU_ASSERT_TRUE (__atomic_load_n (&noting.signals_blocked, __ATOMIC_ACQUIRE));
	rig_close (&r);
	host_close (&host);
}

static void
rings_are_dealt_to_workers (void)
{
	rings_run_where (0, NULL, 0, (const unsigned[]){ 0, 0, 0, 0 });
	rings_run_where (3, NULL, 0, (const unsigned[]){ 0, 1, 2, 0 });
	rings_run_where (8, NULL, 0, (const unsigned[]){ 0, 1, 2, 3 });
}

static void
rings_follow_the_map (void)
{
	rings_run_where (3, (const unsigned[]){ 2 }, 1, (const unsigned[]){ 2, 2, 2, 2 });
	rings_run_where (3, (const unsigned[]){ 2, 0, 0 }, 3, (const unsigned[]){ 2, 0, 0, 2 });
	rings_run_where (4, (const unsigned[]){ 3, 2, 1, 0 }, 4, (const unsigned[]){ 3, 2, 1, 0 });
}

static void
a_map_to_a_worker_that_is_not_there (void)
{
	const unsigned map[] = { 0, 2 };
	struct vh_endpoint e = { .size = sizeof (e), .ring_workers = map, .n_ring_workers = 2 };

	host_open (&host, 2);
	note_device ();
	e.socket_path = host_path (&host, "s");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &noting.device.device, &e), -EINVAL);
	host_close (&host);
}

/* --- CPUs --- */

static bool
list_is (const char *list, const char *members)
{
	cpu_set_t set;
	unsigned n = 0;

	if (cpu_list_parse (list, &set) < 0)
		return false;
	for (; *members; n++) {
		char *rest;

		if (!CPU_ISSET (strtoul (members, &rest, 10), &set))
			return false;
		members = rest;
	}
	return (unsigned) CPU_COUNT (&set) == n;
}

static void
lists_of_cpus (void)
{
	CU_ASSERT_TRUE (list_is ("0", "0"));
	CU_ASSERT_TRUE (list_is ("0-3,8", "0 1 2 3 8"));
	CU_ASSERT_TRUE (list_is ("5,5,5-5", "5"));
	CU_ASSERT_TRUE (list_is ("7,1-2", "1 2 7"));
	CU_ASSERT_TRUE (list_is ("1023", "1023"));
}

static void
lists_of_cpus_that_are_none (void)
{
	static const char *const wrong[] = {
		"",	 "x",	  "-",	  "-1",	  "1-",	  "3-1",  "0,",	  ",0",	   "0,,1",  "0--1",			  "1-2-3",
		" 0",	 "0 ",	  "0, 1", "+1",	  "0x1",  "1024", "0-1024", "99999", "4294967296", "18446744073709551616", "1.5",
	};
	cpu_set_t set;

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		struct vh_daemon_options o = { .size = sizeof (o), .workers = 2, .cpu_lists = (const char *const[]){ NULL, wrong[i] } };
		struct vh_daemon *d = NULL;

		CU_ASSERT_EQUAL (cpu_list_parse (wrong[i], &set), -EINVAL);
		CU_ASSERT_EQUAL (vh_daemon_new (&o, &d), -EINVAL);
		CU_ASSERT_PTR_NULL (d);
	}
}

static int
first_cpu (void)
{
	cpu_set_t cpus;
	int cpu = 0;

	CU_ASSERT_EQUAL (sched_getaffinity (0, sizeof (cpus), &cpus), 0);
	while (!CPU_ISSET (cpu, &cpus))
		cpu++;
	return cpu;
}

static void
a_worker_stays_on_its_cpus (void)
{
	char list[16];
	struct vh_daemon_options o = { .size = sizeof (o), .workers = 2, .cpu_lists = (const char *const[]){ NULL, list } };
	struct rig r;
	cpu_set_t mine;

	snprintf (list, sizeof (list), "%d", first_cpu ());
	CU_ASSERT_EQUAL (sched_getaffinity (0, sizeof (mine), &mine), 0);
	host_open (&host, 1);
	vh_daemon_free (host.daemon);
	CU_ASSERT_EQUAL_FATAL (vh_daemon_new (&o, &host.daemon), 0);
	note_device ();
	CU_ASSERT_TRUE (host_listen (&host, &noting.device, "s"));
	host_run (&host);
	host_connect (&host, &r, "s");
	all_rings (&r);
	for (unsigned i = 0; i < DEVICE_RINGS; i++)
		CU_ASSERT_EQUAL (test_device_count (&noting.cpus[i]), i % 2 ? 1 : (unsigned) CPU_COUNT (&mine));
	rig_close (&r);
	host_close (&host);
}

static void
a_cpu_that_is_not_there (void)
{
	struct vh_daemon_options o = { .size = sizeof (o), .cpu_lists = (const char *const[]){ "1023" } };
	struct vh_daemon *d = NULL;

	if (sysconf (_SC_NPROCESSORS_CONF) > 1023)
		return;
	CU_ASSERT_EQUAL (vh_daemon_new (&o, &d), -EINVAL);
}

static void
numbers_of_workers (void)
{
	struct vh_daemon_options o = { .size = sizeof (o), .workers = 257 };
	struct vh_daemon *d = NULL;
	int before = suite_open_fds ();

	CU_ASSERT_EQUAL (vh_daemon_new (&o, &d), -EINVAL);
	o.workers = 256;
	CU_ASSERT_EQUAL_FATAL (vh_daemon_new (&o, &d), 0);
	vh_daemon_free (d);
	CU_ASSERT_EQUAL_FATAL (vh_daemon_new (NULL, &d), 0);
	vh_daemon_free (d);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

/* --- requests that take their time --- */

#define MOST_LATE 256

/* What a ring has taken; used in that ring's thread only.  Answered by mail of the ring to itself, so never inside ring_process. */
struct late_ring {
	struct vh_mail mail;
	struct vh_ring *ring;
	bool posted;
	struct vh_request *taken[MOST_LATE];
	unsigned n;
};

static struct late_ring late[DEVICE_RINGS];

static void
late_answer (void *opaque)
{
	struct late_ring *l = opaque;

	l->posted = false;
	for (unsigned i = 0; i < l->n; i++) {
		struct vh_request *r = l->taken[i];
		uint8_t buf[65];
		size_t n = vh_parts_read (r->out, r->n_out, 0, buf, sizeof (buf) - 1);

		for (size_t at = 0; at < n; at++)
			buf[at] ^= 0xff;
		buf[n] = 0;
		vh_ring_give (l->ring, r, (uint32_t) vh_parts_write (r->in, r->n_in, 0, buf, n + 1));
	}
	if (l->n > 0)
		vh_ring_flush (l->ring);
	l->n = 0;
}

static void
late_process (void *opaque, struct vh_ring *ring)
{
	struct late_ring *l = &late[vh_ring_index (ring)];
	int n;

	while ((n = vh_ring_take (ring, &l->taken[l->n], MOST_LATE - l->n)) > 0)
		l->n += (unsigned) n;
	l->ring = ring;
	if (l->n == 0)
		return;
	vh_ring_wake (ring);	/* so that a stopping ring often has a turn of its own on the way */
	if (l->posted)
		return;
	l->posted = true;
	l->mail.fn = late_answer;
	l->mail.opaque = l;
	vh_loop_post (vh_ring_loop (ring), &l->mail);
}

/* --- rings at full work --- */

#define ROUNDS 150

/* A driver thread: keeps one ring busy until it is told to end. */
struct worker_load {
	struct rig *rig;
	unsigned ring, done;
	bool wrong;
	bool *stop;	/* atomic */
	pthread_t thread;
};

static void *
keep_busy (void *opaque)
{
	struct worker_load *w = opaque;

	/* At least once, even where the machine is so busy that all is over before this thread begins. */
	do {
		w->wrong = !rig_serve (w->rig, w->ring, w->done % 16);
		w->done++;
	} while (!__atomic_load_n (w->stop, __ATOMIC_ACQUIRE) && !w->wrong);
	return NULL;
}

/* Everything that a front-end may change while rings run. */
static bool
change_something (struct rig *r, unsigned round)
{
	struct piece other = { GUEST_ADDR + 4 * GUEST_SIZE, GUEST_SIZE / 2, GUEST_USER + 4 * GUEST_SIZE, GUEST_SIZE / 2 };
	unsigned ring = round % DEVICE_RINGS;

	switch (round % 5) {
	case 0:
		return rig_tell_region (r, FE_ADD_MEM_REG, &other, r->guest.fd) == ACK && rig_tell_region (r, FE_REM_MEM_REG, &other, -1) == ACK;
	case 1:
		return rig_tell_state (r, FE_SET_VRING_ENABLE, ring, 0) == ACK && rig_tell_state (r, FE_SET_VRING_ENABLE, ring, 1) == ACK;
	case 2:
		return rig_tell_fd (r, FE_SET_VRING_CALL, ring, r->drivers[ring].call) == ACK;
	case 3:
		return rig_give_memory (r);
	default:
		return rig_tell_fd (r, FE_SET_VRING_KICK, ring, r->drivers[ring].kick) == ACK;
	}
}

/* Four rings at work, and a control thread that gives them no rest. */
static void
change_everything (void)
{
	struct worker_load loads[DEVICE_RINGS];
	struct rig r;
	bool stop = false;

	CU_ASSERT_TRUE (host_listen (&host, &noting.device, "s"));
	host_run (&host);
	host_connect (&host, &r, "s");
	all_rings (&r);
	for (unsigned i = 0; i < DEVICE_RINGS; i++) {
		loads[i] = (struct worker_load){ .rig = &r, .ring = i, .stop = &stop };
		CU_ASSERT_EQUAL_FATAL (pthread_create (&loads[i].thread, NULL, keep_busy, &loads[i]), 0);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		CU_ASSERT_TRUE (change_something (&r, round));
	__atomic_store_n (&stop, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < DEVICE_RINGS; i++) {
		pthread_join (loads[i].thread, NULL);
		CU_ASSERT_FALSE (loads[i].wrong);
		CU_ASSERT_TRUE (loads[i].done > 0);
	}
	CU_ASSERT_EQUAL (test_device_count (&noting.device.broken), 0);
	rig_close (&r);
	host_close (&host);
}

static void
everything_changes_under_rings_at_work (void)
{
	host_open (&host, 3);
	note_device ();
	change_everything ();
}

static void
everything_changes_under_requests_in_flight (void)
{
	host_open (&host, 3);
	note_device ();
	noting.device.ops.ring_process = late_process;
	change_everything ();
}

/* Front-ends that leave with all rings full of requests. */
static void
leave_again_and_again (void)
{
	CU_ASSERT_TRUE (host_listen (&host, &noting.device, "s"));
	host_run (&host);
	for (unsigned round = 0; round < 50; round++) {
		struct rig r;

		host_connect (&host, &r, "s");
		all_rings (&r);
		for (unsigned i = 0; i < DEVICE_RINGS; i++) {
			for (unsigned n = 1; n < 16; n++)
				driver_request (&r.drivers[i], n);
			driver_kick (&r.drivers[i]);
		}
		rig_close (&r);
	}
	CU_ASSERT_TRUE (host_counted (&noting.device.departures, 50));
	CU_ASSERT_EQUAL (test_device_count (&noting.device.starts), test_device_count (&noting.device.stops));
	host_close (&host);
}

static void
a_front_end_leaves_in_the_middle_of_work (void)
{
	host_open (&host, 3);
	note_device ();
	leave_again_and_again ();
}

static void
a_front_end_leaves_with_requests_in_flight (void)
{
	host_open (&host, 3);
	note_device ();
	noting.device.ops.ring_process = late_process;
	leave_again_and_again ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "rings are dealt to workers", rings_are_dealt_to_workers },
		{ "rings follow the map", rings_follow_the_map },
		{ "a map to a worker that is not there", a_map_to_a_worker_that_is_not_there },
		{ "lists of CPUs", lists_of_cpus },
		{ "lists of CPUs that are none", lists_of_cpus_that_are_none },
		{ "a worker stays on its CPUs", a_worker_stays_on_its_cpus },
		{ "a CPU that is not there", a_cpu_that_is_not_there },
		{ "numbers of workers", numbers_of_workers },
		{ "everything changes under rings at work", everything_changes_under_rings_at_work },
		{ "everything changes under requests in flight", everything_changes_under_requests_in_flight },
		{ "a front-end leaves in the middle of work", a_front_end_leaves_in_the_middle_of_work },
		{ "a front-end leaves with requests in flight", a_front_end_leaves_with_requests_in_flight },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("workers", tests);
}
