/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dirty log, which the back-end writes to while a guest migrates.
 */
#include <errno.h>

#include "frontend/frontend.h"
#include "util/checked.h"

int
vh_frontend_set_log_base (struct vh_frontend *f, int fd, uint64_t size, uint64_t offset)
{
	struct message m;
	uint64_t end;

	if (fd < 0 || size == 0 || !checked_add (offset, size, &end))
		return call_refuse (f, REQUEST_SET_LOG_BASE, -EINVAL);
	call_init (&m, REQUEST_SET_LOG_BASE);
	message_put_log (&m, size, offset);
	m.fds[m.n_fds++] = fd;
	/* What is in the answer is not agreed on: DPDK sends nothing, libvhost-user a size, rust-vmm the request.  It says that the log is in use. */
	return call (f, &m, NULL, NULL);
}

int
vh_frontend_set_log_fd (struct vh_frontend *f, int fd)
{
	struct message m;

	if (fd < 0)
		return call_refuse (f, REQUEST_SET_LOG_FD, -EINVAL);
	call_init (&m, REQUEST_SET_LOG_FD);
	m.fds[m.n_fds++] = fd;
	return call (f, &m, NULL, NULL);
}
