/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A source of random numbers for guests, the smallest back-end: random SOCKET.  This is the program in README.
 */
#include <sys/random.h>
#include <vhost/vhost.h>

static void
process (void *device, struct vh_ring *ring)
{
	struct vh_request *r;
	char bytes[256];

	while (vh_ring_take (ring, &r, 1) > 0)
		vh_ring_give (ring, r, getentropy (bytes, sizeof (bytes)) < 0 ? 0 :
			      vh_parts_write (r->in, r->n_in, 0, bytes, sizeof (bytes)));
	vh_ring_flush (ring);
}

int
main (int argc, char **argv)
{
	static const struct vh_device_ops ops = { .size = sizeof (ops), .ring_process = process };
	struct vh_device device = { .size = sizeof (device), .ops = &ops, .rings = 1,
				    .features = vh_backend_supported_ring_features () };
	struct vh_endpoint endpoint = { .size = sizeof (endpoint), .socket_path = argv[1], .fd = -1 };
	struct vh_daemon *daemon;

	if (vh_daemon_new (NULL, &daemon) < 0 || vh_daemon_add (daemon, &device, &endpoint) < 0)
		return 1;
	return vh_daemon_run (daemon) < 0;
}
