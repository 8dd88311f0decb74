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
	struct ring_setup wanted = { .size = 1 + input_byte (&in) % MAX_RING };
	unsigned keep;
	int err;

	wanted.features = ring_run_features (input_byte (&in), VH_BIT (VH_F_RING_PACKED));
	wanted.base = position (input_byte (&in));
	wanted.base |= position (input_byte (&in)) << 16;
	keep = input_byte (&in) % (wanted.size + 1);
	err = ring_run (&in, &wanted, keep);
	if (err < 0 && err != -EINVAL)
		abort ();
	return 0;
}
