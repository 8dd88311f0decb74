/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * blk-requests SOCKET FILE TEST...: every kind of request at a vhost-user-blk that serves FILE, whatever its options are, and a look into the file
 * afterwards.  See check-blk.sh.  Needs 8 MiB of disk; what is in them is lost, but in the test "read-only".
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/blk-requests.h"

static uint8_t
pattern (uint64_t place, unsigned seed)
{
	return (place * 31 + (place >> 9) * 7 + seed) | 1;	/* never 0 */
}

void
fill (uint8_t *data, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		data[i] = pattern (i, seed);
}

static bool
holds (const uint8_t *data, size_t from, size_t to, unsigned seed)
{
	for (size_t i = from; i < to; i++)
		if (data[i] != pattern (i, seed))
			return false;
	return true;
}

static bool
is_zero (const uint8_t *data, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (data[i])
			return false;
	return true;
}

bool
file_holds (const struct test *t, uint64_t place, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc (size);
	bool same = copy && pread (t->fd, copy, size, place) == (ssize_t) size && !memcmp (copy, data, size);

	free (copy);
	return same;
}

void
check_writing (struct test *t, struct disk *d, unsigned seed)
{
	fill (d->data, 8192, seed);
	CHECK (t, disk_write (d, IN_MIB (1), 8192) == VIRTIO_BLK_S_OK);
	CHECK (t, file_holds (t, MIB, d->data, 8192));
}

/* --- data --- */

/* Lists of sizes with whole blocks together, at places that no disk likes, and larger than what is copied at a time. */
static const uint32_t cuts[][16] = {
	{ 4096 },
	{ 1, 4095 },
	{ 511, 1, 3584 },
	{ 3, 1021, 2048, 1024 },
	{ 512, 512, 512, 512, 512, 512, 512, 512 },
	{ 4096, 4096, 8191, 1 },
	{ 1000, 1000, 2096 },
	{ 65536, 4096, 131072 },
	{ MIB - 1, MIB + 1 },
	{ 3 * MIB, 4096, 13, 4083 },
};

static uint32_t
sum (const uint32_t *parts)
{
	uint32_t bytes = 0;

	while (*parts)
		bytes += *parts++;
	return bytes;
}

static void
test_data (struct test *t)
{
	static const size_t skips[] = { 0, 1, 512, 3333 };
	struct disk d;

	disk_open (&d, t->socket, 0);
	for (unsigned i = 0; i < sizeof (cuts) / sizeof (cuts[0]); i++) {
		size_t skip = skips[i % 4], back = skips[(i + 1) % 4];
		uint32_t bytes = sum (cuts[i]);

		fill (d.data + skip, bytes, i);
		CHECK (t, disk_request (&d, VIRTIO_BLK_T_OUT, IN_MIB (1), true, skip, cuts[i]) == VIRTIO_BLK_S_OK);
		memset (d.data, 0, DISK_ROOM);
		CHECK (t, disk_request (&d, VIRTIO_BLK_T_IN, IN_MIB (1), false, back, cuts[i]) == VIRTIO_BLK_S_OK);
		CHECK (t, holds (d.data + back, 0, bytes, i));
		CHECK (t, d.data[back + bytes] == 0);
		CHECK (t, disk_flush (&d) == VIRTIO_BLK_S_OK);
		CHECK (t, file_holds (t, MIB, d.data + back, bytes));
	}
	disk_close (&d);
}

/* Header and data in one descriptor, data and status in one. */
static void
test_layouts (struct test *t)
{
	const uint32_t header = sizeof (struct virtio_blk_outhdr);
	struct disk d;

	disk_open (&d, t->socket, 0);
	/* The header is where disk_chain puts it; the data of a write follow in a descriptor that the header's last half begins. */
	struct queue_buffer write[] = { { d.header_addr, 8 }, { d.data_addr, 8 + 4096 }, { d.status_addr, 1 } };
	struct queue_buffer read[] = { { d.header_addr, header }, { d.data_addr, 4097 } };
	uint64_t sector = htole64 (8);

	fill (d.data + 8, 4096, 77);
	memcpy (d.data, &sector, sizeof (sector));
	CHECK (t, disk_chain (&d, VIRTIO_BLK_T_OUT, 0, write, 2, 1) == VIRTIO_BLK_S_OK);
	memset (d.data, 0xee, 8192);
	disk_chain (&d, VIRTIO_BLK_T_IN, 8, read, 1, 1);
	CHECK (t, holds (d.data, 0, 4096, 77));
	CHECK (t, d.data[4096] == VIRTIO_BLK_S_OK);
	CHECK (t, d.data[4097] == 0xee);
	disk_close (&d);
}

/* --- ranges --- */

static void
set_range (struct disk *d, unsigned i, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes range = { htole64 (sector), htole32 (sectors), htole32 (flags) };

	memcpy (d->data + i * sizeof (range), &range, sizeof (range));
}

static uint8_t
send_ranges (struct disk *d, uint32_t type, unsigned n)
{
	return disk_request (d, type, 0, true, 0, (const uint32_t[]){ n * sizeof (struct virtio_blk_discard_write_zeroes), 0 });
}

/* Zeroes from 64 KiB to 128 KiB, and from 1 MiB to 2.5 MiB, more than is written at a time, in 3 MiB of pattern. */
void
check_ranges (struct test *t, struct disk *d, uint32_t type, uint32_t flags, unsigned seed)
{
	fill (d->data, 3 * MIB, seed);
	CHECK (t, disk_write (d, IN_MIB (4), 3 * MIB) == VIRTIO_BLK_S_OK);
	set_range (d, 0, IN_MIB (4) + 128, 128, flags);
	set_range (d, 1, IN_MIB (5), IN_MIB (3) / 2, flags);
	CHECK (t, send_ranges (d, type, 2) == VIRTIO_BLK_S_OK);
	CHECK (t, disk_read (d, IN_MIB (4), 3 * MIB) == VIRTIO_BLK_S_OK);
	CHECK (t, holds (d->data, 0, 65536, seed));
	CHECK (t, is_zero (d->data, 65536, 131072));
	CHECK (t, holds (d->data, 131072, MIB, seed));
	CHECK (t, is_zero (d->data, MIB, 5 * MIB / 2));
	CHECK (t, holds (d->data, 5 * MIB / 2, 3 * MIB, seed));
	CHECK (t, disk_flush (d) == VIRTIO_BLK_S_OK);
	CHECK (t, file_holds (t, 4 * MIB, d->data, 3 * MIB));
}

static uint64_t
file_blocks (const struct test *t)
{
	struct stat st;

	if (fsync (t->fd) < 0 || fstat (t->fd, &st) < 0)
		die ("%s: %s", t->path, strerror (errno));
	return st.st_blocks;
}

static void
test_zeroes (struct test *t)
{
	struct disk d;
	uint64_t before;

	disk_open (&d, t->socket, 0);
	CHECK (t, le32toh (d.config.max_write_zeroes_seg) >= 2);
	check_ranges (t, &d, VIRTIO_BLK_T_WRITE_ZEROES, 0, 5);
	before = file_blocks (t);
	check_ranges (t, &d, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, 6);
	if (d.config.write_zeroes_may_unmap)
		CHECK (t, file_blocks (t) < before);
	disk_close (&d);
}

static void
test_discard (struct test *t)
{
	struct disk d;
	uint64_t before;

	disk_open (&d, t->socket, 0);
	CHECK (t, d.driver.features & VH_BIT (VIRTIO_BLK_F_DISCARD));
	check_ranges (t, &d, VIRTIO_BLK_T_WRITE_ZEROES, 0, 7);
	before = file_blocks (t);
	/* Of a file, what was discarded reads as zeroes. */
	check_ranges (t, &d, VIRTIO_BLK_T_DISCARD, 0, 8);
	CHECK (t, file_blocks (t) < before);
	disk_close (&d);
}

/* --- what must be refused, with the disk unchanged --- */

static void
test_refusals (struct test *t)
{
	const uint32_t block = 4096;
	struct disk d;
	uint64_t end;

	disk_open (&d, t->socket, 0);
	end = le64toh (d.config.capacity);
	fill (d.data, block, 9);
	CHECK (t, disk_write (&d, end - 8, block) == VIRTIO_BLK_S_OK);
	CHECK (t, disk_write (&d, end - 7, block) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_write (&d, end, block) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_write (&d, UINT64_MAX / SECTOR + 1, block) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_read (&d, UINT64_MAX, block) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_read (&d, end - 8, 1000) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_request (&d, 0xdead, 0, true, 0, (const uint32_t[]){ block, 0 }) == VIRTIO_BLK_S_UNSUPP);
	CHECK (t, disk_request (&d, VIRTIO_BLK_T_IN, 0, true, 0, (const uint32_t[]){ block, 0 }) == VIRTIO_BLK_S_IOERR);
	set_range (&d, 0, end - 8, 16, 0);
	CHECK (t, send_ranges (&d, VIRTIO_BLK_T_WRITE_ZEROES, 1) == VIRTIO_BLK_S_IOERR);
	set_range (&d, 0, 0, 8, 0x80);
	CHECK (t, send_ranges (&d, VIRTIO_BLK_T_WRITE_ZEROES, 1) == VIRTIO_BLK_S_UNSUPP);
	CHECK (t, disk_read (&d, end - 8, block) == VIRTIO_BLK_S_OK);
	CHECK (t, holds (d.data, 0, block, 9));
	disk_close (&d);
}

static void
test_read_only (struct test *t)
{
	struct disk d;

	disk_open (&d, t->socket, 0);
	CHECK (t, d.driver.features & VH_BIT (VIRTIO_BLK_F_RO));
	CHECK (t, disk_read (&d, 0, MIB) == VIRTIO_BLK_S_OK);
	CHECK (t, file_holds (t, 0, d.data, MIB));
	fill (d.data, 4096, 1);
	CHECK (t, disk_write (&d, 0, 4096) == VIRTIO_BLK_S_IOERR);
	set_range (&d, 0, 0, 8, 0);
	CHECK (t, send_ranges (&d, VIRTIO_BLK_T_WRITE_ZEROES, 1) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_read (&d, 0, MIB) == VIRTIO_BLK_S_OK);
	CHECK (t, file_holds (t, 0, d.data, MIB));
	disk_close (&d);
}

/* There is not room for 8 MiB, nor is there none: requests fail, and the queue goes on. */
static void
test_no_room (struct test *t)
{
	unsigned good = 0, bad = 0;
	struct disk d;

	disk_open (&d, t->socket, 0);
	fill (d.data, MIB, 3);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t status = disk_write (&d, IN_MIB (i), MIB);

		good += status == VIRTIO_BLK_S_OK;
		bad += status == VIRTIO_BLK_S_IOERR;
	}
	CHECK (t, good > 0);
	CHECK (t, bad > 0);
	CHECK (t, good + bad == 8);
	CHECK (t, disk_write (&d, 0, MIB) == VIRTIO_BLK_S_OK);
	CHECK (t, disk_flush (&d) == VIRTIO_BLK_S_OK);
	CHECK (t, disk_read (&d, 0, MIB) == VIRTIO_BLK_S_OK);
	CHECK (t, holds (d.data, 0, MIB, 3));
	disk_close (&d);
}

/* Somebody has cut the file: what is not there cannot be read. */
static void
test_cut (struct test *t)
{
	struct disk d;

	disk_open (&d, t->socket, 0);
	if (truncate (t->path, MIB) < 0)
		die ("%s: %s", t->path, strerror (errno));
	CHECK (t, disk_read (&d, 0, MIB) == VIRTIO_BLK_S_OK);
	CHECK (t, disk_read (&d, IN_MIB (2), 4096) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_read (&d, IN_MIB (1) - 8, 8192) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_read (&d, IN_MIB (1) - 8, MIB) == VIRTIO_BLK_S_IOERR);
	CHECK (t, disk_read (&d, 0, MIB) == VIRTIO_BLK_S_OK);
	disk_close (&d);
}

/* --- the program --- */

/* For the tests after it. */
static void
use_packed_rings (struct test *t)
{
	disk_use_packed ();
	t->checks++;
}

static const struct {
	const char *name;
	void (*run) (struct test *);
} tests[] = {
	{ "data", test_data },
	{ "layouts", test_layouts },
	{ "zeroes", test_zeroes },
	{ "discard", test_discard },
	{ "refusals", test_refusals },
	{ "read-only", test_read_only },
	{ "no-room", test_no_room },
	{ "cut", test_cut },
	{ "cache", test_cache },
	{ "no-flush", test_no_flush },
	{ "durable", test_durable },
	{ "resize", test_resize },
	{ "packed", use_packed_rings },
};

static void
run_test (struct test *t, const char *name)
{
	for (unsigned i = 0; i < sizeof (tests) / sizeof (tests[0]); i++)
		if (!strcmp (tests[i].name, name)) {
			unsigned before = t->checks;

			tests[i].run (t);
			printf ("ok: %s, %u checks\n", name, t->checks - before);
			return;
		}
	die ("there is no test \"%s\"", name);
}

int
main (int argc, char **argv)
{
	struct test t = { 0 };

	if (argc < 4)
		die ("usage: %s SOCKET FILE TEST...", argv[0]);
	t.socket = argv[1];
	t.path = argv[2];
	t.fd = open (t.path, O_RDONLY | O_CLOEXEC);
	if (t.fd < 0)
		die ("%s: %s", t.path, strerror (errno));
	for (int i = 3; i < argc; i++)
		run_test (&t, argv[i]);
	close (t.fd);
	return 0;
}
