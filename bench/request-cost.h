/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What request-cost measures on: the memory of a guest, and who serves the ring in it.
 *
 *	0          | DESC | AVAIL | USED | HEADERS, only read | STATUSES | ... | DATA ... |          GUEST_BYTES
 */
#ifndef BENCH_REQUEST_COST_H
#define BENCH_REQUEST_COST_H

#include <stdint.h>
#include <linux/virtio_ring.h>

#include "memory/map.h"

#define PAGE 4096u
#define GUEST_BYTES (16u << 20)
#define RING_SIZE 256u

#define DESC_AT 0x0000u
#define AVAIL_AT 0x1000u
#define USED_AT 0x2000u
#define HEADERS_AT 0x3000u
#define STATUSES_AT 0x4000u
#define DATA_AT 0x400000u

#define HEADER_BYTES 16u

struct guest {
	unsigned char *memory;	/* as its driver sees it */
	uint64_t base;		/* the address of the first byte, as the device is told */
	struct region *region;	/* for a ring of the library; NULL: the kind serves by itself */
};

struct guest_kind {
	const char *name;
	/* Makes a guest, or exits. */
	void (*make) (struct guest *);
	/* Serves n requests that are available and publishes them; if NULL, a ring of the library does. */
	void (*serve) (struct guest *, unsigned n);
	/* What was called so far. */
	void (*count) (struct vh_memory_counters *);
	void (*end) (struct guest *);
};

/* Those that this build has, and NULL. */
extern const struct guest_kind *const guest_kinds[];

/* Memory in a file; in every build. */
extern const struct guest_kind guest_file;

/* The device: what it does with a part of a request, to read and to write. */
void device_read (const void *part, uint32_t bytes);
void device_write (void *part, uint32_t bytes);

/* Says what failed, and exits. */
void stop (const char *what) __attribute__ ((noreturn));

#endif
