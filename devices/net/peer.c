/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another device of this kind: a Unix socket of whole messages (SOCK_SEQPACKET) for each pair that both sides use.  A message is a frame behind a header of
 * virtio 1.0, little-endian; nothing else is said, and wires of one device are alike, so it does not matter which of them becomes which pair's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <vhost/error.h>

#include "devices/net/net.h"

#define DEFAULT_MTU 1500
#define MAX_MTU 65535

/* How long until the next attempt to connect, in ms. */
#define RETRY_MS 1000

/* Connections that wait to be taken, for all pairs. */
#define BACKLOG NET_MAX_PAIRS

/* Room for frames in a socket: a few of the largest.  The kernel gives what it allows. */
#define SEND_BUFFER (1 << 20)

struct end {
	struct peer *peer;
	unsigned pair;
	bool used;			/* by our guest */
	struct wire *wire;		/* NULL: no connection */
	struct vh_source *watch;	/* for the end of it */
};

struct peer {
	struct link link;
	struct log log;
	struct net *net;
	struct vh_loop *loop;
	struct sockaddr_un address;
	bool listens, connects;
	const unsigned *fds;		/* sockets that were passed, one a pair; NULL: none */
	ino_t inode;			/* of the socket's file that we made; 0: none */
	int listener;			/* -1: none */
	struct vh_source *waiting;	/* connections at the listener */
	struct vh_timer *retry;
	unsigned n;
	struct end *ends;
};

/* --- ends --- */

static void
end_lose (struct end *end)
{
	vh_source_remove (end->watch);
	end->watch = NULL;
	wire_unref (end->wire);
	end->wire = NULL;
	net_set_wire (end->peer->net, end->pair, NULL);
	if (end->peer->connects)
		vh_timer_set (end->peer->retry, RETRY_MS);
}

/* Nothing is asked for, so this is the end. */
static void
hung_up (void *opaque, uint32_t events)
{
	end_lose (opaque);
}

/* Makes the socket, which becomes the end's even on failure, its wire. */
static int
end_connect (struct end *end, int fd)
{
	const int size = SEND_BUFFER;
	int err;

	/* The first takes a right, and may go beyond what is set for all. */
	if (setsockopt (fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof (size)) < 0)
		setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof (size));
	err = wire_new (fd, &end->wire);
	if (err < 0)
		return err;
	err = vh_loop_add_fd (end->peer->loop, end->wire->fd[WIRE_WATCH], 0, hung_up, end, &end->watch);
	if (err < 0) {
		wire_unref (end->wire);
		end->wire = NULL;
		return err;
	}
	net_set_wire (end->peer->net, end->pair, wire_ref (end->wire));
	return 0;
}

/* One that wants a connection; NULL: there is none. */
static struct end *
free_end (struct peer *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->ends[i].used && !p->ends[i].wire)
			return &p->ends[i];
	return NULL;
}

/* --- who listens --- */

static void
connection_waits (void *opaque, uint32_t events)
{
	struct peer *p = opaque;
	struct end *end = free_end (p);
	int fd = accept4 (p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {	/* it waits, and we do not spin */
		vh_source_events (p->waiting, 0);
		vh_timer_set (p->retry, RETRY_MS);
	}
	if (fd < 0)
		return;
	if (!end) {	/* the other side has more pairs, or there is a third one */
		close (fd);
		return;
	}
	if (end_connect (end, fd) < 0)
		log_say (&p->log, VH_LOG_WARNING, "a connection cannot be used");
}

static void
listen_again (void *opaque)
{
	struct peer *p = opaque;

	vh_source_events (p->waiting, EPOLLIN);
}

/* A socket that is connected, or a negative errno. */
static int
call (const struct sockaddr_un *address)
{
	int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (connect (fd, (const struct sockaddr *) address, sizeof (*address)) == 0)
		return fd;
	err = -errno;
	close (fd);
	return err;
}

/* Is this a socket's file on which nobody listens? */
static bool
is_left_over (const struct sockaddr_un *address)
{
	struct stat st;
	int fd;

	if (lstat (address->sun_path, &st) < 0 || !S_ISSOCK (st.st_mode))
		return false;
	fd = call (address);
	if (fd >= 0)
		close (fd);
	return fd == -ECONNREFUSED;
}

static int
bind_and_listen (struct peer *p)
{
	const struct sockaddr *address = (const struct sockaddr *) &p->address;
	struct stat st;

	if (bind (p->listener, address, sizeof (p->address)) < 0) {
		if (errno != EADDRINUSE || !is_left_over (&p->address))
			return -errno;
		unlink (p->address.sun_path);
		if (bind (p->listener, address, sizeof (p->address)) < 0)
			return -errno;
	}
	if (stat (p->address.sun_path, &st) == 0)
		p->inode = st.st_ino;
	return listen (p->listener, BACKLOG) < 0 ? -errno : 0;
}

static int
peer_listen (struct peer *p)
{
	p->listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return p->listener < 0 ? -errno : bind_and_listen (p);
}

static void
remove_file (const struct peer *p)
{
	struct stat st;

	if (p->inode && lstat (p->address.sun_path, &st) == 0 && st.st_ino == p->inode)
		unlink (p->address.sun_path);
}

/* --- who connects --- */

/* Connects what wants to be; what cannot be is tried again soon. */
static void
call_all (void *opaque)
{
	struct peer *p = opaque;
	struct end *end;

	while ((end = free_end (p))) {
		int fd = call (&p->address);

		if (fd < 0 || end_connect (end, fd) < 0) {
			vh_timer_set (p->retry, RETRY_MS);
			return;
		}
	}
}

/* --- sockets that were passed --- */

static int
take_socket (struct end *end, unsigned passed)
{
	int type, domain, fd;
	socklen_t size = sizeof (type);

	if (getsockopt (passed, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || getsockopt (passed, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
		return -errno;
	if (type != SOCK_SEQPACKET || domain != AF_UNIX)
		return -EPROTOTYPE;
	fd = fcntl (passed, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	close (passed);		/* or the other side would never see the end of it */
	return end_connect (end, fd);
}

/* --- the link --- */

static void
peer_pair_used (struct link *link, unsigned pair, bool used)
{
	struct peer *p = (struct peer *) link;
	struct end *end = &p->ends[pair];

	end->used = used;
	/* Sockets that were passed stay: there are no others. */
	if (!used && end->wire && (p->listens || p->connects))
		end_lose (end);
	if (used && p->connects)
		call_all (p);
}

static int
attach_fds (struct peer *p, const unsigned *fds)
{
	for (unsigned i = 0; i < p->n; i++) {
		int err = take_socket (&p->ends[i], fds[i]);

		if (err < 0) {
			log_say (&p->log, VH_LOG_ERROR, "file descriptor %u: %s", fds[i],
				 err == -EPROTOTYPE ? "not a Unix socket of the kind SOCK_SEQPACKET" : vh_strerror (err));
			return err;
		}
	}
	return 0;
}

static int
peer_attach (struct link *link, struct net *net, struct vh_loop *loop)
{
	struct peer *p = (struct peer *) link;
	int err = 0;

	p->net = net;
	p->loop = loop;
	if (p->fds)
		return attach_fds (p, p->fds);
	err = vh_loop_add_timer (loop, p->listens ? listen_again : call_all, p, &p->retry);
	if (err == 0 && p->listens)
		err = vh_loop_add_fd (loop, p->listener, EPOLLIN, connection_waits, p, &p->waiting);
	if (err < 0)
		log_say (&p->log, VH_LOG_ERROR, "%s", vh_strerror (err));
	else if (p->connects)
		call_all (p);
	return err;
}

static void
peer_detach (struct link *link)
{
	struct peer *p = (struct peer *) link;

	vh_source_remove (p->waiting);
	vh_timer_remove (p->retry);
	for (unsigned i = 0; i < p->n; i++)
		vh_source_remove (p->ends[i].watch);
}

static void
peer_free (struct link *link)
{
	struct peer *p = (struct peer *) link;

	if (p->listener >= 0)
		close (p->listener);
	remove_file (p);
	for (unsigned i = 0; i < p->n; i++)
		wire_unref (p->ends[i].wire);
	free (p->ends);
	free (p);
}

static const struct link_ops peer_ops = {
	.attach = peer_attach,
	.pair_used = peer_pair_used,
	.detach = peer_detach,
	.free = peer_free,
};

static int
set_address (struct peer *p, const char *path)
{
	p->address.sun_family = AF_UNIX;
	if (strlen (path) >= sizeof (p->address.sun_path))
		return -ENAMETOOLONG;
	strcpy (p->address.sun_path, path);
	return 0;
}

static int
peer_open (struct peer *p, const struct net_options *o)
{
	unsigned n = net_options_pairs (o);
	const char *path = o->link_listen ? o->link_listen : o->link_connect;
	int err = path ? set_address (p, path) : 0;

	p->ends = calloc (n, sizeof (p->ends[0]));
	if (!p->ends)
		return -ENOMEM;
	for (; p->n < n; p->n++)
		p->ends[p->n] = (struct end){ .peer = p, .pair = p->n, .used = p->n == 0 };
	p->fds = o->link_fds;
	p->connects = o->link_connect;
	p->listens = o->link_listen;
	return err == 0 && p->listens ? peer_listen (p) : err;
}

int
peer_new (const struct net_options *o, const struct log *log, struct link **ret)
{
	struct peer *p = calloc (1, sizeof (*p));
	int err;

	if (p) {
		p->link = (struct link){ .ops = &peer_ops, .mtu = DEFAULT_MTU, .max_mtu = MAX_MTU };
		p->log = *log;
		p->listener = -1;
	}
	err = p ? peer_open (p, o) : -ENOMEM;
	if (err < 0) {
		log_say (log, VH_LOG_ERROR, "%s", vh_strerror (err));
		if (p)
			peer_free (&p->link);
		return err;
	}
	*ret = &p->link;
	return 0;
}
