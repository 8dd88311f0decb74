/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What library this is.
 */
#include <vhost/version.h>

#include "memory/map.h"

const char *
vh_version (void)
{
	return VH_VERSION_STRING;
}

const char *
vh_memory_model (void)
{
	return map_model_name;
}
