/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions of crypto devices.
 */
#include <errno.h>
#include <string.h>

#include "backend/connection.h"

int
crypto_create_session (struct vh_backend *b, struct message *m, struct message *reply)
{
	struct vh_crypto_session session;
	int64_t id = -1;
	int err = message_get_crypto (m, &session) ?: b->ops.create_crypto_session (b->device->opaque, &session, &id);

	explicit_bzero (&session, sizeof (session));	/* keys */
	if (err < 0)
		return err;
	if (id < 0)
		return -EINVAL;
	message_put_crypto_id (reply, id);
	return 0;
}

/* A negative session says "failed" (vhost-user, CREATE_CRYPTO_SESSION). */
void
crypto_refuse_session (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_crypto_id (reply, -1);
}

int
crypto_close_session (struct vh_backend *b, struct message *m)
{
	uint64_t id;
	int err = message_get_u64 (m, &id);

	if (err < 0)
		return err;
	if (id > INT64_MAX)
		return -EINVAL;
	return b->ops.close_crypto_session (b->device->opaque, (int64_t) id);
}
