/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user network device that sends back what it is sent.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/suite.h"
#include "tests/vm/kernel/echo-backend.h"

#define RX 0
#define TX 1

static int
start (void *device, struct vh_ring *ring)
{
	((struct echo_backend *) device)->rings[vh_ring_index (ring)] = ring;
	return 0;
}

static void
stop (void *device, struct vh_ring *ring)
{
	((struct echo_backend *) device)->rings[vh_ring_index (ring)] = NULL;
}

/* The next packet, unless one waits.  Is there one? */
static bool
take_packet (struct echo_backend *e)
{
	struct vh_request *out;

	if (e->pending == 0 && vh_ring_take (e->rings[TX], &out, 1) > 0) {
		e->pending = vh_parts_read (out->out, out->n_out, 0, e->packet, sizeof (e->packet));
		vh_ring_give (e->rings[TX], out, 0);
	}
	return e->pending > 0;
}

/* Each ring has turns of its own: in another's turn, this one may have nothing to take although it is not empty, and is asked for a turn. */
static void
process (void *device, struct vh_ring *ring)
{
	struct echo_backend *e = device;
	struct vh_request *in;

	if (!e->rings[RX] || !e->rings[TX])
		return;
	while (take_packet (e)) {
		if (vh_ring_take (e->rings[RX], &in, 1) <= 0) {
			if (vh_ring_index (ring) != RX)
				vh_ring_wake (e->rings[RX]);
			break;
		}
		vh_ring_give (e->rings[RX], in, vh_parts_write (in->in, in->n_in, 0, e->packet, e->pending));
		e->pending = 0;
	}
	vh_ring_flush (e->rings[RX]);
	vh_ring_flush (e->rings[TX]);
}

static void *
dispatch (void *argument)
{
	struct echo_backend *e = argument;

	while (vh_backend_dispatch (e->backend, -1) == 1)
		;
	return NULL;
}

int
echo_backend_start (struct echo_backend *e)
{
	static const struct vh_device_ops ops = {
		.size = sizeof (ops), .ring_start = start, .ring_stop = stop, .ring_process = process,
	};
	int fds[2];

	memset (e, 0, sizeof (*e));
	e->device = (struct vh_device){
		.size = sizeof (e->device), .ops = &ops, .opaque = e, .rings = 2, .features = vh_backend_supported_ring_features (),
	};
	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	CU_ASSERT_EQUAL_FATAL (vh_backend_new (&e->device, fds[1], NULL, &e->backend), 0);
	CU_ASSERT_EQUAL_FATAL (pthread_create (&e->thread, NULL, dispatch, e), 0);
	return fds[0];
}

void
echo_backend_join (struct echo_backend *e)
{
	pthread_join (e->thread, NULL);
	vh_backend_free (e->backend);
}
