/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kicks and interrupts that the kernel passes on by itself: the driver's write to QueueNotify signals an eventfd, an eventfd raises the device's line.
 * Linux has that in its privcmd driver from 6.7 on, when it was built with it (XEN_PRIVCMD_EVENTFD); the Xen libraries do not wrap it.
 */
#ifndef XVF_PRIVCMD_H
#define XVF_PRIVCMD_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/hvm/dm_op.h>

/* linux/include/uapi/xen/privcmd.h: the kernel's layout. */
struct privcmd_irqfd {
	uint64_t dm_op;		/* address of a struct xen_dm_op */
	uint32_t size;		/* its size */
	uint32_t fd;
	uint32_t flags;
	uint16_t dom;
	uint8_t pad[2];
};

struct privcmd_ioeventfd {
	uint64_t ioreq;		/* address of the ioreq page, as it is mapped here */
	uint64_t ports;		/* address of the event channels' numbers, one for each vcpu */
	uint64_t addr;		/* of the device's registers */
	uint32_t addr_len;	/* of the write: 4 */
	uint32_t event_fd;
	uint32_t vcpus;
	uint32_t vq;
	uint32_t flags;
	uint16_t dom;
	uint8_t pad[2];
};

#define PRIVCMD_FLAG_DEASSIGN 1u

_Static_assert (sizeof (struct privcmd_irqfd) == 24, "privcmd's irqfd");
_Static_assert (sizeof (struct privcmd_ioeventfd) == 48, "privcmd's ioeventfd");

/* Opens the driver; a negative errno when there is none. */
int privcmd_open (void);

/*
 * Each assigns, or takes away again.  0 or a negative errno; -ENOTTY, -EOPNOTSUPP: this kernel does not have it.
 */
int privcmd_irqfd (int privcmd, uint16_t domid, int fd, unsigned irq, bool assign);
int privcmd_ioeventfd (int privcmd, const struct privcmd_ioeventfd *, bool assign);

#endif
