/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the memory model counted.
 */
#include "memory/map.h"

void
vh_memory_get_counters (struct vh_memory_counters *ret)
{
	map_get_counters (ret);
}
