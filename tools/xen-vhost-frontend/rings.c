/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver set up, set up at the back-end: features, memory, rings; and taken down again.
 */
#include <errno.h>
#include <unistd.h>

#include <vhost/error.h>

#include "link-private.h"

/* Where a packed ring begins: both indices 0, both wrap counters 1 (virtio 1.2, 2.8; vhost-user, SET_VRING_BASE). */
#define PACKED_BASE 0x80008000u

/* The index in the driver area and in the device area of a split ring (virtio 1.2, 2.7.6 and 2.7.8). */
#define RING_INDEX 2

static bool
is_packed (const struct link_driver *d)
{
	return d->features & VH_BIT (VH_F_RING_PACKED);
}

/* Is this one of the back-end's rings, with a driver behind it? */
static bool
ring_counts (const struct link *l, unsigned ring)
{
	return l->driver.ring[ring].ready && (l->backend.rings == 0 || ring < l->backend.rings);
}

/* --- memory --- */

/* Sends the regions for the rings of `driver`; NULL: for none. */
static int
send_memory (struct link *l, const struct link_driver *driver)
{
	struct vh_region regions[VH_MAX_TABLE_REGIONS];
	int n = l->options.memory.regions (l->options.memory.opaque, driver, regions, VH_MAX_TABLE_REGIONS);
	int err;

	if (n <= 0)
		return n;
	err = backend_result (l, vh_frontend_set_mem_table (l->frontend, regions, n));
	for (int i = 0; i < n; i++)
		close (regions[i].fd);
	return err;
}

/* --- starting --- */

/*
 * What is for the transport only stays here.  ACCESS_PLATFORM above all: the addresses of grants are guest addresses to the back-end, but with this feature
 * it would wait for an IOMMU to translate them.
 */
static int
send_features (struct link *l)
{
	uint64_t offered = l->backend.features;
	uint64_t wanted = l->driver.features & ~(VH_BIT (VH_F_ACCESS_PLATFORM) | VH_BIT (VH_F_VERSION_1));

	wanted &= ~l->driver.own | offered;
	if (wanted & ~offered) {
		link_log (l, VH_LOG_ERROR, "the driver uses features that this back-end does not offer: 0x%llx", (unsigned long long) (wanted & ~offered));
		return -ENOTSUP;
	}
	wanted |= offered & (VH_BIT (VH_F_PROTOCOL_FEATURES) | VH_BIT (VH_F_VERSION_1));
	return backend_result (l, vh_frontend_set_features (l->frontend, wanted));
}

/* --- requests in flight --- */

void
rings_forget (struct link *l)
{
	if (l->inflight.fd >= 0)
		close (l->inflight.fd);
	l->inflight = (struct vh_inflight){ .fd = -1 };
}

/* An area for as many rings as count, of the size of the largest. */
static int
new_records (struct link *l)
{
	unsigned rings = 0, size = 0;

	for (unsigned i = 0; i < l->driver.rings; i++) {
		if (!ring_counts (l, i))
			continue;
		rings = i + 1;
		size = l->driver.ring[i].size > size ? l->driver.ring[i].size : size;
	}
	return rings ? backend_result (l, vh_frontend_get_inflight (l->frontend, rings, size, &l->inflight)) : 0;
}

/*
 * Gives the back-end the area in which the one before it noted down what it had taken, or a new one.  A back-end that wants none, or not this one, is served
 * without.
 */
static int
send_records (struct link *l)
{
	int err = 0;

	if (!(vh_frontend_protocol_features (l->frontend) & VH_BIT (VH_P_INFLIGHT_SHMFD))) {
		rings_forget (l);
		return 0;
	}
	if (l->inflight.fd < 0)
		err = new_records (l);
	if (err == 0 && l->inflight.fd >= 0)
		err = backend_result (l, vh_frontend_set_inflight (l->frontend, &l->inflight));
	if (err == 0)
		return 0;
	link_log (l, VH_LOG_WARNING, "no records of requests in flight: %s", vh_strerror (err));
	rings_forget (l);
	return l->lost ? err : 0;
}

/*
 * How far a back-end came that died.  It cannot be asked, but a split ring says how many requests were used.  With records the next back-end begins there,
 * and knows which they were.  Without, it begins with the one after them, so they must be the first ones: a back-end that had finished others before these
 * leaves them undone.
 */
static int
find_base_again (struct link *l, unsigned ring, uint32_t *ret)
{
	const struct link_memory *memory = &l->options.memory;
	const struct link_ring *r = &l->driver.ring[ring];
	uint16_t used, available;
	int err = memory->read_index (memory->opaque, r->device + RING_INDEX, &used);

	if (err == 0)
		err = memory->read_index (memory->opaque, r->driver + RING_INDEX, &available);
	if (err < 0)
		return err;
	if (l->inflight.fd < 0 && (uint16_t) (available - used) > 1)
		link_log (l, VH_LOG_WARNING, "ring %u: %u requests are open; they are repeated, as if its back-end had worked in their order", ring,
			  (uint16_t) (available - used));
	*ret = used;
	return 0;
}

/* --- starting a ring --- */

/* The number to begin with. */
static int
find_base (struct link *l, unsigned ring, bool again, uint32_t *ret)
{
	if (is_packed (&l->driver)) {
		*ret = PACKED_BASE;
		return again ? -ESTALE : 0;
	}
	*ret = 0;
	return again ? find_base_again (l, ring, ret) : 0;
}

static int
start_ring (struct link *l, unsigned ring, bool again)
{
	const struct link_ring *r = &l->driver.ring[ring];
	const struct vh_vring_addr addr = { .desc = r->desc, .avail = r->driver, .used = r->device };
	struct vh_frontend *f = l->frontend;
	uint32_t base;
	int err = find_base (l, ring, again, &base);

	if (err < 0)
		return err;
	err = backend_result (l, vh_frontend_set_vring_num (f, ring, r->size));
	if (err == 0)
		err = backend_result (l, vh_frontend_set_vring_base (f, ring, base));
	if (err == 0)
		err = backend_result (l, vh_frontend_set_vring_addr (f, ring, &addr));
	if (err == 0)
		err = backend_result (l, vh_frontend_set_vring_err (f, ring, l->driver.err));
	if (err == 0)
		err = backend_result (l, vh_frontend_set_vring_call (f, ring, l->driver.call));
	if (err == 0)
		err = backend_result (l, vh_frontend_set_vring_kick (f, ring, r->kick));
	if (err == 0)
		link_log (l, VH_LOG_INFO, "ring %u runs: %u descriptors, from %u", ring, r->size, base);
	return err;
}

/* Without the protocol's own features a ring runs as soon as it can be kicked. */
static int
enable_rings (struct link *l)
{
	int err = 0;

	if (!(l->backend.features & VH_BIT (VH_F_PROTOCOL_FEATURES)))
		return 0;
	for (unsigned i = 0; err == 0 && i < l->driver.rings; i++)
		if (ring_counts (l, i))
			err = backend_result (l, vh_frontend_set_vring_enable (l->frontend, i, 1));
	return err;
}

int
rings_start (struct link *l, bool again)
{
	int err = send_features (l);

	if (err == 0)
		err = send_memory (l, &l->driver);
	if (err == 0)
		err = send_records (l);
	for (unsigned i = 0; err == 0 && i < l->driver.rings; i++)
		if (ring_counts (l, i))
			err = start_ring (l, i, again);
	if (err == 0)
		err = enable_rings (l);
	l->running = err == 0;
	if (err < 0) {
		link_log (l, VH_LOG_ERROR, "cannot set up the rings: %s", vh_strerror (err));
		if (!l->lost)
			rings_stop (l);
	}
	return err;
}

/* --- stopping --- */

void
rings_stop_one (struct link *l, unsigned ring)
{
	uint32_t base;
	int err;

	if (!ring_counts (l, ring) || l->lost)
		return;
	/* The back-end answers when it has done with all requests. */
	err = backend_result (l, vh_frontend_get_vring_base (l->frontend, ring, &base));
	if (err < 0)
		link_log (l, VH_LOG_WARNING, "ring %u did not stop well: %s", ring, vh_strerror (err));
	else
		link_log (l, VH_LOG_INFO, "ring %u stopped at %u", ring, base);
}

void
rings_stop (struct link *l)
{
	int err = 0;

	for (unsigned i = 0; i < l->driver.rings; i++)
		rings_stop_one (l, i);
	if (!l->lost && vh_frontend_protocol_features (l->frontend) & VH_BIT (VH_P_RESET_DEVICE))
		err = backend_result (l, vh_frontend_reset_device (l->frontend));
	/* The driver is about to take back the pages of its rings. */
	if (err == 0 && !l->lost)
		err = send_memory (l, NULL);
	if (err < 0)
		link_log (l, VH_LOG_WARNING, "the back-end's reset: %s", vh_strerror (err));
	l->running = false;
}
