/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading an input; see input.h.
 */
#include <string.h>

#include "fuzz/input.h"

uint8_t
input_byte (struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->data++;
}

unsigned
input_word (struct input *in)
{
	unsigned low = input_byte (in);

	return low | (unsigned) input_byte (in) << 8;
}

void
input_bytes (struct input *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset (to, 0, size);
	if (n > 0)
		memcpy (to, in->data, n);
	in->data += n;
	in->left -= n;
}

unsigned
input_piece (struct input *in, uint8_t to[INPUT_MAX_PIECE])
{
	unsigned n = input_byte (in);

	input_bytes (in, to, n);
	return n;
}
