/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that a toolstack describes in xenstore, as xl does for "virtio = [...]" and "disk = [... specification=virtio]":
 *
 *	<home>/backend/virtio/<domid>/<devid>/...	what kind of device, in "type"
 *	<home>/backend/virtio_disk/<domid>/<devid>/...
 */
#ifndef XVF_TOOLSTACK_H
#define XVF_TOOLSTACK_H

#include "host.h"

struct toolstack;

/* Begins to watch.  0 and *ret, or a negative errno. */
int toolstack_new (struct host *, struct toolstack **ret);

/* Ends it.  Its devices must be gone. */
void toolstack_free (struct toolstack *);

#endif
