/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux' privcmd driver; see privcmd.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "privcmd.h"

#define IOCTL_IRQFD _IOW ('P', 8, struct privcmd_irqfd)
#define IOCTL_IOEVENTFD _IOW ('P', 9, struct privcmd_ioeventfd)

int
privcmd_open (void)
{
	int fd = open ("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int
privcmd_irqfd (int privcmd, uint16_t domid, int fd, unsigned irq, bool assign)
{
	/* What the kernel hands to Xen each time.  The line is edge-triggered: there is nobody to lower it. */
	struct xen_dm_op op = { .op = XEN_DMOP_set_irq_level, .u.set_irq_level = { .irq = irq, .level = 1 } };
	struct privcmd_irqfd request = { .dm_op = (uintptr_t) &op, .size = sizeof (op), .fd = fd, .dom = domid };

	request.flags = assign ? 0 : PRIVCMD_FLAG_DEASSIGN;
	return ioctl (privcmd, IOCTL_IRQFD, &request) < 0 ? -errno : 0;
}

int
privcmd_ioeventfd (int privcmd, const struct privcmd_ioeventfd *given, bool assign)
{
	struct privcmd_ioeventfd request = *given;

	request.flags = assign ? 0 : PRIVCMD_FLAG_DEASSIGN;
	return ioctl (privcmd, IOCTL_IOEVENTFD, &request) < 0 ? -errno : 0;
}
