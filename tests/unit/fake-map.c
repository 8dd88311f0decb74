/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory model for tests of mapping on demand.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mmap-unix/file-map.h"
#include "tests/unit/fake-map.h"
#include "util/checked.h"

#define PAGE 4096u

struct fake_map fake_map;
const char map_model_name[] = "fake";

struct lease {
	unsigned n;
	struct mapping {
		void *base;
		size_t length;
	} mappings[];
};

void
fake_map_reset (void)
{
	memset (&fake_map, 0, sizeof (fake_map));
	fake_map.room = fake_map.most = UINT_MAX;
}

uint64_t
map_protocol_features (void)
{
	return 0;
}

void
map_get_counters (struct vh_memory_counters *ret)
{
	memset (ret, 0, sizeof (*ret));
}

/* --- regions: on demand, `model` is an fd of the file --- */

int
map_region (struct region *r, int fd)
{
	int *copy;

	if (!(r->spec.xen_flags & VH_XEN_NO_ADVANCE_MAP))
		return file_map (r, fd);
	copy = malloc (sizeof (*copy));
	if (!copy)
		return -ENOMEM;
	*copy = fcntl (fd, F_DUPFD_CLOEXEC, 0);
	r->model = copy;
	return 0;
}

void
unmap_region (struct region *r)
{
	if (r->host) {
		file_unmap (r);
		return;
	}
	close (*(int *) r->model);
	free (r->model);
}

/* --- ranges --- */

uint32_t
map_copy_limit (void)
{
	return fake_map.copy_limit;
}

/* Where a range is in its region's file. */
static off_t
range_offset (const struct range *range)
{
	if (!range_inside (range->addr, range->size, range->region->spec.guest_addr, range->region->spec.size))
		abort ();	/* the contract: all inside the region */
	return (off_t) (range->region->spec.offset + (range->addr - range->region->spec.guest_addr));
}

static int
range_fd (const struct range *range)
{
	return *(int *) range->region->model;
}

static bool
is_refused (const struct range *range)
{
	return ranges_overlap (range->addr, range->size, fake_map.refused, fake_map.refused_size);
}

static int
copy_one (struct range *range, struct mapping *m)
{
	m->length = range->size;
	m->base = mmap (NULL, m->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->base == MAP_FAILED)
		return -errno;
	if (pread (range_fd (range), m->base, range->size, range_offset (range)) != (ssize_t) range->size)
		abort ();
	range->host = m->base;
	fake_map.copies++;
	return 0;
}

static int
map_one (struct range *range, struct mapping *m)
{
	off_t offset = range_offset (range), in_page = offset % PAGE;

	if (is_refused (range))
		return -EFAULT;
	if (range->copy)
		return copy_one (range, m);
	m->length = (size_t) in_page + range->size;
	m->base = mmap (NULL, m->length, PROT_READ | (range->write ? PROT_WRITE : 0), MAP_SHARED, range_fd (range), offset - in_page);
	if (m->base == MAP_FAILED)
		return -errno;
	range->host = (unsigned char *) m->base + in_page;
	return 0;
}

static void
unmap_all (struct lease *l)
{
	while (l->n > 0) {
		l->n--;
		munmap (l->mappings[l->n].base, l->mappings[l->n].length);
	}
	free (l);
}

static int
check_room (unsigned n)
{
	if (fake_map.error)
		return fake_map.error;
	if (n > fake_map.most)
		return -ENOMEM;
	return n > fake_map.room || fake_map.ranges > fake_map.room - n ? -EAGAIN : 0;
}

int
map_ranges (struct range *ranges, unsigned n, struct lease **ret)
{
	struct lease *l = calloc (1, sizeof (*l) + n * sizeof (l->mappings[0]));
	int err = l ? check_room (n) : -ENOMEM;

	for (unsigned i = 0; err == 0 && i < n; i++) {
		err = map_one (&ranges[i], &l->mappings[i]);
		l->n += err == 0;
	}
	if (err < 0) {
		fake_map.failed++;
		unmap_all (l);
		return err;
	}
	fake_map.calls++;
	fake_map.leases++;
	fake_map.ranges += n;
	for (unsigned i = 0; i < n; i++)
		fake_map.writable += ranges[i].write;
	if (fake_map.mapped)
		fake_map.mapped (fake_map.opaque);
	*ret = l;
	return 0;
}

int
map_write_back (const struct range *ranges, unsigned n)
{
	int err = 0;

	fake_map.write_backs++;
	for (unsigned i = 0; i < n; i++) {
		if (!ranges[i].copy || !ranges[i].write)
			continue;
		if (is_refused (&ranges[i]))
			err = -EFAULT;
		else if (pwrite (range_fd (&ranges[i]), ranges[i].host, ranges[i].size, range_offset (&ranges[i])) != (ssize_t) ranges[i].size)
			abort ();
		fake_map.written += err == 0;
	}
	return err;
}

void
unmap_lease (struct lease *l)
{
	if (fake_map.ending)
		fake_map.ending (fake_map.opaque);
	fake_map.ended++;
	fake_map.leases--;
	fake_map.ranges -= l->n;
	unmap_all (l);
}
