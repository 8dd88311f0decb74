/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An ioreq server; see ioreq.h.
 */
/* HVM_IOREQSRV_BUFIOREQ_OFF and the layout of the page are for tools only. */
#define __XEN_TOOLS__ 1

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xenforeignmemory.h>
#include <xen/memory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>

#include "ioreq.h"

#define PAGE 4096u

/* Slots in the page; Xen has none for more vcpus. */
#define MAX_VCPUS (PAGE / sizeof (struct ioreq))

struct ioreq_server {
	xendevicemodel_handle *model;
	xenforeignmemory_handle *foreign;
	xenforeignmemory_resource_handle *resource;
	xenevtchn_handle *events;
	uint16_t domid;
	bool made;
	ioservid_t id;
	volatile struct ioreq *slots;
	unsigned vcpus;
	uint32_t ports[MAX_VCPUS];	/* local */
};

static int
failure (void)
{
	return errno ? -errno : -EIO;
}

/* --- making --- */

static int
open_handles (struct ioreq_server *s)
{
	s->foreign = xenforeignmemory_open (NULL, 0);
	if (!s->foreign)
		return failure ();
	s->events = xenevtchn_open (NULL, 0);
	return s->events ? 0 : failure ();
}

static int
create (struct ioreq_server *s)
{
	unsigned vcpus;

	if (xendevicemodel_nr_vcpus (s->model, s->domid, &vcpus) < 0)
		return failure ();
	s->vcpus = vcpus < MAX_VCPUS ? vcpus : MAX_VCPUS;
	if (xendevicemodel_create_ioreq_server (s->model, s->domid, HVM_IOREQSRV_BUFIOREQ_OFF, &s->id) < 0)
		return errno == EINVAL ? -EOPNOTSUPP : failure ();
	s->made = true;
	return 0;
}

static int
map_page (struct ioreq_server *s)
{
	void *page = NULL;

	s->resource = xenforeignmemory_map_resource (s->foreign, s->domid, XENMEM_resource_ioreq_server, s->id,
						     XENMEM_resource_ioreq_server_frame_ioreq (0), 1, &page, PROT_READ | PROT_WRITE, 0);
	if (!s->resource)
		return failure ();
	s->slots = page;
	return xendevicemodel_set_ioreq_server_state (s->model, s->domid, s->id, 1) < 0 ? failure () : 0;
}

static int
bind_vcpus (struct ioreq_server *s)
{
	for (unsigned i = 0; i < s->vcpus; i++) {
		int port = ioreq_bind (s, s->slots[i].vp_eport);

		if (port < 0)
			return port;
		s->ports[i] = port;
	}
	return 0;
}

int
ioreq_server_new (xendevicemodel_handle *model, uint16_t domid, struct ioreq_server **ret)
{
	struct ioreq_server *s = calloc (1, sizeof (*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->model = model;
	s->domid = domid;
	err = open_handles (s);
	if (err == 0)
		err = create (s);
	if (err == 0)
		err = map_page (s);
	if (err == 0)
		err = bind_vcpus (s);
	if (err < 0) {
		ioreq_server_free (s);
		return err;
	}
	*ret = s;
	return 0;
}

void
ioreq_server_free (struct ioreq_server *s)
{
	if (!s)
		return;
	if (s->resource)
		xenforeignmemory_unmap_resource (s->foreign, s->resource);
	/* Of a domain that is gone there is nothing left to destroy, and that is fine. */
	if (s->made)
		xendevicemodel_destroy_ioreq_server (s->model, s->domid, s->id);
	if (s->events)
		xenevtchn_close (s->events);
	if (s->foreign)
		xenforeignmemory_close (s->foreign);
	free (s);
}

int
ioreq_add_range (struct ioreq_server *s, uint64_t addr, uint64_t size)
{
	return xendevicemodel_map_io_range_to_ioreq_server (s->model, s->domid, s->id, 1, addr, addr + size - 1) < 0 ? failure () : 0;
}

void
ioreq_remove_range (struct ioreq_server *s, uint64_t addr, uint64_t size)
{
	xendevicemodel_unmap_io_range_from_ioreq_server (s->model, s->domid, s->id, 1, addr, addr + size - 1);
}

unsigned
ioreq_vcpus (const struct ioreq_server *s)
{
	return s->vcpus;
}

const void *
ioreq_page (const struct ioreq_server *s)
{
	return (const void *) s->slots;
}

const uint32_t *
ioreq_ports (const struct ioreq_server *s)
{
	return s->ports;
}

/* --- event channels --- */

int
ioreq_fd (const struct ioreq_server *s)
{
	return xenevtchn_fd (s->events);
}

int
ioreq_next (struct ioreq_server *s)
{
	int port = xenevtchn_pending (s->events);

	if (port < 0)
		return -1;
	xenevtchn_unmask (s->events, port);
	for (unsigned i = 0; i < s->vcpus; i++)
		if (s->ports[i] == (uint32_t) port)
			return i;
	return -1;
}

int
ioreq_bind (struct ioreq_server *s, uint32_t remote_port)
{
	int port = xenevtchn_bind_interdomain (s->events, s->domid, remote_port);

	return port < 0 ? failure () : port;
}

void
ioreq_unbind (struct ioreq_server *s, int port)
{
	xenevtchn_unbind (s->events, port);
}

void
ioreq_notify (struct ioreq_server *s, int port)
{
	xenevtchn_notify (s->events, port);
}

/* --- accesses --- */

/* An access whose data is in guest memory (a string instruction) is not made by any virtio driver: it is answered and has no effect. */
static bool
is_plain (const volatile struct ioreq *r)
{
	return r->type == IOREQ_TYPE_COPY && !r->data_is_ptr && r->count <= 1 && r->size <= 8;
}

bool
ioreq_peek (const struct ioreq_server *s, unsigned vcpu, struct ioreq_access *ret)
{
	const volatile struct ioreq *r = &s->slots[vcpu];
	uint64_t mask;

	if (r->state != STATE_IOREQ_READY)
		return false;
	/* Xen writes the rest before the state. */
	__atomic_thread_fence (__ATOMIC_ACQUIRE);
	ret->write = r->dir == IOREQ_WRITE;
	ret->addr = r->addr;
	ret->size = is_plain (r) ? r->size : 0;
	mask = ret->size < 8 ? (UINT64_C (1) << 8 * ret->size) - 1 : UINT64_MAX;
	ret->data = r->data & mask;
	return true;
}

bool
ioreq_is_open (const struct ioreq_server *s, unsigned vcpu)
{
	unsigned state = s->slots[vcpu].state;

	return state == STATE_IOREQ_READY || state == STATE_IOREQ_INPROCESS;
}

void
ioreq_take (struct ioreq_server *s, unsigned vcpu)
{
	s->slots[vcpu].state = STATE_IOREQ_INPROCESS;
}

void
ioreq_answer (struct ioreq_server *s, unsigned vcpu, uint64_t data)
{
	volatile struct ioreq *r = &s->slots[vcpu];

	if (r->dir == IOREQ_READ)
		r->data = data;
	/* Xen reads the data after it has seen the state. */
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
	r->state = STATE_IORESP_READY;
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
	xenevtchn_notify (s->events, s->ports[vcpu]);
}
