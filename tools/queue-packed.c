/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed ring, driver's side (virtio 1.2, 2.8).
 *
 * A position is a place in the ring with the wrap counter in bit 15.  What was added is in the ring at once, but for the flags of the first chain's head:
 * the device does not look behind that before publication stores them.  Ids come from a stack; nothing that the device could have changed is read back.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>

#include "queue-layout.h"

#define WRAP 0x8000u
#define PLACE 0x7fffu
#define FLAG_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define FLAG_USED (1u << VRING_PACKED_DESC_F_USED)

/* A chain in the ring, by its id. */
struct chain {
	void *token;
	uint32_t writable;	/* bytes that the device may write */
	uint16_t length;	/* descriptors of the ring; 0: not in flight */
};

struct queue_ring {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver, *device;
	uint64_t desc_addr, driver_addr, device_addr;
	uint64_t tables_addr;	/* an indirect table for each id */
	struct chain *chains;
	uint16_t *ids;		/* those that are free */
	unsigned n_ids;
	unsigned free_count;	/* descriptors */
	unsigned in_flight;	/* chains */
	uint16_t added;		/* position of the next descriptor, with what is not published */
	uint16_t published;
	uint16_t reaped;	/* position of the next used descriptor */
	uint16_t head_flags;	/* of the descriptor at `published` */
	bool armed;		/* the device was given a position for its next notification */
};

/* --- making --- */

static size_t
packed_ring_bytes (unsigned size)
{
	return sizeof (struct vring_packed_desc) * size;
}

static int
alloc_rings (struct queue *q)
{
	struct queue_ring *r = q->ring;
	size_t table = sizeof (struct vring_packed_desc) * q->options.indirect;
	int err = guest_alloc (q->guest, packed_ring_bytes (q->options.size), 16, true, &r->desc_addr);

	if (err == 0)
		err = guest_alloc (q->guest, sizeof (*r->driver), 4, true, &r->driver_addr);
	if (err == 0)
		err = guest_alloc (q->guest, sizeof (*r->device), 4, true, &r->device_addr);
	if (err == 0 && q->options.indirect)
		err = guest_alloc (q->guest, table * q->options.size, 16, false, &r->tables_addr);
	if (err < 0)
		return err;
	r->desc = guest_at (q->guest, r->desc_addr);
	r->driver = guest_at (q->guest, r->driver_addr);
	r->device = guest_at (q->guest, r->device_addr);
	return 0;
}

static int
packed_open (struct queue *q)
{
	struct queue_ring *r = calloc (1, sizeof (*r));
	unsigned size = q->options.size;

	q->ring = r;
	if (!r)
		return -ENOMEM;
	r->chains = calloc (size, sizeof (*r->chains));
	r->ids = calloc (size, sizeof (*r->ids));
	if (!r->chains || !r->ids)
		return -ENOMEM;
	while (r->n_ids < size) {
		r->ids[r->n_ids] = (uint16_t) (size - 1 - r->n_ids);
		r->n_ids++;
	}
	r->free_count = size;
	r->added = r->published = r->reaped = WRAP;
	return alloc_rings (q);
}

static void
packed_close (struct queue *q)
{
	free (q->ring->chains);
	free (q->ring->ids);
	free (q->ring);
	q->ring = NULL;
}

static void
packed_addresses (const struct queue *q, struct vh_vring_addr *ret)
{
	*ret = (struct vh_vring_addr){
		.desc = guest_user_addr (q->guest, q->ring->desc_addr),
		.avail = guest_user_addr (q->guest, q->ring->driver_addr),
		.used = guest_user_addr (q->guest, q->ring->device_addr),
	};
}

/* With nothing in flight both halves of a base are the same. */
static bool
packed_position (const struct queue *q, uint32_t *ret)
{
	*ret = q->ring->published * 0x10001u;
	return q->ring->in_flight == 0;
}

/* --- adding --- */

static uint16_t
forward (const struct queue *q, uint16_t position, unsigned n)
{
	unsigned place = (position & PLACE) + n;

	return place < q->options.size ? position + n : (place - q->options.size) | ((position ^ WRAP) & WRAP);
}

/* Flags that make a descriptor at a position available. */
static uint16_t
available (uint16_t position)
{
	return position & WRAP ? FLAG_AVAIL : FLAG_USED;
}

static struct vring_packed_desc
descriptor (const struct queue_buffer *b, uint16_t id, uint16_t flags)
{
	return (struct vring_packed_desc){ .addr = htole64 (b->addr), .len = htole32 (b->size), .id = htole16 (id), .flags = htole16 (flags) };
}

/* Puts the next descriptor into the ring; the flags of the first one that is not published stay here. */
static void
put (struct queue *q, const struct queue_buffer *b, uint16_t id, uint16_t flags)
{
	struct queue_ring *r = q->ring;
	struct vring_packed_desc *d = &r->desc[r->added & PLACE], new = descriptor (b, id, flags | available (r->added));

	if (r->added == r->published) {
		r->head_flags = new.flags;
		new.flags = d->flags;
	}
	*d = new;
	r->added = forward (q, r->added, 1);
}

static void
put_indirect (struct queue *q, const struct queue_buffer *b, unsigned n_out, unsigned n, uint16_t id)
{
	uint64_t addr = q->ring->tables_addr + sizeof (struct vring_packed_desc) * q->options.indirect * id;
	struct vring_packed_desc *table = guest_at (q->guest, addr);
	struct queue_buffer whole = { .addr = addr, .size = sizeof (*table) * n };

	for (unsigned k = 0; k < n; k++)
		table[k] = descriptor (&b[k], 0, k >= n_out ? VRING_DESC_F_WRITE : 0);
	put (q, &whole, id, VRING_DESC_F_INDIRECT);
}

static int
packed_add (struct queue *q, const struct queue_buffer *b, unsigned n_out, unsigned n_in, void *token)
{
	struct queue_ring *r = q->ring;
	unsigned n = n_out + n_in;
	bool indirect = n > 1 && n <= q->options.indirect;
	unsigned length = indirect ? 1 : n;
	uint16_t id;

	if (n == 0)
		return -EINVAL;
	if (length > r->free_count)
		return -ENOSPC;
	id = r->ids[--r->n_ids];
	if (indirect)
		put_indirect (q, b, n_out, n, id);
	for (unsigned k = 0; !indirect && k < n; k++)
		put (q, &b[k], id, queue_buffer_flags (k, n_out, n));
	r->chains[id] = (struct chain){ .token = token, .writable = queue_buffer_bytes (b + n_out, n_in), .length = length };
	r->free_count -= length;
	r->in_flight++;
	return 0;
}

/* An event area: a position, and in the high half how much it means. */
static uint32_t
load_event (const struct vring_packed_desc_event *e)
{
	return le32toh (__atomic_load_n ((const uint32_t *) e, __ATOMIC_RELAXED));
}

static void
store_event (struct vring_packed_desc_event *e, uint16_t position, uint32_t flags)
{
	__atomic_store_n ((uint32_t *) e, htole32 (position | flags << 16), __ATOMIC_RELAXED);
}

/* Is the position that the device waits for one of those from `before` on? */
static bool
event_passed (const struct queue *q, uint16_t event, uint16_t before)
{
	unsigned size = q->options.size;
	unsigned steps = (q->ring->added & PLACE) + ((before ^ q->ring->added) & WRAP ? size : 0) - (before & PLACE);
	unsigned ahead = (event & PLACE) + ((before ^ event) & WRAP ? size : 0) - (before & PLACE);

	return ahead < steps;
}

static bool
packed_publish (struct queue *q)
{
	struct queue_ring *r = q->ring;
	uint16_t before = r->published;
	uint32_t event;

	if (before == r->added)
		return false;
	/* Pairs with the device's acquire of the same flags: it sees what is behind. */
	__atomic_store_n (&r->desc[before & PLACE].flags, r->head_flags, __ATOMIC_RELEASE);
	r->published = r->added;
	queue_store_before_load ();
	event = load_event (r->device);
	switch (event >> 16 & 3) {
	case VRING_PACKED_EVENT_FLAG_DISABLE:
		return false;
	case VRING_PACKED_EVENT_FLAG_DESC:
		return event_passed (q, event & 0xffff, before);
	default:
		return true;
	}
}

/* --- reaping --- */

/* Pairs with the device's release of the flags: the rest of the descriptor is read after them.  False when it is not used. */
static bool
load_used (const struct queue_ring *r, uint64_t *ret)
{
	const uint64_t *rest = (const uint64_t *) &r->desc[r->reaped & PLACE] + 1;	/* len, id, flags */
	unsigned flags;

	*ret = le64toh (__atomic_load_n (rest, __ATOMIC_ACQUIRE));
	flags = *ret >> 48;
	return (flags & (FLAG_AVAIL | FLAG_USED)) == (r->reaped & WRAP ? FLAG_AVAIL | FLAG_USED : 0);
}

static int
packed_reap (struct queue *q, struct queue_done *done, unsigned max)
{
	struct queue_ring *r = q->ring;
	uint64_t rest;
	unsigned n;

	for (n = 0; n < max && r->in_flight > 0 && load_used (r, &rest); n++) {
		uint16_t id = rest >> 32 & 0xffff;
		struct chain *c = &r->chains[id < q->options.size ? id : 0];

		if (id >= q->options.size || c->length == 0 || (uint32_t) rest > c->writable)
			return -EPROTO;
		done[n] = (struct queue_done){ .token = c->token, .written = (uint32_t) rest };
		r->ids[r->n_ids++] = id;
		r->free_count += c->length;
		r->in_flight--;
		r->reaped = forward (q, r->reaped, c->length);
		c->length = 0;
	}
	return n;
}

/* --- notifications --- */

static bool
packed_arm (struct queue *q)
{
	struct queue_ring *r = q->ring;
	uint64_t rest;

	r->armed = queue_has (q, VH_F_EVENT_IDX);
	store_event (r->driver, r->reaped, r->armed ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE);
	queue_store_before_load ();
	return r->in_flight > 0 && load_used (r, &rest);
}

static void
packed_disarm (struct queue *q)
{
	/* A position that is passed is asked for no more; the device comes there again after two times around the ring. */
	if (!q->ring->armed)
		store_event (q->ring->driver, 0, VRING_PACKED_EVENT_FLAG_DISABLE);
}

const struct queue_layout queue_packed = {
	.ring_bytes = packed_ring_bytes,
	.open = packed_open,
	.close = packed_close,
	.addresses = packed_addresses,
	.position = packed_position,
	.add = packed_add,
	.publish = packed_publish,
	.reap = packed_reap,
	.arm = packed_arm,
	.disarm = packed_disarm,
};
