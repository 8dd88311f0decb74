/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Translations for a device behind an IOMMU.
 */
#include <errno.h>

#include "frontend/frontend.h"
#include "util/checked.h"

static int
call_iotlb (struct vh_frontend *f, const struct iotlb_message *t)
{
	struct message m;

	call_init (&m, REQUEST_IOTLB_MSG);
	message_put_iotlb (&m, t);
	return call (f, &m, NULL, NULL);
}

int
vh_frontend_iotlb_update (struct vh_frontend *f, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access)
{
	struct iotlb_message t = { .iova = iova, .size = size, .user = user_addr, .perm = access, .type = IOTLB_UPDATE };
	uint64_t last;

	if (size == 0 || access < VH_ACCESS_RO || access > VH_ACCESS_RW || !checked_add (iova, size - 1, &last) ||
	    !checked_add (user_addr, size - 1, &last))
		return call_refuse (f, REQUEST_IOTLB_MSG, -EINVAL);
	return call_iotlb (f, &t);
}

int
vh_frontend_iotlb_invalidate (struct vh_frontend *f, uint64_t iova, uint64_t size)
{
	struct iotlb_message t = { .iova = iova, .size = size, .type = IOTLB_INVALIDATE };
	uint64_t last;

	if (size == 0 || !checked_add (iova, size - 1, &last))
		return call_refuse (f, REQUEST_IOTLB_MSG, -EINVAL);
	return call_iotlb (f, &t);
}
