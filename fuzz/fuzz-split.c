/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a split ring. The input: size of the ring (log2), features, base, how many requests the device keeps; then as ring-run.h says.
 */
#include <stdlib.h>

#include <vhost/protocol.h>

#include "fuzz/ring-run.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct input in = { .data = data, .left = size };
	unsigned ring_size = 1u << input_byte (&in) % 7;
	uint8_t features = input_byte (&in);
	uint32_t base = input_byte (&in) * 257u;
	unsigned keep = input_byte (&in) % (ring_size + 1);

	if (ring_run (&in, ring_size, ring_run_features (features, features & 4 ? VH_BIT (VH_F_NOTIFY_ON_EMPTY) : 0), base, keep) < 0)
		abort ();	/* this place and these sizes are always right */
	return 0;
}
