/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of a guest's block driver; see guest-disk.h.
 */
#include "guest-disk-setup.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

static uint16_t
load16 (const __virtio16 *p)
{
	return le16toh (__atomic_load_n (p, __ATOMIC_ACQUIRE));
}

static void
store16 (__virtio16 *p, uint16_t v)
{
	__atomic_store_n (p, htole16 (v), __ATOMIC_RELEASE);
}

static bool
has (const struct guest_disk *d, unsigned feature)
{
	return d->features & VH_BIT (feature);
}

struct disk_slot *
disk_slot (struct guest_disk *d, unsigned queue, unsigned index)
{
	struct disk_work *w = &d->queues[queue].works[index];

	return w->in_flight ? NULL : &w->slot;
}

/* --- chains --- */

static void
set_desc (struct vring_desc *table, unsigned i, uint64_t addr, uint32_t bytes, uint16_t flags, unsigned next)
{
	table[i].addr = htole64 (addr);
	table[i].len = htole32 (bytes);
	table[i].flags = htole16 (flags);
	table[i].next = htole16 ((uint16_t) next);
}

/* The data in one descriptor, or in one for each page.  Returns the next descriptor. */
static unsigned
set_data (const struct guest_disk *d, const struct disk_work *w, struct vring_desc *table, unsigned i)
{
	uint16_t flags = VRING_DESC_F_NEXT | (w->slot.op == DISK_READ ? VRING_DESC_F_WRITE : 0);
	uint64_t addr = piece_addr (d, &w->data);
	uint32_t left, n;

	for (left = w->data.bytes; left > 0; left -= n, addr += n, i++) {
		n = BARE_PAGE - addr % BARE_PAGE;
		if (w->slot.whole || n > left)
			n = left;
		set_desc (table, i, addr, n, flags, i + 1);
	}
	return i;
}

/* Writes the chain from descriptor `first` on; returns how many it takes. */
static unsigned
set_chain (const struct guest_disk *d, const struct disk_work *w, struct vring_desc *table, unsigned first)
{
	unsigned i;

	set_desc (table, first, piece_addr (d, &w->header), w->header.bytes, VRING_DESC_F_NEXT, first + 1);
	i = set_data (d, w, table, first + 1);
	set_desc (table, i, piece_addr (d, &w->status), 1, VRING_DESC_F_WRITE, 0);
	return i + 1 - first;
}

static void
fill_header (const struct guest_disk *d, struct disk_work *w)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH };
	struct virtio_blk_outhdr *h = piece_host (d, &w->header);

	h->type = htole32 (types[w->slot.op]);
	h->ioprio = 0;
	h->sector = htole64 (w->slot.sector);
	*(uint8_t *) piece_host (d, &w->status) = 0xff;
	w->data.offset = w->slot.skip;
	w->data.bytes = w->slot.op == DISK_FLUSH ? 0 : w->slot.bytes;
}

static void
grant_work (struct guest_disk *d, const struct disk_work *w)
{
	piece_grant (d, &w->header, true);
	piece_grant (d, &w->status, false);
	if (w->data.bytes && !w->slot.withhold)
		piece_grant (d, &w->data, w->slot.op == DISK_WRITE);
	if (has (d, VH_F_INDIRECT_DESC))
		piece_grant (d, &w->table, true);
}

static void
end_grants (struct guest_disk *d, const struct disk_work *w)
{
	piece_end_grant (d, &w->header);
	piece_end_grant (d, &w->status);
	if (w->data.bytes)
		piece_end_grant (d, &w->data);
	if (has (d, VH_F_INDIRECT_DESC))
		piece_end_grant (d, &w->table);
}

/* Each slot has descriptors of its own, so there are always enough. */
static void
make_chain (const struct guest_disk *d, struct disk_queue *q, struct disk_work *w)
{
	unsigned index = (unsigned) (w - q->works), n;

	if (has (d, VH_F_INDIRECT_DESC)) {
		n = set_chain (d, w, piece_host (d, &w->table), 0);
		w->head = (uint16_t) index;
		set_desc (q->desc, index, piece_addr (d, &w->table), n * 16, VRING_DESC_F_INDIRECT, 0);
	} else {
		w->head = (uint16_t) (index * MAX_PARTS);
		set_chain (d, w, q->desc, w->head);
	}
}

void
disk_submit (struct guest_disk *d, unsigned queue, struct disk_slot *slot)
{
	struct disk_work *w = (struct disk_work *) slot;
	struct disk_queue *q = &d->queues[queue];

	assert (!w->in_flight && slot->bytes <= DISK_MAX_BYTES && slot->skip < BARE_PAGE);
	fill_header (d, w);
	grant_work (d, w);
	make_chain (d, q, w);
	q->avail->ring[q->added % QUEUE_SIZE] = htole16 (w->head);
	q->added++;
	w->in_flight = true;
}

/* --- notifications --- */

static __virtio16 *
used_event (struct disk_queue *q)
{
	return &q->avail->ring[QUEUE_SIZE];
}

static __virtio16 *
avail_event (struct disk_queue *q)
{
	return (__virtio16 *) &q->used->ring[QUEUE_SIZE];
}

void
disk_kick (struct guest_disk *d, unsigned queue)
{
	struct disk_queue *q = &d->queues[queue];
	uint16_t old = q->published;
	uint64_t one = 1;
	bool wanted;

	/* Release: the device reads the chains after it has seen the index. */
	store16 (&q->avail->idx, q->added);
	q->published = q->added;
	/* The device stores its wish before it looks at the index again. */
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
	if (has (d, VH_F_EVENT_IDX))
		wanted = vring_need_event (load16 (avail_event (q)), q->added, old);
	else
		wanted = !(load16 (&q->used->flags) & VRING_USED_F_NO_NOTIFY);
	if (wanted && write (q->kick_fd, &one, sizeof (one)) != sizeof (one))
		assert (!"an eventfd that is full");
}

static bool
has_used (struct disk_queue *q)
{
	return load16 (&q->used->idx) != q->reaped;
}

/* Asks for a notification.  True: there is something already. */
static bool
arm (struct guest_disk *d)
{
	bool ready = false;
	unsigned i;

	for (i = 0; i < d->options.queues; i++)
		store16 (used_event (&d->queues[i]), d->queues[i].reaped);
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
	for (i = 0; i < d->options.queues; i++)
		ready |= has_used (&d->queues[i]);
	return ready;
}

bool
disk_wait (struct guest_disk *d, int timeout_ms)
{
	struct pollfd fds[2 * DISK_QUEUES];
	unsigned i, n = d->options.queues;
	uint64_t count;
	bool ok;

	if (arm (d))
		return true;
	for (i = 0; i < n; i++) {
		fds[2 * i] = (struct pollfd){ .fd = d->queues[i].call_fd, .events = POLLIN };
		fds[2 * i + 1] = (struct pollfd){ .fd = d->queues[i].err_fd, .events = POLLIN };
	}
	ok = poll (fds, 2 * n, timeout_ms) > 0;
	for (i = 0; ok && i < n; i++) {
		if (fds[2 * i + 1].revents)
			ok = false;
		if (fds[2 * i].revents && read (fds[2 * i].fd, &count, sizeof (count)) != sizeof (count))
			ok = false;
	}
	return ok;
}

bool
disk_is_dropped (const struct guest_disk *d)
{
	uint64_t features;

	return vh_frontend_get_features (d->frontend, &features) == -ECONNRESET;
}

/* --- what comes back --- */

/* The slot whose chain begins with a descriptor. */
static struct disk_work *
work_of (const struct guest_disk *d, const struct disk_queue *q, uint32_t head)
{
	unsigned index = has (d, VH_F_INDIRECT_DESC) ? head : head / MAX_PARTS;

	assert (index < d->slots && q->works[index].in_flight && q->works[index].head == head);
	return &q->works[index];
}

struct disk_slot *
disk_reap (struct guest_disk *d, unsigned queue)
{
	struct disk_queue *q = &d->queues[queue];
	struct vring_used_elem *e;
	struct disk_work *w;

	if (!has_used (q))
		return NULL;
	e = &q->used->ring[q->reaped % QUEUE_SIZE];
	w = work_of (d, q, le32toh (e->id));
	w->slot.written = le32toh (e->len);
	q->reaped++;
	/* At once: whoever published the element has unmapped the pages before. */
	end_grants (d, w);
	w->slot.status = *(uint8_t *) piece_host (d, &w->status);
	w->in_flight = false;
	return &w->slot;
}
