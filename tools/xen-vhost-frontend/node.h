/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One device's node in xenstore, as a toolstack writes it.
 */
#ifndef XVF_NODE_H
#define XVF_NODE_H

#include "host.h"
#include "spec.h"

/* States that only the toolstack writes (xen/io/xenbus.h). */
#define NODE_INITIALISING 1
#define NODE_CLOSING 5

/* The state at a device's node; 0: there is none. */
int node_state (const struct host *, const char *path);

/* What the node describes.  False, and one line in error[], when it is not for us or not complete. */
bool node_read (const struct host *, const char *path, unsigned domid, unsigned devid, struct spec *, char *error, size_t size);

/*
 * Makes a socket's path of a pattern: %n the name of the kind, %d the domain id, %i the device id, %% a percent sign.  False: there is no room, or another
 * letter after a percent sign.
 */
bool node_socket (const char *pattern, const struct kind *, unsigned domid, unsigned devid, char *ret, size_t size);

#endif
