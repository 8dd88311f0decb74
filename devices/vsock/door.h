/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the host's programs come in: the socket at PATH.  It is not looked at while there is no room for another connection.
 */
#ifndef VSOCK_DOOR_H
#define VSOCK_DOOR_H

#include "devices/vsock/mux.h"

/* Makes the socket. */
int door_open (struct mux *);

int door_attach (struct mux *, struct vh_loop *);
void door_detach (struct mux *);

#endif
