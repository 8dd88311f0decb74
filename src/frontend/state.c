/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's state for a migration: where it goes to or comes from, and how that went.  The bytes themselves are between the caller and the back-end.
 */
#include <errno.h>

#include "frontend/frontend.h"

static int
take_begin (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t value;
	bool failed;

	if (message_get_u64 (reply, &value) < 0)
		return call_end (f, -EBADMSG, "SET_DEVICE_STATE_FD: no number");
	failed = value & TRANSFER_ERROR_MASK;
	/* Either there is an fd, or it says that there is none; a failure has none. */
	if ((reply->n_fds > 0) == ((value & TRANSFER_NO_FD) != 0) || (failed && reply->n_fds > 0))
		return call_end (f, -EBADMSG, "SET_DEVICE_STATE_FD: an fd and none");
	if (failed)
		return call_refuse (f, REQUEST_SET_DEVICE_STATE_FD, -EREMOTEIO);
	*(int *) ret = message_take_fd (reply, 0);
	return 0;
}

static int
begin (struct vh_frontend *f, uint32_t direction, int fd, int *other)
{
	struct state_transfer t = { .direction = direction, .phase = TRANSFER_PHASE_STOPPED };
	struct message m;

	if (fd < 0)
		return call_refuse (f, REQUEST_SET_DEVICE_STATE_FD, -EINVAL);
	call_init (&m, REQUEST_SET_DEVICE_STATE_FD);
	message_put_transfer (&m, &t);
	m.fds[m.n_fds++] = fd;
	return call (f, &m, take_begin, other);
}

int
vh_frontend_save_state (struct vh_frontend *f, int fd, int *other)
{
	return begin (f, TRANSFER_SAVE, fd, other);
}

int
vh_frontend_load_state (struct vh_frontend *f, int fd, int *other)
{
	return begin (f, TRANSFER_LOAD, fd, other);
}

static int
take_check (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t value;

	return message_get_u64 (reply, &value) < 0 || value != 0 ? call_refuse (f, REQUEST_CHECK_DEVICE_STATE, -EREMOTEIO) : 0;
}

int
vh_frontend_check_state (struct vh_frontend *f)
{
	struct message m;

	call_init (&m, REQUEST_CHECK_DEVICE_STATE);
	return call (f, &m, take_check, NULL);
}
