/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor-blk SOCKET: null-blk with nothing in it that could be left out: one front-end, one ring, every number of the guest and of the front-end is trusted.
 * What a request costs here is what it costs at least; it is for measuring and for nothing else, since any guest can end it or worse.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BIT(n) (UINT64_C (1) << (n))
#define FEATURES                                                                                                                                              \
	(BIT (VIRTIO_BLK_F_SEG_MAX) | BIT (VIRTIO_RING_F_INDIRECT_DESC) | BIT (VIRTIO_RING_F_EVENT_IDX) | BIT (30) | BIT (VIRTIO_F_VERSION_1) | \
	 BIT (VIRTIO_F_RING_PACKED))
#define PROTOCOL_FEATURES BIT (9)	/* CONFIG */
#define MAX_REGIONS 8

/* A message (vhost-user, "Message Specification"). */
struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct {
			uint32_t index, num;
		} state;
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t n, padding;
			struct {
				uint64_t guest, size, user, offset;
			} regions[MAX_REGIONS];
		} memory;
		struct {
			uint32_t offset, size, flags;
			uint8_t bytes[256];
		} config;
	};
} __attribute__ ((packed));

#define HEADER 12

static struct {
	uint64_t guest, size, user;
	unsigned char *host;
} regions[MAX_REGIONS];
static unsigned n_regions;

static struct {
	uint64_t features;
	unsigned size;
	unsigned char *desc, *avail, *used;
	uint64_t desc_user, avail_user, used_user;
	uint32_t base;
	uint16_t next_avail, next_used;	/* packed: without wrap counters */
	bool avail_wrap, used_wrap;
	int kick, call;
	bool enabled;
} ring = { .kick = -1, .call = -1 };

static inline unsigned char *
translate (uint64_t guest)
{
	for (unsigned i = 0;; i++)
		if (guest - regions[i].guest < regions[i].size)
			return regions[i].host + (guest - regions[i].guest);
}

static unsigned char *
translate_user (uint64_t user)
{
	for (unsigned i = 0; i < n_regions; i++)
		if (user - regions[i].user < regions[i].size)
			return regions[i].host + (user - regions[i].user);
	return NULL;
}

static inline bool
has (unsigned feature)
{
	return ring.features & BIT (feature);
}

static void
call (void)
{
	static const uint64_t one = 1;

	if (ring.call >= 0 && write (ring.call, &one, sizeof (one)) < 0 && errno != EAGAIN)
		perror ("call");
}

/* --- the device: writes the status, which is the last byte; returns how much was written --- */

static inline uint32_t
serve (const struct virtio_blk_outhdr *header, unsigned char *status, uint32_t writable)
{
	*status = header->type <= VIRTIO_BLK_T_OUT ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_UNSUPP;
	return writable;
}

/* --- split --- */

static inline uint32_t
split_serve (const struct vring_desc *table, unsigned at)
{
	const struct virtio_blk_outhdr *header;
	unsigned char *last = NULL;
	uint32_t writable = 0;

	if (table[at].flags & VRING_DESC_F_INDIRECT) {
		table = (const struct vring_desc *) translate (table[at].addr);
		at = 0;
	}
	header = (const struct virtio_blk_outhdr *) translate (table[at].addr);
	while (table[at].flags & VRING_DESC_F_NEXT) {
		at = table[at].next;
		if (table[at].flags & VRING_DESC_F_WRITE)
			writable += table[at].len;
		last = translate (table[at].addr) + table[at].len - 1;
	}
	return serve (header, last, writable);
}

static void
split_process (void)
{
	const struct vring_desc *desc = (const struct vring_desc *) ring.desc;
	const struct vring_avail *avail = (const struct vring_avail *) ring.avail;
	struct vring_used *used = (struct vring_used *) ring.used;
	unsigned mask = ring.size - 1;

	for (;;) {
		uint16_t idx = __atomic_load_n (&avail->idx, __ATOMIC_ACQUIRE), before = ring.next_used, event;

		if (idx == ring.next_avail) {
			*(uint16_t *) (ring.used + 4 + 8 * ring.size) = idx;
			__atomic_thread_fence (__ATOMIC_SEQ_CST);
			if (__atomic_load_n (&avail->idx, __ATOMIC_RELAXED) == idx)
				return;
			continue;
		}
		for (; ring.next_avail != idx; ring.next_avail++) {
			unsigned head = avail->ring[ring.next_avail & mask];

			used->ring[ring.next_used++ & mask] = (struct vring_used_elem){ head, split_serve (desc, head) };
		}
		__atomic_store_n (&used->idx, ring.next_used, __ATOMIC_RELEASE);
		__atomic_thread_fence (__ATOMIC_SEQ_CST);
		event = avail->ring[ring.size];
		if (has (VIRTIO_RING_F_EVENT_IDX) ? (uint16_t) (ring.next_used - event - 1) < (uint16_t) (ring.next_used - before) : !(avail->flags & 1))
			call ();
	}
}

/* --- packed --- */

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED (1u << VRING_PACKED_DESC_F_USED)

static inline bool
packed_available (void)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *) ring.desc + ring.next_avail;
	unsigned flags = __atomic_load_n (&d->flags, __ATOMIC_ACQUIRE);

	return (flags & (AVAIL | USED)) == (ring.avail_wrap ? AVAIL : USED);
}

static inline uint32_t
packed_serve (const struct vring_packed_desc *d, const struct vring_packed_desc *ring_start, unsigned *n, uint16_t *id)
{
	const struct virtio_blk_outhdr *header;
	unsigned char *last = NULL;
	uint32_t writable = 0;
	unsigned count = 1;

	if (d->flags & VRING_DESC_F_INDIRECT) {
		const struct vring_packed_desc *table = (const struct vring_packed_desc *) translate (d->addr);
		unsigned entries = d->len / sizeof (*table);

		header = (const struct virtio_blk_outhdr *) translate (table[0].addr);
		for (unsigned i = 1; i < entries; i++) {
			if (table[i].flags & VRING_DESC_F_WRITE)
				writable += table[i].len;
			last = translate (table[i].addr) + table[i].len - 1;
		}
	} else {
		header = (const struct virtio_blk_outhdr *) translate (d->addr);
		while (d->flags & VRING_DESC_F_NEXT) {
			if (++d == ring_start + ring.size)
				d = ring_start;
			count++;
			if (d->flags & VRING_DESC_F_WRITE)
				writable += d->len;
			last = translate (d->addr) + d->len - 1;
		}
	}
	*n = count;
	*id = d->id;
	return serve (header, last, writable);
}

static inline void
forward (uint16_t *at, bool *wrap, unsigned n)
{
	*at += n;
	if (*at >= ring.size) {
		*at -= ring.size;
		*wrap = !*wrap;
	}
}

/* One batch: the flags of its first used descriptor are stored last. */
static void
packed_batch (void)
{
	struct vring_packed_desc *desc = (struct vring_packed_desc *) ring.desc, *first = &desc[ring.next_used];
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < 64 && packed_available (); i++) {
		struct vring_packed_desc *d = &desc[ring.next_used];
		uint16_t id, flags = (ring.used_wrap ? AVAIL | USED : 0) | VRING_DESC_F_WRITE;
		unsigned n;
		uint32_t len = packed_serve (&desc[ring.next_avail], desc, &n, &id);

		d->id = id;
		d->len = len;
		if (i == 0)
			first_flags = flags;
		else
			d->flags = flags;
		forward (&ring.next_avail, &ring.avail_wrap, n);
		forward (&ring.next_used, &ring.used_wrap, n);
	}
	__atomic_store_n (&first->flags, first_flags, __ATOMIC_RELEASE);
}

static bool
packed_call_wanted (uint16_t before)
{
	const struct vring_packed_desc_event *e = (const struct vring_packed_desc_event *) ring.avail;
	uint16_t event = e->off_wrap & 0x7fff, old = before;

	if (e->flags != VRING_PACKED_EVENT_FLAG_DESC)
		return e->flags == VRING_PACKED_EVENT_FLAG_ENABLE;
	if (e->off_wrap >> 15 != ring.used_wrap)
		event -= ring.size;
	if (ring.next_used <= old)
		old -= ring.size;
	return (uint16_t) (ring.next_used - event - 1) < (uint16_t) (ring.next_used - old);
}

static void
packed_process (void)
{
	struct vring_packed_desc_event *e = (struct vring_packed_desc_event *) ring.used;

	for (;;) {
		uint16_t before = ring.next_used;

		if (!packed_available ()) {
			e->off_wrap = ring.next_avail | ring.avail_wrap << 15;
			e->flags = has (VIRTIO_RING_F_EVENT_IDX) ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE;
			__atomic_thread_fence (__ATOMIC_SEQ_CST);
			if (!packed_available ())
				return;
			continue;
		}
		packed_batch ();
		__atomic_thread_fence (__ATOMIC_SEQ_CST);
		if (packed_call_wanted (before))
			call ();
	}
}

static void
process (void)
{
	if (!ring.enabled || ring.kick < 0)
		return;
	if (has (VIRTIO_F_RING_PACKED))
		packed_process ();
	else
		split_process ();
}

/* --- messages --- */

static void
start (void)
{
	ring.desc = translate_user (ring.desc_user);
	ring.avail = translate_user (ring.avail_user);
	ring.used = translate_user (ring.used_user);
	ring.next_avail = (uint16_t) ring.base;
	if (has (VIRTIO_F_RING_PACKED)) {
		ring.next_avail &= 0x7fff;
		ring.avail_wrap = ring.used_wrap = ring.base >> 15 & 1;
		ring.next_used = ring.next_avail;
	} else
		ring.next_used = ((struct vring_used *) ring.used)->idx;
	ring.enabled = true;
}

static uint32_t
position (void)
{
	return has (VIRTIO_F_RING_PACKED) ? (ring.next_avail | ring.avail_wrap << 15) * 0x10001u : ring.next_avail;
}

static void
map_memory (const struct message *m, const int *fds)
{
	n_regions = m->memory.n;
	for (unsigned i = 0; i < n_regions; i++) {
		uint64_t size = m->memory.regions[i].size, offset = m->memory.regions[i].offset;
		unsigned char *host = mmap (NULL, size + offset, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);

		regions[i].guest = m->memory.regions[i].guest;
		regions[i].size = size;
		regions[i].user = m->memory.regions[i].user;
		regions[i].host = host + offset;
	}
}

static void
reply (int socket, struct message *m, uint32_t size)
{
	m->flags = 5;
	m->size = size;
	if (write (socket, m, HEADER + size) < 0)
		perror ("reply");
}

static void
handle (int socket, int epoll, struct message *m, const int *fds, unsigned n_fds)
{
	static const struct virtio_blk_config config = { .capacity = 1 << 24, .seg_max = 254 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = -1 };

	switch (m->request) {
	case 1:		/* GET_FEATURES */
		m->u64 = FEATURES;
		reply (socket, m, 8);
		break;
	case 2:		/* SET_FEATURES */
		ring.features = m->u64;
		break;
	case 5:		/* SET_MEM_TABLE */
		map_memory (m, fds);
		break;
	case 8:		/* SET_VRING_NUM */
		ring.size = m->state.num;
		break;
	case 9:		/* SET_VRING_ADDR */
		ring.desc_user = m->addr.desc;
		ring.avail_user = m->addr.avail;
		ring.used_user = m->addr.used;
		break;
	case 10:	/* SET_VRING_BASE */
		ring.base = m->state.num;
		break;
	case 11:	/* GET_VRING_BASE */
		m->state.num = position ();
		ring.enabled = false;
		reply (socket, m, 8);
		break;
	case 12:	/* SET_VRING_KICK */
		ring.kick = fds[0];
		epoll_ctl (epoll, EPOLL_CTL_ADD, ring.kick, &event);
		break;
	case 13:	/* SET_VRING_CALL */
		ring.call = n_fds ? fds[0] : -1;
		break;
	case 15:	/* GET_PROTOCOL_FEATURES */
		m->u64 = PROTOCOL_FEATURES;
		reply (socket, m, 8);
		break;
	case 18:	/* SET_VRING_ENABLE */
		start ();
		process ();
		break;
	case 24:	/* GET_CONFIG */
		memcpy (m->config.bytes, (const char *) &config + m->config.offset, m->config.size);
		reply (socket, m, m->size);
		break;
	default:	/* SET_OWNER, SET_PROTOCOL_FEATURES, SET_VRING_ERR */
		break;
	}
}

/* False: the front-end is gone. */
static bool
receive (int socket, int epoll)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE (MAX_REGIONS * sizeof (int))];
	} control;
	struct message m;
	struct iovec part = { &m, HEADER };
	struct msghdr h = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof (control) };
	struct cmsghdr *c;
	int fds[MAX_REGIONS];
	unsigned n = 0;

	if (recvmsg (socket, &h, MSG_WAITALL) != HEADER || (m.size > 0 && recv (socket, &m.u64, m.size, MSG_WAITALL) != (ssize_t) m.size))
		return false;
	c = CMSG_FIRSTHDR (&h);
	if (c) {
		n = (unsigned) ((c->cmsg_len - CMSG_LEN (0)) / sizeof (int));
		memcpy (fds, CMSG_DATA (c), n * sizeof (int));
	}
	handle (socket, epoll, &m, fds, n);
	return true;
}

static void
run (int socket)
{
	int epoll = epoll_create1 (0);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = socket };

	epoll_ctl (epoll, EPOLL_CTL_ADD, socket, &event);
	while (epoll_wait (epoll, &event, 1, -1) == 1) {
		if (event.data.fd < 0)
			process ();
		else if (!receive (socket, epoll))
			break;
	}
	close (epoll);
}

int
main (int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket (AF_UNIX, SOCK_STREAM, 0), fd;

	if (argc != 2 || strlen (argv[1]) >= sizeof (addr.sun_path)) {
		fprintf (stderr, "usage: floor-blk SOCKET\n");
		return 2;
	}
	strcpy (addr.sun_path, argv[1]);
	if (bind (listener, (struct sockaddr *) &addr, sizeof (addr)) < 0 || listen (listener, 1) < 0) {
		perror (argv[1]);
		return 1;
	}
	while ((fd = accept (listener, NULL, NULL)) >= 0) {
		run (fd);
		close (fd);
		ring.kick = ring.call = -1;
		ring.enabled = false;
	}
	return 0;
}
