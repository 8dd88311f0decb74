/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-state: makes the corpus of fuzz-state, streams that the devices make of themselves, fresh and used; and some that were cut, or changed on their way.
 */
#include <stdio.h>
#include <string.h>

#include "devices/common/state.h"
#include "devices/console/port.h"
#include "fuzz/seed.h"
#include "fuzz/state-devices.h"

#define HEADER 16u	/* of a stream, with the size of what follows in the end */

static uint8_t stream[STATE_MAX];
static size_t size;

/* The stream as it is now. */
static void
write_seed (unsigned which, const char *what, unsigned piece, enum ending ending)
{
	const uint8_t head[] = { (uint8_t) which, (uint8_t) piece, (uint8_t) ending };
	const struct iovec parts[] = { { (void *) head, sizeof (head) }, { stream, size } };
	char name[64];

	snprintf (name, sizeof (name), "%s-%s", state_devices[which]->name, what);
	seed_parts (name, parts, 2);
}

static void
write_device (unsigned which)
{
	const struct state_device *kind = state_devices[which];
	const struct vh_device *d = state_device_get (which);

	size = state_of (d, stream, sizeof (stream));
	write_seed (which, "fresh", 0, ENDING_CHECK);
	if (!kind->use)
		return;
	kind->use (d);
	size = state_of (d, stream, sizeof (stream));
	write_seed (which, "used", 1 + which, ENDING_EARLY_CHECK);
}

static void
write_endings (unsigned which)
{
	write_seed (which, "again", 7, ENDING_AGAIN);
	write_seed (which, "hung-up", 0, ENDING_HANG_UP);
}

/* Bytes that a console had read for the guest become more, or less. */
static void
stretch (uint8_t *value, unsigned from, unsigned to)
{
	memmove (value + to, value + from, (size_t) (stream + size - value) - from);
	memset (value, 'x', to);
	size = size - from + to;
	store (value - 4, to, 4);
	store (stream + HEADER - 4, size - HEADER, 4);
}

/* As many as there may be, and one more. */
static void
write_full (unsigned which)
{
	uint8_t *value = memmem (stream, size, "typed", 5);

	stretch (value, 5, PORT_STAGED);
	write_seed (which, "full", 0, ENDING_CHECK);
	stretch (value, PORT_STAGED, PORT_STAGED + 1);
	write_seed (which, "overfull", 0, ENDING_CHECK);
	stretch (value, PORT_STAGED + 1, 5);
}

static void
write_changed (unsigned which)
{
	size_t whole = size--;

	write_seed (which, "cut", 0, ENDING_CHECK);
	/* Now only the last record says that there is more. */
	store (stream + HEADER - 4, size - HEADER, 4);
	write_seed (which, "cut-record", 0, ENDING_CHECK);
	size = whole;
	store (stream + HEADER - 4, size - HEADER, 4);
	stream[size++] = 0;
	write_seed (which, "too-long", 0, ENDING_CHECK);
	size = whole;
	store (stream + HEADER + 4, UINT32_MAX - 7, 4);
	write_seed (which, "huge-record", 0, ENDING_CHECK);
	memset (stream + HEADER, 0xff, size - HEADER);
	write_seed (which, "ones", 0, ENDING_CHECK);
}

void
seed_all (void)
{
	for (unsigned i = 0; i < STATE_DEVICES; i++)
		write_device (i);
	/* The last one has most to say. */
	write_endings (STATE_DEVICES - 1);
	write_full (STATE_DEVICES - 1);
	write_changed (STATE_DEVICES - 1);
}
