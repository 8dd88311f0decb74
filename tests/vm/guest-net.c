/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-net serve PORT BYTES, guest-net connect ADDRESS PORT BYTES: two of these send each other so many bytes over TCP, first the one that connects, then
 * the other, and print checksums of what they sent and received, and how long nothing moved.  "serve-all" goes on until it is killed.  Runs in guests and on
 * the host.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536

/* How long all may take; under emulation a gigabyte takes minutes. */
#define SECONDS 900

static uint64_t buffer[CHUNK / 8];
static long quiet;		/* ms: the longest time in which no byte moved */

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

static long
now_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What read or write returned, which was called at `since`. */
static ssize_t
moved (ssize_t n, long since, const char *what)
{
	long ms = now_ms () - since;

	if (n <= 0)
		die (what);
	if (ms > quiet)
		quiet = ms;
	return n;
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
			long since = now_ms ();

			sent += moved (write (fd, (char *) buffer + sent, CHUNK - sent), since, "write");
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
			long since = now_ms ();

			got += moved (read (fd, (char *) buffer + got, CHUNK - got), since, "read");
		}
		sum = checksum (sum, CHUNK);
	}
	return sum;
}

static int
open_door (struct sockaddr_in *address)
{
	int fd = socket (AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof (one));
	if (fd < 0 || bind (fd, (struct sockaddr *) address, sizeof (*address)) < 0 || listen (fd, 1) < 0)
		die ("listen");
	printf ("guest-net: listening\n");
	fflush (stdout);
	return fd;
}

static int
wait_for_peer (int door)
{
	int fd = accept (door, NULL, NULL);

	if (fd < 0)
		die ("accept");
	return fd;
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

/* Both ways over this connection; who called begins. */
static void
transfer (int fd, uint64_t bytes, uint64_t seed, int calls)
{
	uint64_t sent = 0, received;

	quiet = 0;
	if (calls)
		sent = send_bytes (fd, bytes, seed);
	received = receive_bytes (fd, bytes);
	if (!calls)
		sent = send_bytes (fd, bytes, seed);
	close (fd);
	fprintf (stderr, "guest-net: quiet %ld ms\n", quiet);
	printf ("guest-sum: sent %016llx received %016llx\n", (unsigned long long) sent, (unsigned long long) received);
	fflush (stdout);
}

int
main (int argc, char **argv)
{
	int serves = argc == 4 && !strncmp (argv[1], "serve", 5), again = serves && !strcmp (argv[1], "serve-all");
	struct sockaddr_in address = { .sin_family = AF_INET };
	uint64_t bytes, seed = getpid ();
	int door = -1;

	if (!serves && (argc != 5 || strcmp (argv[1], "connect") || !inet_aton (argv[2], &address.sin_addr)))
		return fprintf (stderr, "usage: guest-net serve PORT BYTES | serve-all PORT BYTES | connect ADDRESS PORT BYTES\n"), 2;
	signal (SIGPIPE, SIG_IGN);
	bytes = strtoull (argv[argc - 1], NULL, 10);
	address.sin_port = htons (atoi (argv[argc - 2]));
	if (serves)
		door = open_door (&address);
	do {
		alarm (SECONDS);
		transfer (serves ? wait_for_peer (door) : call_peer (&address), bytes, seed += 2, !serves);
	} while (again);
	return 0;
}
