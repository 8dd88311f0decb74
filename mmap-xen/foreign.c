/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Foreign regions.  The address space is reserved first and then filled, batch by batch, so that the lists of frames stay small however large the guest:
 *
 *	base                                                     base + frames pages
 *	| batch 0, mapped | batch 1, mapped | reserved (PROT_NONE)               |
 */
#include "mmap-xen/foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "mmap-xen/domain.h"
#include "mmap-xen/host.h"

/* Frames of one map call: 256 MiB.  The lists of a batch take 768 KiB; the kernel makes one mapping of each, of which a process may have 65530. */
#define BATCH_FRAMES 65536u

/* How often a batch is tried while frames of it are paged out, and the pause between.  The control thread waits here: 100 ms at most. */
#define TRIES 50
#define PAUSE_NS 2000000

struct foreign {
	uint8_t *base;
	size_t frames;
};

/* The lists of one batch. */
struct batch {
	xen_pfn_t gfns[BATCH_FRAMES];
	int errors[BATCH_FRAMES];
};

static bool
is_transient (int err)
{
	return err == ENOENT || err == EAGAIN;
}

static void
pause_for_pager (void)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };

	nanosleep (&pause, NULL);
}

static void *
reserve (void *at, size_t bytes, int flags)
{
	return mmap (at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

/*
 * After a map call that failed as a whole, its addresses may be free, and another thread's next mapping may be there: they are only ours again when nobody
 * has them.
 */
static bool
reserve_again (uint8_t *at, size_t bytes)
{
	void *got = reserve (at, bytes, MAP_FIXED_NOREPLACE);

	if (got != MAP_FAILED && got != at)
		munmap (got, bytes);
	return got == at;
}

/* What the entries say: 0; -EAGAIN when all that failed are paged out; -EFAULT. */
static int
check_errors (const int *errors, size_t n)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (errors[i] == 0)
			continue;
		/* Negative from the kernel, positive by the library's documentation. */
		if (!is_transient (abs (errors[i])))
			return abs (errors[i]) == ESRCH ? -ESRCH : -EFAULT;
		ret = -EAGAIN;
	}
	return ret;
}

/* One try.  *ours is false when the addresses of the batch are not ours any more. */
static int
try_batch (uint32_t domid, uint8_t *at, struct batch *b, size_t n, bool *ours)
{
	void *got;
	int err;

	host_count (&host.counters.map_calls, 1);
	errno = 0;
	got = host.calls->foreign_map (host.foreign, domid, at, PROT_READ | PROT_WRITE, MAP_FIXED, n, b->gfns, b->errors);
	if (got)
		return check_errors (b->errors, n);
	err = errno ? errno : EIO;
	*ours = reserve_again (at, n * XEN_PAGE);
	return is_transient (err) ? -EAGAIN : -err;
}

static int
map_batch (uint32_t domid, uint8_t *at, struct batch *b, size_t n, bool *ours)
{
	int ret, tries = TRIES;

	for (;;) {
		ret = try_batch (domid, at, b, n, ours);
		/* Where the addresses may be another's, MAP_FIXED would take them away from it. */
		if (ret != -EAGAIN || !*ours || --tries == 0)
			return ret;
		pause_for_pager ();
	}
}

/* Undoes a region whose batch of n frames after `done` failed. */
static void
give_back (const struct foreign *f, size_t done, size_t n, bool ours)
{
	munmap (f->base, done * XEN_PAGE);
	if (ours)
		munmap (f->base + done * XEN_PAGE, n * XEN_PAGE);
	munmap (f->base + (done + n) * XEN_PAGE, (f->frames - done - n) * XEN_PAGE);
}

/* Fills the reserved addresses; on failure gives them back. */
static int
fill (const struct foreign *f, uint32_t domid, uint64_t first_gfn, struct batch *b)
{
	size_t done, n, i;
	bool ours = true;
	int ret;

	for (done = 0; done < f->frames; done += n) {
		n = f->frames - done < BATCH_FRAMES ? f->frames - done : BATCH_FRAMES;
		for (i = 0; i < n; i++)
			b->gfns[i] = first_gfn + done + i;
		ret = map_batch (domid, f->base + done * XEN_PAGE, b, n, &ours);
		if (ret) {
			host_count (&host.counters.failures, 1);
			give_back (f, done, n, ours);
			return ret;
		}
	}
	return 0;
}

/* Reserves addresses for all frames and fills them. */
static int
map_frames (struct foreign *f, uint32_t domid, uint64_t first_gfn)
{
	struct batch *b = malloc (sizeof (*b));
	int ret;

	if (!b)
		return -ENOMEM;
	f->base = reserve (NULL, f->frames * XEN_PAGE, 0);
	ret = f->base == MAP_FAILED ? -errno : fill (f, domid, first_gfn, b);
	free (b);
	return ret;
}

static int
check_spec (const struct vh_region *spec)
{
	/* Domain 0 is no guest: who may name it could have this process write to the host's own memory. */
	if (spec->xen_domid == 0 || spec->offset != 0)
		return -EINVAL;
	return domain_check (spec->xen_domid);
}

static int
map_spec (struct region *r)
{
	uint64_t first = r->spec.guest_addr >> XEN_PAGE_SHIFT;
	uint64_t last = (r->spec.guest_addr + (r->spec.size - 1)) >> XEN_PAGE_SHIFT;
	struct foreign *f = malloc (sizeof (*f));
	int ret;

	if (!f)
		return -ENOMEM;
	f->frames = last - first + 1;
	ret = map_frames (f, r->spec.xen_domid, first);
	if (ret) {
		free (f);
		return ret;
	}
	host_count (&host.counters.foreign_frames, f->frames);
	r->model = f;
	r->host = f->base + r->spec.guest_addr % XEN_PAGE;
	return 0;
}

int
foreign_map (struct region *r)
{
	int ret = host_enter (HOST_FOREIGN);

	if (ret)
		return ret;
	ret = check_spec (&r->spec);
	if (ret == 0)
		ret = map_spec (r);
	if (ret)
		host_leave ();
	return ret;
}

void
foreign_unmap (struct region *r)
{
	struct foreign *f = r->model;

	host_count (&host.counters.unmap_calls, 1);
	if (host.calls->foreign_unmap (host.foreign, f->base, f->frames))
		host_count (&host.counters.failures, 1);
	free (f);
	r->model = NULL;
	r->host = NULL;
	host_leave ();
}
