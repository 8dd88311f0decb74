/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies from and to guest memory by guest address, for whoever is not on the request path.
 */
#include <errno.h>
#include <string.h>

#include "memory/map.h"
#include "memory/table.h"

/* What one copy maps of a region that is mapped on demand: bounded, because models limit how much is mapped at a time. */
#define MAX_PIECE (64u << 10)

/* A piece of a slice: inside one slot. */
struct piece {
	const struct slot *slot;
	uint64_t offset;	/* in the slot */
	size_t size;
};

/* The piece at the beginning of [addr, addr + size); false when addr is outside guest memory. */
static bool
piece_at (const struct vh_memory *m, uint64_t addr, size_t size, struct piece *ret)
{
	uint64_t left;

	ret->slot = memory_find (m, addr);
	if (!ret->slot)
		return false;
	ret->offset = addr - ret->slot->addr;
	left = ret->slot->size - ret->offset;
	ret->size = size < left ? size : (size_t) left;
	return true;
}

static bool
slice_is_inside (const struct vh_memory *m, uint64_t addr, size_t size)
{
	struct piece p;

	for (; size > 0; addr += p.size, size -= p.size)
		if (!piece_at (m, addr, size, &p))
			return false;
	return true;
}

static void
copy_bytes (unsigned char *guest, unsigned char *buf, size_t size, bool write)
{
	if (write)
		memcpy (guest, buf, size);
	else
		memcpy (buf, guest, size);
}

/* Copies between a range that is there now and buf. */
static int
copy_range (const struct range *range, unsigned char *buf)
{
	copy_bytes (range->host, buf, range->size, range->write);
	return range->write ? map_write_back (range, 1) : 0;
}

/* Copies the beginning of a piece that is mapped on demand; p->size becomes what was copied. */
static int
copy_on_demand (struct piece *p, unsigned char *buf, bool write)
{
	struct range range = { .region = p->slot->region, .addr = p->slot->addr + p->offset, .write = write };
	struct lease *lease;
	int err;

	range.size = p->size < MAX_PIECE ? (uint32_t) p->size : MAX_PIECE;
	range.copy = range.size <= map_copy_limit ();
	err = map_ranges (&range, 1, &lease);
	if (err < 0)
		return err;
	p->size = range.size;
	err = copy_range (&range, buf);
	unmap_lease (lease);
	return err;
}

static int
slice_copy (const struct vh_memory *m, uint64_t addr, unsigned char *buf, size_t size, bool write)
{
	struct piece p;
	int err;

	if (!slice_is_inside (m, addr, size))
		return -EFAULT;
	for (; size > 0; addr += p.size, buf += p.size, size -= p.size) {
		unsigned char *host;

		piece_at (m, addr, size, &p);
		host = memory_host (m, p.slot, write);
		if (host)
			copy_bytes (host + p.offset, buf, p.size, write);
		else if (m->iova)
			return -EFAULT;
		else if ((err = copy_on_demand (&p, buf, write)) < 0)
			return err;
	}
	return 0;
}

int
vh_memory_read (const struct vh_memory *m, uint64_t addr, void *buf, size_t size)
{
	return slice_copy (m, addr, buf, size, false);
}

int
vh_memory_write (const struct vh_memory *m, uint64_t addr, const void *buf, size_t size)
{
	/* The buffer is only read: slice_copy has one signature for both directions. */
	return slice_copy (m, addr, (unsigned char *) (uintptr_t) buf, size, true);
}
