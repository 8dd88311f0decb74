/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk-blk SOCKET: null-blk over DPDK's vhost library, by its public functions: the library has the connection, this program the split ring, which it polls
 * without a pause, as DPDK's programs do.  A peer to measure beside; built when DPDK is there.
 */
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_pause.h>
#include <rte_vhost.h>

#define BIT(n) (UINT64_C (1) << (n))
#define FEATURES                                                                                                                  \
	(BIT (VIRTIO_BLK_F_SEG_MAX) | BIT (VIRTIO_RING_F_INDIRECT_DESC) | BIT (VIRTIO_RING_F_EVENT_IDX) | BIT (VIRTIO_F_VERSION_1) | \
	 BIT (VHOST_USER_F_PROTOCOL_FEATURES))
#define GET_CONFIG 24

/* A message as extern_ops get it (vhost-user, "Message Specification"). */
struct message {
	uint32_t request, flags, size;
	struct {
		uint32_t offset, size, flags;
		uint8_t bytes[256];
	} config;
} __attribute__ ((packed));

/* The ring, while `active`; whoever clears that waits until the loop has seen it. */
static struct rte_vhost_vring ring;
static struct rte_vhost_memory *memory;
static uint16_t next_avail, next_used;
static int active, seen_rest = 1;
static volatile sig_atomic_t stopping;

/* --- the ring --- */

static inline void *
translate (uint64_t guest, uint64_t size)
{
	uint64_t len = size;
	void *host = (void *) (uintptr_t) rte_vhost_va_from_guest_pa (memory, guest, &len);

	return len == size ? host : NULL;
}

/* Returns how much was written; a chain that leads outside memory is given back as it is. */
static uint32_t
serve (const struct vring_desc *table, unsigned size, unsigned at)
{
	const struct virtio_blk_outhdr *header = NULL;
	unsigned char *last = NULL;
	uint32_t writable = 0;

	if (table[at].flags & VRING_DESC_F_INDIRECT) {
		size = table[at].len / sizeof (*table);
		table = (const struct vring_desc *) translate (table[at].addr, table[at].len);
		at = 0;
		if (!table)
			return 0;
	}
	for (unsigned n = 0; n < size; n++) {
		const struct vring_desc *d = &table[at];
		unsigned char *part = (unsigned char *) translate (d->addr, d->len);

		if (!part)
			return 0;
		if (!header)
			header = (const struct virtio_blk_outhdr *) part;
		if (d->flags & VRING_DESC_F_WRITE) {
			writable += d->len;
			last = part + d->len - 1;
		}
		if (!(d->flags & VRING_DESC_F_NEXT) || d->next >= size)
			break;
		at = d->next;
	}
	if (!last)
		return 0;
	*last = header->type <= VIRTIO_BLK_T_OUT ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP;
	return writable;
}

static void
call (uint16_t before)
{
	static const uint64_t one = 1;
	uint16_t event = ring.avail->ring[ring.size];

	if ((uint16_t) (next_used - event - 1) < (uint16_t) (next_used - before) && ring.callfd >= 0 && write (ring.callfd, &one, sizeof (one)) < 0)
		perror ("call");
}

static void
process (void)
{
	unsigned mask = ring.size - 1;
	uint16_t idx = __atomic_load_n (&ring.avail->idx, __ATOMIC_ACQUIRE), before = next_used;

	if (idx == next_avail)
		return;
	for (; next_avail != idx; next_avail++) {
		unsigned head = ring.avail->ring[next_avail & mask] & mask;

		ring.used->ring[next_used++ & mask] = (struct vring_used_elem){ head, serve (ring.desc, ring.size, head) };
	}
	__atomic_store_n (&ring.used->idx, next_used, __ATOMIC_RELEASE);
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
	call (before);
}

static void
loop (void)
{
	while (!stopping)
		if (__atomic_load_n (&active, __ATOMIC_ACQUIRE))
			process ();
		else {
			__atomic_store_n (&seen_rest, 1, __ATOMIC_RELEASE);
			rte_pause ();
		}
}

/* --- what the library calls, in its thread --- */

static int
new_device (int vid)
{
	if (rte_vhost_get_mem_table (vid, &memory) < 0 || rte_vhost_get_vhost_vring (vid, 0, &ring) < 0 ||
	    rte_vhost_get_vring_base (vid, 0, &next_avail, &next_used) < 0)
		return -1;
	rte_vhost_enable_guest_notification (vid, 0, 0);
	__atomic_store_n (&seen_rest, 0, __ATOMIC_RELAXED);
	__atomic_store_n (&active, 1, __ATOMIC_RELEASE);
	return 0;
}

static void
destroy_device (int vid)
{
	__atomic_store_n (&active, 0, __ATOMIC_RELEASE);
	while (!__atomic_load_n (&seen_rest, __ATOMIC_ACQUIRE))
		rte_pause ();
	rte_vhost_set_vring_base (vid, 0, next_avail, next_used);
	free (memory);
	memory = NULL;
}

/* The library has no configuration space. */
static enum rte_vhost_msg_result
before_message (int vid, void *opaque)
{
	static const struct virtio_blk_config config = { .capacity = 1 << 24, .seg_max = 254 };
	struct message *m = opaque;

	if (m->request != GET_CONFIG)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (m->config.offset > sizeof (config) || m->config.size > sizeof (config) - m->config.offset)
		return RTE_VHOST_MSG_RESULT_ERR;
	memcpy (m->config.bytes, (const char *) &config + m->config.offset, m->config.size);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static int
new_connection (int vid)
{
	static const struct rte_vhost_user_extern_ops ops = { .pre_msg_handle = before_message };

	return rte_vhost_extern_callback_register (vid, &ops, NULL);
}

/* --- the program --- */

static int
open_device (const char *path)
{
	static const struct rte_vhost_device_ops ops = { .new_device = new_device, .destroy_device = destroy_device, .new_connection = new_connection };
	/* Of the library's own only REPLY_ACK: with STATUS it waits for a driver's. */
	const uint64_t protocol = BIT (3) | BIT (9);

	if (rte_vhost_driver_register (path, 0) < 0 || rte_vhost_driver_set_features (path, FEATURES) < 0 ||
	    rte_vhost_driver_set_protocol_features (path, protocol) < 0 ||
	    rte_vhost_driver_callback_register (path, &ops) < 0)
		return -1;
	return rte_vhost_driver_start (path);
}

static void
stop (int signal)
{
	stopping = 1;
}

int
main (int argc, char **argv)
{
	char cpus[64];
	char *eal[] = { argv[0], "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "--log-level=*:error", "-m", "128", cpus, NULL };

	if (argc != 2) {
		fprintf (stderr, "usage: dpdk-blk SOCKET\n");
		return 2;
	}
	/* One thread that polls, on any processor. */
	snprintf (cpus, sizeof (cpus), "--lcores=0@(0-%ld)", sysconf (_SC_NPROCESSORS_ONLN) - 1);
	if (rte_eal_init (sizeof (eal) / sizeof (eal[0]) - 1, eal) < 0 || open_device (argv[1]) < 0) {
		fprintf (stderr, "dpdk-blk: cannot start\n");
		return 1;
	}
	signal (SIGTERM, stop);
	signal (SIGINT, stop);
	loop ();
	rte_vhost_driver_unregister (argv[1]);
	return 0;
}
