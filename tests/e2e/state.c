/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state SOCKET COMMAND...: a front-end that looks after a device's state, and runs no ring.
 *
 *	set OFFSET BYTE		writes to the configuration space
 *	get OFFSET SIZE		prints it, in hexadecimal
 *	mtu N			NET_SET_MTU
 *	save FILE		has the state saved
 *	load FILE		has it loaded, and says whether that was refused
 *	trickle FILE		the same, a byte at a time
 *	leave-load FILE N	ends, without a word, when N bytes of it have been sent; leave-save FILE N: or were received
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/error.h>
#include <vhost/frontend.h>

#include "tests/e2e/die.h"

#define WAIT_MS 20000
#define ROOM (1u << 20)

static char bytes[ROOM];

static size_t
read_all (int fd, size_t most)
{
	size_t done = 0;
	ssize_t n;

	while (done < most && (n = read (fd, bytes + done, most - done)) > 0)
		done += n;
	return done;
}

static void
write_all (int fd, size_t size, size_t piece)
{
	for (size_t done = 0; done < size; done += piece) {
		if (piece > size - done)
			piece = size - done;
		/* Who does not like it has closed its end, and says so when asked. */
		if (send (fd, bytes + done, piece, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* Our end of the stream. */
static int
begin (struct vh_frontend *f, int (*transfer) (struct vh_frontend *, int, int *))
{
	int ends[2], other;

	if (socketpair (AF_UNIX, SOCK_STREAM, 0, ends) < 0 || transfer (f, ends[1], &other) < 0 || other >= 0)
		die ("a transfer cannot begin: %s", vh_frontend_error (f));
	close (ends[1]);
	return ends[0];
}

static void
save (struct vh_frontend *f, const char *path, size_t most)
{
	int fd = begin (f, vh_frontend_save_state), file = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t size = read_all (fd, most);

	if (most < ROOM)
		_Exit (0);
	if (file < 0 || write (file, bytes, size) != (ssize_t) size || vh_frontend_check_state (f) < 0)
		die ("the state is not saved: %s", vh_frontend_error (f));
	close (file);
	close (fd);
}

static void
load (struct vh_frontend *f, const char *path, size_t most, size_t piece)
{
	int file = open (path, O_RDONLY);
	size_t size = file < 0 ? 0 : read_all (file, ROOM);
	int fd = begin (f, vh_frontend_load_state), err;

	write_all (fd, size < most ? size : most, piece);
	if (most < ROOM)
		_Exit (0);
	close (file);
	close (fd);
	err = vh_frontend_check_state (f);
	if (err < 0 && err != -EREMOTEIO)
		die ("the state is not loaded: %s", vh_strerror (err));
	puts (err < 0 ? "refused" : "loaded");
}

static void
get (struct vh_frontend *f, unsigned offset, unsigned size)
{
	uint8_t config[256];

	if (vh_frontend_get_config (f, offset, config, size) < 0)
		die ("%s", vh_frontend_error (f));
	for (unsigned i = 0; i < size; i++)
		printf ("%02x", config[i]);
	puts ("");
}

/* Returns how many words it took. */
static int
obey (struct vh_frontend *f, char **words, int n)
{
	unsigned number = n > 1 ? strtoul (words[1], NULL, 10) : 0, second = n > 2 ? strtoul (words[2], NULL, 10) : 0;
	uint8_t byte = second;

	if (n > 1 && !strcmp (words[0], "save"))
		return save (f, words[1], ROOM), 2;
	if (n > 1 && !strcmp (words[0], "load"))
		return load (f, words[1], ROOM, ROOM), 2;
	if (n > 1 && !strcmp (words[0], "trickle"))
		return load (f, words[1], ROOM, 1), 2;
	if (n > 1 && !strcmp (words[0], "mtu"))
		return vh_frontend_set_mtu (f, number) == 0 ? 2 : 0;
	if (n > 2 && !strcmp (words[0], "get"))
		return get (f, number, second), 3;
	if (n > 2 && !strcmp (words[0], "set"))
		return vh_frontend_set_config (f, number, &byte, 1, 0) == 0 ? 3 : 0;
	if (n > 2 && !strcmp (words[0], "leave-load"))
		return load (f, words[1], second, 1), 3;
	if (n > 2 && !strcmp (words[0], "leave-save"))
		return save (f, words[1], second), 3;
	return 0;
}

int
main (int argc, char **argv)
{
	struct vh_frontend *f;

	if (argc < 3)
		die ("usage: state SOCKET COMMAND...");
	if (vh_frontend_connect (argv[1], WAIT_MS, NULL, &f) < 0 || vh_frontend_handshake (f, UINT64_MAX) < 0)
		die ("%s: cannot be connected to", argv[1]);
	for (int i = 2, words; i < argc; i += words) {
		words = obey (f, argv + i, argc - i);
		if (words == 0)
			die ("'%s'? %s", argv[i], vh_frontend_error (f));
		fflush (stdout);
	}
	vh_frontend_free (f);
	return 0;
}
