/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user-gpu socket of which the test plays one end, with bytes in hexadecimal digits.
 */
#ifndef TESTS_WIRE_GPU_RIG_H
#define TESTS_WIRE_GPU_RIG_H

#include <stdbool.h>

#include "tests/suite.h"
#include "tests/wire/bytes.h"

extern int far_end;	/* the test's */

/* Makes both ends; returns the other one. */
int open_pair (void);

/* Is what is there these bytes, with so many fds? */
bool expect (const char *hex, unsigned fds);

/* Sends bytes with up to two fds. */
void send_hex (const char *hex, unsigned n_fds);

/* Answers: with the 16 scanouts, of which the second is enabled, 640 x 480 at (1, 2); with an EDID of this size, its first 256 bytes 0x55. */
const char *hex_display_info (void);
const char *hex_edid (const char *size);

#endif
