/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pipe through a socket, for tests of vsock; runs in the guest, and on the host.
 *
 *	guest-stream WHERE		standard input goes out, what comes goes to standard output
 *	guest-stream [-n N] WHERE PROGRAM ARGUMENT...	the same for N connections [1], each with a run of the program
 *
 *	WHERE	vsock:CID:PORT		connect there
 *		vsock-listen:PORT
 *		unix:PATH		connect there
 *		unix-listen:PATH
 *		hybrid:PATH:PORT	connect to PATH, and ask for that port of the guest
 *
 * With a program, standard input and output are the program's.  The end of the input is sent on, and the program goes on until the other side ends, too.
 * The exit status is 0 when both ends were seen; 3 when there was no connection.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#define NO_CONNECTION 3

static void
die (int status, const char *what)
{
	fprintf (stderr, "guest-stream: %s: %s\n", what, strerror (errno));
	exit (status);
}

/* --- addresses --- */

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

struct where {
	union address address;
	socklen_t size;
	bool listens;
	unsigned hybrid_port;	/* 0: it is no hybrid */
};

static bool
skip (const char **text, const char *word)
{
	if (strncmp (*text, word, strlen (word)))
		return false;
	*text += strlen (word);
	return true;
}

static void
unix_address (struct where *w, const char *path, size_t length)
{
	w->address.un.sun_family = AF_UNIX;
	if (length >= sizeof (w->address.un.sun_path))
		length = sizeof (w->address.un.sun_path) - 1;
	memcpy (w->address.un.sun_path, path, length);
	w->size = sizeof (w->address.un);
}

static void
vsock_address (struct where *w, unsigned cid, const char *port)
{
	w->address.vm.svm_family = AF_VSOCK;
	w->address.vm.svm_cid = cid;
	w->address.vm.svm_port = strtoul (port, NULL, 10);
	w->size = sizeof (w->address.vm);
}

static void
parse (const char *text, struct where *w)
{
	const char *whole = text, *colon = strrchr (text, ':');

	memset (w, 0, sizeof (*w));
	if (skip (&text, "vsock:")) {
		vsock_address (w, strtoul (text, NULL, 10), colon + 1);
	} else if (skip (&text, "vsock-listen:")) {
		vsock_address (w, VMADDR_CID_ANY, text);
		w->listens = true;
	} else if (skip (&text, "unix:")) {
		unix_address (w, text, strlen (text));
	} else if (skip (&text, "unix-listen:")) {
		unix_address (w, text, strlen (text));
		w->listens = true;
	} else if (skip (&text, "hybrid:") && colon > text) {
		unix_address (w, text, colon - text);
		w->hybrid_port = strtoul (colon + 1, NULL, 10);
	} else {
		errno = EINVAL;
		die (2, whole);
	}
}

/* --- connections --- */

static int
start_listening (const struct where *w)
{
	int fd = socket (w->address.any.sa_family, SOCK_STREAM, 0);

	if (w->address.any.sa_family == AF_UNIX)
		unlink (w->address.un.sun_path);
	if (fd < 0 || bind (fd, &w->address.any, w->size) < 0 || listen (fd, 64) < 0)
		die (1, "listen");
	/* Somebody may wait for this. */
	fprintf (stderr, "guest-stream: listening\n");
	return fd;
}

/* "CONNECT PORT", and the answer, which must be "OK" and a number; what follows it is not touched. */
static void
ask_for_port (int fd, unsigned port)
{
	char line[64] = "";
	unsigned n = 0;

	dprintf (fd, "CONNECT %u\n", port);
	while (n < sizeof (line) - 1 && read (fd, line + n, 1) == 1 && line[n++] != '\n')
		;
	errno = ECONNREFUSED;
	if (strncmp (line, "OK ", 3) || !strtoul (line + 3, NULL, 10))
		die (NO_CONNECTION, "hybrid");
}

static int
start_connection (const struct where *w)
{
	int fd = socket (w->address.any.sa_family, SOCK_STREAM, 0);

	if (fd < 0 || connect (fd, &w->address.any, w->size) < 0)
		die (NO_CONNECTION, "connect");
	if (w->hybrid_port)
		ask_for_port (fd, w->hybrid_port);
	return fd;
}

/* --- bytes --- */

static void
write_all (int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write (fd, bytes, n);

		if (written < 0)
			die (1, "write");
		bytes += written;
		n -= written;
	}
}

/* From one to the other; false at the end. */
static bool
pass (int from, int to)
{
	static char bytes[65536];
	ssize_t n = read (from, bytes, sizeof (bytes));

	if (n < 0)
		die (1, "read");
	write_all (to, bytes, n);
	return n > 0;
}

/* Each way in a process of its own: so neither waits for the other. */
static int
pump (int fd, int in, int out)
{
	pid_t child = fork ();
	int status;

	if (child < 0)
		die (1, "fork");
	if (child == 0) {
		while (pass (in, fd))
			;
		shutdown (fd, SHUT_WR);
		_exit (0);
	}
	while (pass (fd, out))
		;
	if (waitpid (child, &status, 0) != child)
		return 1;
	return WIFEXITED (status) ? WEXITSTATUS (status) : 1;
}

static int
run (int fd, char **program)
{
	pid_t child = fork ();
	int status;

	if (child < 0)
		die (1, "fork");
	if (child == 0) {
		dup2 (fd, 0);
		dup2 (fd, 1);
		close (fd);
		execvp (program[0], program);
		die (127, program[0]);
	}
	close (fd);
	if (waitpid (child, &status, 0) != child)
		return 1;
	return WIFEXITED (status) ? WEXITSTATUS (status) : 1;
}

static int
serve (int fd, char **program)
{
	return program[0] ? run (fd, program) : pump (fd, 0, 1);
}

int
main (int argc, char **argv)
{
	unsigned n = 1, failed = 0;
	struct where w;
	int listener;

	if (argc > 3 && !strcmp (argv[1], "-n")) {
		n = strtoul (argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	if (argc < 2)
		return 2;
	parse (argv[1], &w);
	if (!w.listens)
		return serve (start_connection (&w), argv + 2);
	listener = start_listening (&w);
	for (unsigned i = 0; i < n; i++) {
		int fd = accept (listener, NULL, NULL);

		if (fd < 0)
			die (1, "accept");
		/* Several are served at the same time. */
		if (fork () == 0) {
			close (listener);
			_exit (serve (fd, argv + 2));
		}
		close (fd);
	}
	for (unsigned i = 0; i < n; i++) {
		int status;

		if (wait (&status) < 0 || !WIFEXITED (status) || WEXITSTATUS (status))
			failed++;
	}
	return failed ? 1 : 0;
}
