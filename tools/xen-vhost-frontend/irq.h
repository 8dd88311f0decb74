/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a device interrupts its guest: by an interrupt line, which Xen's interrupt controller for guests has on Arm and in HVM guests, or by an event channel,
 * the only way into a PVH guest on x86.
 */
#ifndef XVF_IRQ_H
#define XVF_IRQ_H

#include "ioreq.h"

enum irq_kind { IRQ_NONE, IRQ_LINE, IRQ_EVENT };

struct irq {
	enum irq_kind kind;
	xendevicemodel_handle *model;
	struct ioreq_server *server;
	uint16_t domid;
	unsigned line;
	int port;		/* local; 0: the guest has not said its port yet */
	uint32_t remote_port;
	uint64_t raised;
};

void irq_init_line (struct irq *, xendevicemodel_handle *, uint16_t domid, unsigned line);
void irq_init_event (struct irq *, struct ioreq_server *);

/* The guest's port is this one now; 0: it has none.  0, or a negative errno when that is none of its ports. */
int irq_set_port (struct irq *, uint32_t remote_port);

/* Interrupts the guest.  A line stays up until it is lowered. */
void irq_raise (struct irq *);
void irq_lower (struct irq *);

void irq_fini (struct irq *);

#endif
