/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Publication in a packed ring: used descriptors over those of the chains, and whether the driver wants to be called.
 */
#include "queue/crash.h"
#include "queue/notify.h"
#include "queue/order.h"
#include "queue/packed.h"
#include "util/barrier.h"

/* Writes the used descriptor of a request over what is at a position, and lets the request go; returns how many descriptors it had. */
static inline unsigned
packed_finish (struct vh_ring *ring, uint16_t position, const struct done *d, int order)
{
	struct packed *p = packed_own (ring);
	unsigned index = le32toh (d->id);
	uint32_t written = le32toh (d->written);
	/* AVAIL and USED both as the wrap counter; WRITE: `written` means something. */
	uint64_t flags = (position & WRAP ? DESC_F_AVAIL | DESC_F_USED : 0) | (written ? DESC_F_WRITE : 0);
	uint64_t rest = written | (uint64_t) p->origins[index].id << 32 | flags << 48;

	__atomic_store_n (&packed_desc (ring)[position & PLACE].rest, htole64 (rest), order);
	return packed_release (p, index);
}

/* After the used position went from `before` to next_used. */
static bool
packed_call_wanted (struct vh_ring *ring, uint16_t before)
{
	uint32_t event = le32toh (__atomic_load_n ((const uint32_t *) ring->areas[AREA_AVAIL], __ATOMIC_RELAXED)), flags = event >> 16 & EVENT_FLAGS;
	uint16_t place = event & PLACE, now = ring->next_used & PLACE, old = before & PLACE;
	bool valid = ring->called_valid;

	ring->called_valid = true;
	if (flags == EVENT_DISABLE)
		return false;
	if (flags != EVENT_DESC || !ring_has_feature (ring, VH_F_EVENT_IDX) || !valid)
		return true;
	/* In places that run on: a ring's size less for what is from the time before around. */
	if ((event ^ ring->next_used) & WRAP)
		place = (uint16_t) (place - ring->size);
	if (now <= old)
		old = (uint16_t) (old - ring->size);
	return event_passed (place, now, old);
}

static unsigned
packed_length (const struct vh_ring *ring, const struct done *d)
{
	return packed_own (ring)->origins[le32toh (d->id)].length;
}

/*
 * Writes all of done[], and returns the position behind.  Release: the driver looks at the first one before the others, so that one is written last; the
 * driver has a read barrier after it loads its flags.
 */
static inline uint16_t
packed_write (struct vh_ring *ring)
{
	uint16_t before = ring->next_used, at = position_forward (ring, before, packed_length (ring, ring->done));

	for (unsigned i = 1; i < ring->n_done; i++)
		at = position_forward (ring, at, packed_finish (ring, at, &ring->done[i], __ATOMIC_RELAXED));
	crash_point (CRASH_USED_WRITTEN);
	packed_finish (ring, before, ring->done, __ATOMIC_RELEASE);
	return at;
}

/* Writes one used descriptor, the last one's at the place of the first one, for n requests in a row; returns the position behind them. */
static uint16_t
packed_finish_row (struct vh_ring *ring, uint16_t position, const struct done *first, unsigned n, int order)
{
	unsigned length = 0;

	for (unsigned i = 0; i + 1 < n; i++)
		length += packed_release (packed_own (ring), le32toh (first[i].id));
	length += packed_finish (ring, position, &first[n - 1], order);
	return position_forward (ring, position, length);
}

/* packed_write for rings whose requests are used in order. */
static uint16_t
packed_write_rows (struct vh_ring *ring)
{
	unsigned first = order_row (ring, 0), n;
	uint16_t before = ring->next_used, at = before;

	for (unsigned i = 0; i < first; i++)
		at = position_forward (ring, at, packed_length (ring, &ring->done[i]));
	for (unsigned i = first; i < ring->n_done; i += n) {
		n = order_row (ring, i);
		at = packed_finish_row (ring, at, &ring->done[i], n, __ATOMIC_RELAXED);
	}
	crash_point (CRASH_USED_WRITTEN);
	packed_finish_row (ring, before, ring->done, first, __ATOMIC_RELEASE);
	return at;
}

bool
packed_publish (struct vh_ring *ring)
{
	uint16_t before = ring->next_used, at = unlikely (ring->order) ? packed_write_rows (ring) : packed_write (ring);

	ring->next_used = at;
	ring->outstanding -= position_distance (ring->size, before, at);
	/* Full: what is used is stored before the driver's event area is loaded; the driver does it the other way round, so one of us sees the other. */
	full_barrier ();
	return packed_call_wanted (ring, before);
}

/* All that the chains had, though only their first descriptors were written. */
void
packed_dirty_used (struct vh_ring *ring, uint16_t before)
{
	unsigned place = before & PLACE, n = position_distance (ring->size, before, ring->next_used);
	unsigned first = n < ring->size - place ? n : ring->size - place;

	dirty_area (ring, AREA_DESC, place * sizeof (struct desc), first * sizeof (struct desc));
	if (first < n)
		dirty_area (ring, AREA_DESC, 0, (n - first) * sizeof (struct desc));
}

void
packed_dirty_kicks (struct vh_ring *ring)
{
	dirty_area (ring, AREA_USED, 0, sizeof (uint32_t));
}
