/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Xen libraries as a test wants them; see fake-calls.h.
 */
#include "fake-calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mmap-xen/host.h"

struct fake fake;

/* What a handle points to does not matter, it is never looked into. */
static void *
open_handle (int err)
{
	if (err) {
		errno = err;
		return NULL;
	}
	fake.opened++;
	return malloc (1);
}

static int
close_handle (void *handle)
{
	fake.closed++;
	free (handle);
	return 0;
}

static xengnttab_handle *
fake_grant_open (struct xentoollog_logger *logger, unsigned flags)
{
	return open_handle (logger ? fake.open_errno : EINVAL);
}

static int
fake_grant_close (xengnttab_handle *handle)
{
	return close_handle (handle);
}

static void *
fake_grant_map (xengnttab_handle *handle, uint32_t n, uint32_t *domids, uint32_t *refs, int prot)
{
	void *at;

	fake.map_calls++;
	fake.n = n;
	fake.prot = prot;
	memcpy (fake.refs, refs, n * sizeof (*refs));
	memcpy (fake.domids, domids, n * sizeof (*domids));
	if (fake.fail_map && --fake.fail_map == 0) {
		errno = fake.fail_errno;
		return NULL;
	}
	at = mmap (NULL, (size_t) n * XEN_PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	fake.live_maps++;
	return at;
}

static int
fake_grant_unmap (xengnttab_handle *handle, void *at, uint32_t n)
{
	fake.unmap_calls++;
	fake.live_maps--;
	munmap (at, (size_t) n * XEN_PAGE);
	if (fake.unmap_errno) {
		errno = fake.unmap_errno;
		return -1;
	}
	return 0;
}

uint8_t
fake_guest_byte (uint32_t ref, unsigned offset)
{
	return (uint8_t) (ref * 31 + offset);
}

static void
fake_segment (xengnttab_grant_copy_segment_t *s)
{
	bool in = s->flags == GNTCOPY_source_gref;
	uint32_t ref = in ? s->source.foreign.ref : s->dest.foreign.ref;
	unsigned offset = in ? s->source.foreign.offset : s->dest.foreign.offset, i;

	if (s->len == 0 || offset + s->len > XEN_PAGE || !(in || s->flags == GNTCOPY_dest_gref))
		abort ();	/* the library's contract */
	s->status = fake.copy_status && ref == fake.bad_copy ? fake.copy_status : GNTST_okay;
	for (i = 0; in && s->status == GNTST_okay && i < s->len; i++)
		((uint8_t *) s->dest.virt)[i] = fake_guest_byte (ref, offset + i);
}

static int
fake_grant_copy (xengnttab_handle *handle, uint32_t n, xengnttab_grant_copy_segment_t *segments)
{
	uint32_t i;

	if (fake.copy_errno) {
		errno = fake.copy_errno;
		return -1;
	}
	if (n == 0)	/* is it possible? */
		return 0;
	fake.copy_calls++;
	fake.copied += n;
	for (i = 0; i < n; i++)
		fake_segment (&segments[i]);
	if (n > FAKE_MAX_SEGMENTS)
		abort ();
	fake.n_segments = n;
	memcpy (fake.segments, segments, n * sizeof (*segments));
	return 0;
}

static xenforeignmemory_handle *
fake_foreign_open (struct xentoollog_logger *logger, unsigned flags)
{
	return open_handle (logger ? fake.open_errno : EINVAL);
}

static int
fake_foreign_close (xenforeignmemory_handle *handle)
{
	return close_handle (handle);
}

static void
record_frames (size_t n, const xen_pfn_t *gfns)
{
	size_t i;

	fake.foreign_calls++;
	fake.frames += n;
	fake.first_frame = gfns[0];
	for (i = 0; i < n; i++)
		fake.frames_sum += gfns[i];
	if (n > fake.largest_batch)
		fake.largest_batch = n;
}

static void *
fail_foreign (void *at, size_t n)
{
	fake.null_calls--;
	if (fake.null_unmaps)
		munmap (at, n * XEN_PAGE);
	errno = fake.null_errno;
	return NULL;
}

static void *
fake_foreign_map (xenforeignmemory_handle *handle, uint32_t domid, void *at, int prot, int flags, size_t n, const xen_pfn_t *gfns, int *errors)
{
	bool good = fake.good_calls > 0;

	if (fake.foreign_calls == 0)
		fake.first_at = at;
	record_frames (n, gfns);
	if (good)
		fake.good_calls--;
	else if (fake.null_calls)
		return fail_foreign (at, n);
	memset (errors, 0, n * sizeof (*errors));
	if (!good && fake.bad_calls) {
		fake.bad_calls--;
		errors[fake.bad_entry] = fake.bad_error;
	}
	at = mmap (at, n * XEN_PAGE, prot, flags | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

static int
fake_foreign_unmap (xenforeignmemory_handle *handle, void *at, size_t n)
{
	fake.foreign_unmaps++;
	return munmap (at, n * XEN_PAGE);
}

static xc_interface *
fake_control_open (xentoollog_logger *logger, xentoollog_logger *progress, unsigned flags)
{
	return open_handle (fake.no_control ? EPERM : logger ? 0 : EINVAL);
}

static int
fake_control_close (xc_interface *handle)
{
	return close_handle (handle);
}

/* Like Xen: the first domain with at least that number. */
static int
fake_control_domains (xc_interface *handle, uint32_t first, unsigned max, xc_domaininfo_t *info)
{
	fake.domain_calls++;
	if (first > fake.domain || max == 0)
		return 0;
	memset (info, 0, sizeof (*info));
	info->domain = (domid_t) fake.domain;
	info->flags = fake.dying ? XEN_DOMINF_dying : 0;
	return 1;
}

static const struct xen_calls fake_calls = {
	.grant_open = fake_grant_open,
	.grant_close = fake_grant_close,
	.grant_map = fake_grant_map,
	.grant_unmap = fake_grant_unmap,
	.grant_copy = fake_grant_copy,
	.foreign_open = fake_foreign_open,
	.foreign_close = fake_foreign_close,
	.foreign_map = fake_foreign_map,
	.foreign_unmap = fake_foreign_unmap,
	.control_open = fake_control_open,
	.control_close = fake_control_close,
	.control_domains = fake_control_domains,
};

void
fake_begin (void)
{
	memset (&fake, 0, sizeof (fake));
	host_set_calls (&fake_calls);
}

bool
fake_end (void)
{
	host_set_calls (NULL);
	return fake.opened == fake.closed && fake.live_maps == 0;
}
