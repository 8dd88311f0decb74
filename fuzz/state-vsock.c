/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A socket device that nobody can connect to, for fuzz-state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/vsock/device.h"
#include "fuzz/state-devices.h"
#include "fuzz/verdict.h"

static const struct log quiet = { .silent = true };

/* It listens in the file system, from where it is gone at once. */
static const struct vh_device *
make (void)
{
	char folder[] = "/tmp/fuzz-state-XXXXXX";
	static char path[sizeof (folder) + 2];
	const struct vsock_options o = { .guest_cid = 3, .uds_path = path, .max_connections = 4, .buffer = 65536 };
	const struct vh_device *d;

	if (!mkdtemp (folder))
		wrong ("no folder for a socket");
	snprintf (path, sizeof (path), "%s/s", folder);
	must (vsock_new (&o.common, &quiet, &d));
	unlink (path);
	rmdir (folder);
	return d;
}

const struct state_device state_vsock = { "vsock", make, NULL, NULL };
