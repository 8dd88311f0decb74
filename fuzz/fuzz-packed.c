/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a packed ring. The input: size of the ring (less one), features, position of what is available, of what is used (wrap counter in bit 7; both
 * may be impossible), how many requests the device keeps; then as ring-run.h says.
 */
#include <errno.h>
#include <stdlib.h>

#include <vhost/protocol.h>

#include "fuzz/ring-run.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static uint32_t
position (uint8_t byte)
{
	return (byte & 0x7fu) | (byte & 0x80u) << 8;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct input in = { .data = data, .left = size };
	unsigned ring_size = 1 + input_byte (&in) % MAX_RING;
	uint8_t features = input_byte (&in);
	uint32_t avail = position (input_byte (&in)), used = position (input_byte (&in));
	unsigned keep = input_byte (&in) % (ring_size + 1);
	int err = ring_run (&in, ring_size, ring_run_features (features, VH_BIT (VH_F_RING_PACKED)), avail | used << 16, keep);

	if (err < 0 && err != -EINVAL)
		abort ();
	return 0;
}
