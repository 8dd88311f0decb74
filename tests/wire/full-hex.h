/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection to a device with every callback whose answers are compared with bytes in hexadecimal digits.
 */
#ifndef TESTS_WIRE_FULL_HEX_H
#define TESTS_WIRE_FULL_HEX_H

#include "backend-hex.h"
#include "full-device.h"

extern struct full_device device;

/* Opens a connection, with a device as new, and sets protocol features: REPLY_ACK and these. */
void open_with (uint64_t features);

/*
 * One message with an acknowledgement on demand, in all ways: `rest` is its size and payload, `needed` the feature bits that it needs.  The device's callback
 * is what refuses it.
 */
void acknowledged (const char *id, const char *rest, int fd, uint64_t needed);

#endif
