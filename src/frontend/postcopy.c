/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Postcopy, as a front-end asks for it: see postcopy.h for the order.
 */
#include <errno.h>
#include <unistd.h>

#include <vhost/postcopy.h>

#include "frontend/frontend.h"

static int
take_uffd (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	int fd = message_take_fd (reply, 0);

	if (fd < 0)
		return error_set (&f->error, -EREMOTEIO, "POSTCOPY_ADVISE");
	*(int *) ret = fd;
	return 0;
}

int
vh_frontend_postcopy_advise (struct vh_frontend *f, int *ret)
{
	return call_get (f, REQUEST_POSTCOPY_ADVISE, take_uffd, ret);
}

int
vh_frontend_postcopy_listen (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_POSTCOPY_LISTEN);
}

/* The same table, but for the user addresses: they are the back-end's now. */
static int
take_addresses (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	struct vh_region asked[VH_MAX_TABLE_REGIONS], told[VH_MAX_TABLE_REGIONS];
	uint64_t *addrs = ret;
	unsigned n_asked, n_told;

	if (message_get_mem_table (request, false, asked, &n_asked) < 0 || message_get_mem_table (reply, false, told, &n_told) < 0 || n_told != n_asked)
		return call_end (f, -EBADMSG, "SET_MEM_TABLE: an answer that is no table of these regions");
	for (unsigned i = 0; i < n_told; i++)
		if (told[i].guest_addr != asked[i].guest_addr || told[i].size != asked[i].size)
			return call_end (f, -EBADMSG, "SET_MEM_TABLE: an answer about other regions");
	for (unsigned i = 0; i < n_told; i++)
		addrs[i] = told[i].user_addr;
	return 0;
}

int
vh_frontend_postcopy_set_mem_table (struct vh_frontend *f, const struct vh_region *regions, unsigned n, uint64_t *ret)
{
	struct message m;

	if (!memory_table_valid (regions, n))
		return call_refuse (f, REQUEST_SET_MEM_TABLE, -EINVAL);
	call_init (&m, REQUEST_SET_MEM_TABLE);
	message_put_mem_table (&m, false, regions, n);
	for (unsigned i = 0; i < n; i++)
		m.fds[m.n_fds++] = regions[i].fd;
	return call_as (f, &m, &postcopy_table_row, take_addresses, ret);
}

int
vh_frontend_postcopy_ack_mem_table (struct vh_frontend *f)
{
	struct message m;

	call_init (&m, REQUEST_SET_MEM_TABLE);
	message_put_u64 (&m, 0);
	return call_as (f, &m, &postcopy_known_row, NULL, NULL);
}

int
vh_frontend_postcopy_end (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_POSTCOPY_END);
}
