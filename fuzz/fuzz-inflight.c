/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a ring that starts from in-flight records, which a front-end or a back-end of before may have filled with anything, and may go on doing so.  The
 * input: layout (odd: packed), size of the ring (log2), features, base, how many requests the device keeps, how many entries the area has more than the ring,
 * how much of the area follows (in units of 32 bytes); then that; then as ring-run.h says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/protocol.h>

#include "fuzz/ring-run.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define AREA_UNIT 0x20
#define MOST_ENTRIES (2 * MAX_RING)
#define AREA_SIZE 0x2000	/* more than any part */

/* Made once, as the guest's memory. */
static struct region *
area_get (void)
{
	static struct region *area;
	struct vh_region spec = { .size = AREA_SIZE, .fd = -1 };
	int fd;

	if (area)
		return area;
	fd = memfd_create ("area", MFD_CLOEXEC);
	if (fd < 0 || ftruncate (fd, AREA_SIZE) < 0 || region_new (&spec, fd, &area) < 0)
		abort ();
	close (fd);
	return area;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct input in = { .data = data, .left = size };
	bool packed = input_byte (&in) % 2, empty;
	struct ring_setup wanted = { .size = 1u << input_byte (&in) % 7, .inflight = { .region = area_get () } };
	unsigned keep;
	int err;

	wanted.features = ring_run_features (input_byte (&in), packed ? VH_BIT (VH_F_RING_PACKED) : 0);
	wanted.base = input_byte (&in) * 257u;
	if (packed)
		wanted.base = ring_first_base (wanted.features);
	keep = input_byte (&in) % (wanted.size + 1);
	wanted.inflight.entries = wanted.size + input_byte (&in) % (MOST_ENTRIES - wanted.size + 1);
	memset (wanted.inflight.region->host, 0, AREA_SIZE);
	size = (size_t) input_byte (&in) * AREA_UNIT;
	empty = size == 0;
	input_bytes (&in, wanted.inflight.region->host, size);
	err = ring_run (&in, &wanted, keep);
	/* An area that nobody wrote to is always right. */
	if (err < 0 && (empty || err != -EPROTO))
		abort ();
	return 0;
}
