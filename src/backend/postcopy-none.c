/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A build without postcopy.  Nothing of it is offered, so a front-end cannot come further than to a refused POSTCOPY_ADVISE.
 */
#include <errno.h>

#include "backend/postcopy.h"

uint64_t
postcopy_protocol_features (void)
{
	return 0;
}

int
postcopy_new (struct postcopy **ret)
{
	return -EOPNOTSUPP;
}

int
postcopy_fd (const struct postcopy *p)
{
	return -1;
}

int
postcopy_register (struct postcopy *p, struct vh_memory *memory)
{
	return -EOPNOTSUPP;
}

void
postcopy_abandon (struct postcopy *p)
{
}

void
postcopy_free (struct postcopy *p)
{
}
