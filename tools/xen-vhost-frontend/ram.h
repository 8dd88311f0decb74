/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a guest's RAM is.  Nobody but the guest knows: Xen gives other domains no map of it, and toolstacks place it as they like.  So it is tried: what can
 * be mapped is there.  That is done once for a guest, when the first of its devices needs it.
 */
#ifndef XVF_RAM_H
#define XVF_RAM_H

#include <stdint.h>

#include "regions.h"

/* More pieces than any guest's RAM comes in; what is left of a guest that gave pages back in a thousand places is not worth serving. */
#define RAM_MAX_AREAS 64

struct ram;

/*
 * given: the areas, when the user knows them (n_given > 0), copied.  0 and *ret, or a negative errno.
 */
int ram_new (uint32_t domid, const struct area *given, unsigned n_given, struct ram **ret);
void ram_free (struct ram *);

/* Copies the areas, in the order of their addresses; returns how many, or a negative errno.  Any thread. */
int ram_areas (struct ram *, struct area ret[RAM_MAX_AREAS]);

#endif
