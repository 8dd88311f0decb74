/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A note of each request that a device answered: docs/kernel-requests.md is compared with that.  The linker puts __wrap_kernel_ioctl between the library and
 * kernel_ioctl (ld's --wrap).
 */
#include <stdio.h>

#include "kernel/request.h"
#include "tests/vm/kernel/rig.h"

int __real_kernel_ioctl (int fd, unsigned long number, void *argument);
int __wrap_kernel_ioctl (int fd, unsigned long number, void *argument);

static bool answered[KERNEL_REQUESTS];

int
recorder_report (int status)
{
	for (unsigned i = 0; i < KERNEL_REQUESTS; i++)
		if (answered[i])
			printf ("guest-request: %s\n", kernel_rows[i].name);
	return status;
}

int
__wrap_kernel_ioctl (int fd, unsigned long number, void *argument)
{
	int result = __real_kernel_ioctl (fd, number, argument);

	for (unsigned i = 0; result >= 0 && i < KERNEL_REQUESTS; i++)
		if (kernel_rows[i].number == number)
			answered[i] = true;
	return result;
}
