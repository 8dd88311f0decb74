/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest of the back-end's tests: its memory, and the driver's side of split rings, written byte by byte from virtio 1.2, 2.7.
 *
 *	offset 0      8000   10000                                                      100000
 *	       | rings |      | buffers                                                     |
 *	ring i at 0x2000 * i:  descriptors 0, avail 0x1000, used 0x1400; a ring of more than 256 descriptors has them one behind the other, to 0x8000 at most
 */
#ifndef TESTS_WIRE_BACKEND_DRIVER_H
#define TESTS_WIRE_BACKEND_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_SIZE 0x100000u
#define GUEST_ADDR UINT64_C (0x40000000)	/* guest address of offset 0 */
#define GUEST_USER UINT64_C (0x7f1200000000)	/* where the front-end says that it has it */
#define GUEST_BUFFERS 0x10000u

struct guest {
	int fd;
	uint8_t *bytes;
};

/* Ends the program when there is no memory. */
void guest_open (struct guest *);
void guest_close (struct guest *);

#define DESC_NEXT 1u
#define DESC_WRITE 2u
#define DESC_INDIRECT 4u

struct driver {
	struct guest *guest;
	unsigned index, size;
	uint16_t next_avail;	/* how many were made available */
	uint16_t next_used;	/* how many of the used ones were seen */
	int kick, call, err;	/* eventfds without blocking */
};

/* A ring of `size` descriptors, zeroed, with its eventfds. */
void driver_open (struct driver *, struct guest *, unsigned index, unsigned size);
void driver_close (struct driver *);

/* Offsets of its areas in the guest's memory. */
size_t driver_desc_at (const struct driver *);
size_t driver_avail_at (const struct driver *);
size_t driver_used_at (const struct driver *);

/* Writes descriptor i. */
void driver_desc (struct driver *, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next);

/* Makes the chain at `head` available, without a kick. */
void driver_offer (struct driver *, uint16_t head);

/* Sets avail.idx, whatever that means. */
void driver_set_avail (struct driver *, uint16_t idx);

void driver_kick (struct driver *);

/* How many used elements wait to be seen; what the next one says. */
unsigned driver_pending (const struct driver *);
bool driver_used (struct driver *, uint32_t *id, uint32_t *len);

/* Reads an eventfd: how often it was signalled since the last time. */
uint64_t driver_signals (int fd);

/* A request that the test device serves well: descriptors 2 * n and 2 * n + 1, buffers of its own.  Made available, not kicked; or not even available. */
void driver_request (struct driver *, unsigned n);
void driver_prepare (struct driver *, unsigned n);

/* driver_request, and a kick. */
void driver_ask (struct driver *, unsigned n);

/* Is the next used element that of request n, and is the answer right? */
bool driver_served (struct driver *, unsigned n);

#endif
