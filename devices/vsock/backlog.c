/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of bytes; see backlog.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/vsock/backlog.h"

void
backlog_free (struct backlog *b)
{
	free (b->bytes);
	b->bytes = NULL;
	b->first = b->count = 0;
}

static void
backlog_append (struct backlog *b, const uint8_t *from, uint32_t n)
{
	uint32_t end = (b->first + b->count) & (b->size - 1);
	uint32_t straight = b->size - end < n ? b->size - end : n;

	memcpy (b->bytes + end, from, straight);
	memcpy (b->bytes, from + straight, n - straight);
	b->count += n;
}

int
backlog_add (struct backlog *b, const struct iovec *parts, unsigned n)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += parts[i].iov_len;
	if (bytes > b->size - b->count)
		return -ENOBUFS;
	if (!b->bytes)
		b->bytes = malloc (b->size);
	if (!b->bytes)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		backlog_append (b, parts[i].iov_base, parts[i].iov_len);
	return 0;
}

unsigned
backlog_parts (const struct backlog *b, struct iovec parts[2])
{
	uint32_t straight = b->size - b->first < b->count ? b->size - b->first : b->count;

	if (b->count == 0)
		return 0;
	parts[0] = (struct iovec){ b->bytes + b->first, straight };
	parts[1] = (struct iovec){ b->bytes, b->count - straight };
	return parts[1].iov_len > 0 ? 2 : 1;
}

void
backlog_consume (struct backlog *b, uint32_t n)
{
	b->first = (b->first + n) & (b->size - 1);
	b->count -= n;
}
