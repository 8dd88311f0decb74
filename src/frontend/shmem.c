/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared memory regions of the device: the back-end puts pieces of files in and takes them out.  It is not trusted, so what it asks for is checked here
 * before the caller maps anything.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "frontend/frontend.h"
#include "util/checked.h"

static bool
whole_pages (uint64_t a, uint64_t b, uint64_t c)
{
	return (a | b | c) % (uint64_t) sysconf (_SC_PAGESIZE) == 0;
}

static int
take_sizes (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	uint64_t sizes[VH_MAX_SHMEM];

	if (message_get_shmem_sizes (reply, sizes) < 0)
		return call_end (f, -EBADMSG, "GET_SHMEM_CONFIG: not as many regions as it says");
	for (unsigned i = 0; i < VH_MAX_SHMEM; i++)
		if (!whole_pages (sizes[i], 0, 0))
			return call_end (f, -EBADMSG, "GET_SHMEM_CONFIG: a region that is not whole pages");
	memcpy (f->shmem.sizes, sizes, sizeof (sizes));
	memcpy (ret, sizes, sizeof (sizes));
	return 0;
}

int
vh_frontend_get_shmem_config (struct vh_frontend *f, uint64_t sizes[VH_MAX_SHMEM])
{
	struct message m;

	call_init (&m, REQUEST_GET_SHMEM_CONFIG);
	return call (f, &m, take_sizes, sizes);
}

/* --- pieces --- */

static bool
piece_fits (const struct shmem *s, const struct vh_shmem_map *map)
{
	if (!whole_pages (map->fd_offset, map->offset, map->size) || !range_inside (map->offset, map->size, 0, s->sizes[map->id]))
		return false;
	for (unsigned i = 0; i < s->n; i++)
		if (s->pieces[i].id == map->id && ranges_overlap (map->offset, map->size, s->pieces[i].offset, s->pieces[i].size))
			return false;
	return true;
}

int
shmem_map (struct vh_frontend *f, struct message *m)
{
	struct shmem *s = &f->shmem;
	struct vh_shmem_map map;
	int err = message_get_shmem_map (m, &map);

	if (err < 0)
		return err;
	if (!piece_fits (s, &map))
		return -EINVAL;
	if (s->n == SHMEM_PIECES)
		return -ENOSPC;
	err = f->ops.map_shmem (f->opaque, &map, m->fds[0]);
	if (err < 0)
		return err;
	message_take_fd (m, 0);
	s->pieces[s->n++] = map;
	return 0;
}

/* The very piece that was mapped: whose id, place and size are these. */
static struct vh_shmem_map *
piece_find (struct shmem *s, const struct vh_shmem_map *map)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->pieces[i].id == map->id && s->pieces[i].offset == map->offset && s->pieces[i].size == map->size)
			return &s->pieces[i];
	return NULL;
}

int
shmem_unmap (struct vh_frontend *f, struct message *m)
{
	struct vh_shmem_map map, *piece;
	int err = message_get_shmem_map (m, &map);

	if (err < 0)
		return err;
	piece = piece_find (&f->shmem, &map);
	if (!piece)
		return -ENOENT;
	err = f->ops.unmap_shmem (f->opaque, piece);
	if (err == 0)
		*piece = f->shmem.pieces[--f->shmem.n];
	return err;
}

void
shmem_forget (struct vh_frontend *f)
{
	f->in_callback++;
	while (f->shmem.n > 0)
		f->ops.unmap_shmem (f->opaque, &f->shmem.pieces[--f->shmem.n]);
	f->in_callback--;
}
