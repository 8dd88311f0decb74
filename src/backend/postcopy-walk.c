/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk of postcopy (vhost-user, "Postcopy"): what may come when, and when guest memory may be touched.
 *
 *	POSTCOPY_ADVISE         we open a userfaultfd and hand it out
 *	POSTCOPY_LISTEN         memory that we have already is registered: front-ends like rust-vmm's give it before
 *	SET_MEM_TABLE, fds      mapped and not touched; answered with our addresses       (QEMU's way)
 *	SET_MEM_TABLE, no fds   the front-end knows them: registered, and only now in force
 *	POSTCOPY_END            all pages are there
 */
#include <errno.h>

#include "backend/connection.h"
#include "backend/postcopy.h"
#include "util/fd.h"

bool
postcopy_is_announced (const struct vh_backend *b)
{
	return b->announced != NULL;
}

int
postcopy_advise (struct vh_backend *b, struct message *m)
{
	if (b->postcopy)
		return -EPROTO;
	/* One cannot have both (vhost-user, CONFIGURE_MEM_SLOTS). */
	if (b->protocol & VH_BIT (VH_P_CONFIGURE_MEM_SLOTS))
		return -EPROTO;
	return postcopy_new (&b->postcopy);
}

int
postcopy_send_fd (struct vh_backend *b, struct message *m, struct message *reply)
{
	int fd = fd_dup (postcopy_fd (b->postcopy));

	if (fd < 0)
		return fd;
	reply->fds[0] = fd;
	reply->n_fds = 1;
	return 0;
}

/* A reply without an fd says that there will be none. */
void
postcopy_refuse (struct vh_backend *b, struct message *m, struct message *reply)
{
}

int
postcopy_listen (struct vh_backend *b, struct message *m)
{
	int err;

	if (!b->postcopy || b->listening)
		return -EPROTO;
	err = b->memory->n ? postcopy_register (b->postcopy, b->memory) : 0;
	b->listening = err == 0;
	return err;
}

int
postcopy_announce (struct vh_backend *b, struct region *const *regions, unsigned n)
{
	return memory_new (regions, n, &b->announced);
}

int
postcopy_fill_addresses (struct vh_backend *b, const struct message *m, struct message *reply)
{
	bool xen = b->protocol & VH_BIT (VH_P_XEN_MMAP);
	struct vh_region regions[VH_MAX_TABLE_REGIONS];
	unsigned n;
	int err = message_get_mem_table (m, xen, regions, &n);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < n; i++)
		regions[i].user_addr = (uintptr_t) memory_find (b->announced, regions[i].guest_addr)->host;
	message_put_mem_table (reply, xen, regions, n);
	return 0;
}

int
postcopy_accept (struct vh_backend *b, const struct message *m, struct vh_memory **ret)
{
	uint64_t value = 0;
	int err = 0;

	/* The specification's is empty, QEMU's a zero; another number would mean that something went wrong there. */
	if (m->n_fds != 0 || (m->size != 0 && m->size != sizeof (value)))
		return -EBADMSG;
	if (m->size)
		err = message_get_u64 (m, &value);
	if (err == 0 && value != 0)
		err = -EPROTO;
	if (err == 0)
		err = postcopy_register (b->postcopy, b->announced);
	if (err < 0)
		return err;
	*ret = b->announced;
	b->announced = NULL;
	return 0;
}

int
postcopy_end (struct vh_backend *b, struct message *m)
{
	if (!b->listening)
		return -EPROTO;
	postcopy_drop (b);
	return 0;
}

void
postcopy_drop (struct vh_backend *b)
{
	vh_memory_unref (b->announced);
	b->announced = NULL;
	postcopy_free (b->postcopy);
	b->postcopy = NULL;
	b->listening = false;
}

void
postcopy_front_end_gone (struct vh_backend *b)
{
	if (b->postcopy)
		postcopy_abandon (b->postcopy);
}
