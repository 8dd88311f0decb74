/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end in a process of its own; see link-backend.h.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vhost/vhost.h>

#include "tests/xen/guest/link-backend.h"

#define ARGUMENT "--link-backend"

struct adder {
	bool deaf, holds;
	uint8_t config[8];
	struct vh_backend *backend;
	struct vh_loop *loop;
	struct vh_mail change;
};

static void
process (void *device, struct vh_ring *ring)
{
	struct adder *a = device;
	struct vh_request *r;

	while (!a->deaf && vh_ring_take (ring, &r, 1) > 0) {
		uint32_t number = 0;

		vh_parts_read (r->out, r->n_out, 0, &number, sizeof (number));
		if (number == LINK_BACKEND_CHANGE)
			vh_loop_post (a->loop, &a->change);
		if (number == LINK_BACKEND_HOLD && a->holds)
			continue;
		number++;
		vh_ring_give (ring, r, vh_parts_write (r->in, r->n_in, 0, &number, sizeof (number)));
	}
	vh_ring_flush (ring);
}

static void
change (void *opaque)
{
	struct adder *a = opaque;

	a->config[7]++;
	if (a->backend)
		vh_backend_config_changed (a->backend);
}

static void
connected (void *device, struct vh_backend *b)
{
	struct adder *a = device;

	a->backend = b;
}

static void
disconnected (void *device, struct vh_backend *b)
{
	struct adder *a = device;

	a->backend = NULL;
}

/* Byte 0 is what was written, byte 1 one more. */
static int
set_config (void *device, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	struct adder *a = device;

	memcpy (a->config + offset, buf, size);
	a->config[1] = a->config[0] + 1;
	return 0;
}

static int
serve (const char *socket, const char *habits, uint64_t features)
{
	static const struct vh_device_ops ops = {
		.size = sizeof (ops),
		.ring_process = process,
		.connected = connected,
		.disconnected = disconnected,
		.set_config = set_config,
	};
	struct adder adder = {
		.deaf = strchr (habits, 'd') != NULL,
		.holds = strchr (habits, 'h') != NULL,
		.config = { 10, 11 },
		.change = { .fn = change, .opaque = &adder },
	};
	struct vh_device device = {
		.size = sizeof (device),
		.ops = &ops,
		.opaque = &adder,
		.features = vh_backend_supported_ring_features () | features,
		.protocol_features = strchr (habits, 'r') ? VH_BIT (VH_P_INFLIGHT_SHMFD) : 0,
		.rings = 2,
		.config = adder.config,
		.config_size = sizeof (adder.config),
	};
	struct vh_endpoint endpoint = { .size = sizeof (endpoint), .socket_path = socket, .fd = -1 };
	struct vh_daemon *daemon;

	/* It does not outlive a test that was killed. */
	prctl (PR_SET_PDEATHSIG, SIGKILL);
	if (vh_daemon_new (NULL, &daemon) < 0)
		return 1;
	adder.loop = vh_daemon_loop (daemon);
	return vh_daemon_add (daemon, &device, &endpoint) < 0 || vh_daemon_run (daemon) < 0;
}

void
link_backend_main (int argc, char **argv)
{
	if (argc == 5 && strcmp (argv[1], ARGUMENT) == 0)
		_exit (serve (argv[2], argv[3], strtoull (argv[4], NULL, 10)));
}

int
link_backend_start (const char *socket, const struct link_backend_options *options)
{
	char features[24], habits[8];
	int pid;

	snprintf (features, sizeof (features), "%" PRIu64, options->features);
	snprintf (habits, sizeof (habits), "-%s%s%s", options->deaf ? "d" : "", options->holds ? "h" : "", options->records ? "r" : "");
	pid = fork ();
	if (pid == 0) {
		execl ("/proc/self/exe", "link-backend", ARGUMENT, socket, habits, features, (char *) NULL);
		_exit (127);
	}
	return pid;
}

void
link_backend_kill (int pid)
{
	kill (pid, SIGKILL);
	waitpid (pid, NULL, 0);
}
