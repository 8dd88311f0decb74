/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payloads: bytes to values and back.
 */
#include <errno.h>
#include <string.h>

#include "wire/payload.h"

/* --- the structures of the wire --- */

struct wire_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_addr) == 40, "vring address description");

struct wire_region {
	uint64_t guest_addr, size, user_addr, offset;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_region) == 32, "memory region description");

struct wire_xen_region {
	struct wire_region region;
	uint32_t flags, domid;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_xen_region) == 40, "memory region description with XEN_MMAP");

struct wire_table {
	uint32_t n, padding;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_table) == 8, "memory regions description");

struct wire_config {
	uint32_t offset, size, flags;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_config) == 12, "virtio device config space");

struct wire_iotlb {
	uint64_t iova, size, user;
	uint8_t perm, type;
	uint8_t padding[6];
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_iotlb) == 32, "IOTLB message");

struct wire_inflight {
	uint64_t size, offset;
	uint16_t rings, entries;
	uint32_t padding;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_inflight) == 24, "inflight description");

#define VRING_INDEX_MASK 0xffu
#define VRING_NO_FD 0x100u

/* --- numbers --- */

int
message_get_u64 (const struct message *m, uint64_t *ret)
{
	if (m->size != sizeof (*ret))
		return -EBADMSG;
	memcpy (ret, m->body, sizeof (*ret));
	return 0;
}

void
message_put_u64 (struct message *m, uint64_t value)
{
	memcpy (m->body, &value, sizeof (value));
	m->size = sizeof (value);
}

int
message_get_state (const struct message *m, struct vring_state *ret)
{
	if (m->size != sizeof (*ret))
		return -EBADMSG;
	memcpy (ret, m->body, sizeof (*ret));
	return 0;
}

void
message_put_state (struct message *m, const struct vring_state *state)
{
	memcpy (m->body, state, sizeof (*state));
	m->size = sizeof (*state);
}

int
message_get_vring_fd (const struct message *m, struct vring_fd *ret)
{
	uint64_t value;
	int err = message_get_u64 (m, &value);

	if (err < 0)
		return err;
	ret->index = value & VRING_INDEX_MASK;
	ret->no_fd = value & VRING_NO_FD;
	if (value & ~(uint64_t) (VRING_INDEX_MASK | VRING_NO_FD))
		return -EBADMSG;
	return m->n_fds == (ret->no_fd ? 0 : 1) ? 0 : -EBADMSG;
}

void
message_put_vring_fd (struct message *m, const struct vring_fd *v)
{
	message_put_u64 (m, (v->index & VRING_INDEX_MASK) | (v->no_fd ? VRING_NO_FD : 0));
}

int
message_get_vring_addresses (const struct message *m, struct vring_addresses *ret)
{
	struct wire_addr w;

	if (m->size != sizeof (w))
		return -EBADMSG;
	memcpy (&w, m->body, sizeof (w));
	if ((w.flags & ~VRING_FLAG_LOG) || w.desc % 16 || w.avail % 2 || w.used % 4)
		return -EBADMSG;
	*ret = (struct vring_addresses){ .index = w.index, .flags = w.flags, .desc = w.desc, .used = w.used, .avail = w.avail, .log = w.log };
	return 0;
}

void
message_put_vring_addresses (struct message *m, const struct vring_addresses *a)
{
	struct wire_addr w = { .index = a->index, .flags = a->flags, .desc = a->desc, .used = a->used, .avail = a->avail, .log = a->log };

	memcpy (m->body, &w, sizeof (w));
	m->size = sizeof (w);
}

/* --- regions --- */

static size_t
region_size (bool xen)
{
	return xen ? sizeof (struct wire_xen_region) : sizeof (struct wire_region);
}

static void
region_get (const uint8_t *p, bool xen, struct vh_region *ret)
{
	struct wire_xen_region w = { 0 };

	memcpy (&w, p, region_size (xen));
	*ret = (struct vh_region){
		.guest_addr = w.region.guest_addr, .size = w.region.size, .user_addr = w.region.user_addr, .offset = w.region.offset,
		.fd = -1, .xen_flags = w.flags, .xen_domid = w.domid,
	};
}

static void
region_put (uint8_t *p, bool xen, const struct vh_region *r)
{
	struct wire_xen_region w = {
		.region = { .guest_addr = r->guest_addr, .size = r->size, .user_addr = r->user_addr, .offset = r->offset },
		.flags = r->xen_flags, .domid = r->xen_domid,
	};

	memcpy (p, &w, region_size (xen));
}

/*
 * Are the regions all that there is?  User Mode Linux (virtio_uml of Linux 6.1) always sends two, of which the second one is zeroes when the number in front
 * says that there is one.
 */
static bool
table_ends (const struct message *m, size_t at, bool xen)
{
	if (m->size < at || (m->size - at) % region_size (xen) != 0)
		return false;
	for (; at < m->size; at++)
		if (m->body[at] != 0)
			return false;
	return true;
}

int
message_get_mem_table (const struct message *m, bool xen, struct vh_region regions[VH_MAX_TABLE_REGIONS], unsigned *n)
{
	struct wire_table t;

	if (m->size < sizeof (t))
		return -EBADMSG;
	memcpy (&t, m->body, sizeof (t));
	if (t.padding != 0 || t.n > VH_MAX_TABLE_REGIONS || !table_ends (m, sizeof (t) + t.n * region_size (xen), xen))
		return -EBADMSG;
	for (unsigned i = 0; i < t.n; i++)
		region_get (m->body + sizeof (t) + i * region_size (xen), xen, &regions[i]);
	*n = t.n;
	return 0;
}

void
message_put_mem_table (struct message *m, bool xen, const struct vh_region *regions, unsigned n)
{
	struct wire_table t = { .n = n };

	memcpy (m->body, &t, sizeof (t));
	for (unsigned i = 0; i < n; i++)
		region_put (m->body + sizeof (t) + i * region_size (xen), xen, &regions[i]);
	m->size = sizeof (t) + n * region_size (xen);
}

int
message_get_mem_region (const struct message *m, bool xen, struct vh_region *ret)
{
	/* Eight bytes of padding are in front; rust-vmm leaves them unset, so they are not looked at. */
	if (m->size != 8 + region_size (xen))
		return -EBADMSG;
	region_get (m->body + 8, xen, ret);
	return 0;
}

void
message_put_mem_region (struct message *m, bool xen, const struct vh_region *r)
{
	memset (m->body, 0, 8);
	region_put (m->body + 8, xen, r);
	m->size = 8 + region_size (xen);
}

/* --- configuration space --- */

int
message_get_config (struct message *m, struct config_range *ret, uint8_t **data)
{
	struct wire_config w;

	if (m->size < sizeof (w))
		return -EBADMSG;
	memcpy (&w, m->body, sizeof (w));
	*ret = (struct config_range){ .offset = w.offset, .size = w.size, .flags = w.flags };
	*data = m->body + sizeof (w);
	return w.size == m->size - sizeof (w) ? 0 : -EBADMSG;
}

uint8_t *
message_put_config (struct message *m, const struct config_range *r)
{
	struct wire_config w = { .offset = r->offset, .size = r->size, .flags = r->flags };

	memcpy (m->body, &w, sizeof (w));
	memset (m->body + sizeof (w), 0, r->size);
	m->size = sizeof (w) + r->size;
	return m->body + sizeof (w);
}

/* --- IOTLB --- */

int
message_get_iotlb (const struct message *m, struct iotlb_message *ret)
{
	struct wire_iotlb w;

	if (m->size != sizeof (w))
		return -EBADMSG;
	memcpy (&w, m->body, sizeof (w));
	*ret = (struct iotlb_message){ .iova = w.iova, .size = w.size, .user = w.user, .perm = w.perm, .type = w.type };
	return 0;
}

void
message_put_iotlb (struct message *m, const struct iotlb_message *t)
{
	struct wire_iotlb w = { .iova = t->iova, .size = t->size, .user = t->user, .perm = (uint8_t) t->perm, .type = (uint8_t) t->type };

	memcpy (m->body, &w, sizeof (w));
	m->size = sizeof (w);
}

/* --- dirty log --- */

int
message_get_log (const struct message *m, uint64_t *size, uint64_t *offset)
{
	uint64_t w[2];

	if (m->size != sizeof (w))
		return -EBADMSG;
	memcpy (w, m->body, sizeof (w));
	*size = w[0];
	*offset = w[1];
	return 0;
}

void
message_put_log (struct message *m, uint64_t size, uint64_t offset)
{
	const uint64_t w[2] = { size, offset };

	memcpy (m->body, w, sizeof (w));
	m->size = sizeof (w);
}

/* --- in-flight area --- */

int
message_get_inflight (const struct message *m, struct inflight_area *ret)
{
	struct wire_inflight w;

	if (m->size != sizeof (w) && m->size != offsetof (struct wire_inflight, padding))
		return -EBADMSG;
	memcpy (&w, m->body, offsetof (struct wire_inflight, padding));
	*ret = (struct inflight_area){ .size = w.size, .offset = w.offset, .rings = w.rings, .entries = w.entries };
	return 0;
}

void
message_put_inflight (struct message *m, const struct inflight_area *a)
{
	struct wire_inflight w = { .size = a->size, .offset = a->offset, .rings = (uint16_t) a->rings, .entries = (uint16_t) a->entries };

	memcpy (m->body, &w, sizeof (w));
	m->size = sizeof (w);
}

void
message_answer_inflight (struct message *m, const struct message *request, const struct inflight_area *a)
{
	message_put_inflight (m, a);
	if (request->size == offsetof (struct wire_inflight, padding))
		m->size = request->size;
}
