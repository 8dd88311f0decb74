/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection to a back-end with a loop of its own, and its answers compared with bytes in hexadecimal digits.
 */
#ifndef TESTS_WIRE_BACKEND_HEX_H
#define TESTS_WIRE_BACKEND_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/backend.h>

#include "bytes.h"

extern struct vh_backend *backend;
extern int far_end;	/* of the connection */
extern int result;	/* of the last vh_backend_dispatch */

/* Makes the connection; ends it, with the front-end's end. */
void hex_open (const struct vh_device *, const struct vh_backend_options *);
void hex_close (void);

/* Lets the back-end run until it is quiet. */
void hex_run (void);

/* Are these bytes those of the pattern: hexadecimal digits, "??" for a byte that may be any?  Prints both when they are not. */
bool hex_matches (const uint8_t *data, size_t n, const char *pattern);

/* Sends bytes, with an fd unless it is -1, and compares everything that comes back; fds in it are counted in hex_fds and closed. */
bool exchange (const struct bytes *request, int fd, const char *reply);
bool exchange_hex (const char *request, int fd, const char *reply);

/* How many fds came with the last answer. */
extern unsigned hex_fds;

/* Reads what is there on a socket and compares it, likewise. */
bool hex_expect (int socket, const char *bytes);

#endif
