/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TAP interface of the host: one queue of it for each pair.  The kernel does what guests leave to do, and what they do not take (TUNSETOFFLOAD).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <vhost/error.h>

#include "devices/net/net.h"

#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

#define DEFAULT_MTU 1500

struct tap {
	struct link link;
	struct log log;
	struct net *net;
	char name[IFNAMSIZ];
	unsigned n;
	struct wire **wires;		/* one for each pair */
	bool gone;			/* the interface was removed */
};

/* --- opening --- */

static int
queue_ioctl (int fd, unsigned long what, const char *name, int flags)
{
	struct ifreq request = { .ifr_flags = flags };

	memcpy (request.ifr_name, name, IFNAMSIZ);
	return ioctl (fd, what, &request) < 0 ? -errno : 0;
}

/* An interface that has several queues may be opened only as such, whatever we need. */
static int
join (int fd, const char *name, bool several)
{
	int err = queue_ioctl (fd, TUNSETIFF, name, TAP_FLAGS | (several ? IFF_MULTI_QUEUE : 0));

	return err == -EINVAL && !several ? queue_ioctl (fd, TUNSETIFF, name, TAP_FLAGS | IFF_MULTI_QUEUE) : err;
}

/* A new queue of the interface. */
static int
queue_open (const char *name, bool several)
{
	int fd = open ("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = join (fd, name, several);
	if (err < 0) {
		close (fd);
		return err;
	}
	return fd;
}

/* One that was passed, under a number of ours. */
static int
queue_take (unsigned fd)
{
	struct ifreq request = { 0 };

	if (ioctl (fd, TUNGETIFF, &request) < 0)
		return errno == EBADF ? -EBADF : -EINVAL;
	if ((request.ifr_flags & TAP_FLAGS) != TAP_FLAGS)
		return -EINVAL;
	fd = fcntl (fd, F_DUPFD_CLOEXEC, 0);
	return (int) fd < 0 ? -errno : (int) fd;
}

/* The form of the headers that are read and written here. */
static int
queue_set_up (struct tap *t, int fd)
{
	struct ifreq request = { 0 };
	int size = HEADER_SIZE, little = 1;

	if (ioctl (fd, TUNSETVNETHDRSZ, &size) < 0 || ioctl (fd, TUNSETVNETLE, &little) < 0 || ioctl (fd, TUNGETIFF, &request) < 0)
		return -errno;
	memcpy (t->name, request.ifr_name, IFNAMSIZ);
	return 0;
}

static int
add_queue (struct tap *t, int fd)
{
	int err = fd < 0 ? fd : queue_set_up (t, fd);

	if (err < 0) {
		if (fd >= 0)
			close (fd);
		return err;
	}
	err = wire_new (fd, &t->wires[t->n]);
	t->n += err == 0;
	return err;
}

static int
open_queues (struct tap *t, const struct net_options *o)
{
	unsigned pairs = net_options_pairs (o);
	int err = 0;

	for (unsigned i = 0; err == 0 && i < pairs; i++)
		err = add_queue (t, o->tap ? queue_open (t->name, pairs > 1) : queue_take (o->tap_fds[i]));
	return err;
}

static unsigned
interface_mtu (const char *name)
{
	struct ifreq request = { 0 };
	int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned mtu = DEFAULT_MTU;

	memcpy (request.ifr_name, name, IFNAMSIZ);
	if (fd >= 0 && ioctl (fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu >= 68 && request.ifr_mtu <= 65535)
		mtu = request.ifr_mtu;
	if (fd >= 0)
		close (fd);
	return mtu;
}

/* --- in use --- */

/* Queues of pairs that the guest does not use are taken out, so that nothing is sent to them. */
static void
tap_pair_used (struct link *link, unsigned pair, bool used)
{
	struct tap *t = (struct tap *) link;

	if (!t->gone)
		queue_ioctl (t->wires[pair]->fd[WIRE_WATCH], TUNSETQUEUE, t->name, used ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
}

static void
tap_set_offloads (struct link *link, const struct offloads *takes)
{
	struct tap *t = (struct tap *) link;
	unsigned flags = 0;

	if (takes->csum)
		flags = TUN_F_CSUM | (takes->tso4 ? TUN_F_TSO4 : 0) | (takes->tso6 ? TUN_F_TSO6 : 0) |
			(takes->ecn && (takes->tso4 || takes->tso6) ? TUN_F_TSO_ECN : 0);
	/* What the kernel refuses is done here when frames come. */
	if (!t->gone && ioctl (t->wires[0]->fd[WIRE_WATCH], TUNSETOFFLOAD, flags) < 0)
		log_say (&t->log, VH_LOG_WARNING, "the interface does not set offloads: %s", vh_strerror (-errno));
}

/* Only an interface that was removed cannot be read from. */
static void
tap_wire_failed (struct link *link, unsigned pair)
{
	struct tap *t = (struct tap *) link;

	if (t->gone)
		return;
	t->gone = true;
	log_say (&t->log, VH_LOG_WARNING, "the interface %s is gone", t->name);
	for (unsigned i = 0; i < t->n; i++)
		net_set_wire (t->net, i, NULL);
}

static int
tap_attach (struct link *link, struct net *net, struct vh_loop *loop)
{
	struct tap *t = (struct tap *) link;

	t->net = net;
	for (unsigned i = 0; i < t->n; i++) {
		net_set_wire (net, i, wire_ref (t->wires[i]));
		if (i > 0)
			tap_pair_used (link, i, false);
	}
	return 0;
}

static void
tap_detach (struct link *link)
{
}

static void
tap_free (struct link *link)
{
	struct tap *t = (struct tap *) link;

	for (unsigned i = 0; i < t->n; i++)
		wire_unref (t->wires[i]);
	free (t->wires);
	free (t);
}

static const struct link_ops tap_ops = {
	.attach = tap_attach,
	.pair_used = tap_pair_used,
	.wire_failed = tap_wire_failed,
	.set_offloads = tap_set_offloads,
	.detach = tap_detach,
	.free = tap_free,
};

static const char *
explain (const struct net_options *o, int err)
{
	if (o->tap_fds && err == -EINVAL)
		return "a file descriptor is no queue of a TAP interface with headers (IFF_TAP, IFF_NO_PI, IFF_VNET_HDR)";
	if (err == -EINVAL && net_options_pairs (o) > 1)
		return "the interface is no TAP, or has not several queues (IFF_MULTI_QUEUE)";
	if (err == -EINVAL)
		return "the interface is no TAP";
	return vh_strerror (err);
}

int
tap_new (const struct net_options *o, const struct log *log, struct link **ret)
{
	struct tap *t = calloc (1, sizeof (*t));
	int err = t ? 0 : -ENOMEM;

	if (err == 0) {
		t->link.ops = &tap_ops;
		t->log = *log;
		t->wires = calloc (net_options_pairs (o), sizeof (t->wires[0]));
		err = !t->wires ? -ENOMEM : o->tap && strlen (o->tap) >= IFNAMSIZ ? -ENAMETOOLONG : 0;
	}
	if (err == 0) {
		strncpy (t->name, o->tap ? o->tap : "", IFNAMSIZ - 1);
		err = open_queues (t, o);
	}
	if (err < 0) {
		log_say (log, VH_LOG_ERROR, "%s", explain (o, err));
		if (t)
			tap_free (&t->link);
		return err;
	}
	t->link.mtu = t->link.max_mtu = interface_mtu (t->name);
	*ret = &t->link;
	return 0;
}
