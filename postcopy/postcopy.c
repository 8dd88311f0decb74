/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Postcopy in the back-end, by userfaultfd:
 *
 *	front-end                        kernel                        our threads
 *	   |                                |   <---- touches a page that the file does not have
 *	   |  <--- fault, our address ------|                               |
 *	   |  ---- UFFDIO_COPY, or a page in its own mapping and WAKE --->  |  goes on
 *
 * A page is missing when the *file* does not have it, whoever maps it, so nothing must ever be read or written that the front-end did not bring.
 */
#include "backend/postcopy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/protocol.h>

#include "memory/guard.h"
#include "postcopy/uffd.h"
#include "util/fd.h"

/* The table in force, and the one before: rings may still use that, until all have moved. */
#define KEPT_TABLES 2

struct postcopy {
	int fd;					/* -1: abandoned */
	int empty;				/* a file without a byte, for postcopy_abandon: it must not fail for lack of an fd */
	struct vh_memory *tables[KEPT_TABLES];	/* newest first; NULL: none */
};

uint64_t
postcopy_protocol_features (void)
{
	uint64_t features;
	int fd = guard_is_installed () ? uffd_open () : -1;
	int err = fd < 0 ? fd : uffd_handshake (fd, &features);

	if (fd >= 0)
		close (fd);
	return err == 0 && uffd_can_serve (features) ? VH_BIT (VH_P_PAGEFAULT) : 0;
}

int
postcopy_new (struct postcopy **ret)
{
	struct postcopy *p = calloc (1, sizeof (*p));
	uint64_t features;
	int err;

	if (!p)
		return -ENOMEM;
	p->empty = memfd_create ("gone", MFD_CLOEXEC);
	err = p->empty < 0 ? -errno : 0;
	p->fd = uffd_open ();
	if (err == 0)
		err = p->fd < 0 ? p->fd : uffd_handshake (p->fd, &features);
	if (err < 0) {
		postcopy_free (p);
		return err;
	}
	*ret = p;
	return 0;
}

int
postcopy_fd (const struct postcopy *p)
{
	return p->fd;
}

/* Calls fn for every region that may be registered. */
static void
each_region (const struct postcopy *p, void (*fn) (const struct postcopy *, struct region *))
{
	for (unsigned i = 0; i < KEPT_TABLES; i++)
		for (unsigned k = 0; p->tables[i] && k < p->tables[i]->n; k++)
			fn (p, p->tables[i]->slots[k].region);
}

static void
keep_table (struct postcopy *p, struct vh_memory *memory)
{
	vh_memory_unref (p->tables[KEPT_TABLES - 1]);
	for (unsigned i = KEPT_TABLES - 1; i > 0; i--)
		p->tables[i] = p->tables[i - 1];
	p->tables[0] = vh_memory_ref (memory);
}

int
postcopy_register (struct postcopy *p, struct vh_memory *memory)
{
	int err = p->fd < 0 ? -ECONNRESET : 0;

	keep_table (p, memory);
	for (unsigned i = 0; i < memory->n && err == 0; i++) {
		struct region *r = memory->slots[i].region;

		__atomic_store_n (&r->filling, true, __ATOMIC_RELEASE);
		err = uffd_register (p->fd, r->mapping, r->mapping_size);
	}
	return err;
}

/*
 * Nothing behind these addresses any more, not even zeroes, which a disk might write into its image: an empty file.  To touch it is a SIGBUS for us, which
 * the guard turns into a lost region, and -EFAULT for the kernel.
 */
static void
lose_region (const struct postcopy *p, struct region *r)
{
	guard_lose (&r->lost);
	mmap (r->mapping, r->mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, p->empty, 0);
	/* Not left to the close: the front-end has a copy of the fd. */
	uffd_wake (p->fd, r->mapping, r->mapping_size);
}

void
postcopy_abandon (struct postcopy *p)
{
	if (p->fd < 0)
		return;
	each_region (p, lose_region);
	fd_close (&p->fd);
}

static void
release_region (const struct postcopy *p, struct region *r)
{
	uffd_unregister (p->fd, r->mapping, r->mapping_size);
	__atomic_store_n (&r->filling, false, __ATOMIC_RELEASE);
}

void
postcopy_free (struct postcopy *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		each_region (p, release_region);
	fd_close (&p->fd);
	fd_close (&p->empty);
	for (unsigned i = 0; i < KEPT_TABLES; i++)
		vh_memory_unref (p->tables[i]);
	free (p);
}
