/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a split ring. The input: size of the ring (log2), features (a bit of them makes it big-endian), base, how many requests the device keeps; then
 * as ring-run.h says.
 */
#include <stdlib.h>

#include <vhost/protocol.h>

#include "fuzz/ring-run.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct input in = { .data = data, .left = size };
	struct ring_setup wanted = { .size = 1u << input_byte (&in) % 7 };
	uint8_t features = input_byte (&in);
	unsigned keep;

	wanted.features = ring_run_features (features, features & 4 ? VH_BIT (VH_F_NOTIFY_ON_EMPTY) : 0);
	if (features & 16) {
		wanted.features &= ~VH_BIT (VH_F_VERSION_1);
		wanted.big_endian = true;
	}
	wanted.base = input_byte (&in) * 257u;
	keep = input_byte (&in) % (wanted.size + 1);
	if (ring_run (&in, &wanted, keep) < 0)
		abort ();	/* this place and these sizes are always right */
	return 0;
}
