/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-net serve PORT BYTES, guest-net connect ADDRESS PORT BYTES: two of these send each other so many bytes over TCP, first the one that connects, then
 * the other, and print checksums of what they sent and received.  Runs in guests and on the host.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

/* How long all may take; under emulation a gigabyte takes minutes. */
#define SECONDS 900

static uint64_t buffer[CHUNK / 8];

static void
die (const char *what)
{
	perror (what);
	exit (1);
}

/* Each word changes all later ones. */
static uint64_t
checksum (uint64_t sum, size_t size)
{
	for (size_t i = 0; i < size / 8; i++) {
		sum = (sum ^ buffer[i]) * UINT64_C (0x9e3779b97f4a7c15);
		sum ^= sum >> 29;
	}
	return sum;
}

static uint64_t
send_bytes (int fd, uint64_t bytes, uint64_t seed)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < bytes; done += CHUNK) {
		for (unsigned i = 0; i < CHUNK / 8; i++) {
			seed = seed * UINT64_C (6364136223846793005) + 1442695040888963407;
			buffer[i] = seed ^ seed >> 31;
		}
		sum = checksum (sum, CHUNK);
		for (size_t sent = 0; sent < CHUNK;) {
			ssize_t n = write (fd, (char *) buffer + sent, CHUNK - sent);

			if (n <= 0)
				die ("write");
			sent += n;
		}
	}
	return sum;
}

static uint64_t
receive_bytes (int fd, uint64_t bytes)
{
	uint64_t sum = 0;

	for (uint64_t done = 0; done < bytes; done += CHUNK) {
		for (size_t got = 0; got < CHUNK;) {
			ssize_t n = read (fd, (char *) buffer + got, CHUNK - got);

			if (n <= 0)
				die ("read");
			got += n;
		}
		sum = checksum (sum, CHUNK);
	}
	return sum;
}

static int
wait_for_peer (struct sockaddr_in *address)
{
	int fd = socket (AF_INET, SOCK_STREAM, 0), one = 1, peer;

	setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof (one));
	if (fd < 0 || bind (fd, (struct sockaddr *) address, sizeof (*address)) < 0 || listen (fd, 1) < 0)
		die ("listen");
	printf ("guest-net: listening\n");
	fflush (stdout);
	peer = accept (fd, NULL, NULL);
	if (peer < 0)
		die ("accept");
	return peer;
}

static int
call_peer (struct sockaddr_in *address)
{
	for (unsigned i = 0;; i++) {
		int fd = socket (AF_INET, SOCK_STREAM, 0);

		if (connect (fd, (struct sockaddr *) address, sizeof (*address)) == 0)
			return fd;
		if (i == 120)
			die ("connect");
		close (fd);
		usleep (500000);
	}
}

int
main (int argc, char **argv)
{
	int serves = argc == 4 && !strcmp (argv[1], "serve");
	struct sockaddr_in address = { .sin_family = AF_INET };
	uint64_t bytes, sent, received;
	int fd;

	if (!serves && (argc != 5 || strcmp (argv[1], "connect") || !inet_aton (argv[2], &address.sin_addr)))
		return fprintf (stderr, "usage: guest-net serve PORT BYTES | connect ADDRESS PORT BYTES\n"), 2;
	alarm (SECONDS);
	signal (SIGPIPE, SIG_IGN);
	bytes = strtoull (argv[argc - 1], NULL, 10);
	address.sin_port = htons (atoi (argv[argc - 2]));
	fd = serves ? wait_for_peer (&address) : call_peer (&address);
	if (serves) {
		received = receive_bytes (fd, bytes);
		sent = send_bytes (fd, bytes, getpid () + 2);
	} else {
		sent = send_bytes (fd, bytes, getpid () + 1);
		received = receive_bytes (fd, bytes);
	}
	printf ("guest-sum: sent %016llx received %016llx\n", (unsigned long long) sent, (unsigned long long) received);
	return 0;
}
