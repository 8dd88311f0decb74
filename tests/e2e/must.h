/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steps of a driver that must work: what fails ends the program, with a line.
 */
#ifndef TESTS_E2E_MUST_H
#define TESTS_E2E_MUST_H

#include "tests/e2e/die.h"
#include "tools/driver.h"

/* Connects, with all protocol features that are offered; patience_ms for that, and for each answer afterwards. */
void must_connect (struct driver *, const char *socket, int patience_ms);
void must_start (struct driver *, const struct driver_options *);

/* Stops the queues and ends the connection. */
void must_stop (struct driver *);

/* Takes memory of the guest's, in one region. */
uint64_t must_alloc (struct driver *, size_t size, size_t align);

/* Gives the device a buffer to write, whose token is its place in this process. */
void must_give (struct driver *, unsigned ring, uint64_t addr, uint32_t size);

/* The next chain of a ring that was used; false: there was none for so long. */
bool must_reap (struct driver *, unsigned ring, struct queue_done *, int patience_ms);

#endif
