/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-blk of the Xen flavour, whole, with a guest's driver on bare domains: data verified by foreign mapping and by grants, every grant ended in
 * time, guests, front-ends and back-ends that die.  Runs in dom0.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backend-process.h"
#include "disk-load.h"
#include "suites.h"

#define TIMEOUT_MS 30000
#define FEATURES_PLAIN 0
#define FEATURES_ALL (VH_BIT (VH_F_INDIRECT_DESC) | VH_BIT (VH_F_EVENT_IDX))

static pid_t backend;

/* --- the back-end --- */

static void
begin (const char *engine)
{
	load_begin ();
	CU_ASSERT_EQUAL_FATAL (backend_make_image (LOAD_DISK_BYTES), 0);
	backend = backend_start (engine);
	CU_ASSERT_TRUE_FATAL (backend > 0);
}

/* Unmapping by a process that died, or whose peer is gone, takes its time. */
static bool
all_grants_end (void)
{
	unsigned i;

	for (i = 0; i < 500 && bare_domain_mapped_grants (suite_domain); i++)
		usleep (10000);
	return bare_domain_mapped_grants (suite_domain) == 0;
}

static void
end (void)
{
	CU_ASSERT_EQUAL (backend_stop (backend), 0);
	CU_ASSERT_TRUE (backend_said (" unmapped, 0 live, "));
	unlink (BACKEND_IMAGE);
}

static struct guest_disk *
connect_disk (enum disk_memory memory, uint64_t features)
{
	struct disk_options options = { .memory = memory, .queues = DISK_QUEUES, .features = features };
	struct guest_disk *disk = NULL;

	CU_ASSERT_EQUAL_FATAL (disk_new (suite_domain, BACKEND_SOCKET, &options, &disk), 0);
	CU_ASSERT_EQUAL (disk_features (disk) & features, features);
	return disk;
}

/* --- the image --- */

static void
read_image (void *to)
{
	int fd = open (BACKEND_IMAGE, O_RDONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL (read (fd, to, LOAD_DISK_BYTES), LOAD_DISK_BYTES);
	close (fd);
}

/* A flush, and then whether the image holds what was written. */
static void
check_image (struct guest_disk *disk)
{
	static uint8_t found[LOAD_DISK_BYTES];
	struct disk_slot *s = disk_slot (disk, 0, 0), *done;

	s->op = DISK_FLUSH;
	s->sector = 0;
	disk_submit (disk, 0, s);
	disk_kick (disk, 0);
	while (!(done = disk_reap (disk, 0)) && disk_wait (disk, TIMEOUT_MS))
		;
	CU_ASSERT_PTR_EQUAL_FATAL (done, s);
	CU_ASSERT_EQUAL (s->status, 0);
	read_image (found);
	CU_ASSERT_EQUAL (memcmp (found, load_expected, LOAD_DISK_BYTES), 0);
}

/* --- cases --- */

static void
verify (enum disk_memory memory, uint64_t features, const char *engine)
{
	struct guest_disk *disk;

	begin (engine);
	disk = connect_disk (memory, features);
	load_run (disk, 50, 1, 0);
	load_run (disk, 400, 32, 0);
	CU_ASSERT_EQUAL (load_wrong, 0);
	CU_ASSERT_EQUAL (disk_late_grants (disk), 0);
	check_image (disk);
	CU_ASSERT_EQUAL (disk_stop (disk), 0);
	disk_free (disk);
	CU_ASSERT_TRUE (all_grants_end ());
	end ();
}

static void
data_is_right_by_foreign_mapping (void)
{
	verify (DISK_FOREIGN, FEATURES_PLAIN, "pool");
	verify (DISK_FOREIGN, FEATURES_ALL, "uring");
}

static void
data_is_right_by_grants (void)
{
	verify (DISK_GRANT, FEATURES_PLAIN, "uring");
	verify (DISK_GRANT, FEATURES_ALL, "pool");
}

static void
data_is_right_with_rings_on_demand (void)
{
	verify (DISK_GRANT_ALL, FEATURES_PLAIN, "pool");
	verify (DISK_GRANT_ALL, FEATURES_ALL, "uring");
}

static void
the_other_encoding_of_on_demand_is_taken (void)
{
	struct disk_options options = { .memory = DISK_GRANT, .queues = DISK_QUEUES, .no_advance = 0x8 };
	struct guest_disk *disk = NULL;

	begin ("pool");
	CU_ASSERT_EQUAL_FATAL (disk_new (suite_domain, BACKEND_SOCKET, &options, &disk), 0);
	load_run (disk, 20, 4, 0);
	CU_ASSERT_EQUAL (load_wrong, 0);
	CU_ASSERT_EQUAL (disk_late_grants (disk), 0);
	disk_free (disk);
	CU_ASSERT_TRUE (all_grants_end ());
	end ();
}

/* Six writes in one batch, of which the guest did not grant one's data.  Returns how many came back. */
static unsigned
run_batch_without_grant (struct guest_disk *disk)
{
	struct disk_slot *s;
	unsigned i, done = 0;

	for (i = 0; i < 6; i++) {
		s = disk_slot (disk, 0, i);
		s->op = DISK_WRITE;
		s->bytes = 3 * BARE_PAGE;
		s->skip = 0;
		s->sector = i * LOAD_SLOT_BYTES / DISK_SECTOR;
		s->withhold = i == 2;
		memset (s->data, (int) i + 1, s->bytes);
		if (!s->withhold)
			memset (load_expected + s->sector * DISK_SECTOR, (int) i + 1, s->bytes);
		disk_submit (disk, 0, s);
	}
	disk_kick (disk, 0);
	while (done < 6 && disk_wait (disk, TIMEOUT_MS)) {
		for (; (s = disk_reap (disk, 0)); done++) {
			CU_ASSERT_EQUAL (s->status, s->withhold ? 1 : 0);
			s->withhold = false;
		}
	}
	return done;
}

static void
a_request_without_its_grant_fails_alone (void)
{
	struct guest_disk *disk;

	begin ("pool");
	disk = connect_disk (DISK_GRANT, FEATURES_ALL);
	CU_ASSERT_EQUAL (run_batch_without_grant (disk), 6);
	load_run (disk, 20, 4, 0);
	CU_ASSERT_EQUAL (load_wrong, 0);
	CU_ASSERT_EQUAL (disk_late_grants (disk), 0);
	check_image (disk);
	disk_free (disk);
	CU_ASSERT_TRUE (all_grants_end ());
	end ();
}

/* A disk with requests in flight. */
static struct guest_disk *
busy_disk (enum disk_memory memory)
{
	struct guest_disk *disk = connect_disk (memory, FEATURES_ALL);

	load_run (disk, 200, 32, 60);
	CU_ASSERT_EQUAL (load_wrong, 0);
	return disk;
}

/* A front-end that comes after one that left requests behind. */
static void
serve_another (enum disk_memory memory)
{
	struct guest_disk *disk = connect_disk (memory, FEATURES_ALL);

	/* What was cut off may have been written or not. */
	read_image (load_expected);
	load_run (disk, 50, 8, 0);
	CU_ASSERT_EQUAL (load_wrong, 0);
	CU_ASSERT_EQUAL (disk_late_grants (disk), 0);
	check_image (disk);
	disk_free (disk);
	CU_ASSERT_TRUE (all_grants_end ());
}

static void
a_front_end_that_vanishes_leaves_no_grant_mapped (void)
{
	unsigned memory;

	begin ("uring");
	for (memory = 0; memory < DISK_MEMORIES; memory++) {
		disk_free (busy_disk (memory));
		CU_ASSERT_TRUE (all_grants_end ());
		serve_another (memory);
	}
	end ();
}

static void
a_back_end_that_is_killed_leaves_no_grant_mapped (void)
{
	struct guest_disk *disk;

	begin ("uring");
	disk = busy_disk (DISK_GRANT);
	backend_kill (backend);
	disk_free (disk);
	CU_ASSERT_TRUE (all_grants_end ());
	backend = backend_start ("pool");
	CU_ASSERT_TRUE_FATAL (backend > 0);
	serve_another (DISK_GRANT);
	end ();
}

/* Replaces the domain of the case by another. */
static void
another_domain (void)
{
	bare_domain_free (suite_domain);
	suite_domain = NULL;
	CU_ASSERT_EQUAL_FATAL (bare_domain_new (suite_kind, DISK_PIECES, DISK_GRANT_FRAMES, &suite_domain), 0);
}

/* Requests in all slots that are free. */
static void
submit_last_requests (struct guest_disk *disk)
{
	struct disk_slot *s;
	unsigned q, i;

	for (q = 0; q < DISK_QUEUES; q++) {
		for (i = 0; i < disk_slots (disk); i++) {
			s = disk_slot (disk, q, i);
			if (!s)
				continue;
			s->op = DISK_WRITE;
			s->bytes = BARE_PAGE;
			s->sector = 0;
			disk_submit (disk, q, s);
		}
		disk_kick (disk, q);
	}
}

/* The back-end is to notice by itself: what is mapped already goes on working, and a dying PV domain's grants can even be mapped. */
static bool
is_dropped (struct guest_disk *disk)
{
	unsigned i;

	for (i = 0; i < 500 && !disk_is_dropped (disk); i++)
		usleep (10000);
	return disk_is_dropped (disk);
}

static void
let_guest_die (enum disk_memory memory, bool busy)
{
	struct guest_disk *disk;

	begin ("uring");
	disk = busy ? busy_disk (memory) : connect_disk (memory, FEATURES_ALL);
	CU_ASSERT_EQUAL (bare_domain_destroy (suite_domain), 0);
	/* Its memory is still mapped here, so the driver goes on for a while. */
	if (busy)
		submit_last_requests (disk);
	CU_ASSERT_TRUE (is_dropped (disk));
	CU_ASSERT_TRUE (backend_said ("the guest is gone"));
	/* The back-end has let go before its front-end does. */
	bare_domain_unmap (suite_domain);
	CU_ASSERT_TRUE (bare_domain_is_gone (suite_domain));
	disk_free (disk);
	CU_ASSERT_TRUE (backend_lives (backend));
	another_domain ();
	serve_another (memory);
	end ();
}

static void
a_guest_that_dies_is_let_go (void)
{
	unsigned memory;

	for (memory = 0; memory < DISK_MEMORIES; memory++) {
		if (memory > 0)
			another_domain ();
		let_guest_die (memory, true);
	}
}

static void
a_guest_that_dies_at_rest_is_let_go (void)
{
	let_guest_die (DISK_FOREIGN, false);
	another_domain ();
	let_guest_die (DISK_GRANT_ALL, false);
}

static CU_TestInfo cases[] = {
	{ "data is right by foreign mapping", data_is_right_by_foreign_mapping },
	{ "data is right by grants", data_is_right_by_grants },
	{ "data is right with rings on demand", data_is_right_with_rings_on_demand },
	{ "the other encoding of on demand is taken", the_other_encoding_of_on_demand_is_taken },
	{ "a request without its grant fails alone", a_request_without_its_grant_fails_alone },
	{ "a front-end that vanishes leaves no grant mapped", a_front_end_that_vanishes_leaves_no_grant_mapped },
	{ "a back-end that is killed leaves no grant mapped", a_back_end_that_is_killed_leaves_no_grant_mapped },
	{ "a guest that dies is let go", a_guest_that_dies_is_let_go },
	{ "a guest that dies at rest is let go", a_guest_that_dies_at_rest_is_let_go },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	return suites_run (cases, SUITES_BOTH, DISK_PIECES, DISK_GRANT_FRAMES);
}
