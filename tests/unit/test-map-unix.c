/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files as guest memory: which are taken, where their bytes appear, and that nothing is left of those that are not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/protocol.h>

#include "memory/map.h"
#include "tests/suite.h"

#define PAGE 4096u
#define HUGE_PAGE (2u << 20)

static int
make_file (unsigned flags, off_t size)
{
	int fd = memfd_create ("test-map", MFD_CLOEXEC | flags);

	CU_ASSERT_FATAL (fd >= 0 && ftruncate (fd, size) == 0);
	return fd;
}

/* Maps a region of the file and lets it go again. */
static int
try_map (int fd, uint64_t offset, uint64_t size)
{
	struct vh_region spec = { .guest_addr = 0x100000, .user_addr = 0x100000, .size = size, .offset = offset };
	struct region *r = NULL;
	int err = region_new (&spec, fd, &r);

	CU_ASSERT_EQUAL (r != NULL, err == 0);
	if (r)
		region_unref (r);
	return err;
}

/* The same, and closes the file. */
static int
try_file (int fd)
{
	int err = try_map (fd, 0, PAGE);

	close (fd);
	return err;
}

static void
files_that_are_no_memory (void)
{
	int pair[2], ends[2], fds = suite_open_fds ();

	CU_ASSERT_EQUAL (try_map (-1, 0, PAGE), -EBADF);
	CU_ASSERT_EQUAL (try_file (eventfd (0, EFD_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL (try_file (open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL (try_file (open ("/dev/zero", O_RDWR | O_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL (try_file (open ("/proc/self/exe", O_RDONLY | O_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL (try_file (open ("/proc/self/exe", O_PATH | O_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL_FATAL (pipe2 (ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL (try_file (ends[0]), -EINVAL);
	CU_ASSERT_EQUAL (try_file (ends[1]), -EINVAL);
	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL (try_file (pair[0]), -EINVAL);
	CU_ASSERT_EQUAL (try_file (pair[1]), -EINVAL);
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
}

/* The same memfd again through /proc, with less permission. */
static void
files_that_cannot_be_written (void)
{
	int fd = make_file (MFD_ALLOW_SEALING, PAGE);
	char path[64];

	snprintf (path, sizeof (path), "/proc/self/fd/%d", fd);
	CU_ASSERT_EQUAL (try_file (open (path, O_RDONLY | O_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL (try_file (open (path, O_WRONLY | O_CLOEXEC)), -EINVAL);
	CU_ASSERT_EQUAL (try_map (fd, 0, PAGE), 0);
	CU_ASSERT_EQUAL_FATAL (fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	CU_ASSERT_EQUAL (try_map (fd, 0, PAGE), 0);
	CU_ASSERT_EQUAL_FATAL (fcntl (fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	CU_ASSERT_EQUAL (try_file (fd), -EINVAL);

	fd = make_file (MFD_ALLOW_SEALING, PAGE);
	CU_ASSERT_EQUAL_FATAL (fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	CU_ASSERT_EQUAL (try_file (fd), -EINVAL);
}

static void
the_end_of_the_file (void)
{
	int fd = make_file (0, 3 * PAGE + 100);

	CU_ASSERT_EQUAL (try_map (fd, 0, 3 * PAGE + 100), 0);
	CU_ASSERT_EQUAL (try_map (fd, 0, 3 * PAGE + 101), -EFAULT);
	CU_ASSERT_EQUAL (try_map (fd, 3 * PAGE + 99, 1), 0);
	CU_ASSERT_EQUAL (try_map (fd, 3 * PAGE + 100, 1), -EFAULT);
	CU_ASSERT_EQUAL (try_map (fd, 4 * PAGE, PAGE), -EFAULT);
	CU_ASSERT_EQUAL (try_map (fd, UINT64_C (1) << 62, PAGE), -EFAULT);
	CU_ASSERT_EQUAL (try_map (fd, 0, UINT64_C (1) << 62), -EFAULT);
	CU_ASSERT_EQUAL (try_map (fd, UINT64_MAX - PAGE, PAGE), -EFAULT);
	CU_ASSERT_EQUAL (try_map (fd, UINT64_MAX - PAGE + 1, PAGE), -EINVAL);
	CU_ASSERT_EQUAL (try_map (fd, 0, 0), -EINVAL);
	close (fd);
	fd = make_file (0, 0);
	CU_ASSERT_EQUAL (try_file (fd), -EFAULT);
}

/* A region may begin anywhere in its file, and is shared with whoever has the file. */
static void
bytes_appear_where_they_belong (void)
{
	static const uint64_t offsets[] = { 0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 123 };
	int fd = make_file (0, 16 * PAGE);

	for (unsigned i = 0; i < sizeof (offsets) / sizeof (offsets[0]); i++) {
		struct vh_region spec = { .guest_addr = 0x1000, .size = 2 * PAGE + 7, .offset = offsets[i], .fd = 77 };
		unsigned char first = (unsigned char) (i + 1), last = (unsigned char) (i + 101), byte;
		struct region *r;

		CU_ASSERT_EQUAL_FATAL (region_new (&spec, fd, &r), 0);
		CU_ASSERT_EQUAL (r->spec.fd, -1);
		CU_ASSERT_EQUAL (pwrite (fd, &first, 1, (off_t) offsets[i]), 1);
		CU_ASSERT_EQUAL (r->host[0], first);
		r->host[spec.size - 1] = last;
		CU_ASSERT_EQUAL (pread (fd, &byte, 1, (off_t) (offsets[i] + spec.size - 1)), 1);
		CU_ASSERT_EQUAL (byte, last);
		region_unref (r);
	}
	close (fd);
}

/* The mapping keeps the file; the fd is not kept. */
static void
the_fd_is_borrowed (void)
{
	struct vh_region spec = { .guest_addr = 0, .size = PAGE };
	int fd = make_file (0, PAGE), fds = suite_open_fds ();
	struct region *r;

	CU_ASSERT_EQUAL_FATAL (region_new (&spec, fd, &r), 0);
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
	CU_ASSERT_EQUAL (close (fd), 0);
	r->host[0] = 1;
	region_unref (r);
}

/* On hugetlbfs a mapping begins and ends at a huge page.  Nothing is touched, so none need be free. */
static void
huge_pages (void)
{
	struct vh_region spec = { .guest_addr = 0, .size = HUGE_PAGE, .offset = HUGE_PAGE + PAGE };
	int fd = memfd_create ("test-huge", MFD_CLOEXEC | MFD_HUGETLB | (21u << MAP_HUGE_SHIFT));
	struct region *r;

	if (fd < 0 || ftruncate (fd, 3 * HUGE_PAGE) < 0) {
		printf ("(no huge pages of 2 MiB in this kernel) ");
		return;
	}
	CU_ASSERT_EQUAL_FATAL (region_new (&spec, fd, &r), 0);
	CU_ASSERT_EQUAL ((uintptr_t) r->host % HUGE_PAGE, PAGE);
	region_unref (r);
	CU_ASSERT_EQUAL (try_map (fd, 2 * HUGE_PAGE + PAGE, HUGE_PAGE), -EFAULT);
	close (fd);
}

/* When the k-th region cannot be had, it leaves nothing, and the others stay as they are. */
static void
no_room_to_map (void)
{
	struct vh_region spec = { .guest_addr = 0, .size = PAGE };
	int fd = make_file (0, (off_t) 1 << 40);
	struct rlimit old, limit;
	struct region *first, *r = NULL;

	CU_ASSERT_EQUAL_FATAL (getrlimit (RLIMIT_AS, &old), 0);
	CU_ASSERT_EQUAL_FATAL (region_new (&spec, fd, &first), 0);
	spec.size = UINT64_C (1) << 40;
	limit = (struct rlimit){ (rlim_t) 1 << 39, old.rlim_max };
	CU_ASSERT_EQUAL_FATAL (setrlimit (RLIMIT_AS, &limit), 0);
	CU_ASSERT_EQUAL (region_new (&spec, fd, &r), -ENOMEM);
	CU_ASSERT_EQUAL_FATAL (setrlimit (RLIMIT_AS, &old), 0);
	CU_ASSERT_PTR_NULL (r);
	first->host[0] = 1;
	region_unref (first);
	close (fd);
}

/* --- the model --- */

static void
kinds_of_another_model (void)
{
	static const uint32_t flags[] = { VH_XEN_FOREIGN, VH_XEN_GRANT, VH_XEN_GRANT | VH_XEN_NO_ADVANCE_MAP, VH_XEN_NO_ADVANCE_MAP, 0x80000000 };
	struct vh_region spec = { .guest_addr = 0, .size = PAGE };
	int fd = make_file (0, PAGE);
	struct region *r;

	for (unsigned i = 0; i < sizeof (flags) / sizeof (flags[0]); i++) {
		spec.xen_flags = flags[i];
		CU_ASSERT_EQUAL (region_new (&spec, fd, &r), -EINVAL);
	}
	close (fd);
}

static void
what_the_model_says (void)
{
	static const struct vh_memory_counters none;
	struct vh_memory_counters counters;
	struct region region = { 0 };
	struct range range = { .region = &region, .size = 1 };
	struct lease *lease;

	CU_ASSERT_STRING_EQUAL (map_model_name, "unix");
	CU_ASSERT_EQUAL (map_protocol_features (), 0);
	memset (&counters, 0xff, sizeof (counters));
	map_get_counters (&counters);
	CU_ASSERT_EQUAL (memcmp (&counters, &none, sizeof (none)), 0);
	CU_ASSERT_EQUAL (map_ranges (&range, 1, &lease), -EFAULT);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "files that are no memory", files_that_are_no_memory },
		{ "files that cannot be written", files_that_cannot_be_written },
		{ "the end of the file", the_end_of_the_file },
		{ "bytes appear where they belong", bytes_appear_where_they_belong },
		{ "the fd is borrowed", the_fd_is_borrowed },
		{ "huge pages", huge_pages },
		{ "no room to map", no_room_to_map },
		{ "kinds of another model", kinds_of_another_model },
		{ "what the model says", what_the_model_says },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("map-unix", tests);
}
