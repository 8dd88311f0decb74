/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for tests of packed rings.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/packed-guest.h"

#define FIRST_BASE 0x80008000u

void
packed_open (struct packed *p, unsigned ring_size, uint64_t features)
{
	guest_open (&p->g, ring_size, features | VH_BIT (VH_F_RING_PACKED));
	p->g.setup.base = FIRST_BASE;
	p->next = p->used = WRAP;
}

int
packed_start (struct packed *p, uint32_t base)
{
	p->g.setup.base = base;
	p->next = (uint16_t) base;
	p->used = (uint16_t) (base >> 16 ? base >> 16 : base);
	return guest_start (&p->g);
}

void
packed_begin (struct packed *p, unsigned ring_size, uint64_t features)
{
	packed_open (p, ring_size, features);
	if (packed_start (p, FIRST_BASE) < 0) {
		fprintf (stderr, "packed ring\n");
		exit (EXIT_FAILURE);
	}
}

void
packed_close (struct packed *p)
{
	guest_close (&p->g);
}

uint16_t
packed_forward (const struct packed *p, uint16_t position, unsigned n)
{
	for (; n > 0; n--)
		if ((unsigned) (position & ~WRAP) + 1 == p->g.setup.size)
			position = (position & WRAP) ^ WRAP;
		else
			position++;
	return position;
}

/* --- descriptors --- */

struct packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id, flags;
};

static struct packed_desc *
desc_at (const struct packed *p, uint64_t table, unsigned i)
{
	return (struct packed_desc *) guest_at (&p->g, table + 16 * (uint64_t) i);
}

void
packed_write (struct packed *p, uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned id, unsigned flags)
{
	struct packed_desc d = { htole64 (addr), htole32 (len), htole16 ((uint16_t) id), htole16 ((uint16_t) flags) };

	memcpy (desc_at (p, table, i), &d, sizeof (d));
}

void
packed_put (struct packed *p, uint16_t position, uint64_t addr, uint32_t len, unsigned id, unsigned flags)
{
	packed_write (p, p->g.setup.desc, position & ~WRAP, addr, len, id, flags | (position & WRAP ? AVAIL_BIT : USED_BIT));
}

void
packed_add (struct packed *p, uint64_t addr, uint32_t len, unsigned id, unsigned flags)
{
	packed_put (p, p->next, addr, len, id, flags);
	p->next = packed_forward (p, p->next, 1);
}

void
packed_add_chain (struct packed *p, unsigned n, uint32_t len, unsigned id)
{
	for (unsigned i = 0; i < n; i++)
		packed_add (p, GUEST_DATA + (uint64_t) i * len, len, i + 1 < n ? 0xeeee : id, i + 1 < n ? NEXT : 0);
}

void
packed_add_read (struct packed *p, unsigned id)
{
	packed_add (p, GUEST_DATA, 16, id, NEXT);
	packed_add (p, GUEST_DATA + 0x1000, 4096, id, NEXT | WRITE);
	packed_add (p, GUEST_DATA + 0x3000, 1, id, WRITE);
}

/* What is reserved in tables is set, to be ignored. */
void
packed_write_table (struct packed *p, uint64_t table, unsigned n, uint32_t len)
{
	for (unsigned i = 0; i < n; i++)
		packed_write (p, table, i, GUEST_DATA + (uint64_t) i * len, len, 0xeeee, i % 2 ? NEXT : INDIRECT | AVAIL_BIT);
}

void
packed_add_table (struct packed *p, uint64_t table, uint32_t bytes, unsigned id)
{
	packed_add (p, table, bytes, id, INDIRECT);
}

/* --- used --- */

bool
packed_reap (struct packed *p, unsigned n, struct packed_used *ret)
{
	const struct packed_desc *d = desc_at (p, p->g.setup.desc, p->used & ~WRAP);
	unsigned flags = le16toh (d->flags), bits = p->used & WRAP ? AVAIL_BIT | USED_BIT : 0;

	if ((flags & (AVAIL_BIT | USED_BIT)) != bits)
		return false;
	*ret = (struct packed_used){ le16toh (d->id), le32toh (d->len), flags & ~(AVAIL_BIT | USED_BIT) };
	p->used = packed_forward (p, p->used, n);
	return true;
}

bool
packed_is_used (struct packed *p, unsigned n, unsigned id, uint32_t len)
{
	struct packed_used u;

	return packed_reap (p, n, &u) && u.id == id && u.len == len && u.flags == (len ? WRITE : 0);
}

/* --- events --- */

void
packed_set_event (struct packed *p, uint16_t position, unsigned flags)
{
	uint16_t *event = guest_at (&p->g, p->g.setup.avail);

	event[0] = htole16 (position);
	event[1] = htole16 ((uint16_t) flags);
}

uint16_t
packed_event_position (const struct packed *p)
{
	return le16toh (*(uint16_t *) guest_at (&p->g, p->g.setup.used));
}

unsigned
packed_event_flags (const struct packed *p)
{
	return le16toh (*(uint16_t *) guest_at (&p->g, p->g.setup.used + 2));
}

int
packed_take_one (struct packed *p, struct vh_request **ret)
{
	return vh_ring_take (p->g.ring, ret, 1);
}
