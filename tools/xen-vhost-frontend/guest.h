/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One domain with devices of ours: its ioreq server, and which vcpu waits for what.
 */
#ifndef XVF_GUEST_H
#define XVF_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "ioreq.h"
#include "ram.h"

struct device;

struct guest {
	struct guest *next;		/* of the host's */
	struct host *host;
	struct log log;
	char name[32];
	uint16_t domid;
	struct ioreq_server *server;
	struct vh_source *source;
	struct vh_timer *recheck;	/* see guest_serve in guest.c */
	struct ram *ram;
	struct device *devices;
	bool closing;
	uint64_t accesses;
	/* By vcpu: whose answer it waits for; NULL: it does not, or its access was not taken. */
	struct device **waits;
};

/* The guest with this domain id: the one there is, or a new one.  ram: as for ram_new.  0 and *ret, or a negative errno; what failed is logged. */
int guest_get (struct host *, uint16_t domid, const struct area *ram, unsigned n_ram, struct guest **ret);

/* Takes all devices away; the guest is freed when they are. */
void guest_close (struct guest *);

/* Frees a guest without devices. */
void guest_settle (struct guest *);

/* Lets a vcpu go on, if it waits for this device. */
void guest_answer (struct guest *, unsigned vcpu, const struct device *, uint64_t value);

/* Lets all vcpus go on that wait for this device: it is going away. */
void guest_forget (struct guest *, const struct device *);

/* Serves the accesses that were not taken because their device was busy. */
void guest_serve_all (struct guest *);

#endif
