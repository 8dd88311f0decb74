/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a guest that is only a program: one memfd, mapped here, which the back-end is told of as one region or as several adjacent ones.
 *
 *	GUEST_BASE
 *	|  region 0  |  region 1  |  ...  |  region n-1  |
 *	             ^ a buffer may lie across an edge; a ring may not
 */
#ifndef TOOLS_GUEST_H
#define TOOLS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/frontend.h>

/* Guest physical address of the first byte; not 0, so that an address nobody set is outside. */
#define GUEST_BASE UINT64_C (0x40000000)

struct guest {
	uint8_t *host;		/* where it is mapped here */
	size_t size;
	size_t region_size;	/* of each region */
	unsigned regions;
	size_t taken;		/* bytes given out */
	int fd;
};

/*
 * Makes memory of at least `size` bytes, in `regions` parts of equal size, of which each has room for `least` bytes at least.  0 or a negative errno.
 */
int guest_init (struct guest *, size_t size, unsigned regions, size_t least);
void guest_free (struct guest *);

/*
 * Gives out `size` zeroed bytes; they stay until guest_free.  align: a power of two.  whole: not across an edge of regions.  Sets *addr, the guest
 * physical address.  0; -ENOMEM.
 */
int guest_alloc (struct guest *, size_t size, size_t align, bool whole, uint64_t *addr);

/* The bytes behind an address that guest_alloc gave. */
static inline void *
guest_at (const struct guest *g, uint64_t addr)
{
	return g->host + (addr - GUEST_BASE);
}

/* The front-end's user address of a guest address: where it is here. */
static inline uint64_t
guest_user_addr (const struct guest *g, uint64_t addr)
{
	return (uintptr_t) guest_at (g, addr);
}

/* The other way round. */
static inline uint64_t
guest_addr_of (const struct guest *g, uint64_t user_addr)
{
	return GUEST_BASE + (user_addr - (uintptr_t) g->host);
}

/* Bytes of a dirty log with a bit for each page. */
static inline uint64_t
guest_log_bytes (const struct guest *g)
{
	return (GUEST_BASE + g->size) / 4096 / 8 + 1;
}

/* Tells the back-end all regions: one by one when it has memory slots, else with one table.  0; -E2BIG: more regions than it takes; errors of the calls. */
int guest_share (const struct guest *, struct vh_frontend *);

#endif
