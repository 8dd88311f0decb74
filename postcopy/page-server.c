/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page server: the other end of a back-end's userfaultfd.  Addresses in its events and in what it is told are the back-end's, whose fd it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vhost/postcopy.h>

#include "postcopy/uffd.h"
#include "util/fd.h"

/* Faults of one call of dispatch: more than a back-end has threads. */
#define MOST_FAULTS 64

struct served_region {
	uint64_t guest_addr, size, backend_addr, page_size;
};

struct vh_page_server {
	int fd;
	struct vh_page_server_options options;
	struct served_region regions[VH_MAX_TABLE_REGIONS];
	unsigned n;
	unsigned char *zeroes;		/* a huge page of them, made when it is needed first: the kernel's zero page is not for hugetlbfs */
	uint64_t zeroes_size;
};

int
vh_page_server_new (int uffd, const struct vh_page_server_options *options, struct vh_page_server **ret)
{
	struct vh_page_server *s;
	int flags = fcntl (uffd, F_GETFL);

	if (flags < 0 || options->size < sizeof (*options) || !options->wanted || fcntl (uffd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -EINVAL;
	s = calloc (1, sizeof (*s));
	if (!s)
		return -ENOMEM;
	s->fd = uffd;
	s->options = *options;
	*ret = s;
	return 0;
}

void
vh_page_server_free (struct vh_page_server *s)
{
	if (!s)
		return;
	fd_close (&s->fd);
	free (s->zeroes);
	free (s);
}

int
vh_page_server_set_regions (struct vh_page_server *s, const struct vh_region *regions, const uint64_t *backend_addrs, unsigned n)
{
	struct served_region served[VH_MAX_TABLE_REGIONS];

	if (n > VH_MAX_TABLE_REGIONS)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		int err = fd_page_size (regions[i].fd, &served[i].page_size);

		if (err == 0 && (backend_addrs[i] | regions[i].size) % served[i].page_size)
			err = -EINVAL;
		if (err < 0)
			return err;
		served[i].guest_addr = regions[i].guest_addr;
		served[i].size = regions[i].size;
		served[i].backend_addr = backend_addrs[i];
	}
	memcpy (s->regions, served, n * sizeof (served[0]));
	s->n = n;
	return 0;
}

int
vh_page_server_fd (const struct vh_page_server *s)
{
	return s->fd;
}

/* --- faults --- */

/* A back-end can make its address space such that faults are not in any region: nobody can help it then. */
static void
tell_fault (struct vh_page_server *s, uint64_t address)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct served_region *r = &s->regions[i];
		uint64_t offset = address - r->backend_addr;

		if (offset < r->size) {
			s->options.wanted (s->options.opaque, r->guest_addr + (offset & ~(r->page_size - 1)), r->page_size);
			return;
		}
	}
}

int
vh_page_server_dispatch (struct vh_page_server *s)
{
	struct uffd_msg messages[MOST_FAULTS];
	ssize_t got;
	int n;

	do
		got = read (s->fd, messages, sizeof (messages));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : errno == ESRCH ? -ECONNRESET : -errno;
	n = (int) ((size_t) got / sizeof (messages[0]));
	for (int i = 0; i < n; i++)
		if (messages[i].event == UFFD_EVENT_PAGEFAULT)
			tell_fault (s, messages[i].arg.pagefault.address);
	return n;
}

/* --- pages --- */

/* Where the back-end has the page; NULL: no page of a region begins at this guest address. */
static const struct served_region *
find_page (const struct vh_page_server *s, uint64_t guest_addr, void **where)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct served_region *r = &s->regions[i];
		uint64_t address = guest_addr - r->guest_addr + r->backend_addr;

		if (guest_addr - r->guest_addr < r->size && address % r->page_size == 0) {
			*where = (void *) (uintptr_t) address;
			return r;
		}
	}
	return NULL;
}

/* A page that is there already wakes nobody by itself. */
static int
finish_page (const struct vh_page_server *s, void *where, uint64_t size, int err)
{
	if (err == -EEXIST) {
		uffd_wake (s->fd, where, size);
		return 0;
	}
	return err == -ESRCH ? -ECONNRESET : err;
}

int
vh_page_server_put (struct vh_page_server *s, uint64_t guest_addr, const void *page)
{
	void *where;
	const struct served_region *r = find_page (s, guest_addr, &where);

	return r ? finish_page (s, where, r->page_size, uffd_copy (s->fd, where, page, r->page_size)) : -EFAULT;
}

static int
make_zeroes (struct vh_page_server *s, uint64_t size)
{
	unsigned char *more = s->zeroes_size < size ? calloc (1, size) : s->zeroes;

	if (!more)
		return -ENOMEM;
	if (more != s->zeroes) {
		free (s->zeroes);
		s->zeroes = more;
		s->zeroes_size = size;
	}
	return 0;
}

int
vh_page_server_put_zeroes (struct vh_page_server *s, uint64_t guest_addr)
{
	void *where;
	const struct served_region *r = find_page (s, guest_addr, &where);
	int err = r ? make_zeroes (s, r->page_size) : -EFAULT;

	return err < 0 ? err : vh_page_server_put (s, guest_addr, s->zeroes);
}

int
vh_page_server_placed (struct vh_page_server *s, uint64_t guest_addr)
{
	void *where;
	const struct served_region *r = find_page (s, guest_addr, &where);

	if (r)
		uffd_wake (s->fd, where, r->page_size);
	return r ? 0 : -EFAULT;
}
