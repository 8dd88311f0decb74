/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages for a back-end in postcopy live migration: the VMM's side of userfaultfd.  The back-end's threads wait in page faults; a page server hears of them,
 * asks the VMM for the pages, and puts them where the back-end has the guest's memory.
 *
 *	vh_frontend_postcopy_advise         -> the userfaultfd of the back-end, for vh_page_server_new
 *	vh_frontend_postcopy_set_mem_table  -> where the back-end has each region, for vh_page_server_set_regions
 *	vh_frontend_postcopy_ack_mem_table     from now on it may touch them
 *	   vh_page_server_dispatch          -> `wanted`, for each page that somebody waits for
 *	   vh_page_server_put ...              when it is there
 *
 * A guest's memory is a file that VMM and back-end both map, so a page that the VMM itself put into it is only told of: vh_page_server_placed.
 */
#ifndef VHOST_POSTCOPY_H
#define VHOST_POSTCOPY_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/memory.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_frontend;

/*
 * POSTCOPY_ADVISE: *ret is the back-end's userfaultfd, the caller's to close.  POSTCOPY_LISTEN: memory that is told from now on has pages missing.
 * POSTCOPY_END: all pages are there.  Without PAGEFAULT, which the handshake negotiates for those who name it: -EOPNOTSUPP.  Other errors: frontend.h,
 * "Common to all calls"; the calls can be made without waiting, as those there.
 */
int vh_frontend_postcopy_advise (struct vh_frontend *, int *ret);
int vh_frontend_postcopy_listen (struct vh_frontend *);
int vh_frontend_postcopy_end (struct vh_frontend *);

/*
 * SET_MEM_TABLE, in place of vh_frontend_set_mem_table while the back-end listens.  ret[0..n): where it has the first byte of each region; valid until the
 * call ends.  Then nothing but vh_frontend_postcopy_ack_mem_table may follow, which lets it touch them.  -EBADMSG: the answer is about other regions.
 */
int vh_frontend_postcopy_set_mem_table (struct vh_frontend *, const struct vh_region *regions, unsigned n, uint64_t *ret);
int vh_frontend_postcopy_ack_mem_table (struct vh_frontend *);

struct vh_page_server;

struct vh_page_server_options {
	size_t size;		/* sizeof (struct vh_page_server_options) */
	/*
	 * Somebody in the back-end waits for the page at this guest address; page_size: 4096, or that of the region's huge pages.  Called from
	 * vh_page_server_dispatch, once or more often for a page.  May call vh_page_server_put and its like, at once or later.  Required.
	 */
	void (*wanted) (void *opaque, uint64_t guest_addr, uint64_t page_size);
	void *opaque;
};

/*
 * uffd: the back-end's, from POSTCOPY_ADVISE; the object's on success.  One thread at a time.  0 and *ret; -EINVAL: no `wanted`, or the fd cannot be made
 * non-blocking; -ENOMEM; -EOPNOTSUPP: this build has no postcopy.
 */
int vh_page_server_new (int uffd, const struct vh_page_server_options *, struct vh_page_server **ret);

/* Closes the fd; whoever waits still goes on once the back-end has closed its own (POSTCOPY_END).  NULL is fine. */
void vh_page_server_free (struct vh_page_server *);

/*
 * Where the back-end has the regions: backend_addrs[i] is the address of the first byte of regions[i].  Copied; page sizes are asked of the regions' fds.
 * Replaces what was said before.  0; -EINVAL: more than VH_MAX_TABLE_REGIONS, or a region that is not whole pages; errors of fstatfs.
 */
int vh_page_server_set_regions (struct vh_page_server *, const struct vh_region *regions, const uint64_t *backend_addrs, unsigned n);

/* Readable when vh_page_server_dispatch has work. */
int vh_page_server_fd (const struct vh_page_server *);

/* Hears of faults, without waiting.  Returns how many; -ECONNRESET: the back-end is gone; another negative errno of read(2). */
int vh_page_server_dispatch (struct vh_page_server *);

/*
 * Puts a page of the guest into the memory that it shares with the back-end, and wakes who waits for it.  guest_addr: of the page's first byte; page: its
 * bytes, as many as the region's pages have.  A page that is there already is left as it is.  0; -EFAULT: no page of a region begins there; -ECONNRESET: the
 * back-end is gone; -ENOMEM and others of UFFDIO_COPY.
 */
int vh_page_server_put (struct vh_page_server *, uint64_t guest_addr, const void *page);

/* The same with zeroes. */
int vh_page_server_put_zeroes (struct vh_page_server *, uint64_t guest_addr);

/* The page is in the file already: wakes who waits for it. */
int vh_page_server_placed (struct vh_page_server *, uint64_t guest_addr);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
