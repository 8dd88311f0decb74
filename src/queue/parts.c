/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies from and to the parts of a request, and cuts of them.
 */
#include <string.h>

#include <vhost/queue.h>

/* Where [skip, skip + size) meets the next part; 0 bytes when it does not.  *skip becomes what is to be skipped of the parts behind. */
static size_t
part_overlap (const struct iovec *part, size_t *skip, size_t size, unsigned char **at)
{
	size_t n;

	if (*skip >= part->iov_len) {
		*skip -= part->iov_len;
		return 0;
	}
	n = part->iov_len - *skip;
	*at = (unsigned char *) part->iov_base + *skip;
	*skip = 0;
	return n < size ? n : size;
}

size_t
vh_parts_read (const struct iovec *parts, unsigned n, size_t skip, void *buf, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < n && done < size; i++) {
		unsigned char *at;
		size_t count = part_overlap (&parts[i], &skip, size - done, &at);

		if (count > 0)
			memcpy ((unsigned char *) buf + done, at, count);
		done += count;
	}
	return done;
}

size_t
vh_parts_write (const struct iovec *parts, unsigned n, size_t skip, const void *buf, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < n && done < size; i++) {
		unsigned char *at;
		size_t count = part_overlap (&parts[i], &skip, size - done, &at);

		if (count > 0)
			memcpy (at, (const unsigned char *) buf + done, count);
		done += count;
	}
	return done;
}

unsigned
vh_parts_cut (struct iovec *parts, unsigned n, size_t skip, size_t size, struct iovec **ret)
{
	unsigned first = 0, last;

	while (first < n && skip >= parts[first].iov_len)
		skip -= parts[first++].iov_len;
	*ret = parts + first;
	if (first == n || size == 0)
		return 0;
	parts[first].iov_base = (unsigned char *) parts[first].iov_base + skip;
	parts[first].iov_len -= skip;
	for (last = first; last < n - 1 && parts[last].iov_len < size; last++)
		size -= parts[last].iov_len;
	if (parts[last].iov_len > size)
		parts[last].iov_len = size;
	return last - first + 1;
}
