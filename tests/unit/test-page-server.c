/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page server, with a userfaultfd of this process: a thread touches guest memory as a back-end's would, through a mapping that is registered; the test
 * has another mapping of the same file, as a VMM does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/postcopy.h>

#include "postcopy/uffd.h"
#include "tests/suite.h"

#define PAGE 4096u
#define PAGES 16u
#define GUEST_ADDR UINT64_C (0x80000000)
#define MOST_MS 20000

static struct {
	int fd, uffd;
	size_t page_size, size;
	unsigned char *backend, *vmm;
	struct vh_page_server *server;
	uint64_t wanted;	/* guest address; UINT64_MAX: none yet */
	uint64_t wanted_size;
	unsigned times;
} world;

static void
wanted (void *opaque, uint64_t guest_addr, uint64_t page_size)
{
	world.wanted = guest_addr;
	world.wanted_size = page_size;
	world.times++;
}

static int
tell_region (uint64_t backend_addr, uint64_t size)
{
	struct vh_region r = { .guest_addr = GUEST_ADDR, .size = size, .fd = world.fd };

	return vh_page_server_set_regions (world.server, &r, &backend_addr, 1);
}

/* False: there is no such memory here. */
static bool
world_open (unsigned memfd_flags, size_t page_size)
{
	const struct vh_page_server_options o = { .size = sizeof (o), .wanted = wanted };
	uint64_t features;

	memset (&world, 0, sizeof (world));
	world.wanted = UINT64_MAX;
	world.page_size = page_size;
	world.size = PAGES * page_size;
	world.fd = memfd_create ("pages", MFD_CLOEXEC | memfd_flags);
	if (world.fd < 0 || ftruncate (world.fd, (off_t) world.size) < 0)
		return false;
	world.backend = mmap (NULL, world.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, world.fd, 0);
	world.vmm = mmap (NULL, world.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, world.fd, 0);
	if (world.backend == MAP_FAILED || world.vmm == MAP_FAILED)
		return false;
	world.uffd = uffd_open ();
	CU_ASSERT_TRUE_FATAL (world.uffd >= 0);
	CU_ASSERT_EQUAL_FATAL (uffd_handshake (world.uffd, &features), 0);
	CU_ASSERT_EQUAL_FATAL (uffd_register (world.uffd, world.backend, world.size), 0);
	CU_ASSERT_EQUAL_FATAL (vh_page_server_new (world.uffd, &o, &world.server), 0);
	CU_ASSERT_EQUAL_FATAL (tell_region ((uintptr_t) world.backend, world.size), 0);
	return true;
}

static void
world_close (void)
{
	vh_page_server_free (world.server);
	munmap (world.backend, world.size);
	munmap (world.vmm, world.size);
	close (world.fd);
}

/* --- a thread that touches --- */

static void *
touch (void *opaque)
{
	volatile unsigned char *byte = opaque;

	return (void *) (uintptr_t) *byte;
}

static pthread_t
touch_in_thread (size_t offset)
{
	pthread_t thread;

	CU_ASSERT_EQUAL_FATAL (pthread_create (&thread, NULL, touch, world.backend + offset), 0);
	return thread;
}

static unsigned char
touched (pthread_t thread)
{
	void *byte;

	pthread_join (thread, &byte);
	return (unsigned char) (uintptr_t) byte;
}

static void
wait_wanted (void)
{
	struct pollfd p = { .fd = vh_page_server_fd (world.server), .events = POLLIN };

	CU_ASSERT_EQUAL_FATAL (poll (&p, 1, MOST_MS), 1);
	CU_ASSERT_TRUE (vh_page_server_dispatch (world.server) > 0);
}

/* --- tests --- */

static void
a_page_is_put (void)
{
	unsigned char page[PAGE];
	pthread_t thread;

	CU_ASSERT_TRUE_FATAL (world_open (0, PAGE));
	CU_ASSERT_EQUAL (vh_page_server_dispatch (world.server), 0);
	thread = touch_in_thread (3 * PAGE + 17);
	wait_wanted ();
	CU_ASSERT_EQUAL (world.wanted, GUEST_ADDR + 3 * PAGE);
	CU_ASSERT_EQUAL (world.wanted_size, PAGE);
	memset (page, 0x5a, sizeof (page));
	CU_ASSERT_EQUAL (vh_page_server_put (world.server, world.wanted, page), 0);
	CU_ASSERT_EQUAL (touched (thread), 0x5a);
	/* Once more: what is there stays. */
	memset (page, 0xa5, sizeof (page));
	CU_ASSERT_EQUAL (vh_page_server_put (world.server, world.wanted, page), 0);
	CU_ASSERT_EQUAL (world.vmm[3 * PAGE], 0x5a);
	CU_ASSERT_EQUAL (world.times, 1);
	world_close ();
}

static void
a_page_of_zeroes (void)
{
	pthread_t thread;

	CU_ASSERT_TRUE_FATAL (world_open (0, PAGE));
	thread = touch_in_thread (0);
	wait_wanted ();
	CU_ASSERT_EQUAL (vh_page_server_put_zeroes (world.server, world.wanted), 0);
	CU_ASSERT_EQUAL (touched (thread), 0);
	world_close ();
}

/* The VMM writes through its own mapping, which nobody is told of. */
static void
a_page_that_was_placed (void)
{
	pthread_t thread;

	CU_ASSERT_TRUE_FATAL (world_open (0, PAGE));
	thread = touch_in_thread (5 * PAGE);
	wait_wanted ();
	world.vmm[5 * PAGE] = 0x77;
	CU_ASSERT_EQUAL (vh_page_server_placed (world.server, world.wanted), 0);
	CU_ASSERT_EQUAL (touched (thread), 0x77);
	world_close ();
}

static void
two_wait_for_one_page (void)
{
	pthread_t a, b;

	CU_ASSERT_TRUE_FATAL (world_open (0, PAGE));
	a = touch_in_thread (PAGE);
	b = touch_in_thread (PAGE + 9);
	while (world.times < 2)
		wait_wanted ();
	CU_ASSERT_EQUAL (vh_page_server_put_zeroes (world.server, GUEST_ADDR + PAGE), 0);
	CU_ASSERT_EQUAL (touched (a), 0);
	CU_ASSERT_EQUAL (touched (b), 0);
	world_close ();
}

static unsigned
free_huge_pages (void)
{
	FILE *f = fopen ("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned n = 0;

	if (f) {
		CU_ASSERT_EQUAL (fscanf (f, "%u", &n), 1);
		fclose (f);
	}
	return n;
}

static void
huge_pages (void)
{
	const size_t huge = (size_t) 2 << 20;
	pthread_t thread;

	if (free_huge_pages () == 0 || !world_open (MFD_HUGETLB | (21u << MAP_HUGE_SHIFT), huge)) {
		printf ("(no huge page of 2 MiB is free) ");
		return;
	}
	thread = touch_in_thread (3 * huge + huge / 2);
	wait_wanted ();
	CU_ASSERT_EQUAL (world.wanted, GUEST_ADDR + 3 * huge);
	CU_ASSERT_EQUAL (world.wanted_size, huge);
	CU_ASSERT_EQUAL (vh_page_server_put_zeroes (world.server, world.wanted + PAGE), -EFAULT);
	CU_ASSERT_EQUAL (vh_page_server_put_zeroes (world.server, world.wanted), 0);
	CU_ASSERT_EQUAL (touched (thread), 0);
	world_close ();
}

static void
addresses_that_are_none (void)
{
	unsigned char page[PAGE] = { 0 };

	CU_ASSERT_TRUE_FATAL (world_open (0, PAGE));
	CU_ASSERT_EQUAL (vh_page_server_put (world.server, GUEST_ADDR - PAGE, page), -EFAULT);
	CU_ASSERT_EQUAL (vh_page_server_put (world.server, GUEST_ADDR + world.size, page), -EFAULT);
	CU_ASSERT_EQUAL (vh_page_server_put (world.server, GUEST_ADDR + 1, page), -EFAULT);
	CU_ASSERT_EQUAL (vh_page_server_put_zeroes (world.server, 0), -EFAULT);
	CU_ASSERT_EQUAL (vh_page_server_placed (world.server, UINT64_MAX), -EFAULT);
	CU_ASSERT_EQUAL (tell_region ((uintptr_t) world.backend + 1, world.size), -EINVAL);
	CU_ASSERT_EQUAL (tell_region ((uintptr_t) world.backend, world.size - 1), -EINVAL);
	world_close ();
}

/* The back-end says that it has the region elsewhere: it harms nobody but itself. */
static void
a_back_end_that_lies (void)
{
	pthread_t thread;

	CU_ASSERT_TRUE_FATAL (world_open (0, PAGE));
	CU_ASSERT_EQUAL (tell_region (PAGE, world.size), 0);
	thread = touch_in_thread (0);
	wait_wanted ();
	CU_ASSERT_EQUAL (world.times, 0);
	CU_ASSERT_TRUE (vh_page_server_put_zeroes (world.server, GUEST_ADDR) < 0);
	CU_ASSERT_EQUAL (tell_region ((uintptr_t) world.backend, world.size), 0);
	CU_ASSERT_EQUAL (vh_page_server_put_zeroes (world.server, GUEST_ADDR), 0);
	CU_ASSERT_EQUAL (touched (thread), 0);
	world_close ();
}

static void
what_cannot_be_made (void)
{
	struct vh_page_server_options o = { .size = sizeof (o) };
	struct vh_page_server *s = NULL;

	CU_ASSERT_EQUAL (vh_page_server_new (0, &o, &s), -EINVAL);
	o.wanted = wanted;
	CU_ASSERT_EQUAL (vh_page_server_new (-1, &o, &s), -EINVAL);
	o.size = 1;
	CU_ASSERT_EQUAL (vh_page_server_new (0, &o, &s), -EINVAL);
	CU_ASSERT_PTR_NULL (s);
	vh_page_server_free (NULL);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a page is put", a_page_is_put },
		{ "a page of zeroes", a_page_of_zeroes },
		{ "a page that was placed", a_page_that_was_placed },
		{ "two wait for one page", two_wait_for_one_page },
		{ "huge pages", huge_pages },
		{ "addresses that are none", addresses_that_are_none },
		{ "a back-end that lies", a_back_end_that_lies },
		{ "what cannot be made", what_cannot_be_made },
		CU_TEST_INFO_NULL,
	};
	int fd = uffd_open ();

	if (fd < 0) {
		puts ("this kernel has no userfaultfd for us");
		return 77;
	}
	close (fd);
	return suite_run ("page server", tests);
}
