/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net-frames A B TEST...: two drivers at two vhost-user-net that are linked, and frames between them.  See check-net.sh.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/net-frames.h"

const struct virtio_net_hdr_v1 plain;
uint8_t bytes[END_FRAME];

/* --- frames --- */

void
make_frame (uint8_t *f, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		f[i] = i * 7 + (i >> 8) * 13 + seed;
	memset (f, 0xff, 6); /* to all */
	f[12] = 0x88;	     /* an experimental type */
	f[13] = 0xb5;
}

void
expect (struct end *e, const uint8_t *wanted, size_t size)
{
	static struct frame f;

	CHECK (end_receive (e, &f, END_WAIT_MS));
	CHECK (f.size == size && !memcmp (f.bytes, wanted, size));
	CHECK (f.header.flags == 0 && f.header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
}

void
expect_nothing (struct end *e)
{
	static struct frame f;

	CHECK (!end_receive (e, &f, QUIET_MS));
}

/* --- tests --- */

static void
await_status (struct end *e, uint16_t status)
{
	struct virtio_net_config config;

	for (unsigned i = 0; i < END_WAIT_MS / 100; i++) {
		CHECK (vh_frontend_get_config (e->driver.frontend, 0, &config, sizeof (config)) == 0);
		if (le16toh (config.status) == status)
			return;
		queues_wait (&e->driver.queues[0], 1, 100);
	}
	die ("the status is %u", le16toh (config.status));
}

static void
test_sizes (const struct test *t)
{
	static const size_t sizes[] = { 14, 15, 60, 64, 1499, 1514, 1522, 4096, 9000, 65535, 65557 };
	struct end a, b;

	end_open (&a, t->a, 1, PLAIN);
	end_open (&b, t->b, 1, MERGE);
	await_status (&a, VIRTIO_NET_S_LINK_UP);
	await_status (&b, VIRTIO_NET_S_LINK_UP);
	for (unsigned i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++) {
		for (size_t piece = 0; piece < 4000; piece = piece * 3 + 1300) {
			make_frame (bytes, sizes[i], i);
			end_post (&b, 0, 1, END_FRAME);
			end_send (&a, 0, &plain, bytes, sizes[i], piece);
			expect (&b, bytes, sizes[i]);
			end_post (&a, 0, 1, END_FRAME);
			end_send (&b, 0, &plain, bytes, sizes[i], piece);
			expect (&a, bytes, sizes[i]);
		}
	}
	end_close (&a);
	end_close (&b);
}

static void
test_merged (const struct test *t)
{
	static struct frame f;
	struct end a, b;

	end_open (&a, t->a, 1, PLAIN);
	end_open (&b, t->b, 1, MERGE);
	/* Too few at first: the frame waits, and nothing is held meanwhile. */
	end_post (&b, 0, 3, 100);
	make_frame (bytes, 1000, 5);
	end_send (&a, 0, &plain, bytes, 1000, 0);
	expect_nothing (&b);
	end_post (&b, 0, 20, 100);
	CHECK (end_receive (&b, &f, END_WAIT_MS));
	CHECK (f.size == 1000 && !memcmp (f.bytes, bytes, 1000) && le16toh (f.header.num_buffers) == 11);
	/* One that is as long as what is left, and one byte more. */
	end_send (&a, 0, &plain, bytes, 1200 - 12, 0);
	CHECK (end_receive (&b, &f, END_WAIT_MS) && f.size == 1188 && le16toh (f.header.num_buffers) == 12);
	end_post (&b, 0, 3, 100);
	end_send (&a, 0, &plain, bytes, 300 - 12 + 1, 0);
	expect_nothing (&b);
	end_close (&b);
	/* Without it, a frame must fit into one buffer. */
	end_open (&b, t->b, 1, PLAIN);
	end_post (&b, 0, 2, 1526);
	end_send (&a, 0, &plain, bytes, 1515, 0);
	end_send (&a, 0, &plain, bytes, 1514, 0);
	expect (&b, bytes, 1514);
	expect_nothing (&b);
	end_close (&a);
	end_close (&b);
}

/* A guest that takes nothing stops the other one, but not for ever, and its device stops when it is told to. */
static void
test_pressure (const struct test *t)
{
	static struct frame f;
	uint32_t number = 0, last = 0, got = 0;
	struct end a, b;

	end_open (&a, t->a, 1, PLAIN);
	end_open (&b, t->b, 1, MERGE);
	make_frame (bytes, 9000, 3);
	for (unsigned i = 0; i < 2 * END_RING; i++) {
		memcpy (bytes + 14, &(uint32_t){ ++number }, 4);
		while (!end_try_send (&a, 0, bytes, 9000)) {
			struct queue *q = a.driver.queues[1];

			CHECK (queues_wait (&q, 1, END_WAIT_MS) >= 0);
		}
	}
	/* What is there comes in order, and nothing twice; some was dropped, perhaps. */
	end_post (&b, 0, 20, 10000);
	while (end_receive (&b, &f, QUIET_MS)) {
		uint32_t n;

		memcpy (&n, f.bytes + 14, 4);
		CHECK (f.size == 9000 && n > last);
		last = n;
		got++;
		end_post (&b, 0, 1, 10000);
	}
	CHECK (got >= 10);
	CHECK (end_sending (&a, 0) == 0);
	end_close (&a);
	end_close (&b);
}

/* A device with frames that cannot go stops at once, and its ring is as it was. */
static void
test_stop (const struct test *t)
{
	struct end a, b;

	end_open (&b, t->b, 1, PLAIN);
	for (unsigned round = 0; round < 3; round++) {
		end_open (&a, t->a, 1, PLAIN);
		make_frame (bytes, 20000, 3);
		for (unsigned i = 0; i < END_RING && end_try_send (&a, 0, bytes, 20000); i++)
			;
		CHECK (driver_stop (&a.driver) == 0);
		driver_close (&a.driver);
	}
	end_close (&b);
}

/* What one sends on either pair arrives on one that the other uses. */
static void
test_pairs (const struct test *t)
{
	static struct frame f;
	struct end a, b;
	unsigned seen = 0;

	end_open (&a, t->a, 2, PLAIN);
	end_open (&b, t->b, 2, MERGE);
	end_post (&b, 0, 4, 2048);
	end_post (&b, 1, 4, 2048);
	/* Until the second wire is there, both go over the first. */
	for (unsigned round = 0; round < 400 && seen != 3; round++, usleep (50000)) {
		for (unsigned pair = 0; pair < 2; pair++) {
			make_frame (bytes, 100, pair);
			end_send (&a, pair, &plain, bytes, 100, 0);
			CHECK (end_receive (&b, &f, END_WAIT_MS) && f.size == 100 && !memcmp (f.bytes, bytes, 100));
			seen |= 1 << f.pair;
			end_post (&b, f.pair, 1, 2048);
		}
	}
	CHECK (seen == 3);
	end_close (&b);
	/* With one pair at the other end, that one gets all. */
	end_open (&b, t->b, 1, MERGE);
	end_post (&b, 0, 30, 2048);
	for (unsigned i = 0; i < 20; i++) {
		make_frame (bytes, 200, i);
		end_send (&a, i % 2, &plain, bytes, 200, 0);
		/* Until the second wire is gone, what goes there is lost. */
		if (i < 10 && !end_receive (&b, &f, QUIET_MS))
			continue;
		if (i >= 10)
			CHECK (end_receive (&b, &f, END_WAIT_MS));
		CHECK (f.size == 200 && !memcmp (f.bytes, bytes, 200));
	}
	end_close (&a);
	end_close (&b);
}

static void
test_rarp (const struct test *t)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
	static const uint8_t rarp[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2, 3,    0x80, 0x35, 0, 1, 8, 0, 6, 4, 0,
		3,    0x52, 0x54, 0,	1,    2,    3,	  0,	0, 0, 0, 0x52, 0x54, 0,	   1, 2, 3, 0, 0, 0, 0,
	};
	static struct frame f;
	struct end a, b;

	end_open (&a, t->a, 1, PLAIN);
	end_open (&b, t->b, 1, PLAIN);
	end_post (&b, 0, 1, 2048);
	CHECK (vh_frontend_send_rarp (a.driver.frontend, mac) == 0);
	CHECK (end_receive (&b, &f, END_WAIT_MS) && f.size == 60 && !memcmp (f.bytes, rarp, sizeof (rarp)));
	for (unsigned i = sizeof (rarp); i < 60; i++)
		CHECK (f.bytes[i] == 0);
	end_close (&a);
	end_close (&b);
}

/* The devices were started with --mtu=2000. */
static void
test_mtu (const struct test *t)
{
	struct virtio_net_config config;
	struct end a, b;

	end_open (&a, t->a, 1, VH_BIT (VIRTIO_NET_F_MTU));
	end_open (&b, t->b, 1, MERGE);
	end_post (&b, 0, 10, 4096);
	CHECK (vh_frontend_get_config (a.driver.frontend, 0, &config, sizeof (config)) == 0);
	CHECK (le16toh (config.mtu) == 2000);
	CHECK (vh_frontend_set_mtu (a.driver.frontend, 2001) < 0);
	make_frame (bytes, 2023, 1);
	end_send (&a, 0, &plain, bytes, 2023, 0);
	end_send (&a, 0, &plain, bytes, 2022, 0); /* header of Ethernet, two tags */
	expect (&b, bytes, 2022);
	CHECK (vh_frontend_set_mtu (a.driver.frontend, 1000) == 0);
	CHECK (vh_frontend_get_config (a.driver.frontend, 0, &config, sizeof (config)) == 0);
	CHECK (le16toh (config.mtu) == 1000);
	make_frame (bytes, 1023, 1);
	end_send (&a, 0, &plain, bytes, 1023, 0);
	end_send (&a, 0, &plain, bytes, 1022, 0);
	expect (&b, bytes, 1022);
	expect_nothing (&b);
	end_close (&a);
	end_close (&b);
}

/* The script ends B's device when it reads "cut", and starts it again for "mend". */
static void
test_loss (const struct test *t)
{
	static struct frame f;
	struct end a, b;
	bool came = false;

	end_open (&a, t->a, 1, PLAIN);
	end_open (&b, t->b, 1, PLAIN);
	await_status (&a, VIRTIO_NET_S_LINK_UP);
	driver_close (&b.driver);
	printf ("cut\n");
	fflush (stdout);
	await_status (&a, 0);
	make_frame (bytes, 60, 1);
	for (unsigned i = 0; i < 3 * END_RING; i++)
		end_send (&a, 0, &plain, bytes, 60, 0);
	printf ("mend\n");
	fflush (stdout);
	await_status (&a, VIRTIO_NET_S_LINK_UP);
	end_open (&b, t->b, 1, PLAIN);
	end_post (&b, 0, 1, 2048);
	for (unsigned i = 0; i < 100 && !came; i++) {
		end_send (&a, 0, &plain, bytes, 60, 0);
		came = end_receive (&b, &f, 200);
	}
	CHECK (came && f.size == 60 && !memcmp (f.bytes, bytes, 60));
	end_close (&a);
	end_close (&b);
}

/* B is a host behind a TAP interface, which sends frames of our type back with all bits turned. */
static void
test_tap (const struct test *t)
{
	static struct frame f;
	static const size_t sizes[] = { 60, 999, 1514 };
	struct end a;

	end_open (&a, t->a, 2, CSUM | TSO | MERGE);
	await_status (&a, VIRTIO_NET_S_LINK_UP);
	end_post (&a, 0, 50, 2048);
	end_post (&a, 1, 50, 2048);
	for (unsigned i = 0; i < 20; i++) {
		size_t size = sizes[i % 3];

		make_frame (bytes, size, i);
		end_send (&a, i % 2, &plain, bytes, size, 0);
		do /* the host has other things to say as well */
			CHECK (end_receive (&a, &f, END_WAIT_MS));
		while (f.bytes[12] != 0x88 || f.bytes[13] != 0xb5);
		CHECK (f.size == size);
		for (size_t k = 14; k < size; k++)
			CHECK ((f.bytes[k] ^ bytes[k]) == 255);
	}
	printf ("cut\n");
	fflush (stdout);
	await_status (&a, 0);
	for (unsigned i = 0; i < 3 * END_RING; i++)
		end_send (&a, i % 2, &plain, bytes, 60, 0);
	end_close (&a);
}

static const struct {
	const char *name;
	void (*run) (const struct test *);
} tests[] = {
	{ "sizes", test_sizes }, { "merged", test_merged },	{ "checksum", test_checksum }, { "segments", test_segments },
	{ "lies", test_lies },	 { "pressure", test_pressure }, { "stop", test_stop },	       { "pairs", test_pairs },
	{ "rarp", test_rarp },	 { "mtu", test_mtu },		{ "loss", test_loss },	       { "tap", test_tap },
};

static void
run (const struct test *t, const char *name)
{
	for (unsigned i = 0; i < sizeof (tests) / sizeof (tests[0]); i++)
		if (!strcmp (tests[i].name, name)) {
			tests[i].run (t);
			printf ("ok: %s\n", name);
			return;
		}
	die ("there is no test \"%s\"", name);
}

int
main (int argc, char **argv)
{
	struct test t = { 0 };

	if (argc < 4)
		die ("usage: net-frames A B TEST...");
	t.a = argv[1];
	t.b = argv[2];
	for (int i = 3; i < argc; i++)
		run (&t, argv[i]);
	return 0;
}
