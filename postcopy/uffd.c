/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Getting a userfaultfd.  There is no C library wrapper, and two doors: the system call, which vm.unprivileged_userfaultfd may close, and a device node,
 * which file permissions open.
 *
 * A third one is open to everybody, UFFD_USER_MODE_ONLY, and leads nowhere: system calls that meet a missing page of guest memory fail with EFAULT then, and
 * devices have the kernel read and write there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "postcopy/uffd.h"

/* Since Linux 6.1, so not in every distribution's headers. */
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO (0xAA, 0x00)
#endif

static int
uffd_open_device (void)
{
	int device = open ("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	int fd;

	if (device < 0)
		return -errno;
	fd = ioctl (device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fd = -errno;
	close (device);
	return fd;
}

int
uffd_open (void)
{
	int fd = syscall (SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int err = errno;

	if (fd >= 0)
		return fd;
	fd = uffd_open_device ();
	return fd >= 0 ? fd : -err;
}

int
uffd_handshake (int fd, uint64_t *features)
{
	struct uffdio_api api = { .api = UFFD_API };

	if (ioctl (fd, UFFDIO_API, &api) < 0)
		return -errno;
	*features = api.features;
	return 0;
}

bool
uffd_can_serve (uint64_t features)
{
	return (features & UFFD_FEATURE_MISSING_SHMEM) && (features & UFFD_FEATURE_MISSING_HUGETLBFS);
}

int
uffd_register (int fd, void *mapping, size_t size)
{
	struct uffdio_register r = {
		.range = { .start = (uintptr_t) mapping, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	/* A huge page made of small ones could wake for one of them and not for its neighbour.  Fails where there are none, which is as well. */
	madvise (mapping, size, MADV_NOHUGEPAGE);
	if (ioctl (fd, UFFDIO_REGISTER, &r) < 0)
		return -errno;
	return r.ioctls & UINT64_C (1) << _UFFDIO_COPY ? 0 : -EOPNOTSUPP;
}

void
uffd_unregister (int fd, void *mapping, size_t size)
{
	struct uffdio_range r = { .start = (uintptr_t) mapping, .len = size };

	ioctl (fd, UFFDIO_UNREGISTER, &r);
}

void
uffd_wake (int fd, void *mapping, size_t size)
{
	struct uffdio_range r = { .start = (uintptr_t) mapping, .len = size };

	ioctl (fd, UFFDIO_WAKE, &r);
}

int
uffd_copy (int fd, void *where, const void *page, size_t page_size)
{
	struct uffdio_copy c = { .dst = (uintptr_t) where, .src = (uintptr_t) page, .len = page_size };

	/* EAGAIN: that process changes its mappings just now. */
	while (ioctl (fd, UFFDIO_COPY, &c) < 0)
		if (errno != EAGAIN)
			return -errno;
	return 0;
}
