/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages in memory, and what the table's rows say of them.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"
#include "wire/message.h"

const struct message_row *
request_row (uint32_t id)
{
	return id < REQUEST_END && request_rows[id].name ? &request_rows[id] : NULL;
}

const struct message_row *
backend_request_row (uint32_t id)
{
	return id < BACKEND_REQUEST_END && backend_request_rows[id].name ? &backend_request_rows[id] : NULL;
}

void
message_init (struct message *m, uint32_t request, uint32_t flags)
{
	m->request = request;
	m->flags = flags;
	m->size = 0;
	m->n_fds = 0;
}

void
message_init_reply (struct message *m, const struct message *request)
{
	/* Flags are exactly these two: QEMU refuses a reply that still carries NEED_REPLY. */
	message_init (m, request->request, MESSAGE_VERSION | MESSAGE_REPLY);
}

int
message_take_fd (struct message *m, unsigned i)
{
	int fd;

	if (i >= m->n_fds)
		return -1;
	fd = m->fds[i];
	m->fds[i] = -1;
	return fd;
}

int
message_copy (struct message *copy, const struct message *m, bool with_fds)
{
	message_init (copy, m->request, m->flags);
	copy->size = m->size;
	memcpy (copy->body, m->body, m->size);
	for (unsigned i = 0; with_fds && i < m->n_fds; i++) {
		int fd = fd_dup (m->fds[i]);

		if (fd < 0) {
			message_close_fds (copy);
			return fd;
		}
		copy->fds[copy->n_fds++] = fd;
	}
	return 0;
}

void
message_close_all (struct message *m)
{
	for (unsigned i = 0; i < m->n_fds; i++)
		if (m->fds[i] >= 0)
			close (m->fds[i]);
	m->n_fds = 0;
}

int
message_check_form (const struct message *m, const struct message_row *row)
{
	if (!row)
		return -ENOSYS;
	if (m->size < row->min_size || m->size > row->max_size)
		return -EBADMSG;
	if (m->n_fds < row->min_fds || m->n_fds > row->max_fds)
		return -EBADMSG;
	return 0;
}

int
message_check_gate (const struct message_row *row, uint64_t virtio_offered, uint64_t virtio, uint64_t protocol)
{
	uint64_t have = row->offered ? virtio_offered : virtio;

	return (row->virtio & ~have) || (row->protocol & ~protocol) ? -EOPNOTSUPP : 0;
}
