/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net-echo SOCKET FRAMES [mergeable]: our front-end and driver at a network device that sends back what it gets, in order.  Every byte is compared.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/net-end.h"

#define WINDOW 32
#define LONGEST 1514

static void
make (uint8_t *bytes, size_t size, unsigned number)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = i * 5 + number * 3 + (i >> 8);
	memcpy (bytes, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
	memcpy (bytes + 14, &number, sizeof (number));
}

static size_t
size_of (unsigned number)
{
	return 60 + number * 7919 % (LONGEST - 60 + 1);
}

/* Nobody says when the other side begins to send back: what is sent before is lost. */
static void
wait_for_echo (struct end *e)
{
	static const struct virtio_net_hdr_v1 header;
	static struct frame f;
	uint8_t bytes[60];

	make (bytes, sizeof (bytes), 0xffffffff);
	for (unsigned i = 0; i < 60; i++) {
		end_post (e, 0, 1, 2048);
		end_send (e, 0, &header, bytes, sizeof (bytes), 0);
		if (end_receive (e, &f, 500))
			break;
	}
	/* Those that came late. */
	while (end_receive (e, &f, 1000))
		;
}

static void
echo (struct end *e, unsigned first)
{
	static const struct virtio_net_hdr_v1 header;
	static struct frame f;
	uint8_t bytes[LONGEST];

	end_post (e, 0, WINDOW, 2048);
	for (unsigned i = first; i < first + WINDOW; i++) {
		make (bytes, size_of (i), i);
		end_send (e, 0, &header, bytes, size_of (i), i % 3 ? 0 : 500);
	}
	for (unsigned i = first; i < first + WINDOW; i++) {
		make (bytes, size_of (i), i);
		CHECK (end_receive (e, &f, END_WAIT_MS));
		CHECK (f.size == size_of (i) && !memcmp (f.bytes, bytes, f.size));
		CHECK (f.header.flags == 0 && f.header.gso_type == 0);
	}
}

int
main (int argc, char **argv)
{
	uint64_t features = argc > 3 && !strcmp (argv[3], "mergeable") ? VH_BIT (VIRTIO_NET_F_MRG_RXBUF) : 0;
	unsigned frames = argc > 2 ? strtoul (argv[2], NULL, 10) : 0, done = 0;
	struct end e;

	if (frames == 0)
		die ("usage: net-echo SOCKET FRAMES [mergeable]");
	while (done < frames) {
		/* The rig's memory is not given back, so there is a new one from time to time. */
		end_open (&e, argv[1], 1, features);
		wait_for_echo (&e);
		for (unsigned i = 0; i < 64 && done < frames; i++, done += WINDOW)
			echo (&e, done);
		end_close (&e);
	}
	printf ("ok: %u frames\n", done);
	return 0;
}
