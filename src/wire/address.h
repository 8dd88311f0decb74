/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of Unix sockets, for the listener and the connector.
 */
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

/* Makes the address of a socket's file.  0; -EINVAL: an empty path; -ENAMETOOLONG. */
int address_init (struct sockaddr_un *, const char *path);

/*
 * Tries to connect, without waiting.  A connected socket without O_NONBLOCK; -ECONNREFUSED: nobody listens there; -EAGAIN: the listener's backlog is full;
 * a system error.
 */
int address_connect (const struct sockaddr_un *);

#endif
