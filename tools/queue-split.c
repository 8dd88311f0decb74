/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The split ring, driver's side (virtio 1.2, 2.7).
 *
 * Descriptors that are free, and those of a chain, are linked by a private array: what the device could have changed in guest memory is not read back.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>

#include "queue-layout.h"

/* A chain in the ring, by its first descriptor. */
struct chain {
	void *token;
	uint32_t writable;	/* bytes that the device may write */
	uint16_t last;		/* its last descriptor */
	uint16_t length;	/* descriptors of the ring; 0: not in flight */
};

struct queue_ring {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint64_t desc_addr, avail_addr, used_addr;
	uint64_t tables_addr;	/* an indirect table for each descriptor */
	struct chain *chains;
	uint16_t *links;
	uint16_t free_first;
	unsigned free_count;
	unsigned in_flight;	/* chains */
	uint16_t added;		/* next available index, with what is not published */
	uint16_t published;
	uint16_t reaped;	/* next used index */
};

/* --- the fields that both sides use --- */

static uint16_t
load16 (const __virtio16 *p)
{
	return le16toh (__atomic_load_n (p, __ATOMIC_RELAXED));
}

static void
store16 (__virtio16 *p, uint16_t v)
{
	__atomic_store_n (p, htole16 (v), __ATOMIC_RELAXED);
}

/* Pairs with the device's release of used->idx: the elements are read after it. */
static uint16_t
used_idx (const struct queue_ring *r)
{
	return le16toh (__atomic_load_n (&r->used->idx, __ATOMIC_ACQUIRE));
}

/* After the available ring: where the driver says when it wants to be notified. */
static __virtio16 *
used_event (const struct queue *q)
{
	return &q->ring->avail->ring[q->options.size];
}

/* After the used ring: the device's counterpart. */
static const __virtio16 *
avail_event (const struct queue *q)
{
	return (const __virtio16 *) &q->ring->used->ring[q->options.size];
}

/* --- making --- */

static size_t
desc_bytes (unsigned size)
{
	return sizeof (struct vring_desc) * size;
}

static size_t
avail_bytes (unsigned size)
{
	return sizeof (struct vring_avail) + sizeof (__virtio16) * (size + 1);
}

static size_t
used_bytes (unsigned size)
{
	return sizeof (struct vring_used) + sizeof (struct vring_used_elem) * size + sizeof (__virtio16);
}

static size_t
split_ring_bytes (unsigned size)
{
	size_t desc = desc_bytes (size), used = used_bytes (size);

	return desc > used ? desc : used;
}

static int
alloc_rings (struct queue *q)
{
	struct queue_ring *r = q->ring;
	unsigned size = q->options.size;
	int err = guest_alloc (q->guest, desc_bytes (size), 16, true, &r->desc_addr);

	if (err == 0)
		err = guest_alloc (q->guest, avail_bytes (size), 2, true, &r->avail_addr);
	if (err == 0)
		err = guest_alloc (q->guest, used_bytes (size), 4, true, &r->used_addr);
	if (err == 0 && q->options.indirect)
		err = guest_alloc (q->guest, desc_bytes (q->options.indirect) * size, 16, false, &r->tables_addr);
	if (err < 0)
		return err;
	r->desc = guest_at (q->guest, r->desc_addr);
	r->avail = guest_at (q->guest, r->avail_addr);
	r->used = guest_at (q->guest, r->used_addr);
	return 0;
}

static int
split_open (struct queue *q)
{
	struct queue_ring *r = calloc (1, sizeof (*r));
	unsigned size = q->options.size;

	q->ring = r;
	if (!r)
		return -ENOMEM;
	r->chains = calloc (size, sizeof (*r->chains));
	r->links = calloc (size, sizeof (*r->links));
	if (!r->chains || !r->links)
		return -ENOMEM;
	for (unsigned i = 0; i + 1 < size; i++)
		r->links[i] = i + 1;
	r->free_count = size;
	return alloc_rings (q);
}

static void
split_close (struct queue *q)
{
	free (q->ring->chains);
	free (q->ring->links);
	free (q->ring);
	q->ring = NULL;
}

static void
split_addresses (const struct queue *q, struct vh_vring_addr *ret)
{
	*ret = (struct vh_vring_addr){
		.desc = guest_user_addr (q->guest, q->ring->desc_addr),
		.avail = guest_user_addr (q->guest, q->ring->avail_addr),
		.used = guest_user_addr (q->guest, q->ring->used_addr),
	};
}

static bool
split_position (const struct queue *q, uint32_t *ret)
{
	*ret = q->ring->published;
	return q->ring->in_flight == 0;
}

/* --- adding --- */

static struct vring_desc
descriptor (const struct queue_buffer *b, uint16_t flags, uint16_t next)
{
	return (struct vring_desc){ .addr = htole64 (b->addr), .len = htole32 (b->size), .flags = htole16 (flags), .next = htole16 (next) };
}

/* Writes a chain into descriptors of the ring, beginning with the first free one.  Returns its last. */
static uint16_t
add_direct (struct queue_ring *r, const struct queue_buffer *b, unsigned n_out, unsigned n)
{
	uint16_t i = r->free_first, last = i;

	for (unsigned k = 0; k < n; k++) {
		last = i;
		i = r->links[i];
		r->desc[last] = descriptor (&b[k], queue_buffer_flags (k, n_out, n), k + 1 < n ? i : 0);
	}
	return last;
}

/* Writes a chain into the indirect table of the first free descriptor. */
static uint16_t
add_indirect (struct queue *q, const struct queue_buffer *b, unsigned n_out, unsigned n)
{
	struct queue_ring *r = q->ring;
	uint64_t addr = r->tables_addr + desc_bytes (q->options.indirect) * r->free_first;
	struct vring_desc *table = guest_at (q->guest, addr);
	struct queue_buffer whole = { .addr = addr, .size = desc_bytes (n) };

	for (unsigned k = 0; k < n; k++)
		table[k] = descriptor (&b[k], queue_buffer_flags (k, n_out, n), k + 1 < n ? k + 1 : 0);
	r->desc[r->free_first] = descriptor (&whole, VRING_DESC_F_INDIRECT, 0);
	return r->free_first;
}

static int
split_add (struct queue *q, const struct queue_buffer *b, unsigned n_out, unsigned n_in, void *token)
{
	struct queue_ring *r = q->ring;
	unsigned n = n_out + n_in;
	bool indirect = n > 1 && n <= q->options.indirect;
	unsigned length = indirect ? 1 : n;
	uint16_t first = r->free_first, last;

	if (n == 0)
		return -EINVAL;
	if (length > r->free_count)
		return -ENOSPC;
	last = indirect ? add_indirect (q, b, n_out, n) : add_direct (r, b, n_out, n);
	r->free_first = r->links[last];
	r->free_count -= length;
	r->in_flight++;
	r->chains[first] = (struct chain){ .token = token, .writable = queue_buffer_bytes (b + n_out, n_in), .last = last, .length = length };
	store16 (&r->avail->ring[r->added & (q->options.size - 1)], first);
	r->added++;
	return 0;
}

/* Has an index moved past the one that the other side waits for? */
static bool
event_reached (uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t) (now - event - 1) < (uint16_t) (now - before);
}

static bool
split_publish (struct queue *q)
{
	struct queue_ring *r = q->ring;
	uint16_t before = r->published;

	if (before == r->added)
		return false;
	/* Pairs with the device's acquire of avail->idx: it sees the descriptors. */
	__atomic_store_n (&r->avail->idx, htole16 (r->added), __ATOMIC_RELEASE);
	r->published = r->added;
	queue_store_before_load ();
	if (queue_has (q, VH_F_EVENT_IDX))
		return event_reached (load16 (avail_event (q)), r->added, before);
	return !(load16 (&r->used->flags) & VRING_USED_F_NO_NOTIFY);
}

/* --- reaping --- */

static int
reap_one (struct queue *q, struct queue_done *done)
{
	struct queue_ring *r = q->ring;
	const struct vring_used_elem *e = &r->used->ring[r->reaped & (q->options.size - 1)];
	uint32_t id = le32toh (__atomic_load_n (&e->id, __ATOMIC_RELAXED)), len = le32toh (__atomic_load_n (&e->len, __ATOMIC_RELAXED));
	struct chain *c = &r->chains[id & (q->options.size - 1)];

	if (id >= q->options.size || c->length == 0 || len > c->writable)
		return -EPROTO;
	*done = (struct queue_done){ .token = c->token, .written = len };
	r->links[c->last] = r->free_first;
	r->free_first = id;
	r->free_count += c->length;
	r->in_flight--;
	r->reaped++;
	c->length = 0;
	return 0;
}

static int
split_reap (struct queue *q, struct queue_done *done, unsigned max)
{
	struct queue_ring *r = q->ring;
	unsigned n = (uint16_t) (used_idx (r) - r->reaped);

	if (n > r->in_flight)
		return -EPROTO;
	if (n > max)
		n = max;
	for (unsigned i = 0; i < n; i++)
		if (reap_one (q, &done[i]) < 0)
			return -EPROTO;
	return n;
}

/* --- notifications --- */

static bool
split_arm (struct queue *q)
{
	struct queue_ring *r = q->ring;

	if (queue_has (q, VH_F_EVENT_IDX))
		store16 (used_event (q), r->reaped);
	else
		store16 (&r->avail->flags, 0);
	queue_store_before_load ();
	return used_idx (r) != r->reaped;
}

static void
split_disarm (struct queue *q)
{
	/* With EVENT_IDX an index in the past is asked for already; the device does not come there for another 65535 requests. */
	if (!queue_has (q, VH_F_EVENT_IDX))
		store16 (&q->ring->avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
}

const struct queue_layout queue_split = {
	.ring_bytes = split_ring_bytes,
	.open = split_open,
	.close = split_close,
	.addresses = split_addresses,
	.position = split_position,
	.add = split_add,
	.publish = split_publish,
	.reap = split_reap,
	.arm = split_arm,
	.disarm = split_disarm,
};
