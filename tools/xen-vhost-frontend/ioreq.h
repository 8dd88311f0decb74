/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An ioreq server: how Xen hands a guest's accesses to addresses without memory to this program.
 *
 * Each vcpu has a slot in a shared page and an event channel.  A slot's state goes round, and every arrow is a notification:
 *
 *	NONE -- Xen, vcpu waits --> READY -- ioreq_take --> INPROCESS -- ioreq_answer --> RESP_READY -- Xen, vcpu goes on --> NONE
 *
 * Beside that the guest's object notifies other event channels through the same handle: the interrupts of devices.
 */
#ifndef XVF_IOREQ_H
#define XVF_IOREQ_H

#include <stdbool.h>
#include <stdint.h>

#include <xendevicemodel.h>
#include <xenevtchn.h>

struct ioreq_access {
	bool write;
	uint64_t addr;
	unsigned size;	/* bytes: 1, 2, 4 or 8; 0: not an access to memory, to be answered and forgotten */
	uint64_t data;
};

struct ioreq_server;

/* Makes and enables a server.  model: borrowed.  0 and *ret, or a negative errno; -EOPNOTSUPP: a domain of a kind that has none (PV). */
int ioreq_server_new (xendevicemodel_handle *model, uint16_t domid, struct ioreq_server **ret);
void ioreq_server_free (struct ioreq_server *);

/* Which addresses are ours.  0 or a negative errno. */
int ioreq_add_range (struct ioreq_server *, uint64_t addr, uint64_t size);
void ioreq_remove_range (struct ioreq_server *, uint64_t addr, uint64_t size);

unsigned ioreq_vcpus (const struct ioreq_server *);

/* Readable when ioreq_next has something. */
int ioreq_fd (const struct ioreq_server *);

/* The vcpu whose event channel fired; -1: another one.  Only when the fd is readable, and once each time. */
int ioreq_next (struct ioreq_server *);

/* What a vcpu asks for, without taking it; false: nothing now. */
bool ioreq_peek (const struct ioreq_server *, unsigned vcpu, struct ioreq_access *ret);

/* Does the vcpu wait, whoever looks after it? */
bool ioreq_is_open (const struct ioreq_server *, unsigned vcpu);

void ioreq_take (struct ioreq_server *, unsigned vcpu);

/* Lets the vcpu go on; data: what it reads. */
void ioreq_answer (struct ioreq_server *, unsigned vcpu, uint64_t data);

/* For privcmd's ioeventfd: where the page is, and the event channels of the vcpus. */
const void *ioreq_page (const struct ioreq_server *);
const uint32_t *ioreq_ports (const struct ioreq_server *);

/* Other event channels of the domain: 0 or the local port, or a negative errno. */
int ioreq_bind (struct ioreq_server *, uint32_t remote_port);
void ioreq_unbind (struct ioreq_server *, int port);
void ioreq_notify (struct ioreq_server *, int port);

#endif
