/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for tests of the queue.  What is written here must work, or the test means nothing: so failures end the program.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

static void
must (int good, const char *what)
{
	if (good)
		return;
	perror (what);
	exit (EXIT_FAILURE);
}

/* --- life --- */

static void
guest_broken (void *opaque, int err, const char *why)
{
	struct guest *g = opaque;

	g->broken++;
	g->err = err;
	g->why = why;
}

static void
guest_woken (void *opaque)
{
	((struct guest *) opaque)->woken++;
}

static void
guest_idle (void *opaque)
{
	((struct guest *) opaque)->idle++;
}

void
guest_open_sized (struct guest *g, unsigned ring_size, uint64_t features, size_t size)
{
	struct guest_region whole = { 0, 0, size };

	memset (g, 0, sizeof (*g));
	g->size = size;
	g->fd = memfd_create ("test-guest", MFD_CLOEXEC);
	must (g->fd >= 0 && ftruncate (g->fd, (off_t) size) == 0, "memfd");
	g->bytes = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, g->fd, 0);
	must (g->bytes != MAP_FAILED, "mmap");
	g->setup = (struct ring_setup){
		.size = ring_size, .features = features | VH_BIT (VH_F_VERSION_1), .desc = GUEST_DESC, .avail = GUEST_AVAIL, .used = GUEST_USED,
		.max_parts = VH_MAX_PARTS, .broken = guest_broken, .wake = guest_woken, .idle = guest_idle, .opaque = g,
	};
	guest_set_regions (g, &whole, 1);
}

void
guest_open (struct guest *g, unsigned ring_size, uint64_t features)
{
	guest_open_sized (g, ring_size, features, GUEST_SIZE);
}

void
guest_set_regions (struct guest *g, const struct guest_region *regions, unsigned n)
{
	struct region *list[VH_MAX_REGIONS];
	unsigned i;

	for (i = 0; i < n; i++) {
		struct vh_region spec = {
			.guest_addr = GUEST_BASE + regions[i].at, .user_addr = GUEST_BASE + regions[i].at, .size = regions[i].size, .offset = regions[i].offset,
			.xen_flags = regions[i].xen_flags,
		};

		must (region_new (&spec, g->fd, &list[i]) == 0, "region");
	}
	vh_memory_unref (g->memory);
	must (memory_new (list, n, &g->memory) == 0, "table");
	while (i > 0)
		region_unref (list[--i]);
	g->setup.memory = g->memory;
}

int
guest_start (struct guest *g)
{
	g->avail = (uint16_t) g->setup.base;
	return ring_new (&g->setup, &g->ring);
}

void
guest_begin (struct guest *g, unsigned ring_size, uint64_t features)
{
	guest_open (g, ring_size, features);
	must (guest_start (g) == 0, "ring");
}

void
guest_close (struct guest *g)
{
	ring_free (g->ring);
	vh_memory_unref (g->memory);
	munmap (g->bytes, g->size);
	close (g->fd);
}

/* --- memory --- */

void *
guest_at (const struct guest *g, uint64_t addr)
{
	must (addr >= GUEST_BASE && addr - GUEST_BASE < g->size, "the test's own address");
	return g->bytes + (addr - GUEST_BASE);
}

void *
guest_host (const struct guest *g, uint64_t addr)
{
	const struct slot *slot = memory_find (g->memory, addr);

	return slot ? slot->host + (addr - slot->addr) : NULL;
}

/* --- the driver --- */

struct ring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

void
guest_desc (struct guest *g, uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	struct ring_desc d = { htole64 (addr), htole32 (len), htole16 ((uint16_t) flags), htole16 ((uint16_t) next) };

	memcpy ((unsigned char *) guest_at (g, table) + i * sizeof (d), &d, sizeof (d));
}

void
guest_chain (struct guest *g, uint64_t table, unsigned first, unsigned n, uint32_t len)
{
	for (unsigned i = 0; i < n; i++)
		guest_desc (g, table, first + i, GUEST_DATA + (uint64_t) (first + i) * len, len, i + 1 < n ? NEXT : 0, first + i + 1);
}

/* A field of 16 bits in the available or the used area. */
static uint16_t *
field (const struct guest *g, uint64_t area, size_t offset)
{
	return guest_at (g, area + offset);
}

void
guest_set_head (struct guest *g, uint16_t position, unsigned head)
{
	*field (g, g->setup.avail, 4 + 2 * (position % g->setup.size)) = htole16 ((uint16_t) head);
}

void
guest_set_avail (struct guest *g, uint16_t idx)
{
	g->avail = idx;
	__atomic_store_n (field (g, g->setup.avail, 2), htole16 (idx), __ATOMIC_RELEASE);
}

void
guest_offer (struct guest *g, unsigned head)
{
	guest_set_head (g, g->avail, head);
	guest_set_avail (g, (uint16_t) (g->avail + 1));
}

void
guest_set_flags (struct guest *g, uint16_t flags)
{
	*field (g, g->setup.avail, 0) = htole16 (flags);
}

void
guest_set_used_event (struct guest *g, uint16_t event)
{
	*field (g, g->setup.avail, 4 + 2 * (size_t) g->setup.size) = htole16 (event);
}

uint16_t
guest_used_flags (const struct guest *g)
{
	return le16toh (*field (g, g->setup.used, 0));
}

uint16_t
guest_used_idx (const struct guest *g)
{
	return le16toh (*field (g, g->setup.used, 2));
}

void
guest_set_used_idx (struct guest *g, uint16_t idx)
{
	*field (g, g->setup.used, 2) = htole16 (idx);
}

uint16_t
guest_avail_event (const struct guest *g)
{
	return le16toh (*field (g, g->setup.used, 4 + 8 * (size_t) g->setup.size));
}

static uint32_t
used_word (const struct guest *g, uint16_t position, unsigned word)
{
	uint32_t v;

	memcpy (&v, guest_at (g, g->setup.used + 4 + 8 * (position % g->setup.size) + 4 * word), sizeof (v));
	return le32toh (v);
}

uint32_t
guest_used_id (const struct guest *g, uint16_t position)
{
	return used_word (g, position, 0);
}

uint32_t
guest_used_len (const struct guest *g, uint16_t position)
{
	return used_word (g, position, 1);
}

struct vh_request *
guest_take (struct guest *g)
{
	struct vh_request *r;

	return vh_ring_take (g->ring, &r, 1) == 1 ? r : NULL;
}

int
guest_serve (struct guest *g, unsigned head, struct vh_request **ret)
{
	guest_offer (g, head);
	return vh_ring_take (g->ring, ret, 1);
}

void
guest_give (struct guest *g, struct vh_request *r, uint32_t written)
{
	vh_ring_give (g->ring, r, written);
	vh_ring_flush (g->ring);
}

void
guest_check_fault (const struct vh_request *r, unsigned n_in)
{
	CU_ASSERT_EQUAL (r->error, -EFAULT);
	CU_ASSERT_EQUAL (r->n_out, 0);
	CU_ASSERT_EQUAL (r->out_bytes, 0);
	CU_ASSERT_EQUAL_FATAL (r->n_in, n_in);
	CU_ASSERT_EQUAL (r->in_bytes, n_in);
}

void
guest_check_stopped (struct guest *g, int err)
{
	struct vh_request *r;

	CU_ASSERT_EQUAL (vh_ring_take (g->ring, &r, 1), err);
	CU_ASSERT_EQUAL (vh_ring_take (g->ring, &r, 1), err);
	CU_ASSERT_EQUAL (g->broken, 1);
	CU_ASSERT_EQUAL (g->err, err);
	CU_ASSERT (ring_is_broken (g->ring));
	CU_ASSERT_FALSE (ring_has_work (g->ring));
	CU_ASSERT_FALSE (ring_kicks_on (g->ring));
	CU_ASSERT_EQUAL (vh_ring_in_flight (g->ring), 0);
}
