/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of a device as a stream of bytes, for a migration (VH_P_DEVICE_STATE): a header, and then records in ascending order of tag and index, none twice.
 * All numbers are little-endian.
 *
 *	"vhstate", 0 | version | kind | size of what follows		8, 2, 2, 4 bytes
 *	tag | index | size of what follows | a value			2, 2, 4 bytes, and the value
 *	...
 *
 * What comes in is a stranger's.  It is kept until it is complete, and then checked as a whole, before the device looks at a value.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a stream.  Most of it is what 64 ports of a console may have read ahead: 4 KiB each. */
#define STATE_MAX (512u << 10)

/* More than four times what any device has.  To find one is to pass by those before it, and a device finds each of its own twice or thrice. */
#define STATE_MAX_RECORDS 2048

/* Records with tags from here on are passed over by who does not know them; others are refused. */
#define STATE_OPTIONAL 0x8000

/* One in each device, at first zeroes: a stream that comes or goes. */
struct state {
	uint8_t *bytes;		/* NULL: none */
	size_t size, room;
	bool failed;		/* there was no memory for all of it */
};

/* What a kind of device makes of it.  Control thread, while all rings are stopped. */
struct state_kind {
	uint16_t id;		/* of the device, as virtio has it */
	uint16_t tags;		/* those that it knows are 0..tags - 1 */
	/* Puts the device's values, in their order.  Changes nothing. */
	void (*fill) (void *device, struct state *);
	/* Takes values over, once all of them are found good.  A negative errno: nothing was changed. */
	int (*apply) (void *device, const struct state *);
};

/* For the callbacks state_save and state_load, whose arguments these have. */
int state_save (struct state *, const struct state_kind *, void *device, uint64_t offset, void *buf, size_t size);
int state_load (struct state *, const struct state_kind *, void *device, uint64_t offset, const void *buf, size_t size);

/* Nobody goes on with it. */
void state_forget (struct state *);

/* --- for `fill` --- */

void state_put (struct state *, unsigned tag, unsigned index, const void *bytes, size_t size);
void state_put_numbers (struct state *, unsigned tag, unsigned index, const uint64_t *numbers, unsigned n);

/* --- for `apply` --- */

/* The value, valid until `apply` returns, and its size; NULL: there is none. */
const void *state_find (const struct state *, unsigned tag, unsigned index, size_t *size);

/* True: there is one of n numbers. */
bool state_get_numbers (const struct state *, unsigned tag, unsigned index, uint64_t *ret, unsigned n);

/* Are there values of n numbers each with indexes 0..count - 1? */
bool state_has_numbers (const struct state *, unsigned tag, unsigned count, unsigned n);

#endif
