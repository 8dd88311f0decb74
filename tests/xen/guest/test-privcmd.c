/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Linux' privcmd driver is asked, byte by byte: the kernels that the tests boot do not have these calls.  ioctl is answered here.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/suite.h"
#include "tools/xen-vhost-frontend/privcmd.h"

static struct {
	int fd, result;
	unsigned long request;
	uint8_t bytes[64];
	struct xen_dm_op op;
} last;

int
ioctl (int fd, unsigned long request, ...)
{
	va_list args;
	uint64_t op;

	va_start (args, request);
	last.fd = fd;
	last.request = request;
	memcpy (last.bytes, va_arg (args, void *), request >> 16 & 0x3fff);
	va_end (args);
	if ((request & 0xff) == 8) {
		memcpy (&op, last.bytes, sizeof (op));
		memcpy (&last.op, (void *) (uintptr_t) op, sizeof (last.op));
	}
	if (last.result < 0)
		errno = -last.result;
	return last.result < 0 ? -1 : 0;
}

static uint64_t
number (unsigned offset, unsigned size)
{
	uint64_t n = 0;

	memcpy (&n, last.bytes + offset, size);
	return n;
}

static void
test_irqfd (void)
{
	memset (&last, 0, sizeof (last));
	CU_ASSERT_EQUAL (privcmd_irqfd (5, 7, 9, 33, true), 0);
	CU_ASSERT_EQUAL (last.fd, 5);
	CU_ASSERT_EQUAL (last.request, 0x40185008);
	CU_ASSERT_EQUAL (number (8, 4), sizeof (struct xen_dm_op));
	CU_ASSERT_EQUAL (number (12, 4), 9);
	CU_ASSERT_EQUAL (number (16, 4), 0);
	CU_ASSERT_EQUAL (number (20, 2), 7);
	CU_ASSERT_EQUAL (last.op.op, XEN_DMOP_set_irq_level);
	CU_ASSERT_EQUAL (last.op.u.set_irq_level.irq, 33);
	CU_ASSERT_EQUAL (last.op.u.set_irq_level.level, 1);
	CU_ASSERT_EQUAL (privcmd_irqfd (5, 7, 9, 33, false), 0);
	CU_ASSERT_EQUAL (number (16, 4), 1);
}

static void
test_ioeventfd (void)
{
	const struct privcmd_ioeventfd given = {
		.ioreq = 0x1122334455667788, .ports = 0x99aabbccddeeff00, .addr = 0x2000000, .addr_len = 4, .event_fd = 11, .vcpus = 2, .vq = 3, .dom = 7,
	};

	memset (&last, 0, sizeof (last));
	CU_ASSERT_EQUAL (privcmd_ioeventfd (5, &given, true), 0);
	CU_ASSERT_EQUAL (last.request, 0x40305009);
	CU_ASSERT_EQUAL (number (0, 8), 0x1122334455667788);
	CU_ASSERT_EQUAL (number (8, 8), 0x99aabbccddeeff00);
	CU_ASSERT_EQUAL (number (16, 8), 0x2000000);
	CU_ASSERT_EQUAL (number (24, 4), 4);
	CU_ASSERT_EQUAL (number (28, 4), 11);
	CU_ASSERT_EQUAL (number (32, 4), 2);
	CU_ASSERT_EQUAL (number (36, 4), 3);
	CU_ASSERT_EQUAL (number (40, 4), 0);
	CU_ASSERT_EQUAL (number (44, 2), 7);
	CU_ASSERT_EQUAL (privcmd_ioeventfd (5, &given, false), 0);
	CU_ASSERT_EQUAL (number (40, 4), 1);
}

static void
test_a_kernel_without (void)
{
	const struct privcmd_ioeventfd given = { 0 };

	memset (&last, 0, sizeof (last));
	last.result = -ENOTTY;
	CU_ASSERT_EQUAL (privcmd_irqfd (5, 7, 9, 33, true), -ENOTTY);
	CU_ASSERT_EQUAL (privcmd_ioeventfd (5, &given, true), -ENOTTY);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "irqfd", test_irqfd },
		{ "ioeventfd", test_ioeventfd },
		{ "a kernel without them", test_a_kernel_without },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("privcmd", tests);
}
