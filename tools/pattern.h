/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data that can be recognised: every eight bytes depend on where they are on the disk and on how often that place has been written.  Bytes that went to, or
 * came from, another place or another time do not pass.
 */
#ifndef TOOLS_PATTERN_H
#define TOOLS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* size: a multiple of eight.  offset: on the disk, in bytes. */
void pattern_fill (void *buf, size_t size, uint64_t offset, uint32_t generation);

/* Are these bytes what pattern_fill made?  If not, *where is how far into buf the first wrong ones are. */
bool pattern_check (const void *buf, size_t size, uint64_t offset, uint32_t generation, size_t *where);

#endif
