/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making and starting a guest's block driver; see guest-disk.h.
 */
#include "guest-disk-setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GRANTS (UINT64_C (1) << 63)

/* User addresses of a region that is not mapped here: any that nothing else has. */
#define FIRST_KEY (UINT64_C (1) << 50)

#define FIRST_REF 16u
#define CONNECT_MS 10000
#define ANSWER_MS 20000

static int
fail (struct guest_disk *d, int err, const char *what)
{
	const char *words = d->frontend ? vh_frontend_error (d->frontend) : "";

	fprintf (stderr, "guest-disk: %s: %s %s\n", what, strerror (-err), words);
	return err;
}

static bool
is_granted (const struct guest_disk *d)
{
	return d->options.memory != DISK_FOREIGN;
}

uint64_t
piece_addr (const struct guest_disk *d, const struct disk_piece *p)
{
	uint64_t page = is_granted (d) ? p->ref : bare_domain_frame (d->domain, p->page);

	return (is_granted (d) ? GRANTS : 0) + page * BARE_PAGE + p->offset;
}

void
piece_grant (struct guest_disk *d, const struct disk_piece *p, bool readonly)
{
	unsigned i;

	for (i = 0; is_granted (d) && i < piece_pages (p); i++)
		bare_domain_grant (d->domain, p->ref + i, p->page + i, readonly);
}

void
piece_end_grant (struct guest_disk *d, const struct disk_piece *p)
{
	unsigned i;

	for (i = 0; is_granted (d) && i < piece_pages (p); i++)
		if (bare_domain_end_grant (d->domain, p->ref + i))
			d->late++;
}

/* --- memory --- */

/* Pages whose frames are consecutive. */
static unsigned
take_pages (struct guest_disk *d, unsigned n)
{
	unsigned page = d->next_page;

	if (page / BARE_PIECE_PAGES != (page + n - 1) / BARE_PIECE_PAGES)
		page = (page / BARE_PIECE_PAGES + 1) * BARE_PIECE_PAGES;
	d->next_page = page + n;
	return page;
}

static struct disk_piece
take_piece (struct guest_disk *d, unsigned page, unsigned pages, uint32_t offset, uint32_t bytes)
{
	struct disk_piece p = { .page = page, .ref = d->next_ref, .offset = offset, .bytes = bytes };

	d->next_ref += pages;
	return p;
}

/* Rings need not begin where a page does. */
static void
place_areas (struct guest_disk *d, struct disk_queue *q)
{
	static const uint32_t offsets[AREAS] = { 0, 0x40, 0x7f0 };
	const uint32_t bytes[AREAS] = { QUEUE_SIZE * 16, 6 + QUEUE_SIZE * 2, 6 + QUEUE_SIZE * 8 };
	unsigned i;

	for (i = 0; i < AREAS; i++) {
		q->areas[i] = take_piece (d, take_pages (d, 1), 1, offsets[i], bytes[i]);
		memset (piece_host (d, &q->areas[i]), 0, bytes[i]);
		piece_grant (d, &q->areas[i], false);
	}
	q->desc = piece_host (d, &q->areas[AREA_DESC]);
	q->avail = piece_host (d, &q->areas[AREA_AVAIL]);
	q->used = piece_host (d, &q->areas[AREA_USED]);
}

static void
place_work (struct guest_disk *d, struct disk_work *w)
{
	unsigned page = take_pages (d, SLOT_PAGES);

	w->header = take_piece (d, page, 1, 0x100, sizeof (struct virtio_blk_outhdr));
	w->status = take_piece (d, page, 1, 0x118, 1);
	w->table = take_piece (d, page + 1, 1, 0, MAX_PARTS * sizeof (struct vring_desc));
	w->data = take_piece (d, page + 2, SLOT_DATA_PAGES, 0, 0);
	w->slot.data = piece_host (d, &w->data);
}

/* --- sharing --- */

static struct vh_region
region_of (const struct guest_disk *d, uint64_t guest_addr, uint64_t size, uint64_t user_addr, uint32_t flags)
{
	return (struct vh_region){ .guest_addr = guest_addr,
				   .size = size,
				   .user_addr = user_addr,
				   .fd = d->device_fd,
				   .xen_flags = flags,
				   .xen_domid = bare_domain_id (d->domain) };
}

static unsigned
list_foreign (const struct guest_disk *d, struct vh_region *regions)
{
	unsigned i;

	for (i = 0; i < DISK_PIECES; i++)
		regions[i] = region_of (d, bare_domain_frame (d->domain, i * BARE_PIECE_PAGES) * BARE_PAGE, (uint64_t) BARE_PIECE_PAGES * BARE_PAGE,
					(uintptr_t) bare_domain_page (d->domain, i * BARE_PIECE_PAGES), VH_XEN_FOREIGN);
	return DISK_PIECES;
}

/* A region of all references from one on, to be mapped on demand. */
static struct vh_region
on_demand (const struct guest_disk *d, uint32_t first)
{
	uint32_t flag = d->options.no_advance ? d->options.no_advance : VH_XEN_NO_ADVANCE_MAP;

	return region_of (d, GRANTS + (uint64_t) first * BARE_PAGE, (uint64_t) (d->next_ref - first) * BARE_PAGE,
			  FIRST_KEY + (uint64_t) first * BARE_PAGE, VH_XEN_GRANT | flag);
}

static unsigned
list_grants (const struct guest_disk *d, struct vh_region *regions)
{
	unsigned n = 0, i, k;

	for (i = 0; i < d->options.queues; i++)
		for (k = 0; k < AREAS; k++) {
			const struct disk_piece *p = &d->queues[i].areas[k];

			regions[n++] = region_of (d, piece_addr (d, p), p->bytes, (uintptr_t) piece_host (d, p), VH_XEN_GRANT);
		}
	regions[n++] = on_demand (d, d->first_buffer_ref);
	return n;
}

static int
share_memory (struct guest_disk *d)
{
	struct vh_region regions[VH_MAX_TABLE_REGIONS];
	unsigned n = 1;

	d->device_fd = open (is_granted (d) ? "/dev/xen/gntdev" : "/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	if (d->device_fd < 0)
		return fail (d, -errno, "opening Xen's device");
	if (d->options.memory == DISK_FOREIGN)
		n = list_foreign (d, regions);
	else if (d->options.memory == DISK_GRANT)
		n = list_grants (d, regions);
	else
		regions[0] = on_demand (d, FIRST_REF);
	return vh_frontend_set_mem_table (d->frontend, regions, n);
}

/* --- starting --- */

static uint64_t
area_user_addr (const struct guest_disk *d, const struct disk_piece *p)
{
	if (d->options.memory == DISK_GRANT_ALL)
		return FIRST_KEY + (uint64_t) p->ref * BARE_PAGE + p->offset;
	return (uintptr_t) piece_host (d, p);
}

static int
start_queue (struct guest_disk *d, unsigned i)
{
	struct disk_queue *q = &d->queues[i];
	struct vh_vring_addr addr = {
		.desc = area_user_addr (d, &q->areas[AREA_DESC]),
		.avail = area_user_addr (d, &q->areas[AREA_AVAIL]),
		.used = area_user_addr (d, &q->areas[AREA_USED]),
	};
	struct vh_frontend *f = d->frontend;
	int err;

	(void) ((err = vh_frontend_set_vring_num (f, i, QUEUE_SIZE)) < 0 || (err = vh_frontend_set_vring_base (f, i, 0)) < 0 ||
		(err = vh_frontend_set_vring_addr (f, i, &addr)) < 0 || (err = vh_frontend_set_vring_err (f, i, q->err_fd)) < 0 ||
		(err = vh_frontend_set_vring_call (f, i, q->call_fd)) < 0 || (err = vh_frontend_set_vring_kick (f, i, q->kick_fd)) < 0 ||
		(err = vh_frontend_set_vring_enable (f, i, 1)) < 0);
	return err;
}

static int
make_queue (struct guest_disk *d, struct disk_queue *q)
{
	unsigned i;

	q->kick_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->call_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->err_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->works = calloc (d->slots, sizeof (*q->works));
	if (!q->works || q->kick_fd < 0 || q->call_fd < 0 || q->err_fd < 0)
		return -ENOMEM;
	for (i = 0; i < d->slots; i++)
		place_work (d, &q->works[i]);
	return 0;
}

static int
negotiate (struct guest_disk *d)
{
	uint64_t wanted = d->options.features | VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_PROTOCOL_FEATURES);
	int err = vh_frontend_handshake (d->frontend, UINT64_MAX);

	if (err < 0)
		return fail (d, err, "handshake");
	if (!(vh_frontend_protocol_features (d->frontend) & VH_BIT (VH_P_XEN_MMAP)))
		return fail (d, -EOPNOTSUPP, "the back-end has no XEN_MMAP");
	d->features = vh_frontend_offered_features (d->frontend) & wanted;
	err = vh_frontend_set_features (d->frontend, d->features);
	if (err < 0)
		return fail (d, err, "features");
	d->slots = d->features & VH_BIT (VH_F_INDIRECT_DESC) ? INDIRECT_SLOTS : DIRECT_SLOTS;
	return 0;
}

static int
make_queues (struct guest_disk *d)
{
	unsigned i;
	int err;

	for (i = 0; i < d->options.queues; i++)
		place_areas (d, &d->queues[i]);
	d->first_buffer_ref = d->next_ref;
	for (i = 0; i < d->options.queues; i++) {
		err = make_queue (d, &d->queues[i]);
		if (err < 0)
			return fail (d, err, "queue");
	}
	if (d->next_page > bare_domain_pages (d->domain) || d->next_ref > bare_domain_refs (d->domain))
		return fail (d, -ENOSPC, "the domain is too small");
	return 0;
}

static int
start (struct guest_disk *d)
{
	unsigned i;
	int err = negotiate (d);

	if (err == 0)
		err = make_queues (d);
	if (err < 0)
		return err;
	err = share_memory (d);
	if (err < 0)
		return fail (d, err, "memory");
	for (i = 0; i < d->options.queues; i++) {
		err = start_queue (d, i);
		if (err < 0)
			return fail (d, err, "starting a queue");
	}
	return 0;
}

int
disk_new (struct bare_domain *domain, const char *socket_path, const struct disk_options *options, struct guest_disk **ret)
{
	struct vh_frontend_options frontend = { .size = sizeof (frontend), .timeout_ms = ANSWER_MS };
	struct guest_disk *d = calloc (1, sizeof (*d));
	unsigned i;
	int err;

	if (!d)
		return -ENOMEM;
	d->domain = domain;
	d->options = *options;
	d->device_fd = -1;
	d->next_ref = FIRST_REF;
	for (i = 0; i < DISK_QUEUES; i++)
		d->queues[i].kick_fd = d->queues[i].call_fd = d->queues[i].err_fd = -1;
	err = vh_frontend_connect (socket_path, CONNECT_MS, &frontend, &d->frontend);
	err = err < 0 ? fail (d, err, "connecting") : start (d);
	if (err < 0) {
		disk_free (d);
		return err;
	}
	*ret = d;
	return 0;
}

static void
close_fd (int fd)
{
	if (fd >= 0)
		close (fd);
}

void
disk_free (struct guest_disk *d)
{
	unsigned i;

	if (!d)
		return;
	vh_frontend_free (d->frontend);
	for (i = 0; i < DISK_QUEUES; i++) {
		close_fd (d->queues[i].kick_fd);
		close_fd (d->queues[i].call_fd);
		close_fd (d->queues[i].err_fd);
		free (d->queues[i].works);
	}
	close_fd (d->device_fd);
	free (d);
}

int
disk_stop (struct guest_disk *d)
{
	uint32_t base;
	unsigned i;
	int err;

	for (i = 0; i < d->options.queues; i++) {
		err = vh_frontend_get_vring_base (d->frontend, i, &base);
		if (err < 0)
			return fail (d, err, "stopping a queue");
		if (base != d->queues[i].published)
			return fail (d, -EPROTO, "a queue stopped at another position");
	}
	return 0;
}

uint64_t
disk_features (const struct guest_disk *d)
{
	return d->features;
}

unsigned
disk_slots (const struct guest_disk *d)
{
	return d->slots;
}

unsigned
disk_late_grants (const struct guest_disk *d)
{
	return d->late;
}
