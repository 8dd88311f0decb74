/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network device's state for a migration: what the guest was told of it, and what was counted.  There is no control queue, and so no filters; frames that
 * waited for buffers are lost, as on any way.
 */
#ifndef NET_STATE_H
#define NET_STATE_H

#include <stddef.h>
#include <stdint.h>

/* The callbacks state_save and state_load. */
int net_state_save (void *net, uint64_t offset, void *buf, size_t size);
int net_state_load (void *net, uint64_t offset, const void *buf, size_t size);

#endif
