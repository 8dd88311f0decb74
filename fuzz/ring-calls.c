/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Callbacks of rings; see ring-calls.h.
 */
#include <assert.h>

#include "fuzz/ring-calls.h"

void
ring_call_broken (void *broken, int err, const char *why)
{
	int *ret = broken;

	assert (!*ret && err < 0 && why);
	*ret = err;
}

void
ring_call_nothing (void *broken)
{
}
