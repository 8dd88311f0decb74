/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest-vsock CID PORT TEXT: connects there, sends the text, and prints what comes back, until there is as much of it.
 */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK };
	int fd = socket (AF_VSOCK, SOCK_STREAM, 0);
	char buffer[4096];
	size_t size, got = 0;

	if (argc != 4)
		return 2;
	addr.svm_cid = atoi (argv[1]);
	addr.svm_port = atoi (argv[2]);
	size = strlen (argv[3]);
	if (fd < 0 || connect (fd, (struct sockaddr *) &addr, sizeof (addr)) < 0 || write (fd, argv[3], size) != (ssize_t) size) {
		perror ("guest-vsock");
		return 1;
	}
	while (got < size && got < sizeof (buffer)) {
		ssize_t n = read (fd, buffer + got, sizeof (buffer) - got);

		if (n <= 0)
			break;
		got += n;
	}
	printf ("%.*s\n", (int) got, buffer);
	close (fd);
	return 0;
}
