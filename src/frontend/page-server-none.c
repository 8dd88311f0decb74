/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A build without postcopy: no page server can be had, so the other functions have none to work with.
 */
#include <errno.h>
#include <stddef.h>

#include <vhost/postcopy.h>

int
vh_page_server_new (int uffd, const struct vh_page_server_options *options, struct vh_page_server **ret)
{
	return -EOPNOTSUPP;
}

void
vh_page_server_free (struct vh_page_server *s)
{
}

int
vh_page_server_set_regions (struct vh_page_server *s, const struct vh_region *regions, const uint64_t *backend_addrs, unsigned n)
{
	return -EOPNOTSUPP;
}

int
vh_page_server_fd (const struct vh_page_server *s)
{
	return -1;
}

int
vh_page_server_dispatch (struct vh_page_server *s)
{
	return -EOPNOTSUPP;
}

int
vh_page_server_put (struct vh_page_server *s, uint64_t guest_addr, const void *page)
{
	return -EOPNOTSUPP;
}

int
vh_page_server_put_zeroes (struct vh_page_server *s, uint64_t guest_addr)
{
	return -EOPNOTSUPP;
}

int
vh_page_server_placed (struct vh_page_server *s, uint64_t guest_addr)
{
	return -EOPNOTSUPP;
}
