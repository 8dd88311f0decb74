/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping pieces of regions a second time.  mremap with an old size of 0 does that for a shared mapping, without the file's fd, which nobody has any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/guard.h"
#include "memory/joined.h"
#include "util/checked.h"

struct joined {
	unsigned char *mapping;
	size_t size;		/* of the mapping */
	unsigned char *host;
	unsigned n;
	unsigned mapped;	/* of the n: these are guarded */
	struct joined_piece pieces[];
};

/* The pages that a piece is in: where they begin, and their bytes. */
static unsigned char *
piece_pages (const struct joined_piece *p, size_t *size)
{
	size_t page = (size_t) sysconf (_SC_PAGESIZE), before = (uintptr_t) p->host % page;

	*size = ((size_t) p->size + before + page - 1) & ~(page - 1);
	return p->host - before;
}

/* Do two pieces meet at the border of a page? */
static bool
pieces_meet (const struct joined_piece *a, const struct joined_piece *b)
{
	size_t page = (size_t) sysconf (_SC_PAGESIZE);

	return ((uintptr_t) a->host + a->size) % page == 0 && (uintptr_t) b->host % page == 0;
}

/* Sets what the mapping will have. */
static int
pieces_check (const struct joined_piece *pieces, unsigned n, size_t *total)
{
	*total = 0;
	for (unsigned i = 0; i < n; i++) {
		size_t size;

		if (!pieces[i].region->mapping || __atomic_load_n (&pieces[i].region->filling, __ATOMIC_ACQUIRE))
			return -EFAULT;
		if (i > 0 && !pieces_meet (&pieces[i - 1], &pieces[i]))
			return -EFAULT;
		piece_pages (&pieces[i], &size);
		*total += size;
	}
	return *total > 0 ? 0 : -EFAULT;
}

static int
piece_map (const struct joined_piece *p, unsigned char *where, size_t *size)
{
	unsigned char *pages = piece_pages (p, size);
	int err;

	if (mremap (pages, 0, *size, MREMAP_MAYMOVE | MREMAP_FIXED, where) == MAP_FAILED)
		return errno == ENOMEM ? -ENOMEM : -EFAULT;
	err = guard_add (where, *size, &p->region->lost);
	if (err < 0)	/* nobody touches it */
		return err;
	region_ref (p->region);
	return 0;
}

static int
joined_map (struct joined *j)
{
	unsigned char *where = j->mapping;

	for (; j->mapped < j->n; j->mapped++) {
		size_t size;
		int err = piece_map (&j->pieces[j->mapped], where, &size);

		if (err < 0)
			return err;
		where += size;
	}
	return 0;
}

int
joined_new (const struct joined_piece *pieces, unsigned n, struct joined **ret)
{
	struct joined *j;
	size_t total;
	int err = pieces_check (pieces, n, &total);

	if (err < 0)
		return err;
	j = calloc (1, sizeof (*j) + n * sizeof (pieces[0]));
	if (!j)
		return -ENOMEM;
	j->n = n;
	j->size = total;
	memcpy (j->pieces, pieces, n * sizeof (pieces[0]));
	/* A place for all, which the pieces replace. */
	j->mapping = mmap (NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (j->mapping == MAP_FAILED) {
		free (j);
		return -ENOMEM;
	}
	j->host = j->mapping + (uintptr_t) pieces[0].host % (size_t) sysconf (_SC_PAGESIZE);
	err = joined_map (j);
	if (err < 0) {
		joined_free (j);
		return err;
	}
	*ret = j;
	return 0;
}

void
joined_free (struct joined *j)
{
	unsigned char *where;

	if (!j)
		return;
	where = j->mapping;
	for (unsigned i = 0; i < j->mapped; i++) {
		size_t size;

		piece_pages (&j->pieces[i], &size);
		guard_remove (where);
		where += size;
	}
	munmap (j->mapping, j->size);
	for (unsigned i = 0; i < j->mapped; i++)
		region_unref (j->pieces[i].region);
	free (j);
}

unsigned char *
joined_host (const struct joined *j)
{
	return j->host;
}

bool
joined_is (const struct joined *j, const struct joined_piece *pieces, unsigned n)
{
	if (j->n != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (j->pieces[i].region != pieces[i].region || j->pieces[i].host != pieces[i].host || j->pieces[i].size != pieces[i].size)
			return false;
	return true;
}
