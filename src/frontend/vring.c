/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests about one ring.
 */
#include <errno.h>

#include <vhost/queue.h>

#include "frontend/frontend.h"

static int
call_state (struct vh_frontend *f, enum request request, unsigned ring, uint32_t num)
{
	struct vring_state state = { .index = ring, .num = num };
	struct message m;

	if (ring >= VH_MAX_RINGS)
		return call_refuse (f, request, -EINVAL);
	call_init (&m, request);
	message_put_state (&m, &state);
	return call (f, &m, NULL, NULL);
}

static int
call_vring_fd (struct vh_frontend *f, enum request request, unsigned ring, int fd)
{
	struct vring_fd v = { .index = ring, .no_fd = fd < 0 };
	struct message m;

	if (ring >= VH_MAX_RINGS)
		return call_refuse (f, request, -EINVAL);
	call_init (&m, request);
	message_put_vring_fd (&m, &v);
	if (fd >= 0)
		m.fds[m.n_fds++] = fd;
	return call (f, &m, NULL, NULL);
}

int
vh_frontend_set_vring_num (struct vh_frontend *f, unsigned ring, unsigned size)
{
	if (size < 1 || size > VH_MAX_RING_SIZE)
		return call_refuse (f, REQUEST_SET_VRING_NUM, -EINVAL);
	return call_state (f, REQUEST_SET_VRING_NUM, ring, size);
}

bool
vring_addr_valid (const struct vh_vring_addr *addr)
{
	return !(addr->flags & ~VRING_FLAG_LOG) && addr->desc % 16 == 0 && addr->avail % 2 == 0 && addr->used % 4 == 0;
}

int
vh_frontend_set_vring_addr (struct vh_frontend *f, unsigned ring, const struct vh_vring_addr *addr)
{
	struct vring_addresses a = {
		.index = ring, .flags = addr->flags, .desc = addr->desc, .used = addr->used, .avail = addr->avail, .log = addr->log,
	};
	struct message m;

	if (ring >= VH_MAX_RINGS || !vring_addr_valid (addr))
		return call_refuse (f, REQUEST_SET_VRING_ADDR, -EINVAL);
	call_init (&m, REQUEST_SET_VRING_ADDR);
	message_put_vring_addresses (&m, &a);
	return call (f, &m, NULL, NULL);
}

int
vh_frontend_set_vring_base (struct vh_frontend *f, unsigned ring, uint32_t base)
{
	return call_state (f, REQUEST_SET_VRING_BASE, ring, base);
}

/* GET_VRING_BASE, with and without waiting for requests. */
static int
take_base (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	struct vring_state asked, got;

	if (message_get_state (request, &asked) < 0 || message_get_state (reply, &got) < 0 || got.index != asked.index)
		return call_end (f, -EBADMSG, "GET_VRING_BASE: an answer about another ring");
	*(uint32_t *) ret = got.num;
	return 0;
}

static int
get_base (struct vh_frontend *f, enum request request, unsigned ring, uint32_t *ret)
{
	struct vring_state state = { .index = ring };
	struct message m;

	if (ring >= VH_MAX_RINGS)
		return call_refuse (f, request, -EINVAL);
	call_init (&m, request);
	message_put_state (&m, &state);
	serve_forget_notifier (f, ring);
	return call (f, &m, take_base, ret);
}

int
vh_frontend_get_vring_base (struct vh_frontend *f, unsigned ring, uint32_t *ret)
{
	return get_base (f, REQUEST_GET_VRING_BASE, ring, ret);
}

int
vh_frontend_get_vring_base_skip_drain (struct vh_frontend *f, unsigned ring, uint32_t *ret)
{
	return get_base (f, REQUEST_GET_VRING_BASE_SKIP_DRAIN, ring, ret);
}

int
vh_frontend_set_vring_kick (struct vh_frontend *f, unsigned ring, int fd)
{
	return call_vring_fd (f, REQUEST_SET_VRING_KICK, ring, fd);
}

int
vh_frontend_set_vring_call (struct vh_frontend *f, unsigned ring, int fd)
{
	return call_vring_fd (f, REQUEST_SET_VRING_CALL, ring, fd);
}

int
vh_frontend_set_vring_err (struct vh_frontend *f, unsigned ring, int fd)
{
	return call_vring_fd (f, REQUEST_SET_VRING_ERR, ring, fd);
}

int
vh_frontend_set_vring_enable (struct vh_frontend *f, unsigned ring, int enable)
{
	return call_state (f, REQUEST_SET_VRING_ENABLE, ring, enable != 0);
}

int
vh_frontend_set_vring_endian (struct vh_frontend *f, unsigned ring, int big)
{
	return call_state (f, REQUEST_SET_VRING_ENDIAN, ring, big != 0);
}

int
vh_frontend_kick_vring (struct vh_frontend *f, unsigned ring)
{
	return call_state (f, REQUEST_VRING_KICK, ring, 0);
}
