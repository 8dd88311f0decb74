/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests to devices of single kinds: the status register, crypto sessions, a GPU's socket, shared objects.
 */
#include <errno.h>
#include <string.h>

#include "frontend/frontend.h"

/* --- the status register --- */

/* 0 resets the device. */
static int
status_set (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t value;

	if (message_get_u64 (request, &value) == 0 && value == 0)
		shmem_forget (f);
	return 0;
}

int
vh_frontend_set_status (struct vh_frontend *f, uint8_t status)
{
	struct message m;

	call_init (&m, REQUEST_SET_STATUS);
	message_put_u64 (&m, status);
	return call (f, &m, status_set, NULL);
}

static int
take_status (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t value;

	if (message_get_u64 (reply, &value) < 0 || value > UINT8_MAX)
		return call_end (f, -EBADMSG, "GET_STATUS: no status");
	*(uint8_t *) ret = (uint8_t) value;
	return 0;
}

int
vh_frontend_get_status (struct vh_frontend *f, uint8_t *ret)
{
	struct message m;

	call_init (&m, REQUEST_GET_STATUS);
	return call (f, &m, take_status, ret);
}

/* --- crypto sessions --- */

static bool
session_valid (const struct vh_crypto_session *s)
{
	if (s->asymmetric)
		return s->u.asym.key_size <= VH_CRYPTO_MAX_ASYM_KEY;
	return s->u.sym.cipher_key_size <= VH_CRYPTO_MAX_CIPHER_KEY && s->u.sym.auth_key_size <= VH_CRYPTO_MAX_AUTH_KEY;
}

static int
take_session (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	int64_t id;

	if (message_get_crypto_id (reply, &id) < 0)
		return call_end (f, -EBADMSG, "CREATE_CRYPTO_SESSION: no session");
	if (id < 0)
		return call_refuse (f, REQUEST_CREATE_CRYPTO_SESSION, -EREMOTEIO);
	*(int64_t *) ret = id;
	return 0;
}

int
vh_frontend_create_crypto_session (struct vh_frontend *f, const struct vh_crypto_session *session, int64_t *id)
{
	struct message m;
	int err;

	if (!session_valid (session))
		return call_refuse (f, REQUEST_CREATE_CRYPTO_SESSION, -EINVAL);
	call_init (&m, REQUEST_CREATE_CRYPTO_SESSION);
	message_put_crypto (&m, session);
	err = call (f, &m, take_session, id);
	explicit_bzero (m.body, m.size);	/* keys */
	return err;
}

int
vh_frontend_close_crypto_session (struct vh_frontend *f, int64_t id)
{
	if (id < 0)
		return call_refuse (f, REQUEST_CLOSE_CRYPTO_SESSION, -EINVAL);
	return call_u64 (f, REQUEST_CLOSE_CRYPTO_SESSION, (uint64_t) id);
}

/* --- fds --- */

int
vh_frontend_set_gpu_socket (struct vh_frontend *f, int fd)
{
	struct message m;

	if (fd < 0)
		return call_refuse (f, REQUEST_GPU_SET_SOCKET, -EINVAL);
	call_init (&m, REQUEST_GPU_SET_SOCKET);
	m.fds[m.n_fds++] = fd;
	return call (f, &m, NULL, NULL);
}

/* What else is in the answer is not agreed on: rust-vmm sends nothing, libvhost-user the name again. */
static int
take_object (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	int fd = message_take_fd (reply, 0);

	if (fd < 0)
		return call_refuse (f, REQUEST_GET_SHARED_OBJECT, -EREMOTEIO);
	*(int *) ret = fd;
	return 0;
}

int
vh_frontend_get_object (struct vh_frontend *f, const uint8_t uuid[VH_UUID_SIZE], int *fd)
{
	struct message m;

	call_init (&m, REQUEST_GET_SHARED_OBJECT);
	message_put_uuid (&m, uuid);
	return call (f, &m, take_object, fd);
}
