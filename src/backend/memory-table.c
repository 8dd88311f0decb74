/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of guest memory.  Each builds a new table beside the old one and puts it in force only when all of it is well; the rings then move to it (see
 * vrings_settle), and the old one goes when its last request has.
 */
#include <errno.h>

#include "backend/connection.h"

static bool
xen_layout (const struct vh_backend *b)
{
	return b->protocol & VH_BIT (VH_P_XEN_MMAP);
}

static void
regions_unref (struct region **regions, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		region_unref (regions[i]);
}

/* Puts a table in force; its reference is the connection's from now on. */
static void
table_install (struct vh_backend *b, struct vh_memory *table)
{
	int err;

	vh_memory_unref (b->memory);
	b->memory = table;
	b->memory_goes = true;
	err = iotlb_memory_changed (b);
	if (err < 0)
		backend_fail (b, error_set (&b->error, err, "no memory for its translations"));
	backend_watch_memory (b);
	/* What could not start for want of memory may now. */
	for (unsigned i = 0; i < b->n_vrings; i++)
		b->vrings[i].failed = false;
}

/* Makes a table of these regions the one in force. */
static int
table_replace (struct vh_backend *b, struct region *const *regions, unsigned n)
{
	struct vh_memory *table;
	int err = memory_new (regions, n, &table);

	if (err < 0)
		return err;
	if (!log_fits (b, b->features, table)) {
		vh_memory_unref (table);
		return -EINVAL;
	}
	table_install (b, table);
	return 0;
}

static int
table_set (struct vh_backend *b, struct message *m)
{
	struct vh_region specs[VH_MAX_TABLE_REGIONS];
	struct region *regions[VH_MAX_TABLE_REGIONS];
	unsigned n, mapped;
	int err = message_get_mem_table (m, xen_layout (b), specs, &n);

	if (err < 0)
		return err;
	if (m->n_fds != n)
		return -EBADMSG;
	for (mapped = 0; mapped < n && err == 0; mapped += err == 0)
		err = region_new (&specs[mapped], m->fds[mapped], &regions[mapped]);
	if (err == 0)
		err = b->listening ? postcopy_announce (b, regions, n) : table_replace (b, regions, n);
	regions_unref (regions, mapped);	/* the table has its own references */
	return err;
}

int
memory_table_set (struct vh_backend *b, struct message *m)
{
	struct vh_memory *table;
	int err;

	if (!postcopy_is_announced (b))
		return table_set (b, m);
	err = postcopy_accept (b, m, &table);
	if (err == 0)
		table_install (b, table);
	return err;
}

int
memory_table_answer (struct vh_backend *b, struct message *m, struct message *reply)
{
	return postcopy_is_announced (b) ? postcopy_fill_addresses (b, m, reply) : 0;
}

/* The regions in force, into an array that has room for one more. */
static unsigned
table_regions (const struct vh_backend *b, struct region **regions)
{
	for (unsigned i = 0; i < b->memory->n; i++)
		regions[i] = b->memory->slots[i].region;
	return b->memory->n;
}

static bool
same_region (const struct vh_region *a, const struct vh_region *b)
{
	/* The offset is not compared: front-ends leave it out here (vhost-user, REM_MEM_REG). */
	return a->guest_addr == b->guest_addr && a->size == b->size && a->user_addr == b->user_addr;
}

/* The one with these addresses among n; NULL: there is none. */
static struct region *
find_region (struct region *const *regions, unsigned n, const struct vh_region *spec)
{
	for (unsigned i = 0; i < n; i++)
		if (same_region (&regions[i]->spec, spec))
			return regions[i];
	return NULL;
}

/*
 * QEMU 7.2 sends each region of a network device once for every pair of queues, and takes it back as often.  Only devices that count their queues in pairs
 * are up to that.
 */
static bool
comes_once_a_pair (const struct vh_backend *b)
{
	return b->device->queue_num && b->device->queue_num < b->device->rings;
}

int
memory_table_add (struct vh_backend *b, struct message *m)
{
	struct region *regions[VH_MAX_REGIONS + 1];
	unsigned n = table_regions (b, regions);
	struct region *known;
	struct vh_region spec;
	int err = message_get_mem_region (m, xen_layout (b), &spec);

	if (err < 0)
		return err;
	known = comes_once_a_pair (b) ? find_region (regions, n, &spec) : NULL;
	if (known && known->repeats + 1 < b->device->queue_num) {
		known->repeats++;
		return 0;
	}
	if (n == VH_MAX_REGIONS)
		return -ENOSPC;
	err = region_new (&spec, m->fds[0], &regions[n]);
	if (err < 0)
		return err;
	err = table_replace (b, regions, n + 1);
	region_unref (regions[n]);
	return err;
}

int
memory_table_remove (struct vh_backend *b, struct message *m)
{
	struct region *regions[VH_MAX_REGIONS + 1];
	unsigned n = table_regions (b, regions);
	struct vh_region spec;
	int err = message_get_mem_region (m, xen_layout (b), &spec);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < n; i++)
		if (same_region (&regions[i]->spec, &spec)) {
			if (regions[i]->repeats > 0) {
				regions[i]->repeats--;
				return 0;
			}
			regions[i] = regions[n - 1];
			return table_replace (b, regions, n - 1);
		}
	return -ENOENT;
}

int
memory_table_get_max_slots (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, VH_MAX_REGIONS);
	return 0;
}
