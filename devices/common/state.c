/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of device state; see state.h.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/common/state.h"

#define FORMAT 1
#define NUMBER sizeof (uint64_t)

static const char magic[8] = "vhstate";

struct header {
	char magic[8];
	uint16_t version, kind;
	uint32_t size;
};

struct record {
	uint16_t tag, index;
	uint32_t size;
};

_Static_assert (sizeof (struct header) == 16 && sizeof (struct record) == 8, "there are no gaps");

void
state_forget (struct state *s)
{
	free (s->bytes);
	*s = (struct state){ 0 };
}

/* --- out --- */

static void
append (struct state *s, const void *bytes, size_t size)
{
	if (s->failed || size > s->room - s->size) {
		s->failed = true;
		return;
	}
	memcpy (s->bytes + s->size, bytes, size);
	s->size += size;
}

void
state_put (struct state *s, unsigned tag, unsigned index, const void *bytes, size_t size)
{
	const struct record r = { htole16 (tag), htole16 (index), htole32 (size) };

	append (s, &r, sizeof (r));
	append (s, bytes, size);
}

void
state_put_numbers (struct state *s, unsigned tag, unsigned index, const uint64_t *numbers, unsigned n)
{
	const struct record r = { htole16 (tag), htole16 (index), htole32 (n * NUMBER) };

	append (s, &r, sizeof (r));
	for (unsigned i = 0; i < n; i++) {
		uint64_t number = htole64 (numbers[i]);

		append (s, &number, NUMBER);
	}
}

/* The whole stream, as the device is now. */
static int
make_stream (struct state *s, const struct state_kind *kind, void *device)
{
	struct header h = { .version = htole16 (FORMAT), .kind = htole16 (kind->id) };

	state_forget (s);
	s->bytes = malloc (STATE_MAX);
	s->room = s->bytes ? STATE_MAX : 0;
	append (s, &h, sizeof (h));
	kind->fill (device, s);
	if (s->failed) {
		state_forget (s);
		return -ENOMEM;
	}
	memcpy (h.magic, magic, sizeof (magic));
	h.size = htole32 (s->size - sizeof (h));
	memcpy (s->bytes, &h, sizeof (h));
	return 0;
}

int
state_save (struct state *s, const struct state_kind *kind, void *device, uint64_t offset, void *buf, size_t size)
{
	int err = offset == 0 ? make_stream (s, kind, device) : 0;

	if (err < 0)
		return err;
	if (offset >= s->size) {
		state_forget (s);
		return 0;
	}
	if (size > s->size - offset)
		size = s->size - offset;
	memcpy (buf, s->bytes + offset, size);
	return size;
}

/* --- in --- */

static struct record
record_at (const struct state *s, size_t at)
{
	struct record r;

	memcpy (&r, s->bytes + at, sizeof (r));
	return (struct record){ le16toh (r.tag), le16toh (r.index), le32toh (r.size) };
}

static size_t
record_end (size_t at, const struct record *r)
{
	return at + sizeof (*r) + r->size;
}

/* The sizes add up, the order is right, and they are not too many. */
static int
check_records (const struct state *s, const struct state_kind *kind)
{
	int64_t last = -1;
	unsigned n = 0;

	for (size_t at = sizeof (struct header); at < s->size;) {
		struct record r;

		if (s->size - at < sizeof (r) || ++n > STATE_MAX_RECORDS)
			return -EBADMSG;
		r = record_at (s, at);
		if (r.size > s->size - at - sizeof (r) || ((int64_t) r.tag << 16 | r.index) <= last)
			return -EBADMSG;
		if (r.tag >= kind->tags && r.tag < STATE_OPTIONAL)
			return -EOPNOTSUPP;
		last = (int64_t) r.tag << 16 | r.index;
		at = record_end (at, &r);
	}
	return 0;
}

/* As soon as the header is there: is it for us, and how much is to come? */
static int
check_header (struct state *s, const struct state_kind *kind)
{
	struct header h;
	uint8_t *bytes;

	memcpy (&h, s->bytes, sizeof (h));
	if (memcmp (h.magic, magic, sizeof (magic)) || le32toh (h.size) > STATE_MAX - sizeof (h))
		return -EBADMSG;
	if (le16toh (h.version) != FORMAT || le16toh (h.kind) != kind->id)
		return -EOPNOTSUPP;
	bytes = realloc (s->bytes, sizeof (h) + le32toh (h.size));
	if (!bytes)
		return -ENOMEM;
	s->bytes = bytes;
	s->room = sizeof (h) + le32toh (h.size);
	return 0;
}

static int
begin_load (struct state *s)
{
	state_forget (s);
	s->bytes = malloc (sizeof (struct header));
	s->room = s->bytes ? sizeof (struct header) : 0;
	return s->bytes ? 0 : -ENOMEM;
}

static int
load_piece (struct state *s, const struct state_kind *kind, const uint8_t *bytes, size_t size)
{
	if (s->size < sizeof (struct header)) {
		size_t missing = sizeof (struct header) - s->size, n = size < missing ? size : missing;
		int err;

		append (s, bytes, n);
		if (n < missing)
			return 0;
		err = check_header (s, kind);
		if (err < 0)
			return err;
		bytes += n;
		size -= n;
	}
	append (s, bytes, size);
	return s->failed ? -EBADMSG : 0;	/* it is longer than it said */
}

static int
end_load (struct state *s, const struct state_kind *kind, void *device)
{
	int err = s->size < sizeof (struct header) || s->size < s->room ? -EBADMSG : check_records (s, kind);

	return err < 0 ? err : kind->apply (device, s);
}

int
state_load (struct state *s, const struct state_kind *kind, void *device, uint64_t offset, const void *buf, size_t size)
{
	int err = offset == 0 ? begin_load (s) : s->bytes ? 0 : -EINVAL;

	if (err == 0)
		err = size > 0 ? load_piece (s, kind, buf, size) : end_load (s, kind, device);
	if (err < 0 || size == 0)
		state_forget (s);
	return err;
}

/* --- values --- */

const void *
state_find (const struct state *s, unsigned tag, unsigned index, size_t *size)
{
	for (size_t at = sizeof (struct header); at < s->size;) {
		struct record r = record_at (s, at);

		if (r.tag == tag && r.index == index) {
			*size = r.size;
			return s->bytes + at + sizeof (r);
		}
		at = record_end (at, &r);
	}
	return NULL;
}

bool
state_get_numbers (const struct state *s, unsigned tag, unsigned index, uint64_t *ret, unsigned n)
{
	size_t size;
	const uint8_t *value = state_find (s, tag, index, &size);

	if (!value || size != n * NUMBER)
		return false;
	memcpy (ret, value, size);
	for (unsigned i = 0; i < n; i++)
		ret[i] = le64toh (ret[i]);
	return true;
}

bool
state_has_numbers (const struct state *s, unsigned tag, unsigned count, unsigned n)
{
	size_t size;

	for (unsigned i = 0; i < count; i++)
		if (!state_find (s, tag, i, &size) || size != n * NUMBER)
			return false;
	return true;
}
