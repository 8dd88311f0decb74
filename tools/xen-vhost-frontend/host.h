/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the program share: the loop, the handles, the guests.
 *
 *	host -- guest (a domain, its ioreq server) -- device (registers, eventfds) -- link (a thread: the back-end)
 *	  `-- toolstack (devices that xenstore describes)
 *
 * All but the links runs in one thread.
 */
#ifndef XVF_HOST_H
#define XVF_HOST_H

#include <xenctrl.h>
#include <xendevicemodel.h>

#include <vhost/loop.h>

#include "log.h"
#include "options.h"
#include "store.h"

struct guest;

struct host {
	const struct options *options;
	struct log log;
	struct vh_loop *loop;
	xendevicemodel_handle *model;
	xc_interface *control;
	struct store *store;		/* NULL: there is none, and nothing needs it */
	int privcmd;			/* for what the kernel does by itself; -1: nothing */
	struct guest *guests;
	bool stopping;
};

/* 0 or a negative errno; what is missing is logged. */
int host_open (struct host *, const struct options *);
void host_close (struct host *);

/* Is there such a domain, and not about to go? */
bool host_domain_lives (const struct host *, uint16_t domid);

/* Looks after guests whose domain went away. */
void host_check_guests (struct host *);

/* Something ended: if nothing is left to do, the program ends. */
void host_settle (struct host *);

#endif
