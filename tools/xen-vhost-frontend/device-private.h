/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of a device: device.c has its life and the driver's accesses, device-events.c what comes from the back-end and from xenstore.
 */
#ifndef XVF_DEVICE_PRIVATE_H
#define XVF_DEVICE_PRIVATE_H

#include "device.h"
#include "guest-memory.h"
#include "irq.h"
#include "link.h"
#include "mmio.h"

enum device_order { DEVICE_ORDER_NONE, DEVICE_ORDER_START, DEVICE_ORDER_OTHER };

struct device {
	struct device *next;		/* of the guest's */
	struct guest *guest;
	struct spec spec;
	struct device_owner owner;
	struct log log;
	char name[48];
	struct mmio mmio;
	struct guest_memory *memory;
	struct link *link;
	struct irq irq;
	struct store_watch *port_watch;
	bool ranged;			/* the guest's accesses come here */
	bool closing;

	bool known;			/* its back-end has said what it is */
	bool awaited;			/* by the guest, since it looked for the device */
	bool given_up;			/* it does not wait any more: there is no device */
	struct vh_timer *wait;
	uint64_t own;			/* features, see struct link_driver */

	enum device_order order;	/* under way */
	unsigned vcpu;			/* ... for this vcpu */
	bool started;			/* the link has a driver */
	bool kernel_kicks, kernel_interrupts;

	int call, err;
	struct vh_source *call_source, *err_source;
	unsigned kicks;			/* kick eventfds that there are */
	int kick[VH_MAX_RINGS];

	struct {
		uint64_t kicks, calls, interrupts, starts, resumes;
	} count;
};

/* --- device-events.c --- */

extern const struct link_ops device_link_ops;

/* Interrupts the driver, for INTERRUPT_* reasons. */
void device_interrupt (struct device *, uint32_t why);

/* The driver is to reset the device, because of `why`. */
void device_fail (struct device *, const char *why);

/* Sets up how the guest is interrupted.  0 or a negative errno. */
int device_open_irq (struct device *);

/* Event handlers. */
void device_on_call (void *opaque, uint32_t events);
void device_on_err (void *opaque, uint32_t events);
void device_on_wait (void *opaque);

/* --- device.c --- */

/* An order was carried out: lets the vcpu go on. */
void device_finish_order (struct device *);

/* Kick eventfds for the queues that there are now.  0 or a negative errno. */
int device_open_kicks (struct device *);

/* Has the kernel pass on kicks by itself, or not any more. */
void device_kernel_kicks (struct device *, bool on);

/* Frees it, after its link closed. */
void device_free (struct device *);

#endif
