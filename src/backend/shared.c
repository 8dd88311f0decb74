/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this device shares with other devices through the front-end: objects by name, pieces of files in shared memory, and pages that kick a ring.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend/connection.h"
#include "util/fd.h"

/* --- the table --- */

void
objects_init (struct vh_backend *b)
{
	for (unsigned i = 0; i < SHARED_OBJECTS; i++)
		b->objects[i].fd = -1;
}

void
objects_close (struct vh_backend *b)
{
	for (unsigned i = 0; i < SHARED_OBJECTS; i++)
		fd_close (&b->objects[i].fd);
}

static struct shared_object *
object_find (struct vh_backend *b, const uint8_t uuid[VH_UUID_SIZE])
{
	for (unsigned i = 0; i < SHARED_OBJECTS; i++)
		if (b->objects[i].fd >= 0 && memcmp (b->objects[i].uuid, uuid, VH_UUID_SIZE) == 0)
			return &b->objects[i];
	return NULL;
}

static struct shared_object *
object_free_place (struct vh_backend *b)
{
	for (unsigned i = 0; i < SHARED_OBJECTS; i++)
		if (b->objects[i].fd < 0)
			return &b->objects[i];
	return NULL;
}

/* --- GET_SHARED_OBJECT --- */

static int
object_fd (struct vh_backend *b, const uint8_t uuid[VH_UUID_SIZE])
{
	struct shared_object *o = object_find (b, uuid);

	if (o)
		return o->fd;
	return b->ops.get_object ? b->ops.get_object (b->device->opaque, uuid) : -ENOENT;
}

int
objects_get (struct vh_backend *b, struct message *m, struct message *reply)
{
	uint8_t uuid[VH_UUID_SIZE];
	int fd;

	/* QEMU has sent it without the name: that is the name of nothing. */
	fd = m->size == 0 ? -ENOENT : message_get_uuid (m, uuid) ?: object_fd (b, uuid);
	fd = fd < 0 ? fd : fd_dup (fd);
	if (fd < 0)
		return fd;
	reply->fds[reply->n_fds++] = fd;	/* the message's */
	return 0;
}

/* An answer without an fd says "no" (vhost-user, GET_SHARED_OBJECT). */
void
objects_refuse (struct vh_backend *b, struct message *m, struct message *reply)
{
	reply->size = 0;
}

void
objects_refused (struct vh_backend *b, const uint8_t uuid[VH_UUID_SIZE])
{
	struct shared_object *o = object_find (b, uuid);

	if (o)
		fd_close (&o->fd);
}

/* --- GET_SHMEM_CONFIG --- */

int
shmem_get_config (struct vh_backend *b, struct message *m, struct message *reply)
{
	uint64_t sizes[VH_MAX_SHMEM] = { 0 };
	int err = b->ops.get_shmem_config (b->device->opaque, sizes);

	if (err == 0)
		message_put_shmem_sizes (reply, sizes);
	return err;
}

/* --- requests to the front-end --- */

static int
ask_uuid (struct vh_backend *b, enum backend_request request, const uint8_t uuid[VH_UUID_SIZE], vh_backend_answer_fn *answered, void *opaque)
{
	struct message m;

	message_init (&m, request, MESSAGE_VERSION);
	message_put_uuid (&m, uuid);
	return notify_ask (b, &m, answered, opaque);
}

int
vh_backend_add_object (struct vh_backend *b, const uint8_t uuid[VH_UUID_SIZE], int fd, vh_backend_answer_fn *answered, void *opaque)
{
	struct shared_object *o = object_free_place (b);
	int copy, err;

	if (fd < 0)
		return -EINVAL;
	if (object_find (b, uuid))
		return -EEXIST;
	if (!o)
		return -ENOSPC;
	copy = fd_dup (fd);
	if (copy < 0)
		return copy;
	/* In the table first: somebody may ask for it as soon as the front-end knows of it. */
	memcpy (o->uuid, uuid, VH_UUID_SIZE);
	o->fd = copy;
	err = ask_uuid (b, BACKEND_REQUEST_SHARED_OBJECT_ADD, uuid, answered, opaque);
	if (err < 0)
		fd_close (&o->fd);
	return err;
}

int
vh_backend_remove_object (struct vh_backend *b, const uint8_t uuid[VH_UUID_SIZE], vh_backend_answer_fn *answered, void *opaque)
{
	struct shared_object *o = object_find (b, uuid);
	int err;

	if (!o)
		return -ENOENT;
	err = ask_uuid (b, BACKEND_REQUEST_SHARED_OBJECT_REMOVE, uuid, answered, opaque);
	if (err == 0)
		fd_close (&o->fd);
	return err;
}

int
vh_backend_lookup_object (struct vh_backend *b, const uint8_t uuid[VH_UUID_SIZE], vh_backend_answer_fn *answered, void *opaque)
{
	return answered ? ask_uuid (b, BACKEND_REQUEST_SHARED_OBJECT_LOOKUP, uuid, answered, opaque) : -EINVAL;
}

static int
ask_shmem (struct vh_backend *b, enum backend_request request, const struct vh_shmem_map *map, int fd, vh_backend_answer_fn *answered, void *opaque)
{
	uint64_t page = (uint64_t) sysconf (_SC_PAGESIZE), end;
	struct message m;

	if (map->size == 0 || (map->size | map->offset | map->fd_offset) % page || map->flags & ~VH_SHMEM_WRITABLE ||
	    !checked_add (map->offset, map->size, &end) || !checked_add (map->fd_offset, map->size, &end))
		return -EINVAL;
	message_init (&m, request, MESSAGE_VERSION);
	message_put_shmem_map (&m, map);
	if (fd >= 0)
		m.fds[m.n_fds++] = fd;
	return notify_ask (b, &m, answered, opaque);
}

int
vh_backend_map_shmem (struct vh_backend *b, const struct vh_shmem_map *map, int fd, vh_backend_answer_fn *answered, void *opaque)
{
	return fd < 0 ? -EINVAL : ask_shmem (b, BACKEND_REQUEST_SHMEM_MAP, map, fd, answered, opaque);
}

int
vh_backend_unmap_shmem (struct vh_backend *b, const struct vh_shmem_map *map, vh_backend_answer_fn *answered, void *opaque)
{
	return ask_shmem (b, BACKEND_REQUEST_SHMEM_UNMAP, map, -1, answered, opaque);
}

int
vh_backend_set_host_notifier (struct vh_backend *b, unsigned ring, int fd, uint64_t offset, vh_backend_answer_fn *answered, void *opaque)
{
	/* One page: QEMU takes no other size. */
	struct notifier_area a = { .ring = { .index = ring, .no_fd = fd < 0 }, .size = (uint64_t) sysconf (_SC_PAGESIZE), .offset = offset };
	struct message m;

	if (ring >= b->n_vrings || offset % a.size)
		return -EINVAL;
	message_init (&m, BACKEND_REQUEST_VRING_HOST_NOTIFIER_MSG, MESSAGE_VERSION);
	message_put_area (&m, &a);
	if (fd >= 0)
		m.fds[m.n_fds++] = fd;
	return notify_ask (b, &m, answered, opaque);
}
