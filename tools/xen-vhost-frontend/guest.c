/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A domain with devices of ours; see guest.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <vhost/error.h>

#include "device.h"
#include "guest.h"

/* What a read finds where there is nothing. */
#define NOBODY UINT64_MAX

/* How long to let the kernel look at an access that is its own. */
#define RECHECK_MS 1

static struct device *
find_device (const struct guest *g, uint64_t addr)
{
	struct device *d;

	for (d = g->devices; d; d = device_next (d))
		if (device_covers (d, addr))
			return d;
	return NULL;
}

/* --- accesses --- */

static void
take_access (struct guest *g, unsigned vcpu, const struct ioreq_access *a)
{
	struct device *d = a->size ? find_device (g, a->addr) : NULL;
	uint64_t value = NOBODY;
	enum device_answer answer = DEVICE_ANSWERED;

	if (d)
		answer = device_access (d, vcpu, a, &value);
	if (answer == DEVICE_BUSY)
		return;
	g->accesses++;
	ioreq_take (g->server, vcpu);
	if (answer == DEVICE_LATER)
		g->waits[vcpu] = d;
	else
		ioreq_answer (g->server, vcpu, value);
}

/*
 * Serves a vcpu.  With PRIVCMD_IOEVENTFD the kernel looks at the same slot, at about the same time, and does not lock us out: an access that it will answer
 * is left to it, for the while that it takes.
 */
static void
serve (struct guest *g, unsigned vcpu, bool kernel_had_time)
{
	struct ioreq_access a;

	if (g->waits[vcpu])
		return;
	if (ioreq_peek (g->server, vcpu, &a)) {
		struct device *d = a.size ? find_device (g, a.addr) : NULL;

		if (kernel_had_time || !d || !device_kernel_kick (d, &a)) {
			take_access (g, vcpu, &a);
			return;
		}
	}
	if (!kernel_had_time && ioreq_is_open (g->server, vcpu))
		vh_timer_set (g->recheck, RECHECK_MS);
}

static void
on_recheck (void *opaque)
{
	struct guest *g = opaque;

	for (unsigned i = 0; i < ioreq_vcpus (g->server); i++)
		serve (g, i, true);
}

static void
on_event (void *opaque, uint32_t events)
{
	struct guest *g = opaque;
	int vcpu = ioreq_next (g->server);

	if (vcpu >= 0)
		serve (g, vcpu, false);
}

void
guest_serve_all (struct guest *g)
{
	if (!g->closing)
		on_recheck (g);
}

void
guest_answer (struct guest *g, unsigned vcpu, const struct device *d, uint64_t value)
{
	if (g->waits[vcpu] != d)
		return;
	g->waits[vcpu] = NULL;
	ioreq_answer (g->server, vcpu, value);
}

void
guest_forget (struct guest *g, const struct device *d)
{
	for (unsigned i = 0; i < ioreq_vcpus (g->server); i++)
		guest_answer (g, i, d, NOBODY);
	guest_serve_all (g);
}

/* --- life --- */

static int
open_parts (struct guest *g, const struct area *ram, unsigned n_ram)
{
	struct host *host = g->host;
	int err = ioreq_server_new (host->model, g->domid, &g->server);

	if (err == -EOPNOTSUPP)
		log_say (&g->log, VH_LOG_ERROR, "is of a kind whose accesses Xen does not hand out: on x86 it has to be PVH or HVM");
	if (err < 0)
		return err;
	g->waits = calloc (ioreq_vcpus (g->server), sizeof (g->waits[0]));
	if (!g->waits)
		return -ENOMEM;
	err = ram_new (g->domid, ram, n_ram, &g->ram);
	if (err == 0)
		err = vh_loop_add_timer (host->loop, on_recheck, g, &g->recheck);
	if (err == 0)
		err = vh_loop_add_fd (host->loop, ioreq_fd (g->server), EPOLLIN, on_event, g, &g->source);
	return err;
}

static void
guest_free (struct guest *g)
{
	struct guest **link;

	for (link = &g->host->guests; *link != g; link = &(*link)->next)
		;
	*link = g->next;
	vh_source_remove (g->source);
	vh_timer_remove (g->recheck);
	ioreq_server_free (g->server);
	ram_free (g->ram);
	free (g->waits);
	free (g);
}

static int
guest_new (struct host *host, uint16_t domid, const struct area *ram, unsigned n_ram, struct guest **ret)
{
	struct guest *g = calloc (1, sizeof (*g));
	int err;

	if (!g)
		return -ENOMEM;
	g->host = host;
	g->domid = domid;
	snprintf (g->name, sizeof (g->name), "domain %u", domid);
	g->log = (struct log){ .level = host->log.level, .name = g->name };
	g->next = host->guests;
	host->guests = g;
	err = open_parts (g, ram, n_ram);
	if (err < 0) {
		log_say (&g->log, VH_LOG_ERROR, "cannot be served: %s", vh_strerror (err));
		guest_free (g);
		return err;
	}
	log_say (&g->log, VH_LOG_INFO, "is served, %u vcpus", ioreq_vcpus (g->server));
	*ret = g;
	return 0;
}

int
guest_get (struct host *host, uint16_t domid, const struct area *ram, unsigned n_ram, struct guest **ret)
{
	struct guest *g;

	for (g = host->guests; g; g = g->next)
		if (g->domid == domid && !g->closing) {
			*ret = g;
			return 0;
		}
	return guest_new (host, domid, ram, n_ram, ret);
}

void
guest_settle (struct guest *g)
{
	struct host *host = g->host;

	if (g->devices)
		return;
	log_say (&g->log, VH_LOG_INFO, "is not served any more");
	guest_free (g);
	host_settle (host);
}

void
guest_close (struct guest *g)
{
	if (g->closing)
		return;
	g->closing = true;
	for (struct device *d = g->devices; d; d = device_next (d))
		device_close (d);
	if (!g->devices)
		guest_settle (g);
}
