/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-flight area, which a front-end keeps for its back-ends.
 */
#include <errno.h>
#include <sys/stat.h>

#include <vhost/queue.h>

#include "frontend/frontend.h"
#include "util/checked.h"

/* Does the file have all of the area? */
static bool
file_covers (int fd, const struct inflight_area *a)
{
	struct stat st;
	uint64_t end;

	return fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && checked_add (a->offset, a->size, &end) && end <= (uint64_t) st.st_size;
}

static int
take_area (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	struct inflight_area a;

	if (message_get_inflight (reply, &a) < 0)
		return call_end (f, -EBADMSG, "GET_INFLIGHT_FD: no description of an area");
	if (a.size == 0 && reply->n_fds == 0)
		return error_set (&f->error, -EREMOTEIO, "GET_INFLIGHT_FD");
	if (a.size == 0 || reply->n_fds != 1 || a.rings == 0 || a.entries == 0 || !file_covers (reply->fds[0], &a))
		return call_end (f, -EBADMSG, "GET_INFLIGHT_FD: an area that is none");
	*(struct vh_inflight *) ret = (struct vh_inflight){
		.size = a.size, .offset = a.offset, .rings = a.rings, .ring_size = a.entries, .fd = message_take_fd (reply, 0),
	};
	return 0;
}

int
vh_frontend_get_inflight (struct vh_frontend *f, unsigned rings, unsigned ring_size, struct vh_inflight *ret)
{
	struct inflight_area asked = { .rings = rings, .entries = ring_size };
	struct message m;

	if (rings < 1 || rings > VH_MAX_RINGS || ring_size < 1 || ring_size > VH_MAX_RING_SIZE)
		return call_refuse (f, REQUEST_GET_INFLIGHT_FD, -EINVAL);
	call_init (&m, REQUEST_GET_INFLIGHT_FD);
	message_put_inflight (&m, &asked);
	return call (f, &m, take_area, ret);
}

int
vh_frontend_set_inflight (struct vh_frontend *f, const struct vh_inflight *area)
{
	struct inflight_area a = { .size = area->size, .offset = area->offset, .rings = area->rings, .entries = area->ring_size };
	struct message m;
	uint64_t end;

	if (area->fd < 0 || area->size == 0 || !checked_add (area->offset, area->size, &end) || area->rings < 1 || area->rings > VH_MAX_RINGS ||
	    area->ring_size < 1 || area->ring_size > VH_MAX_RING_SIZE)
		return call_refuse (f, REQUEST_SET_INFLIGHT_FD, -EINVAL);
	call_init (&m, REQUEST_SET_INFLIGHT_FD);
	message_put_inflight (&m, &a);
	m.fds[m.n_fds++] = area->fd;
	return call (f, &m, NULL, NULL);
}
