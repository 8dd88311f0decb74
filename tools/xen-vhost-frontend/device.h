/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One device of a guest: its registers, and behind them a link to the back-end.
 *
 *	driver writes a register --> mmio --> effect --> kick eventfd --------------------> back-end
 *	                                           `---> order to the link, vcpu waits ---> back-end
 *	driver is interrupted <-- irq <-- mmio <-- call eventfd <------------------------- back-end
 */
#ifndef XVF_DEVICE_H
#define XVF_DEVICE_H

#include "guest.h"
#include "ioreq.h"
#include "spec.h"

/* States of xenbus, as toolstacks read them (xen/io/xenbus.h). */
enum device_state { DEVICE_WAITING = 2 /* InitWait */, DEVICE_RUNS = 4 /* Connected */, DEVICE_CLOSED = 6 /* Closed */ };

/* Who described the device, and wants to know.  Either may be NULL. */
struct device_owner {
	void *opaque;
	void (*state) (void *opaque, enum device_state);
	void (*closed) (void *opaque);	/* the device is freed right after */
};

enum device_answer {
	DEVICE_ANSWERED,	/* the vcpu goes on */
	DEVICE_LATER,		/* ... when guest_answer is called for it */
	DEVICE_BUSY,		/* ask again when guest_serve_all is called */
};

/* 0 and *ret, or a negative errno; what failed is logged. */
int device_new (struct guest *, const struct spec *, const struct device_owner *, struct device **ret);

/* Takes the device away from the guest; it is freed when its link has closed.  Calling it again is harmless. */
void device_close (struct device *);

/* The next one of the same guest. */
struct device *device_next (const struct device *);

bool device_covers (const struct device *, uint64_t addr);

enum device_answer device_access (struct device *, unsigned vcpu, const struct ioreq_access *, uint64_t *value);

/* Is this access one that the kernel answers by itself? */
bool device_kernel_kick (const struct device *, const struct ioreq_access *);

/* One line about what it did. */
void device_report (struct device *, enum vh_log_level level);

#endif
