/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The console's state for a migration: what the guest knows of its ports, what it was still to be told, the bytes that were read for it and that it did not
 * take, and what was counted.  Bytes for a host that does not take them stay where they are, with that host.
 */
#ifndef CONSOLE_STATE_H
#define CONSOLE_STATE_H

#include <stddef.h>
#include <stdint.h>

/* The callbacks state_save and state_load. */
int console_state_save (void *console, uint64_t offset, void *buf, size_t size);
int console_state_load (void *console, uint64_t offset, const void *buf, size_t size);

#endif
