/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * console-requests SOCKET COMMAND...: is a guest in front of vhost-user-console.
 *
 *	say TEXT	writes it to port 0
 *	fill N		writes N KiB to port 0, and waits until they are taken
 *	hear N		prints N bytes that come from port 0
 *	size		prints columns and rows
 *	ports		makes itself known over the control queues, and prints what it is told until two ports are there, and open
 *	shut, open	closes port 1, opens it
 *	moves SOCKET	goes on in front of another device, which gets the state of this one
 *	told		prints messages over the control queue until there are no more for a while
 *	say-port TEXT, hear-port N	the same with port 1
 *	hostile		sends what is against the rules over the control queues and the others
 *	blocked N	writes N KiB to port 1, of which not all may be taken
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_console.h>

#include "move.h"
#include "must.h"

#define WAIT_MS 20000
#define RING_SIZE 64
#define ROOM 65536		/* for what is written */
#define N_BUFFERS 16		/* of each ring that is read */
#define BUFFER 256
#define MAX_RINGS 6

#define CONTROL_RX 2
#define CONTROL_TX 3
#define MULTIPORT VH_BIT (VIRTIO_CONSOLE_F_MULTIPORT)

struct guest_side {
	struct driver driver;
	uint64_t buffers[MAX_RINGS];	/* of each ring */
	uint64_t out;
};

static void *
at (struct guest_side *g, uint64_t addr)
{
	return guest_at (&g->driver.guest, addr);
}

static void
open_guest (struct guest_side *g, const char *socket)
{
	struct driver_options options = {
		.queue_size = RING_SIZE, .regions = 1, .memory = ROOM + MAX_RINGS * N_BUFFERS * (BUFFER + 16) + 4096,
	};
	uint64_t offered;

	must_connect (&g->driver, socket, WAIT_MS);
	offered = vh_frontend_offered_features (g->driver.frontend);
	options.features = offered & (MULTIPORT | VH_BIT (VIRTIO_CONSOLE_F_SIZE) | VH_BIT (VH_F_EVENT_IDX));
	options.queues = offered & MULTIPORT ? MAX_RINGS : 2;
	must_start (&g->driver, &options);
	g->out = must_alloc (&g->driver, ROOM, 16);
	for (unsigned ring = 0; ring < options.queues; ring += 2) {
		g->buffers[ring] = must_alloc (&g->driver, N_BUFFERS * BUFFER, 16);
		for (unsigned i = 0; i < N_BUFFERS; i++)
			must_give (&g->driver, ring, g->buffers[ring] + i * BUFFER, BUFFER);
	}
}

/* False: it was not taken. */
static bool
put (struct guest_side *g, unsigned ring, const void *bytes, size_t size, int wait_ms)
{
	struct queue *q = g->driver.queues[ring];
	struct queue_done done;

	memcpy (at (g, g->out), bytes, size);
	if (queue_add (q, &(struct queue_buffer){ g->out, size }, 1, 0, g) < 0 || queue_publish (q) < 0)
		die ("no room in ring %u", ring);
	return must_reap (&g->driver, ring, &done, wait_ms);
}

static void
fill (struct guest_side *g, unsigned ring, unsigned n, int wait_ms)
{
	static char bytes[1024];
	unsigned taken = 0;

	memset (bytes, 'x', sizeof (bytes));
	while (taken < n && put (g, ring, bytes, sizeof (bytes), wait_ms))
		taken++;
	printf ("%u KiB taken\n", taken);
	/* What was not taken is not waited for. */
	if (taken < n) {
		fflush (stdout);
		_Exit (0);
	}
}

/* The bytes of the next buffer. */
static unsigned
get (struct guest_side *g, unsigned ring, char *bytes, int wait_ms)
{
	struct queue_done done;

	if (!must_reap (&g->driver, ring, &done, wait_ms))
		return 0;
	memcpy (bytes, done.token, done.written);
	must_give (&g->driver, ring, g->buffers[ring] + ((uint8_t *) done.token - (uint8_t *) at (g, g->buffers[ring])), BUFFER);
	return done.written;
}

static void
hear (struct guest_side *g, unsigned ring, unsigned n)
{
	unsigned got = 0;

	while (got < n) {
		char bytes[BUFFER];
		unsigned more = get (g, ring, bytes, WAIT_MS);

		if (more == 0)
			die ("heard %u bytes", got);
		fwrite (bytes, 1, more, stdout);
		got += more;
	}
	printf ("\n");
}

static void
print_size (struct guest_side *g)
{
	struct virtio_console_config c;

	if (vh_frontend_get_config (g->driver.frontend, 0, &c, sizeof (c)) < 0)
		die ("%s", vh_frontend_error (g->driver.frontend));
	printf ("size %u %u, %s, %u ports\n", le16toh (c.cols), le16toh (c.rows),
		g->driver.features & VH_BIT (VIRTIO_CONSOLE_F_SIZE) ? "offered" : "not offered", le32toh (c.max_nr_ports));
}

/* --- control messages --- */

static void
control (struct guest_side *g, unsigned id, unsigned event, unsigned value)
{
	struct virtio_console_control m = { .id = htole32 (id), .event = htole16 (event), .value = htole16 (value) };

	if (!put (g, CONTROL_TX, &m, sizeof (m), WAIT_MS))
		die ("a control message is not taken");
}

/* Answers as a driver does; prints each message. */
static void
meet_ports (struct guest_side *g)
{
	unsigned ready = 0, named = 0, opened = 0;

	control (g, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	while (ready < 2 || named < 2 || opened < 2) {
		struct virtio_console_control m;
		char bytes[BUFFER];
		unsigned n = get (g, CONTROL_RX, bytes, WAIT_MS);

		if (n < sizeof (m))
			die ("%u ports, and no more messages", ready);
		memcpy (&m, bytes, sizeof (m));
		printf ("port %u: event %u, %u, '%.*s'\n", le32toh (m.id), le16toh (m.event), le16toh (m.value), (int) (n - sizeof (m)),
			bytes + sizeof (m));
		if (le16toh (m.event) == VIRTIO_CONSOLE_PORT_ADD) {
			control (g, le32toh (m.id), VIRTIO_CONSOLE_PORT_READY, 1);
			control (g, le32toh (m.id), VIRTIO_CONSOLE_PORT_OPEN, 1);
			ready++;
		}
		opened += le16toh (m.event) == VIRTIO_CONSOLE_PORT_OPEN;
		named += le16toh (m.event) == VIRTIO_CONSOLE_PORT_NAME || le16toh (m.event) == VIRTIO_CONSOLE_CONSOLE_PORT;
	}
}

static void
print_messages (struct guest_side *g)
{
	struct virtio_console_control m;
	char bytes[BUFFER];

	while (get (g, CONTROL_RX, bytes, 500) >= sizeof (m)) {
		memcpy (&m, bytes, sizeof (m));
		printf ("port %u: event %u, %u\n", le32toh (m.id), le16toh (m.event), le16toh (m.value));
	}
}

static void
be_hostile (struct guest_side *g)
{
	static char bytes[256];
	struct queue_done done;

	if (g->driver.features & MULTIPORT) {
		for (unsigned size = 1; size < sizeof (bytes); size += 3)
			if (!put (g, CONTROL_TX, bytes, size, WAIT_MS))
				die ("not taken");
		for (unsigned event = 1; event < 70; event++)
			control (g, event * 0x1234567, event, event);
		control (g, 0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	}
	/* A write outside guest memory, and one that is to be read. */
	if (queue_add (g->driver.queues[1], &(struct queue_buffer){ 0x1000, 64 }, 1, 0, g) < 0 || queue_publish (g->driver.queues[1]) < 0 ||
	    !must_reap (&g->driver, 1, &done, WAIT_MS))
		die ("a write outside guest memory is not taken");
	if (queue_add (g->driver.queues[1], &(struct queue_buffer){ g->out, 64 }, 0, 1, g) < 0 || queue_publish (g->driver.queues[1]) < 0 ||
	    !must_reap (&g->driver, 1, &done, WAIT_MS) || done.written != 0)
		die ("a write of nothing is not taken");
	printf ("hostile\n");
}

/* One command, which may have an argument.  Returns how many words it took. */
static int
obey (struct guest_side *g, char **words)
{
	const char *text = words[1] ? words[1] : "";
	unsigned n = strtoul (text, NULL, 10);

	if (!strcmp (words[0], "size"))
		print_size (g);
	else if (!strcmp (words[0], "ports"))
		meet_ports (g);
	else if (!strcmp (words[0], "hostile"))
		be_hostile (g);
	else if (!strcmp (words[0], "shut"))
		control (g, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	else if (!strcmp (words[0], "open"))
		control (g, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	else if (!strcmp (words[0], "told"))
		print_messages (g);
	else if (!strcmp (words[0], "moves"))
		return move_driver (&g->driver, text, WAIT_MS) == 0 ? 2 : 0;
	else if (!strcmp (words[0], "say"))
		return put (g, 1, text, strlen (text), WAIT_MS) ? 2 : 0;
	else if (!strcmp (words[0], "say-port"))
		return put (g, 5, text, strlen (text), WAIT_MS) ? 2 : 0;
	else if (!strcmp (words[0], "fill"))
		return fill (g, 1, n, WAIT_MS), 2;
	else if (!strcmp (words[0], "blocked"))
		return fill (g, 5, n, 500), 2;
	else if (!strcmp (words[0], "hear"))
		return hear (g, 0, n), 2;
	else if (!strcmp (words[0], "hear-port"))
		return hear (g, 4, n), 2;
	else
		return 0;
	return 1;
}

int
main (int argc, char **argv)
{
	static struct guest_side g;
	int words;

	if (argc < 3)
		die ("usage: console-requests SOCKET COMMAND...");
	open_guest (&g, argv[1]);
	for (char **word = argv + 2; *word; word += words) {
		words = obey (&g, word);
		if (words == 0)
			die ("'%s'? %s", *word, g.driver.failed);
		fflush (stdout);
	}
	must_stop (&g.driver);
	return 0;
}
