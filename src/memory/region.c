/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One region: its description is checked here, how it is mapped is the memory model's.
 */
#include <errno.h>
#include <stdlib.h>

#include "memory/map.h"
#include "memory/region.h"
#include "util/checked.h"

static bool
spec_is_valid (const struct vh_region *s)
{
	uint64_t end;

	return s->size > 0 && checked_add (s->guest_addr, s->size, &end) && checked_add (s->user_addr, s->size, &end) &&
	       checked_add (s->offset, s->size, &end);
}

int
region_new (const struct vh_region *spec, int fd, struct region **ret)
{
	struct region *r;
	int err;

	if (!spec_is_valid (spec))
		return -EINVAL;
	r = calloc (1, sizeof (*r));
	if (!r)
		return -ENOMEM;
	r->spec = *spec;
	r->spec.fd = -1;
	r->refs = 1;
	err = map_region (r, fd);
	if (err < 0) {
		free (r);
		return err;
	}
	*ret = r;
	return 0;
}

struct region *
region_ref (struct region *r)
{
	__atomic_add_fetch (&r->refs, 1, __ATOMIC_RELAXED);
	return r;
}

void
region_unref (struct region *r)
{
	if (__atomic_sub_fetch (&r->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	unmap_region (r);
	free (r);
}
