/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection of one device to its back-end.  It has a thread of its own, because the calls of the protocol wait for answers: a back-end that does not
 * answer holds up its own device, not the guest's others and not other guests.
 *
 *	owner's thread                                  link's thread
 *	link_start, link_stop, ... --- order ------->   calls the back-end
 *	link_ops                   <-- news ---------   what came of it
 *
 * A back-end that goes away is looked for again, with growing pauses; when it is back, what the driver had set up is set up again, and the rings go on.
 */
#ifndef XVF_LINK_H
#define XVF_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/log.h>
#include <vhost/loop.h>
#include <vhost/memory.h>
#include <vhost/protocol.h>

/* A ring as the driver set it up. */
struct link_ring {
	bool ready;
	uint32_t size;
	uint64_t desc, driver, device;	/* guest addresses */
	int kick;			/* eventfds, the owner's; they stay open while the link is */
};

struct link_driver {
	uint64_t features;		/* of the driver: what is for the transport only is left out when they are sent */
	uint64_t own;			/* those that this program provides: a back-end need not offer them */
	int call, err;			/* eventfds, one for all rings */
	unsigned rings;
	struct link_ring ring[VH_MAX_RINGS];
};

/* How the guest's memory is reached; the calls come from the link's thread. */
struct link_memory {
	void *opaque;
	/* Must the back-end speak of Xen's kinds of memory (XEN_MMAP)? */
	bool xen;
	/*
	 * The regions for the rings of `driver`, or with NULL for none, at most `max`.  Their fds are then the link's to close.  Returns how many, or a
	 * negative errno.
	 */
	int (*regions) (void *opaque, const struct link_driver *driver, struct vh_region *regions, unsigned max);
	/* Reads the 16 bits at a guest address of a ring's driver or device area.  0 or a negative errno. */
	int (*read_index) (void *opaque, uint64_t addr, uint16_t *ret);
};

/* What the back-end is. */
struct link_backend {
	bool connected;
	uint64_t features;		/* offered */
	unsigned rings;			/* how many it says it has; 0: it does not say */
	bool has_config;
	unsigned config_size;
	uint8_t config[VH_MAX_CONFIG_SIZE];
};

/* Called in the thread of the owner's loop. */
struct link_ops {
	/* It came, it went, or its configuration changed.  Valid during the call. */
	void (*changed) (void *opaque, const struct link_backend *);
	/* The rings were set up again at a back-end that came back: it may have missed kicks, and the driver interrupts. */
	void (*resumed) (void *opaque);
	/* The rings cannot go on as they are: the driver is to reset the device.  why: words, constant. */
	void (*failed) (void *opaque, const char *why);
	/* The order was carried out, or there is nobody to carry it out. */
	void (*done) (void *opaque);
	/* After link_close: nothing more is called; link_free is due. */
	void (*closed) (void *opaque);
};

struct link_options {
	const char *socket;		/* borrowed */
	const unsigned *config_sizes;	/* sizes of the configuration space to try, the largest first, then 0; borrowed */
	unsigned timeout_ms;		/* for each answer of the back-end */
	struct link_memory memory;
	struct vh_log log;		/* must bear two threads */
};

struct link;

/* Makes a link and starts to connect.  0 and *ret, or a negative errno. */
int link_new (struct vh_loop *owner, const struct link_options *, const struct link_ops *, void *opaque, struct link **ret);

/* Orders: one at a time, each is followed by ops->done. */
void link_start (struct link *, const struct link_driver *);
void link_stop (struct link *);
void link_stop_ring (struct link *, unsigned ring);
void link_write_config (struct link *, unsigned offset, const void *bytes, unsigned size);

/* Ends the connection and the thread; ops->closed is called when that is done.  An order that is not done yet is done first. */
void link_close (struct link *);

/* After ops->closed, also from inside of it. */
void link_free (struct link *);

#endif
