/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A build without postcopy.
 */
#include "backend/postcopy.h"

uint64_t
postcopy_protocol_features (void)
{
	return 0;
}
