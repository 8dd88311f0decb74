/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's configuration space, read and written through the back-end.
 */
#include <errno.h>
#include <string.h>

#include "frontend/frontend.h"

static bool
range_valid (uint32_t offset, uint32_t size)
{
	return size >= 1 && size <= VH_MAX_CONFIG_SIZE && offset <= UINT32_MAX - size;
}

/* What the back-end answered: exactly what was asked for, or one of the forms of "no". */
static int
take_config (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	struct config_range asked, got;
	uint8_t *data;

	if (message_get_config (request, &asked, &data) < 0 || reply->size == 0)
		return error_set (&f->error, -EREMOTEIO, "GET_CONFIG");
	if (message_get_config (reply, &got, &data) < 0)
		return call_end (f, -EBADMSG, "GET_CONFIG: sizes that disagree");
	if (got.size == 0)	/* rust-vmm's way */
		return error_set (&f->error, -EREMOTEIO, "GET_CONFIG");
	if (got.size != asked.size || got.offset != asked.offset)
		return call_end (f, -EBADMSG, "GET_CONFIG: an answer about another range");
	memcpy (ret, data, got.size);
	return 0;
}

int
vh_frontend_get_config (struct vh_frontend *f, uint32_t offset, void *buf, uint32_t size)
{
	struct config_range range = { .offset = offset, .size = size };
	struct message m;

	if (!range_valid (offset, size))
		return call_refuse (f, REQUEST_GET_CONFIG, -EINVAL);
	call_init (&m, REQUEST_GET_CONFIG);
	message_put_config (&m, &range);
	return call (f, &m, take_config, buf);
}

int
vh_frontend_set_config (struct vh_frontend *f, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	struct config_range range = { .offset = offset, .size = size, .flags = flags };
	struct message m;

	if (!range_valid (offset, size) || (flags != VH_CONFIG_WRITE && flags != VH_CONFIG_RESTORE))
		return call_refuse (f, REQUEST_SET_CONFIG, -EINVAL);
	call_init (&m, REQUEST_SET_CONFIG);
	memcpy (message_put_config (&m, &range), buf, size);
	return call (f, &m, NULL, NULL);
}
