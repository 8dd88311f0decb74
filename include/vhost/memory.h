/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory.  A front-end describes it as a list of regions; a back-end sees it as an immutable table with a reference count.  A change of the guest's
 * memory makes a new table, and the old one lives until its last user lets go.
 */
#ifndef VHOST_MEMORY_H
#define VHOST_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* How many regions one table may have: the memory slots that QEMU, libvhost-user and rust-vmm agree on (vhost-user, GET_MAX_MEM_SLOTS). */
#define VH_MAX_REGIONS 509

/* Regions in one SET_MEM_TABLE message: as many as file descriptors in one message. */
#define VH_MAX_TABLE_REGIONS 8

/* Xen: kinds of region (vhost-user, Xen mmap region; 0 is an ordinary file descriptor). */
#define VH_XEN_FOREIGN 0x1u
#define VH_XEN_GRANT 0x2u
#define VH_XEN_NO_ADVANCE_MAP 0x100u

/* One region (vhost-user, "Memory region description"). */
struct vh_region {
	uint64_t guest_addr;	/* guest physical address of its first byte */
	uint64_t size;		/* bytes, not 0 */
	uint64_t user_addr;	/* where the front-end has it mapped: a key for ring addresses, never dereferenced by the back-end */
	uint64_t offset;	/* of its first byte in the file behind `fd` */
	int fd;			/* -1 in what a back-end reports */
	uint32_t xen_flags;	/* VH_XEN_*; 0 but with Xen */
	uint32_t xen_domid;	/* the guest's domain */
};

/* An immutable table of regions. */
struct vh_memory;

/* Takes one more reference.  Any thread.  Returns its argument. */
struct vh_memory *vh_memory_ref (struct vh_memory *);

/* Drops a reference; the last one unmaps the regions.  NULL is fine.  Any thread. */
void vh_memory_unref (struct vh_memory *);

/* How many regions the table has. */
unsigned vh_memory_count (const struct vh_memory *);

/* Region number `index`, sorted by guest address, without its fd.  0, or -EINVAL for an index that is not there. */
int vh_memory_region (const struct vh_memory *, unsigned index, struct vh_region *ret);

/*
 * Copies `size` bytes from or to guest physical address `addr`, across adjacent regions.  0; -EFAULT if any byte is outside (then nothing was copied).
 * The guest may change the bytes while they are copied.  Any thread that holds a reference.
 */
int vh_memory_read (const struct vh_memory *, uint64_t addr, void *buf, size_t size);
int vh_memory_write (const struct vh_memory *, uint64_t addr, const void *buf, size_t size);

/*
 * What this process did to have the memory of guests that is not in files: of Xen domains, by foreign mapping and by grants.  All 0 in libvhost.
 */
struct vh_memory_counters {
	uint64_t map_calls;		/* calls that mapped something, of any kind, also in vain */
	uint64_t unmap_calls;
	uint64_t copy_calls;		/* calls that copied from or to granted memory, in place of mapping it */
	uint64_t grants_mapped;		/* pages */
	uint64_t grants_unmapped;
	uint64_t grants_live;		/* mapped now */
	uint64_t foreign_frames;	/* pages mapped without grants */
	uint64_t failures;		/* calls that failed: mostly what guests did not grant */
};

/* Copies the counters.  Any thread. */
void vh_memory_get_counters (struct vh_memory_counters *ret);

/*
 * Installs the process-wide SIGBUS guard: when a peer shrinks a file that is mapped as guest memory, the access that would kill the process meets zeroes
 * instead and every ring that uses the region stops.  A SIGBUS that does not concern guest memory goes to the handler that was there before.
 * Daemons made with vh_daemon_new call it; others may.  Calling it again is harmless.  0, or a negative errno of sigaction.  Not while another thread
 * installs signal handlers.
 */
int vh_memory_guard (void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
