/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device state: the stream in pieces of any size, and streams that are not what they should be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/common/state.h"
#include "devices/console/device.h"
#include "tests/suite.h"

#define HEADER 16
#define MAX_STREAM 32768

/* A device with a number, and a few words. */
struct thing {
	struct state state;
	uint64_t numbers[2];
	char words[16];
	unsigned applied;
	int refusal;
};

static struct thing here, there;

static void
fill (void *device, struct state *s)
{
	struct thing *t = device;

	state_put_numbers (s, 0, 0, t->numbers, 2);
	state_put (s, 1, 3, t->words, strlen (t->words));
	state_put (s, STATE_OPTIONAL + 7, 0, "later", 5);
}

static int
apply (void *device, const struct state *s)
{
	struct thing *t = device;
	uint64_t numbers[2];
	const char *words;
	size_t size;

	if (t->refusal < 0)
		return t->refusal;
	words = state_find (s, 1, 3, &size);
	if (!state_get_numbers (s, 0, 0, numbers, 2) || !words || size >= sizeof (t->words))
		return -EBADMSG;
	memcpy (t->numbers, numbers, sizeof (numbers));
	memcpy (t->words, words, size);
	t->words[size] = 0;
	t->applied++;
	return 0;
}

static const struct state_kind kind = { .id = 77, .tags = 2, .fill = fill, .apply = apply };

static uint8_t stream[MAX_STREAM];
static size_t stream_size;

static void
begin (void)
{
	here = (struct thing){ .numbers = { 1, UINT64_C (0x0102030405060708) }, .words = "some words" };
	there = (struct thing){ .words = "others" };
}

static void
end (void)
{
	state_forget (&here.state);
	state_forget (&there.state);
}

static size_t
save (size_t piece, uint8_t *ret)
{
	size_t done = 0;
	int n;

	while ((n = state_save (&here.state, &kind, &here, done, ret + done, piece)) > 0)
		done += n;
	CU_ASSERT_EQUAL (n, 0);
	CU_ASSERT_PTR_NULL (here.state.bytes);
	return done;
}

/* The first error, or what the end says. */
static int
load (const uint8_t *bytes, size_t size, size_t piece)
{
	int err = 0;

	for (size_t done = 0; err == 0 && done < size; done += piece) {
		if (piece > size - done)
			piece = size - done;
		err = state_load (&there.state, &kind, &there, done, bytes + done, piece);
	}
	if (err == 0)
		err = state_load (&there.state, &kind, &there, size, NULL, 0);
	CU_ASSERT_PTR_NULL (there.state.bytes);
	return err;
}

static void
test_any_pieces (void)
{
	uint8_t other[MAX_STREAM];

	begin ();
	stream_size = save (MAX_STREAM, stream);
	CU_ASSERT_EQUAL (stream_size, HEADER + 8 + 16 + 8 + 10 + 8 + 5);
	for (size_t piece = 1; piece <= stream_size; piece++) {
		CU_ASSERT_EQUAL (save (piece, other), stream_size);
		CU_ASSERT_TRUE (!memcmp (stream, other, stream_size));
		there.words[0] = 0;
		CU_ASSERT_EQUAL (load (stream, stream_size, piece), 0);
		CU_ASSERT_EQUAL (there.applied, piece);
		CU_ASSERT_STRING_EQUAL (there.words, "some words");
		CU_ASSERT_EQUAL (there.numbers[1], UINT64_C (0x0102030405060708));
	}
	end ();
}

/* What another machine finds in it. */
static void
test_bytes (void)
{
	static const uint8_t expected[] = {
		'v', 'h', 's', 't', 'a', 't', 'e', 0, 1, 0, 77, 0, 55, 0, 0, 0,
		0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1,
		1, 0, 3, 0, 10, 0, 0, 0, 's', 'o', 'm', 'e', ' ', 'w', 'o', 'r', 'd', 's',
		7, 0x80, 0, 0, 5, 0, 0, 0, 'l', 'a', 't', 'e', 'r',
	};

	begin ();
	stream_size = save (MAX_STREAM, stream);
	CU_ASSERT_EQUAL_FATAL (stream_size, sizeof (expected));
	CU_ASSERT_TRUE (!memcmp (stream, expected, sizeof (expected)));
	end ();
}

/* A transfer that begins anew, in the middle of one. */
static void
test_begun_anew (void)
{
	uint8_t bytes[MAX_STREAM];

	begin ();
	CU_ASSERT_EQUAL (state_save (&here.state, &kind, &here, 0, bytes, 20), 20);
	stream_size = save (MAX_STREAM, stream);
	CU_ASSERT_EQUAL (state_load (&there.state, &kind, &there, 0, stream, 20), 0);
	CU_ASSERT_EQUAL (load (stream, stream_size, 3), 0);
	CU_ASSERT_EQUAL (there.applied, 1);
	/* And in the middle, without a beginning. */
	CU_ASSERT_EQUAL (state_load (&there.state, &kind, &there, 16, stream, 20), -EINVAL);
	end ();
}

static void
check_refused (int err, size_t size)
{
	for (size_t piece = 1; piece <= size + 1; piece += size / 3 + 1)
		CU_ASSERT_EQUAL (load (stream, size, piece), err);
	CU_ASSERT_EQUAL (there.applied, 0);
	CU_ASSERT_STRING_EQUAL (there.words, "others");
}

static void
test_cut (void)
{
	begin ();
	stream_size = save (MAX_STREAM, stream);
	for (size_t size = 0; size < stream_size; size++)
		check_refused (-EBADMSG, size);
	stream[stream_size] = 0;
	check_refused (-EBADMSG, stream_size + 1);
	check_refused (-EBADMSG, MAX_STREAM);
	end ();
}

static void
put16 (size_t at, unsigned n)
{
	stream[at] = n;
	stream[at + 1] = n >> 8;
}

static void
put32 (size_t at, uint32_t n)
{
	put16 (at, n);
	put16 (at + 2, n >> 16);
}

#define FIRST HEADER			/* record */
#define SECOND (FIRST + 8 + 16)
#define THIRD (SECOND + 8 + 10)

static void
test_headers (void)
{
	begin ();
	for (unsigned i = 0; i < 8; i++) {
		stream_size = save (MAX_STREAM, stream);
		stream[i] ^= 0x20;
		check_refused (-EBADMSG, stream_size);
	}
	stream_size = save (MAX_STREAM, stream);
	put16 (8, 2);
	check_refused (-EOPNOTSUPP, stream_size);
	stream_size = save (MAX_STREAM, stream);
	put16 (10, 78);
	check_refused (-EOPNOTSUPP, stream_size);
	stream_size = save (MAX_STREAM, stream);
	put32 (12, STATE_MAX - HEADER + 1);
	check_refused (-EBADMSG, stream_size);
	put32 (12, UINT32_MAX);
	check_refused (-EBADMSG, stream_size);
	end ();
}

static void
test_records (void)
{
	static const uint32_t sizes[] = { 0, 15, 17, 1000, 0x7fffffff, 0x80000000, UINT32_MAX - 7, UINT32_MAX };

	begin ();
	for (unsigned i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++) {
		int err;

		stream_size = save (MAX_STREAM, stream);
		put32 (FIRST + 4, sizes[i]);
		err = load (stream, stream_size, 7);
		CU_ASSERT_TRUE (err == -EBADMSG || err == -EOPNOTSUPP);
	}
	stream_size = save (MAX_STREAM, stream);
	put16 (SECOND, 2);	/* a tag that nobody knows */
	check_refused (-EOPNOTSUPP, stream_size);
	put16 (SECOND, 0);	/* the same record twice */
	put16 (SECOND + 2, 0);
	check_refused (-EBADMSG, stream_size);
	put16 (SECOND + 2, 1);	/* one that is missing */
	check_refused (-EBADMSG, stream_size);
	stream_size = save (MAX_STREAM, stream);
	put16 (THIRD, 0);	/* out of order */
	check_refused (-EBADMSG, stream_size);
	end ();
}

/* Empty ones, that nobody has to know, up to so many of them all. */
static void
add_records (unsigned last)
{
	for (unsigned n = 3; n < last; n++, stream_size += 8) {
		put16 (stream_size, STATE_OPTIONAL + 8);
		put16 (stream_size + 2, n);
		put32 (stream_size + 4, 0);
	}
	put32 (12, stream_size - HEADER);
}

/* Each is passed by whenever one behind it is looked for. */
static void
test_many_records (void)
{
	begin ();
	stream_size = save (MAX_STREAM, stream);
	add_records (STATE_MAX_RECORDS + 1);
	check_refused (-EBADMSG, stream_size);
	stream_size = save (MAX_STREAM, stream);
	add_records (STATE_MAX_RECORDS);
	CU_ASSERT_EQUAL (load (stream, stream_size, MAX_STREAM), 0);
	end ();
}

static void
test_refusal (void)
{
	begin ();
	stream_size = save (MAX_STREAM, stream);
	there.refusal = -EINVAL;
	check_refused (-EINVAL, stream_size);
	there.refusal = 0;
	CU_ASSERT_EQUAL (load (stream, stream_size, 1), 0);
	end ();
}

/* Something that does not fit is not sent in part. */
static void
fill_too_much (void *device, struct state *s)
{
	static const uint8_t bytes[STATE_MAX / 2];

	state_put (s, 0, 0, bytes, sizeof (bytes));
	state_put (s, 0, 1, bytes, sizeof (bytes));
}

static void
test_too_much (void)
{
	static const struct state_kind fat = { .id = 77, .tags = 2, .fill = fill_too_much, .apply = apply };
	uint8_t bytes[64];

	begin ();
	CU_ASSERT_EQUAL (state_save (&here.state, &fat, &here, 0, bytes, sizeof (bytes)), -ENOMEM);
	CU_ASSERT_PTR_NULL (here.state.bytes);
	end ();
}

/* --- a console --- */

static const struct log quiet = { .silent = true };

static struct console *
make_console (const char *name)
{
	struct console_options o = { .console = { .kind = &host_stdio }, .ports = { { .name = name, .kind = &host_stdio } }, .n_ports = 1 };
	const struct vh_device *d;

	CU_ASSERT_EQUAL_FATAL (console_new (&o.common, &quiet, &d), 0);
	return d->opaque;
}

static size_t
save_console (struct console *c, uint8_t *ret)
{
	int n = c->vh.ops->state_save (c, 0, ret, MAX_STREAM);

	CU_ASSERT_TRUE_FATAL (n > 0 && c->vh.ops->state_save (c, n, ret + n, MAX_STREAM - n) == 0);
	return n;
}

static int
load_console (struct console *c, const uint8_t *bytes, size_t size)
{
	int err = c->vh.ops->state_load (c, 0, bytes, size);

	return err < 0 ? err : c->vh.ops->state_load (c, size, NULL, 0);
}

static void
test_console (void)
{
	struct console *a = make_console ("p"), *b = make_console ("p"), *other = make_console ("q");
	size_t size;

	a->control.ports[0] = (struct control_port){ .added = true, .guest_open = true };
	a->control.ports[1].added = true;
	memcpy (a->ports[1].staged + 10, "typed", 5);
	a->ports[1].staged_at = 10;
	a->ports[1].n_staged = 5;
	a->ports[0].stats.bytes_out = 7;
	size = save_console (a, stream);
	CU_ASSERT_EQUAL (load_console (other, stream, size), -EINVAL);
	CU_ASSERT_EQUAL (load_console (b, stream, size), 0);
	CU_ASSERT_TRUE (b->known && b->control.ports[0].added && b->control.ports[0].guest_open && b->control.ports[1].added);
	CU_ASSERT_FALSE (b->control.ports[1].guest_open);
	/* It has to hear who is at this host. */
	CU_ASSERT_EQUAL (b->control.ports[0].owes, 1u << VIRTIO_CONSOLE_PORT_OPEN);
	CU_ASSERT_EQUAL (b->ports[1].n_staged, 5);
	CU_ASSERT_TRUE (!memcmp (b->ports[1].staged + b->ports[1].staged_at, "typed", 5));
	CU_ASSERT_EQUAL (b->ports[0].stats.bytes_out, 7);
	console_free (a);
	console_free (b);
	console_free (other);
}

/* Messages that there are not for such a port: a console has no name to be told. */
static void
test_hostile_console (void)
{
	struct console *a = make_console ("p"), *b = make_console ("p");
	size_t size;

	a->control.ports[0].owes = 1u << VIRTIO_CONSOLE_PORT_NAME;
	size = save_console (a, stream);
	CU_ASSERT_EQUAL (load_console (b, stream, size), -EBADMSG);
	a->control.ports[0].owes = 1u << 31;
	size = save_console (a, stream);
	CU_ASSERT_EQUAL (load_console (b, stream, size), -EBADMSG);
	CU_ASSERT_FALSE (b->known);
	console_free (a);
	console_free (b);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "pieces of any size", test_any_pieces },
		{ "the bytes", test_bytes },
		{ "a transfer that begins anew", test_begun_anew },
		{ "streams that are cut, and such that are too long", test_cut },
		{ "headers of others", test_headers },
		{ "records against the rules", test_records },
		{ "as many records as there may be, and one more", test_many_records },
		{ "a device that refuses", test_refusal },
		{ "a state that is too large", test_too_much },
		{ "a console", test_console },
		{ "a hostile console", test_hostile_console },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("device state", tests);
}
