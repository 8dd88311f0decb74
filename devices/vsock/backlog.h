/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes from the guest that the host's program does not take yet: a ring of fixed size, which has memory only from when it is first needed.
 */
#ifndef VSOCK_BACKLOG_H
#define VSOCK_BACKLOG_H

#include <stdint.h>
#include <sys/uio.h>

struct backlog {
	uint8_t *bytes;		/* NULL: nothing was ever kept */
	uint32_t size;		/* power of two */
	uint32_t first, count;
};

static inline void
backlog_init (struct backlog *b, uint32_t size)
{
	*b = (struct backlog){ .size = size };
}

void backlog_free (struct backlog *);

/* Adds all bytes of the parts.  0; -ENOMEM; -ENOBUFS when they do not fit, and then none was added. */
int backlog_add (struct backlog *, const struct iovec *parts, unsigned n);

/* The bytes in order, as one or two parts; returns how many parts. */
unsigned backlog_parts (const struct backlog *, struct iovec parts[2]);

/* Forgets the first n of them, n no more than there are. */
void backlog_consume (struct backlog *, uint32_t n);

#endif
