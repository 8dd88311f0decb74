/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TAP devices.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/vm/kernel/frames.h"
#include "tests/vm/kernel/tap.h"

static void
set_up (const char *name)
{
	struct ifreq r = { 0 };
	int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL (fd >= 0);
	snprintf (r.ifr_name, sizeof (r.ifr_name), "%s", name);
	CU_ASSERT_EQUAL_FATAL (ioctl (fd, SIOCGIFFLAGS, &r), 0);
	r.ifr_flags |= IFF_UP;
	CU_ASSERT_EQUAL_FATAL (ioctl (fd, SIOCSIFFLAGS, &r), 0);
	close (fd);
}

int
tap_open (const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open ("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), header = FRAME_HEADER, little = 1;

	CU_ASSERT_FATAL (fd >= 0);
	snprintf (r.ifr_name, sizeof (r.ifr_name), "%s", name);
	CU_ASSERT_EQUAL_FATAL (ioctl (fd, TUNSETIFF, &r), 0);
	CU_ASSERT_EQUAL_FATAL (ioctl (fd, TUNSETVNETHDRSZ, &header), 0);
	CU_ASSERT_EQUAL_FATAL (ioctl (fd, TUNSETVNETLE, &little), 0);
	set_up (name);
	return fd;
}

int
tap_socket (const char *name)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons (FRAME_TYPE), .sll_ifindex = if_nametoindex (name) };
	int fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons (FRAME_TYPE));

	CU_ASSERT_FATAL (fd >= 0 && addr.sll_ifindex > 0);
	CU_ASSERT_EQUAL_FATAL (bind (fd, (struct sockaddr *) &addr, sizeof (addr)), 0);
	return fd;
}

static void *
echo (void *argument)
{
	struct tap_echo *e = argument;
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	uint8_t frame[FRAME_MAX];

	while (!__atomic_load_n (&e->stop, __ATOMIC_ACQUIRE)) {
		struct sockaddr_ll from;
		socklen_t size = sizeof (from);
		ssize_t n;

		if (poll (&p, 1, 100) <= 0)
			continue;
		n = recvfrom (e->fd, frame, sizeof (frame), 0, (struct sockaddr *) &from, &size);
		/* A packet socket also sees what it sends itself. */
		if (n <= 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (send (e->fd, frame, n, 0) == n)
			e->frames++;
	}
	return NULL;
}

void
tap_echo_start (struct tap_echo *e, const char *name)
{
	*e = (struct tap_echo){ .fd = tap_socket (name) };
	CU_ASSERT_EQUAL_FATAL (pthread_create (&e->thread, NULL, echo, e), 0);
}

void
tap_echo_stop (struct tap_echo *e)
{
	__atomic_store_n (&e->stop, 1, __ATOMIC_RELEASE);
	pthread_join (e->thread, NULL);
	close (e->fd);
}
