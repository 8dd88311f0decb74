/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The in-flight area: made here when the front-end has none yet, and taken back from it on a later connection, perhaps by another process.  What is in it
 * is the rings' business (src/queue/inflight.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/connection.h"

/* Parts begin at multiples of 64 bytes from here, and have fields of up to eight. */
#define AREA_ALIGN 8

static bool
packed (uint64_t features)
{
	return features & VH_BIT (VH_F_RING_PACKED);
}

/* What the area needs, for the layout that is in force now: it may still change. */
static uint64_t
area_size (uint64_t features, const struct inflight_area *a)
{
	return a->rings * inflight_part_size (packed (features), a->entries);
}

static bool
area_valid (const struct vh_backend *b, const struct inflight_area *a)
{
	return a->rings >= 1 && a->rings <= b->n_vrings && a->entries >= 1 && a->entries <= VH_MAX_RING_SIZE;
}

void
inflight_area_drop (struct vh_backend *b)
{
	if (b->inflight.region)
		region_unref (b->inflight.region);
	b->inflight = (struct backend_inflight){ 0 };
}

/* Maps an area and puts it in force.  Not more of it than can be used: its size is the front-end's. */
static int
area_use (struct vh_backend *b, const struct inflight_area *a, int fd)
{
	uint64_t most = a->rings * inflight_part_size (true, a->entries);
	struct vh_region spec = { .size = a->size < most ? a->size : most, .offset = a->offset };
	struct region *region;
	int err = region_new (&spec, fd, &region);

	if (err < 0)
		return err;
	inflight_area_drop (b);
	b->inflight = (struct backend_inflight){ .region = region, .rings = a->rings, .entries = a->entries };
	return 0;
}

struct inflight_part
inflight_area_part (const struct vh_backend *b, unsigned ring)
{
	const struct backend_inflight *f = &b->inflight;

	/* A ring that the area has no part for has one without entries, and cannot start. */
	return (struct inflight_part){
		.region = f->region, .offset = ring * inflight_part_size (packed (b->features), f->entries), .entries = ring < f->rings ? f->entries : 0,
	};
}

/* --- GET_INFLIGHT_FD --- */

/* A file of zeroes that nobody can shrink. */
static int
area_create (uint64_t size)
{
	int fd = memfd_create ("vhost-inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate (fd, (off_t) size) < 0 || fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		err = -errno;
	if (err < 0)
		close (fd);
	return err < 0 ? err : fd;
}

int
inflight_area_get (struct vh_backend *b, struct message *m, struct message *reply)
{
	struct inflight_area a;
	int err = message_get_inflight (m, &a), fd;

	if (err < 0)
		return err;
	if (!area_valid (b, &a))
		return -EINVAL;
	/* The layout may not be agreed on yet; the larger one's area does for both. */
	a.size = area_size (b->offered, &a);
	a.offset = 0;
	fd = area_create (a.size);
	if (fd < 0)
		return fd;
	/* A front-end that gets an area need not send it before it connects again. */
	err = vrings_any_runs (b) ? 0 : area_use (b, &a, fd);
	if (err < 0) {
		close (fd);
		return err;
	}
	message_answer_inflight (reply, m, &a);
	reply->fds[reply->n_fds++] = fd;
	return 0;
}

/* "There is none": the front-end goes on without. */
void
inflight_area_refuse (struct vh_backend *b, struct message *m, struct message *reply)
{
	static const struct inflight_area none;

	message_answer_inflight (reply, m, &none);
}

/* --- SET_INFLIGHT_FD --- */

int
inflight_area_set (struct vh_backend *b, struct message *m)
{
	struct inflight_area a;
	int err = message_get_inflight (m, &a);

	if (err < 0)
		return err;
	if (!area_valid (b, &a) || a.size < area_size (b->features, &a) || a.offset % AREA_ALIGN)
		return -EINVAL;
	if (vrings_any_runs (b))
		return -EBUSY;
	return area_use (b, &a, m->fds[0]);
}
