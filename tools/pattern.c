/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Recognisable data.
 */
#include <string.h>

#include "pattern.h"

/* Spreads neighbouring numbers over all bits: an odd multiplier and shifts, each of which can be undone, so different places stay different. */
static uint64_t
mix (uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C (0xd1342543de82ef95);
	x ^= x >> 29;
	return x;
}

static uint64_t
word_at (uint64_t offset, uint32_t generation)
{
	return mix (offset + ((uint64_t) generation << 40 | generation));
}

void
pattern_fill (void *buf, size_t size, uint64_t offset, uint32_t generation)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < size; i += sizeof (uint64_t)) {
		uint64_t word = word_at (offset + i, generation);

		memcpy (p + i, &word, sizeof (word));
	}
}

bool
pattern_check (const void *buf, size_t size, uint64_t offset, uint32_t generation, size_t *where)
{
	const uint8_t *p = buf;

	for (size_t i = 0; i < size; i += sizeof (uint64_t)) {
		uint64_t word = word_at (offset + i, generation);

		if (memcmp (p + i, &word, sizeof (word)) != 0) {
			*where = i;
			return false;
		}
	}
	return true;
}
