/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a ring goes on whose back-end left without saying so.
 *
 * All up to the used index was given back to the driver.  What lies behind it and before the available index was in flight or not yet taken: the in-flight
 * area tells the next back-end which; without it, only one that works strictly in order can go on from there.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "frontend/session.h"
#include "memory/table.h"
#include "queue/inflight-area.h"
#include "queue/inflight.h"

/* Behind the flags, in the available and in the used ring (virtio 1.2, 2.7.6 and 2.7.8). */
#define INDEX_OFFSET 2

/* --- split --- */

static const struct vh_region *
find_region (const struct vh_session *s, uint64_t user_addr, uint64_t size)
{
	for (unsigned i = 0; i < s->regions.n; i++) {
		const struct vh_region *r = &s->regions.list[i].region;

		if (user_addr - r->user_addr < r->size && size <= r->size - (user_addr - r->user_addr))
			return r;
	}
	return NULL;
}

/* Reads from guest memory, which is mapped for that: this happens once in the life of a back-end. */
static int
read_memory (const struct vh_region *r, uint64_t user_addr, void *buf, size_t size)
{
	struct vh_memory *memory;
	struct region *mapped;
	int err = region_new (r, r->fd, &mapped);

	if (err < 0)
		return err;
	err = memory_new (&mapped, 1, &memory);
	region_unref (mapped);	/* the table has it */
	if (err < 0)
		return err;
	err = vh_memory_read (memory, r->guest_addr + (user_addr - r->user_addr), buf, size);
	vh_memory_unref (memory);
	return err;
}

static int
read_index (const struct session_ring *r, uint64_t part, uint16_t *ret)
{
	const struct vh_region *region = find_region (r->session, part + INDEX_OFFSET, sizeof (*ret));
	uint16_t index;
	int err = region ? read_memory (region, part + INDEX_OFFSET, &index, sizeof (index)) : -EFAULT;

	if (err == 0)
		*ret = r->session->features & VH_BIT (VH_F_VERSION_1) ? le16toh (index) : index;
	return err;
}

static int
find_split (const struct session_ring *r, uint32_t *base, bool *outstanding)
{
	uint16_t used, avail;
	int err = read_index (r, r->addr.used, &used);

	if (err == 0)
		err = read_index (r, r->addr.avail, &avail);
	if (err < 0)
		return err;
	*base = used;
	*outstanding = used != avail;
	return 0;
}

/* --- packed --- */

/* The ring itself does not say where it is; the area does, and its user corrects it by what it finds there. */
static int
find_packed (const struct session_ring *r, uint32_t *base, bool *outstanding)
{
	const struct vh_inflight *area = &r->session->inflight;
	struct packed_header header;
	struct packed_positions p;
	uint64_t offset = area->offset + r->index * inflight_part_size (true, area->ring_size);
	uint32_t position;

	if (area->fd < 0 || pread (area->fd, &header, sizeof (header), offset) != sizeof (header) || header.version != INFLIGHT_VERSION)
		return -EOPNOTSUPP;
	memcpy (&p, &header.positions, sizeof (p));
	position = p.old_used_idx | (uint32_t) (p.old_used_wrap_counter != 0) << 15;
	*base = position | position << 16;
	*outstanding = true;
	return 0;
}

int
session_find_base (const struct session_ring *r, uint32_t *base, bool *outstanding)
{
	*outstanding = true;
	if (r->session->features & VH_BIT (VH_F_RING_PACKED))
		return find_packed (r, base, outstanding);
	return find_split (r, base, outstanding);
}
