/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of Unix sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "wire/address.h"

int
address_init (struct sockaddr_un *address, const char *path)
{
	size_t length = strlen (path);

	if (length == 0)
		return -EINVAL;
	if (length >= sizeof (address->sun_path))
		return -ENAMETOOLONG;
	memset (address, 0, sizeof (*address));
	address->sun_family = AF_UNIX;
	memcpy (address->sun_path, path, length);
	return 0;
}

int
address_connect (const struct sockaddr_un *address)
{
	/* Without O_NONBLOCK, connect would wait for room in a full backlog. */
	int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (connect (fd, (const struct sockaddr *) address, sizeof (*address)) == 0 && fcntl (fd, F_SETFL, 0) == 0)
		return fd;
	err = -errno;
	close (fd);
	return err;
}
