/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel/call.h"

int
kernel_open (const char *path)
{
	/* Non-blocking, for misses are read without waiting. */
	int fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int
kernel_ioctl (int fd, unsigned long number, void *argument)
{
	int result = ioctl (fd, number, argument);

	return result < 0 ? -errno : result;
}

long
kernel_read (int fd, void *buf, size_t size)
{
	ssize_t n = read (fd, buf, size);

	return n < 0 ? -errno : n;
}

long
kernel_write (int fd, const void *buf, size_t size)
{
	ssize_t n = write (fd, buf, size);

	return n < 0 ? -errno : n;
}
