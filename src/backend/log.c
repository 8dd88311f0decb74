/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dirty log as the front-end sets it up: SET_LOG_BASE gives the bitmap, LOG_ALL among the features of SET_FEATURES says that it is to be kept, and each
 * ring's SET_VRING_ADDR whether what the ring writes itself is entered, too.  Rings that run begin and end by vrings_settle.
 */
#include <errno.h>

#include "backend/connection.h"
#include "memory/dirty-log.h"
#include "util/fd.h"

/* What a guest granted is not in any log: it is the guest's to keep. */
static bool
is_logged (const struct region *r)
{
	return !(r->spec.xen_flags & VH_XEN_GRANT);
}

static bool
covers (const struct region *log, const struct vh_memory *memory)
{
	for (unsigned i = 0; i < memory->n; i++) {
		const struct slot *s = &memory->slots[i];

		if (is_logged (s->region) && !dirty_log_covers (log->spec.size, s->addr, s->size))
			return false;
	}
	return true;
}

/* Where a ring's used area is in the log is said by its front-end.  Behind an IOMMU that is not looked at, see below. */
static bool
covers_vring (const struct region *log, const struct vring *v)
{
	uint64_t size = ring_area_sizes (v->backend->features, v->size).used;

	return iotlb_in_force (v->backend) || v->size == 0 || !(v->addr.flags & VRING_FLAG_LOG) || dirty_log_covers (log->spec.size, v->addr.log, size);
}

static bool
covers_all (const struct vh_backend *b, const struct region *log, const struct vh_memory *memory)
{
	for (unsigned i = 0; i < b->n_vrings; i++)
		if (b->vrings[i].have_addr && !covers_vring (log, &b->vrings[i]))
			return false;
	return covers (log, memory);
}

bool
log_in_force (uint64_t features)
{
	return features & VH_BIT (VH_F_LOG_ALL);
}

bool
log_fits (const struct vh_backend *b, uint64_t features, const struct vh_memory *memory)
{
	return !log_in_force (features) || !b->log || covers_all (b, b->log, memory);
}

bool
log_fits_vring (const struct vring *v)
{
	const struct vh_backend *b = v->backend;

	return !log_in_force (b->features) || !b->log || covers_vring (b->log, v);
}

struct log_setup
log_of_vring (const struct vh_backend *b, const struct vring *v, const struct vring_want *w)
{
	struct log_setup log = { .fd = -1 };

	if (!log_in_force (b->features) || !b->log)
		return log;
	log = (struct log_setup){ .region = b->log, .own = v->addr.flags & VRING_FLAG_LOG, .used = v->addr.log, .desc = w->desc, .fd = b->log_fd };
	/* What the address for the log is behind an IOMMU is not agreed on; where the ring is, is. */
	if (iotlb_in_force (b))
		log.used = w->used;
	return log;
}

void
log_drop (struct vh_backend *b)
{
	if (b->log)
		region_unref (b->log);
	b->log = NULL;
	fd_close (&b->log_fd);
}

int
log_set_base (struct vh_backend *b, struct message *m)
{
	struct vh_region spec = { 0 };
	struct region *log;
	int err = message_get_log (m, &spec.size, &spec.offset);

	if (err == 0)
		err = region_new (&spec, m->fds[0], &log);
	if (err < 0)
		return err;
	if (log_in_force (b->features) && !covers_all (b, log, b->memory)) {
		region_unref (log);
		return -EINVAL;
	}
	/* Rings that use the old one have references of their own. */
	if (b->log)
		region_unref (b->log);
	b->log = log;
	return 0;
}

/* No ring uses the old log any more.  The specification leaves open what this answer contains; others' front-ends take anything. */
int
log_answer_base (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, 0);
	return 0;
}

int
log_set_fd (struct vh_backend *b, struct message *m)
{
	if (!fd_can_notify (m->fds[0]))
		return -EINVAL;
	backend_retire_fd (b, b->log_fd);
	b->log_fd = message_take_fd (m, 0);
	return 0;
}
