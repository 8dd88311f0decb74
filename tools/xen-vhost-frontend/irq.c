/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts; see irq.h.
 */
#include <errno.h>

#include "irq.h"

/* Lines that an HVM guest's interrupt controllers know by ISA number. */
#define ISA_LINES 16u

void
irq_init_line (struct irq *irq, xendevicemodel_handle *model, uint16_t domid, unsigned line)
{
	*irq = (struct irq){ .kind = IRQ_LINE, .model = model, .domid = domid, .line = line };
}

void
irq_init_event (struct irq *irq, struct ioreq_server *server)
{
	*irq = (struct irq){ .kind = IRQ_EVENT, .server = server };
}

int
irq_set_port (struct irq *irq, uint32_t remote_port)
{
	int port = 0;

	if (irq->kind != IRQ_EVENT || remote_port == irq->remote_port)
		return 0;
	if (irq->port)
		ioreq_unbind (irq->server, irq->port);
	irq->port = 0;
	irq->remote_port = remote_port;
	if (remote_port)
		port = ioreq_bind (irq->server, remote_port);
	if (port > 0)
		irq->port = port;
	return port < 0 ? port : 0;
}

/* Only Arm's Xen knows the first call, only x86's the second. */
static void
set_line (struct irq *irq, unsigned level)
{
	if (xendevicemodel_set_irq_level (irq->model, irq->domid, irq->line, level) < 0 && irq->line < ISA_LINES)
		xendevicemodel_set_isa_irq_level (irq->model, irq->domid, irq->line, level);
}

void
irq_raise (struct irq *irq)
{
	irq->raised++;
	if (irq->kind == IRQ_LINE)
		set_line (irq, 1);
	else if (irq->port)
		ioreq_notify (irq->server, irq->port);
}

void
irq_lower (struct irq *irq)
{
	if (irq->kind == IRQ_LINE)
		set_line (irq, 0);
}

void
irq_fini (struct irq *irq)
{
	if (irq->port)
		ioreq_unbind (irq->server, irq->port);
	irq->port = 0;
}
