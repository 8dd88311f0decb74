/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes the corpus of fuzz-frontend: seed-frontend FOLDER.  A few sessions that go far, from which a fuzzer finds its way; see frontend-input.h.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "frontend-input.h"

static const char *folder;
static FILE *file;
static int failed;

static void
put (uint64_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		putc ((int) (value & 0xff), file);
		value >>= 8;
	}
}

static void
begin (const char *name)
{
	char path[4096];

	snprintf (path, sizeof (path), "%s/%s", folder, name);
	file = fopen (path, "wb");
	if (!file) {
		fprintf (stderr, "seed-frontend: %s: %s\n", path, strerror (errno));
		failed = 1;
		file = tmpfile ();
	}
}

static void
end (void)
{
	if (fclose (file) != 0)
		failed = 1;
}

static void
call (uint8_t which)
{
	put (STEP_CALL, 1);
	put (which, 1);
}

static void
answer_u64 (uint64_t value)
{
	put (STEP_ANSWER, 1);
	put (8, 1);
	put (0, 1);
	put (value, 8);
}

static void
answer_nothing (uint8_t fds)
{
	put (STEP_ANSWER, 1);
	put (0, 1);
	put (fds, 1);
}

static void
answer_long (uint16_t size, uint8_t fds, uint8_t value)
{
	put (STEP_LONG, 1);
	put (size, 2);
	put (fds, 1);
	put (value, 1);
}

static void
ask (uint8_t id, uint8_t fds, uint8_t n)
{
	put (STEP_ASK, 1);
	put (id, 1);
	put (9, 1);
	put (fds, 1);
	put (n, 1);
}

/* The handshake with every protocol feature, and SET_FEATURES. */
static void
handshake (void)
{
	call (0);
	answer_u64 (0x370000000);
	answer_u64 (0xffffff);
	put (STEP_OK, 1);	/* SET_PROTOCOL_FEATURES is not acknowledged, the channel and SET_OWNER are */
	put (3, 1);
}

int
main (int argc, char **argv)
{
	if (argc != 2) {
		fprintf (stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	folder = argv[1];

	begin ("handshake");
	handshake ();
	call (2);
	answer_u64 (0);
	call (5);
	answer_u64 (4);
	call (6);
	answer_u64 (509);
	end ();

	begin ("single-steps");
	call (1);
	answer_u64 (0x170000000);
	call (3);
	answer_u64 (0xffffff);
	call (4);
	for (uint8_t which = 7; which < 23; which++) {
		call (which);
		answer_u64 (0);
	}
	end ();

	begin ("with-fds");
	call (1);
	answer_u64 (0x170000000);
	call (3);
	answer_u64 (0xffffff);
	call (4);
	call (23);
	answer_nothing (1);
	call (24);
	put (STEP_ANSWER, 1);
	put (8, 1);
	put (1, 1);
	put (0, 8);
	call (25);
	answer_nothing (1);
	call (26);
	put (STEP_ANSWER, 1);
	put (24, 1);
	put (1, 1);
	put (4096, 8);
	put (0, 8);
	put (2, 2);
	put (64, 2);
	put (0, 4);
	end ();

	begin ("long-answers");
	call (1);
	answer_u64 (0x170000000);
	call (3);
	answer_u64 (0xffffff);
	call (4);
	call (15);
	answer_long (1072, 0, 0);
	call (16);
	answer_long (2056, 0, 0);
	call (12);
	answer_nothing (0);
	end ();

	begin ("asked");
	handshake ();
	ask (2, 0, 0);
	ask (4, 0, 8);
	put (1, 8);
	ask (5, 0, 8);
	put (1, 8);
	ask (6, 0, 16);
	put (1, 16);
	ask (8, 0, 16);
	put (1, 16);
	ask (3, 1, 24);
	put (1, 8);
	put (4096, 8);
	put (0, 8);
	ask (9, 1, 40);
	put (3, 8);
	put (0, 8);
	put (0, 8);
	put (4096, 8);
	put (0, 8);
	ask (77, 0, 0);
	end ();

	/* Regions of 2 MiB with the ids 0 to 28, so that pieces can be mapped. */
	begin ("shared-memory");
	handshake ();
	call (16);
	put (STEP_MAIN, 1);
	put (252, 1);
	put (0, 1);
	put (44, 4);
	put (5, 4);
	put (2056, 4);
	put (29, 8);
	for (unsigned i = 0; i < 29; i++)
		put (0x200000, 8);
	for (unsigned i = 29; i < 256; i++) {
		put (STEP_MAIN, 1);
		put (8, 1);
		put (0, 1);
		put (0, 8);
	}
	for (uint8_t id = 9; id <= 10; id++) {
		ask (id, id == 9, 40);
		put (3, 8);
		put (0, 8);
		put (4096, 8);
		put (8192, 8);
		put (1, 8);
	}
	end ();

	begin ("hang-up");
	call (1);
	call (1);
	put (STEP_HANG_UP, 1);
	put (0, 1);
	end ();
	return failed;
}
