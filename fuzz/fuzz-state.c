/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a front-end that hands over any stream for the state of a device.  See state-devices.h for what the bytes mean.  Besides the crash that a
 * sanitizer sees, it is wrong if a stream that was refused has changed something; if the state that was taken over is not what its device would take over
 * again; if pieces or the front-end's ways make a difference; if the front-end is not told how it went; or if an fd is left.
 */
#include <string.h>
#include <unistd.h>

#include "devices/common/state.h"
#include "fuzz/back-end.h"
#include "fuzz/far-end.h"
#include "fuzz/input.h"
#include "fuzz/state-devices.h"
#include "fuzz/verdict.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_TURNS 2000

#define SET_PROTOCOL_FEATURES 16
#define SET_DEVICE_STATE_FD 42
#define CHECK_DEVICE_STATE 43

#define LOAD 1
#define NO_FD 0x100

struct stream {
	uint8_t bytes[STATE_MAX];
	size_t size;
};

/* What is made once. */
struct subject {
	const struct state_device *kind;
	const struct vh_device *device;
	struct stream fresh;	/* as it was made */
};

/* --- the front-end --- */

static void
rest (struct back_end *b)
{
	if (!back_end_rests (b, MOST_TURNS))
		wrong ("the back-end does not come to rest");
}

static void
ask (struct back_end *b, uint32_t id, const void *body, uint32_t size, int fd)
{
	const uint32_t header[HEADER_WORDS] = { id, FAR_END_WANTS_ANSWER, size };

	if (!far_end_send_message (b->socket, header, body, size, &fd, fd >= 0))
		wrong ("the back-end takes no message");
	rest (b);
}

static uint64_t
answer (struct back_end *b)
{
	uint64_t ret;

	if (!far_end_receive_u64 (b->socket, &ret))
		wrong ("a message is not answered");
	return ret;
}

static void
negotiate (struct back_end *b)
{
	const uint64_t features = VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_DEVICE_STATE);

	ask (b, SET_PROTOCOL_FEATURES, &features, sizeof (features), -1);
	answer (b);
}

/* Returns the end that the stream is written to. */
static int
begin (struct back_end *b)
{
	static const uint32_t body[2] = { LOAD, 0 };
	int theirs, ours = far_end_new (&theirs);

	ask (b, SET_DEVICE_STATE_FD, body, sizeof (body), theirs);
	close (theirs);
	if (answer (b) != NO_FD)
		wrong ("a stream cannot begin");
	return ours;
}

/* The back-end may have had enough of it already. */
static void
send_stream (struct back_end *b, int to, const uint8_t *bytes, size_t size, size_t piece)
{
	for (unsigned i = 0; size > 0; i++) {
		size_t n = piece > 0 && piece < size && i < STATE_PIECES ? piece : size;

		far_end_send (to, bytes, n, NULL, 0);
		rest (b);
		bytes += n;
		size -= n;
	}
}

/* All that follows the three bytes.  True: the state was taken over. */
static bool
hand_over (struct back_end *b, const struct input *in, size_t piece, enum ending ending)
{
	int to = begin (b);

	if (ending == ENDING_AGAIN) {
		send_stream (b, to, in->data, in->left / 2, piece);
		close (to);	/* which is no end any more when the next one has begun */
		to = begin (b);
	}
	if (ending == ENDING_EARLY_CHECK)
		ask (b, CHECK_DEVICE_STATE, NULL, 0, -1);
	send_stream (b, to, in->data, in->left, piece);
	if (ending == ENDING_HANG_UP) {
		close (b->socket);
		rest (b);
		close (to);
		return false;
	}
	close (to);
	rest (b);
	if (ending != ENDING_EARLY_CHECK)
		ask (b, CHECK_DEVICE_STATE, NULL, 0, -1);
	return answer (b) == 0;
}

/* --- what is right --- */

static void
save (const struct subject *s, struct stream *ret)
{
	ret->size = state_of (s->device, ret->bytes, sizeof (ret->bytes));
}

static bool
same (const struct stream *a, const struct stream *b)
{
	return a->size == b->size && !memcmp (a->bytes, b->bytes, a->size);
}

/* As one piece, without a front-end. */
static bool
load (const struct subject *s, const uint8_t *bytes, size_t size)
{
	const struct vh_device *d = s->device;

	return (size == 0 || d->ops->state_load (d->opaque, 0, bytes, size) == 0) && d->ops->state_load (d->opaque, size, NULL, 0) == 0;
}

/* A stream that the device has made of itself. */
static void
put_back (const struct subject *s, const struct stream *from)
{
	if (!load (s, from->bytes, from->size))
		wrong ("a state that was saved cannot be loaded");
}

/* What is there now, is that what this stream makes of a fresh device? */
static void
check_verdict (const struct subject *s, const struct input *in, bool loaded)
{
	static struct stream now, again;

	save (s, &now);
	put_back (s, &s->fresh);
	if (load (s, in->data, in->left) != loaded)
		wrong ("the front-end hears something else than the device has said");
	save (s, &again);
	if (!same (&now, &again))
		wrong ("a stream in pieces is not what it is as a whole");
}

static void
check_state (const struct subject *s, bool loaded)
{
	static struct stream now, again;

	save (s, &now);
	if (!loaded && !same (&now, &s->fresh))
		wrong ("a stream that was refused has changed something");
	put_back (s, &now);
	save (s, &again);
	if (!same (&now, &again))
		wrong ("a state is another one when it has been saved and loaded");
	if (s->kind->check)
		s->kind->check (s->device);
}

/* --- one input --- */

static const struct subject *
subject_get (unsigned which)
{
	static struct subject subjects[STATE_DEVICES];
	struct subject *s = &subjects[which];

	if (s->device)
		return s;
	s->kind = state_devices[which];
	s->device = state_device_get (which);
	save (s, &s->fresh);
	return s;
}

static void
run_input (struct input *in, const struct subject *s)
{
	size_t piece = input_byte (in);
	enum ending ending = input_byte (in) % ENDINGS;
	struct back_end b;
	bool loaded;

	back_end_open (&b, s->device);
	negotiate (&b);
	loaded = hand_over (&b, in, piece, ending);
	if (ending != ENDING_HANG_UP)
		check_verdict (s, in, loaded);
	check_state (s, loaded);
	if (ending != ENDING_HANG_UP)
		close (b.socket);
	rest (&b);
	back_end_free (&b);
	put_back (s, &s->fresh);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct input in = { .data = data, .left = size };
	const struct subject *s = subject_get (input_byte (&in) % STATE_DEVICES);
	unsigned before = count_fds ();

	run_input (&in, s);
	if (count_fds () != before)
		wrong ("fds are left");
	return 0;
}
